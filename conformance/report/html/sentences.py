"""The document, sentence by sentence: which clauses check each, and what they found."""

from collections.abc import Mapping
from typing import Any

from conformance.report.counts import left_out
from conformance.report.statement import Statement


def sentences(statement: Statement) -> Mapping[str, Any]:
    """Return each sentence with its clauses, and whether a partial selection left them out."""
    return {
        "further": sum(not clause.statements for clause in statement.clauses),
        "sentences": [
            (
                sentence,
                [
                    (clause, left_out(statement, clause))
                    for clause in statement.clauses
                    if sentence.id in clause.statements
                ],
            )
            for sentence in statement.document.sentences
        ],
    }
