"""Commands on the statements of runs: ``compare`` two of them, ``merge`` those of one target's shards."""

import argparse
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from conformance.commands import listing
from conformance.errors import CatalogueError, NotWritten, UsageError
from conformance.report import comparison_text, formats, json_report
from conformance.report.comparison import Comparison, compare
from conformance.report.digest import suite_digest
from conformance.report.html import comparison as comparison_page
from conformance.report.merging import merge
from conformance.report.report_folder import PAGE, ReportFolder, is_whole
from conformance.report.statement import Statement
from conformance.report.summary_line import headline
from conformance.verdict.run import ExitCode

FORMATS: Final[Mapping[str, Callable[[Comparison], str]]] = {
    "terminal": comparison_text.as_terminal,
    "markdown": comparison_text.as_markdown,
    "html": comparison_page.render,
}


def add(commands: Any) -> None:
    """Add both commands to the parser."""
    comparing = commands.add_parser(
        "compare",
        help="tell how two runs differ; exit code 1 where something is worse in the second",
        description="Tell how two runs differ. A clause is worse in B where its verdict, or that of a case "
        "which both have, comes earlier in this order: violation, stale deviation, broken, not tested, known "
        "deviation, pass (level with it: observed, not claimed, untestable).",
    )
    comparing.add_argument("a", metavar="A.json", help="the conformance.json to compare with")
    comparing.add_argument("b", metavar="B.json", help="the conformance.json that may be worse")
    comparing.add_argument("--format", choices=FORMATS, default="terminal")
    comparing.add_argument("--output", metavar="FILE", help="write there instead of to the terminal")
    merging = commands.add_parser(
        "merge", help="join runs that each ran other cases of one suite, on one target with one profile"
    )
    merging.add_argument("statements", metavar="RUN.json", nargs="+", help="the conformance.json of each run")
    merging.add_argument(
        "-o", "--output", metavar="DIR", required=True, help="the folder of the whole report"
    )


def run_compare(given: argparse.Namespace) -> tuple[str, int]:
    """Compare; return what to say and the exit code."""
    found = compare(json_report.load(given.a), json_report.load(given.b))
    text = FORMATS[given.format](found)
    code = int(ExitCode.VIOLATED if found.is_regression else ExitCode.CONFORMS)
    if given.output is None:
        return text, code
    try:
        Path(given.output).write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"--output {given.output}: {error.strerror}. Name a file that can be written."
        ) from None
    return f"{found.headline}\n{given.output}", code


def run_merge(given: argparse.Namespace) -> tuple[str, int]:
    """Merge and write the report; return what to say, and the exit code that one run would have had."""
    names: Sequence[str] = given.statements
    statements = [json_report.load(name) for name in names]
    made = merge(statements, names, every_case=_every_case(statements[0]))
    output = Path(given.output)
    if made.run.partial and is_whole(output):
        raise UsageError(
            f"--output {given.output}: holds the report of a whole run, and these runs are only a part. "
            "Name another folder."
        )
    folder = ReportFolder(output)
    if made.command is not None:
        command = made.command.model_copy(update={"report": str(folder.final)})
        made = made.model_copy(update={"command": command})
    try:
        formats.write_all(made, folder.fresh)
        folder.publish()
    except OSError as error:
        raise NotWritten(
            f"--output {given.output}: {error.strerror}. Free some space, or name another folder."
        ) from None
    finally:
        folder.discard()
    return f"{headline(made).title}\n{_shown(folder.final / PAGE)}", made.run.exit_code


COMMANDS: Final[Mapping[str, Callable[[argparse.Namespace], tuple[str, int]]]] = {
    "compare": run_compare,
    "merge": run_merge,
}


def _every_case(statement: Statement) -> Collection[str] | None:
    """Return the ids of all cases of the suite that judged; None where that is another than the one here."""
    if statement.suite.digest != suite_digest():
        return None
    try:
        return {test for clause in listing.clauses()["clauses"] for test in clause["tests"]}
    except CatalogueError:
        return None


def _shown(file: Path) -> str:
    here = Path.cwd()
    return str(file.relative_to(here) if file.is_relative_to(here) else file)
