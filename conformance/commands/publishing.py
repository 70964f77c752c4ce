"""Commands for who publishes statements: ``matrix`` of several targets, ``badge`` of one."""

import argparse
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from conformance.errors import UsageError
from conformance.report import badge, json_report, matrix_text
from conformance.report.html import matrix as matrix_page
from conformance.report.markdown import code
from conformance.report.matrix import Matrix, matrix
from conformance.report.report_folder import PAGE
from conformance.report.reproduce import published

FORMATS: Final[Mapping[str, Callable[[Matrix], str]]] = {
    "markdown": matrix_text.as_markdown,
    "html": matrix_page.render,
}


def add(commands: Any) -> None:
    """Add both commands to the parser."""
    several = commands.add_parser(
        "matrix",
        help="show clauses by targets, from the statements of several runs",
        description="Show each clause with what each target made of it: verdict, and the readings that were "
        "seen. Cells lead to the evidence in the page that lies beside each statement.",
    )
    several.add_argument("statements", metavar="RUN.json", nargs="+", help="the conformance.json of each run")
    several.add_argument(
        "--format", choices=FORMATS, help="by default html for a FILE that ends in .html, else markdown"
    )
    several.add_argument("-o", "--output", metavar="FILE", help="write there instead of to the terminal")
    single = commands.add_parser(
        "badge",
        help="make a badge of a run, as SVG",
        description="Make a badge: how many of the claimed clauses held, whether the run was partial, and "
        "its day. Prints the lines that show it, with the command that reproduces the run.",
    )
    single.add_argument("statement", metavar="RUN.json", help="the run's conformance.json")
    single.add_argument("-o", "--output", metavar="FILE", required=True, help="the SVG file")


def run_matrix(given: argparse.Namespace) -> tuple[str, int]:
    """Make the matrix; return what to say and the exit code."""
    here = Path(given.output).parent if given.output else Path()
    found = matrix([(json_report.load(name), _page_of(name, here)) for name in given.statements])
    kind = given.format or ("html" if str(given.output).endswith(".html") else "markdown")
    text = FORMATS[kind](found)
    if given.output is None:
        return text.rstrip("\n"), 0
    _write(given.output, text)
    return f"{found.title}. {found.found}\n{given.output}", 0


def run_badge(given: argparse.Namespace) -> tuple[str, int]:
    """Make the badge; return the lines that show it, and the exit code."""
    statement = json_report.load(given.statement)
    made = badge.badge(statement)
    _write(given.output, badge.as_svg(made))
    page = _page_of(given.statement, Path(given.output).parent) or PAGE
    line = published(statement)
    suite = f"suite {statement.suite.version}, digest {statement.suite.digest[:12]}"
    shown = [f"[![{badge.LABEL}: {made.says}]({quote(Path(given.output).name)})]({page})"]
    if line is not None:
        shown += ["", f"Reproduce with {suite}, on a hub of your own: {code(line)}"]
    return "\n".join(shown), 0


COMMANDS: Final[Mapping[str, Callable[[argparse.Namespace], tuple[str, int]]]] = {
    "matrix": run_matrix,
    "badge": run_badge,
}


def _page_of(statement: str, here: Path) -> str:
    """Return the address of the page that lies beside a statement, as seen from a folder; else nothing."""
    page = Path(statement).parent / PAGE
    return quote(Path(os.path.relpath(page, here)).as_posix()) if page.is_file() else ""


def _write(name: str, text: str) -> None:
    try:
        Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--output {name}: {error.strerror}. Name a file that can be written.") from None
