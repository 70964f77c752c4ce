"""The command ``allure``: one page of Allure's of some runs, side by side."""

import argparse
import os
from pathlib import Path
from typing import Any, Final

from conformance.errors import UsageError
from conformance.report import allure_generator, allure_page, json_report
from conformance.report.report_folder import PARTIAL, REPORT
from conformance.report.statement import Statement

REPORTS: Final = "reports"
OUTPUT: Final = "reports/allure.html"


def add(commands: Any) -> None:
    """Add the command to the parser."""
    rendering = commands.add_parser(
        "allure",
        help="render runs as one page of Allure's, side by side (wants Node)",
        description="Render runs as one page of Allure's, side by side as its environments. The page is one "
        "file that loads nothing. Wants Node and the npm package `allure`.",
    )
    rendering.add_argument(
        "reports",
        metavar="REPORT",
        nargs="*",
        help=f"the folder of a run; all whole ones in {REPORTS}/ by default",
    )
    rendering.add_argument(
        "-o", "--output", metavar="FILE", default=OUTPUT, help="the page; by default %(default)s"
    )
    rendering.add_argument(
        "--generator", metavar="FILE", help="cli.js of the npm package; by default `allure` in PATH"
    )
    rendering.add_argument(
        "--check", action="store_true", help="say whether there are runs and a Node, and render nothing"
    )


def run_allure(given: argparse.Namespace) -> tuple[str, int]:
    """Render; return what to say and the exit code."""
    folders = [Path(name) for name in given.reports] or _all_reports()
    shown = allure_page.runs({folder: _statement(folder) for folder in folders})
    runtime = allure_generator.node()
    names = ", ".join(run.name for run in shown)
    if given.check:
        return f"{names}: to be rendered with {runtime}", 0
    text = allure_generator.page(shown, allure_generator.generator(given.generator), runtime)
    output = Path(given.output)
    fresh = output.with_name(f".{output.name}-{os.getpid()}")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(output)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise UsageError(
            f"--output {given.output}: {error.strerror}. Name a file that can be written."
        ) from None
    return f"{names}\n{given.output}", 0


def _statement(folder: Path) -> Statement:
    if not (folder / REPORT).is_file():
        raise UsageError(f"{folder}: holds no {REPORT}. Name the folder of a run's report.")
    return json_report.load(str(folder / REPORT))


def _all_reports() -> list[Path]:
    reports = (file.parent for file in Path(REPORTS).glob(f"[!.]*/{REPORT}"))
    found = sorted(folder for folder in reports if not folder.name.endswith(PARTIAL))
    if not found:
        raise UsageError(
            f"{REPORTS}/: holds no report of a whole run. Make one with `make conformance`, or "
            "`pytest --profile=NAME`, or name the folder of one."
        )
    return found
