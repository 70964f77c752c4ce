"""Every format that a statement alone is enough for: JSON, page, summary."""

from pathlib import Path

from conformance.report import json_report, summary
from conformance.report.folder import PAGE, REPORT, SUMMARY
from conformance.report.html.page import render
from conformance.report.statement import Statement


def write(statement: Statement, folder: Path) -> None:
    """Write them into a folder. The page and the summary are made of what the JSON file says, and no more."""
    json_report.write(statement, folder / REPORT)
    (folder / PAGE).write_text(render(statement), encoding="utf-8")
    (folder / SUMMARY).write_text(summary.render(statement), encoding="utf-8")
