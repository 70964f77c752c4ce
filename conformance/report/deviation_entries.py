"""Entries for a profile, written from what a run found violated: ready to paste, but for their reasons."""

import json
from datetime import date, timedelta
from typing import Final

from conformance.report.statement import CasePart, Statement
from conformance.verdict.verdicts import Verdict

# Long enough to mend a hub, short enough to be looked at again.
DAYS: Final = 90


def entries(statement: Statement, *, today: date) -> str:
    """Return one ``[[deviation]]`` for each violated case, with a blank reason, or a comment where none is.

    A profile with a blank reason is refused: a person has to say why the difference is accepted.
    """
    written = [
        _entry(clause.id, case, clause.says, today)
        for clause in statement.clauses
        for case in clause.cases
        if case.verdict is Verdict.VIOLATION
    ]
    about = f"{statement.profile.name}, {statement.target.name}, run of {statement.run.started}"
    return "\n".join([f"# {len(written)} violated cases of {about}", *written])


def _entry(clause: str, case: CasePart, says: str, today: date) -> str:
    return "\n".join(
        [
            "",
            f"[[deviation]] # {says}",
            f"clause = {_text(clause)}",
            f"case = {_text(case.id)}",
            f"observed = {_text(case.observed)}",
            'reason = ""',
            f"since = {today.isoformat()}",
            f"expires = {(today + timedelta(days=DAYS)).isoformat()}",
            'link = ""',
        ]
    )


def _text(value: str) -> str:
    """Write a TOML basic string; JSON's escapes are the same, and ASCII alone needs no others."""
    return json.dumps(value, ensure_ascii=True)
