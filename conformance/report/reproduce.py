"""The line that runs on the hub of a report again: whoever pastes it judges that hub, or none.

It names the hub as its run did, and by ``--same-hub``, which refuses any other. It writes beside the report
that it stands in, never over it.
"""

import shlex
from collections.abc import Sequence
from typing import Final

from conformance.report.report_folder import PARTIAL
from conformance.report.statement import ClausePart, CommandPart, Statement

AGAIN: Final = ".again"
_PYARGS: Final = "--pyargs"


def command(statement: Statement, clause: ClausePart | None = None) -> str | None:
    """Return the line for a clause, or for the whole run; None where a statement does not say how it was run.

    A watched clause that a case of another one broke is reproduced by that case.
    """
    told = statement.command
    if told is None:
        return None
    if clause is None:
        words = [*told.cases, *told.words, f"--report-dir={_stem(told)}{AGAIN}"]
    else:
        words = [*_cases(told, clause), *told.words, *_selection(clause), *_place_of_part(told)]
    line = shlex.join(["pytest", *words])
    return f"cd {shlex.quote(told.folder)} && {line}" if told.folder else line


def published(statement: Statement) -> str | None:
    """Return the line by which a stranger makes the same run on a hub of theirs, of a part the same part.

    It names no place of this machine but a profile's; None where a statement does not say how it was run.
    """
    told = statement.command
    if told is None:
        return None
    of_this_hub = ("--same-hub=", "--attach=", "--hub-url=")
    words = [word for word in told.words if not word.startswith(of_this_hub)]
    # As the command line takes them: an option's value behind a space would be a place to collect from.
    selection = [
        word.replace(" ", "=", 1) if word.startswith("--") else word for word in statement.run.selection
    ]
    return shlex.join(["pytest", *told.cases, *words, *selection])


def conditions(statement: Statement) -> list[str]:
    """Return what must be so for a line to name the same hub again, in sentences."""
    told = statement.command
    if told is None:
        return []
    sentences = ["In the suite's environment each line judges the hub of this report, or says why not."]
    if told.variables:
        sentences.append(f"The profile reads {', '.join(told.variables)}: set them as they were.")
    if any(word.startswith("--attach=") for word in told.words):
        sentences.append(
            "The hub must still run: started anew it is another one, unless it keeps its certificate "
            "authority. To judge that one, leave out --same-hub."
        )
    return sentences


def _in_passing(clause: ClausePart) -> str | None:
    """Return the id of the case of another clause that broke a watched one, where no case of its own did."""
    broken = [case for case in clause.cases if case.verdict is clause.verdict]
    return broken[0].id if broken and all(case.in_passing for case in broken) else None


def _cases(told: CommandPart, clause: ClausePart) -> list[str]:
    case = _in_passing(clause)
    if case is None:
        return told.cases
    file, _, name = case.partition("::")
    *before, package = told.cases
    if _PYARGS in before:
        return [*before, f"{package}.{file.removesuffix('.py')}::{name}"]
    return [*before, f"{package}/{case}"]


def _selection(clause: ClausePart) -> list[str]:
    return [] if _in_passing(clause) else [f"--clause={clause.id}"]


def _place_of_part(told: CommandPart) -> Sequence[str]:
    """Return where a part goes: by itself beside a whole report at its usual place, else by name."""
    is_usual = not told.report.startswith("/") and not told.report.endswith(PARTIAL)
    return () if is_usual else (f"--report-dir={_stem(told)}{AGAIN}{PARTIAL}",)


def _stem(told: CommandPart) -> str:
    stem = told.report
    while stem.endswith(PARTIAL):
        stem = stem.removesuffix(PARTIAL)
    return stem
