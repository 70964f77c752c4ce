"""What a reader sees first: the claim and its bounds, who judged what, what needs attention, the matrix."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.report.case_text import LONGEST_SIDE
from conformance.report.counts import (
    ATTENTION,
    case_counts,
    causes_of,
    clause_counts,
    columns,
    how_many,
    of_verdict,
    shown,
)
from conformance.report.printable import first_line, plural
from conformance.report.statement import ClausePart, CostPart, Statement
from conformance.report.summary_line import KEPT_OUT, headline
from conformance.verdict.verdicts import Verdict


def overview(statement: Statement) -> Mapping[str, Any]:
    """Return what the top of the page shows."""
    clauses = shown(statement)
    run, target = statement.run, statement.target
    sections = (
        (section, [clause for clause in clauses if clause.section == section.name])
        for section in statement.sections
    )
    return {
        "claim": headline(statement),
        "run": run,
        "target": target,
        "document": statement.document,
        "suite": statement.suite,
        "attention_rows": list(_attention(statement)),
        "attention_count": len(of_verdict(statement, *ATTENTION)),
        "KEPT_OUT": KEPT_OUT,
        "kept_out": [
            (clause, reading, words) for clause in clauses for reading, words in clause.consequences.items()
        ],
        "verdicts": columns(statement),
        "clause_count": len(clauses),
        "matrix": [(section, clause_counts(own)) for section, own in sections if own],
        "all_clauses": clause_counts(clauses),
        "all_cases": case_counts(statement),
        "passing": sum(case.in_passing for clause in clauses for case in clause.cases),
        "ports": ", ".join(f"{name} {port}" for name, port in target.ports.items()),
        "states": ", ".join(f"{name} {seconds:g} s" for name, seconds in statement.claims.timing.items()),
        "took": _took(statement),
        "asked": _asked(run.cost),
        "slowest": ", ".join(f"{case.seconds:.1f} s {case.clause}" for case in run.cost.slowest[:3]),
        "size": f"{plural(run.cases, 'case')}, large ones "
        f"{'included' if statement.claims.large else 'not asked for'}",
    }


def _took(statement: Statement) -> str:
    run = statement.run
    shards = f", merged from {run.shards} runs" if run.shards > 1 else ""
    slept = f"{run.slept_seconds:.1f} s slept"
    return f"{run.seconds:.1f} s on {plural(run.workers, 'worker')}{shards}, {slept}"


def _asked(cost: CostPart) -> str:
    if not cost.messages:
        return ""
    identities = "1 identity" if cost.identities == 1 else f"{cost.identities} identities"
    parts = [plural(cost.messages, "message"), identities]
    if cost.registry_operations:
        parts.insert(1, plural(cost.registry_operations, "registry operation"))
    if cost.connections:
        parts.append(plural(cost.connections, "connection"))
    return ", ".join(parts)


@dataclass(frozen=True, kw_only=True)
class Row:
    """What is wrong with a clause: expected and actual of its first such case, or `why` where it has none.

    `others` are the rows of clauses that the same has probably turned red.
    """

    clause: ClausePart
    about: str = ""
    sides: tuple[str, str] | None = None
    why: str = ""
    more: str = ""
    others: Sequence["Row"] = ()


def _attention(statement: Statement) -> Iterator[Row]:
    """Yield a row for each probable cause of violations, then for what else needs attention."""
    clauses = {clause.id: clause for clause in statement.clauses}
    for cause in causes_of(statement):
        yield _row(clauses[cause.first], [_row(clauses[clause]) for clause in cause.others])
    for clause in of_verdict(statement, *ATTENTION):
        if clause.verdict is not Verdict.VIOLATION:
            yield _row(clause)


def _row(clause: ClausePart, others: Sequence[Row] = ()) -> Row:
    guilty = [case for case in clause.cases if case.verdict is clause.verdict]
    if not guilty:
        return Row(clause=clause, why=clause.reason, others=others)
    case = guilty[0]
    count = how_many(clause.cases, clause.verdict)
    more = f" ({count})" if count else ""
    if not case.expected:
        why = first_line(case.message, LONGEST_SIDE) or case.id
        return Row(clause=clause, why=why, more=more, others=others)
    expected, actual = (
        first_line(side, LONGEST_SIDE) for side in (case.expected, case.actual or case.observed)
    )
    about = case.title if case.verdict is Verdict.VIOLATION else ""
    return Row(clause=clause, about=about, sides=(expected, actual), more=more, others=others)
