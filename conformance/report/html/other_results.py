"""What stands beside the claim: readings seen, observations, deviations, what was not claimed or tested."""

from collections.abc import Mapping
from typing import Any

from conformance.report.counts import kept_out, left_out, of_verdict, shown, words_of
from conformance.report.statement import Statement
from conformance.verdict.verdicts import Verdict


def other_results(statement: Statement) -> Mapping[str, Any]:
    """Return what the tables show: one for each kind; a kind without any says so."""
    clauses = shown(statement)
    return {
        "readings": [
            (clause, kept_out(clause))
            for clause in clauses
            if clause.level == "disputed" and clause.verdict is not Verdict.NOT_CLAIMED
        ],
        "known": {clause.id for clause in clauses},
        "observations": [(clause, words_of(clause)) for clause in of_verdict(statement, Verdict.OBSERVED)],
        "left": [
            (place, title, of_verdict(statement, verdict))
            for place, title, verdict in (
                ("not-claimed", "Not claimed", Verdict.NOT_CLAIMED),
                ("not-tested", "Not tested", Verdict.NOT_TESTED),
                ("untestable", "Not testable from outside", Verdict.UNTESTABLE),
            )
        ],
        "omitted": [clause for clause in statement.clauses if left_out(statement, clause)],
    }
