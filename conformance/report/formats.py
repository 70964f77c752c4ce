"""Every format that a statement alone is enough for."""

from pathlib import Path

from conformance.report import allure, allure_environment, json_report, junit_file, summary
from conformance.report.html.page import render
from conformance.report.report_folder import ALLURE, JUNIT, PAGE, REPORT, SUMMARY
from conformance.report.statement import Statement


def write(statement: Statement, folder: Path) -> None:
    """Write JSON, page and summary into a folder: what they say is in the JSON file, and no more."""
    json_report.write(statement, folder / REPORT)
    (folder / PAGE).write_text(render(statement), encoding="utf-8")
    (folder / SUMMARY).write_text(summary.render(statement), encoding="utf-8")


def write_all(statement: Statement, folder: Path) -> None:
    """Write every format, those too that other writers make while a run goes on."""
    write(statement, folder)
    junit_file.write(statement, folder / JUNIT)
    allure.write(statement, folder / ALLURE)
    allure_environment.write(statement, folder / ALLURE)
