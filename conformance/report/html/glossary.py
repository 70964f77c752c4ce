"""How to read the page: what each verdict, level and source means, and how to repeat the run."""

from collections.abc import Mapping
from typing import Any, Final

from conformance.report.html.clauses import SOURCE
from conformance.report.reproduce import command, conditions
from conformance.report.statement import Statement
from conformance.verdict.verdicts import WORST_FIRST, Verdict

MEANING: Final[Mapping[Verdict, str]] = {
    Verdict.VIOLATION: "the target did something other than the clause says",
    Verdict.STALE_DEVIATION: "the profile states a known difference that is no longer there, or another one",
    Verdict.BROKEN: "a case failed before or beside the rule it checks: nothing can be said about the target",
    Verdict.NOT_TESTED: "the profile claims what the clause needs, but nothing judged it",
    Verdict.KNOWN_DEVIATION: "the target differs just as the profile states, with a reason",
    Verdict.PASS: "every case of the clause held",
    Verdict.OBSERVED: "what the target does was taken down; no source says what is right",
    Verdict.UNTESTABLE: "nothing outside a hub can provoke or see it",
    Verdict.NOT_CLAIMED: "the profile does not claim what the clause needs, or the hub did not come to do it",
}
LEVEL: Final = {
    "must": "a source states the rule, and it can be judged",
    "disputed": "sources disagree; each named reading passes, and the one seen is reported, "
    "with known clients that cannot work with it",
    "observe": "no source says what is right; what the target does is taken down",
    "untestable": "a source states it, and nothing outside a hub can check it",
}


def glossary(statement: Statement) -> Mapping[str, Any]:
    """Return what the last part of the page shows; `whole_run` is the command, empty where none is known."""
    return {
        "verdict_meanings": [(verdict, MEANING[verdict]) for verdict in WORST_FIRST],
        "level_meanings": list(LEVEL.items()),
        "source_meanings": list(SOURCE.items()),
        "whole_run": command(statement) or "",
        "conditions": conditions(statement),
    }
