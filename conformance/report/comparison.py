"""Two statements side by side: which behaviours differ, and which are worse in the second.

Worse is defined by the order of the verdicts, worst first: violation, stale deviation, broken, not tested,
known deviation, pass; observed, not claimed and untestable stand level with pass. A clause is *worse* where
its verdict in B stands before that in A, or where that is so for a case of it that both have. It is *better*
where its verdict stands behind. It is *different* where neither holds, and the verdict, the readings, the
verdict of a case or the word that a case observed are not the same, or a case that only one of them has is
violated, stale, broken or not tested. Scenarios beyond the default ones are left out. Expected, actual and
times do not count: they differ from run to run.
What a partial selection left out of one statement is not compared; a clause of which it ran other cases than
the other statement is judged by the cases that both have.
"""

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from conformance.explore.scenarios import is_extra
from conformance.report.counts import ATTENTION, left_out
from conformance.report.printable import plural
from conformance.report.statement import CasePart, ClausePart, Statement
from conformance.verdict.verdicts import WORST_FIRST, Verdict, worst

_LEVEL_WITH_PASS: Final = frozenset({Verdict.OBSERVED, Verdict.NOT_CLAIMED, Verdict.UNTESTABLE})
_RANK: Final = {
    verdict: WORST_FIRST.index(Verdict.PASS if verdict in _LEVEL_WITH_PASS else verdict)
    for verdict in Verdict
}


class Kind(enum.StrEnum):
    """How B differs from A; in the order in which a reader wants them."""

    WORSE = "worse in B"
    DIFFERENT = "different"
    BETTER = "better in B"
    REMOVED = "only in A"
    ADDED = "only in B"


@dataclass(frozen=True, kw_only=True)
class CaseChange:
    """One case that is not the same in both; None where a statement has no such case."""

    kind: Kind
    a: CasePart | None
    b: CasePart | None

    @property
    def either(self) -> CasePart:
        """The case of one side, for what both agree on."""
        found = self.a or self.b
        assert found is not None  # noqa: S101 - a change has at least one side
        return found


@dataclass(frozen=True, kw_only=True)
class ClauseChange:
    """One clause that is not the same in both, with those of its cases that are not."""

    kind: Kind
    a: ClausePart | None
    b: ClausePart | None
    cases: tuple[CaseChange, ...] = ()

    @property
    def either(self) -> ClausePart:
        """The clause of one side, for what both agree on."""
        found = self.b or self.a
        assert found is not None  # noqa: S101 - a change has at least one side
        return found


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All that differs; `same` counts the clauses that do not, `omitted` names those not compared."""

    a: Statement
    b: Statement
    changes: tuple[ClauseChange, ...]
    same: int
    omitted: tuple[str, ...]
    remarks: tuple[str, ...]

    def of(self, kind: Kind) -> Sequence[ClauseChange]:
        """Return the changes of one kind."""
        return [change for change in self.changes if change.kind is kind]

    @property
    def is_regression(self) -> bool:
        """Whether something is worse in B."""
        return bool(self.of(Kind.WORSE))

    @property
    def headline(self) -> str:
        """What the comparison found, in one line."""
        if self.is_regression:
            return f"Regression: {plural(len(self.of(Kind.WORSE)), 'clause')} worse in B"
        if self.changes:
            return f"No regression, but {plural(len(self.changes), 'difference')}"
        return "No difference"

    @property
    def counts(self) -> str:
        """How many clauses were compared, and what became of them."""
        compared = self.same + sum(change.a is not None and change.b is not None for change in self.changes)
        counts = [f"{len(found)} {kind}" for kind in Kind if (found := self.of(kind))]
        return f"{plural(compared, 'clause')} compared: {', '.join([*counts, f'{self.same} the same'])}"


def compare(a: Statement, b: Statement) -> Comparison:
    """Return what differs between two statements, clause by clause, in the order of B."""
    a, b = _without_extra(a), _without_extra(b)
    omitted = [clause.id for made in (a, b) for clause in made.clauses if left_out(made, clause)]
    in_a = {clause.id: clause for clause in a.clauses if clause.id not in omitted}
    in_b = {clause.id: clause for clause in b.clauses if clause.id not in omitted}
    partial = a.run.partial or b.run.partial
    changes = [
        change
        for clause_id in dict.fromkeys((*in_b, *in_a))
        if (change := _clause_change(in_a.get(clause_id), in_b.get(clause_id), partial=partial)) is not None
    ]
    return Comparison(
        a=a,
        b=b,
        changes=tuple(changes),
        same=len(in_a.keys() & in_b.keys())
        - sum(each.a is not None and each.b is not None for each in changes),
        omitted=tuple(dict.fromkeys(omitted)),
        remarks=tuple(_remarks(a, b)),
    )


def _without_extra(statement: Statement) -> Statement:
    """Return a statement without scenarios beyond the default ones: another run need not have played them."""
    return statement.model_copy(update={"clauses": [_judged_again(each) for each in statement.clauses]})


def _judged_again(clause: ClausePart) -> ClausePart:
    kept = [case for case in clause.cases if not is_extra(case.id)]
    if len(kept) == len(clause.cases):
        return clause
    verdict = worst(case.verdict for case in kept) if kept else Verdict.NOT_TESTED
    return clause.model_copy(update={"cases": kept, "verdict": verdict})


def _clause_change(a: ClausePart | None, b: ClausePart | None, *, partial: bool) -> ClauseChange | None:
    if a is None or b is None:
        return ClauseChange(kind=Kind.ADDED if a is None else Kind.REMOVED, a=a, b=b)
    cases = tuple(_case_changes(a, b, partial=partial))
    whole = not partial or _own_ids(a) == _own_ids(b)
    kind = _kind(a.verdict, b.verdict) if whole else None
    if any(case.kind is Kind.WORSE for case in cases):
        kind = Kind.WORSE
    other_words = whole and (a.verdict is not b.verdict or a.readings != b.readings)
    if kind is None and (cases or other_words):
        kind = Kind.DIFFERENT
    return None if kind is None else ClauseChange(kind=kind, a=a, b=b, cases=cases)


def _case_changes(a: ClausePart, b: ClausePart, *, partial: bool) -> Iterator[CaseChange]:
    in_a, in_b = _by_id(a), _by_id(b)
    for key in dict.fromkeys((*in_b, *in_a)):
        one, other = in_a.get(key), in_b.get(key)
        if one is None or other is None:
            alone = other or one
            # A watched rule that was broken in passing has an entry only where it was broken.
            told = alone is not None and alone.verdict in ATTENTION and (alone.in_passing or not partial)
            if told:
                yield CaseChange(kind=Kind.ADDED if one is None else Kind.REMOVED, a=one, b=other)
            continue
        kind = _kind(one.verdict, other.verdict)
        if kind is None and _said(one) != _said(other):
            kind = Kind.DIFFERENT
        if kind is not None:
            yield CaseChange(kind=kind, a=one, b=other)


def _by_id(clause: ClausePart) -> Mapping[tuple[str, bool], CasePart]:
    return {(case.id, case.in_passing): case for case in clause.cases}


def _own_ids(clause: ClausePart) -> set[str]:
    return {case.id for case in clause.cases if not case.in_passing}


def _kind(a: Verdict, b: Verdict) -> Kind | None:
    if _RANK[a] == _RANK[b]:
        return None
    return Kind.WORSE if _RANK[b] < _RANK[a] else Kind.BETTER


def _said(case: CasePart) -> tuple[Verdict, str | None, str]:
    return case.verdict, case.reading, case.observed


def _remarks(a: Statement, b: Statement) -> Iterator[str]:
    """Yield what a reader must know before blaming the target for a difference."""
    for name, made in (("A", a), ("B", b)):
        if made.run.partial:
            yield f"{name} is a partial selection: {plural(made.run.cases, 'case')}."
    if a.suite.depth != b.suite.depth:
        yield f"A was judged at depth {a.suite.depth}, B at depth {b.suite.depth} (--thorough)."
    elif a.suite.digest != b.suite.digest:
        yield (
            f"The suites differ ({a.suite.version} {a.suite.digest[:12]}, "
            f"{b.suite.version} {b.suite.digest[:12]}): a difference may be the suite's."
        )
    claims_a, claims_b = set(a.claims.capabilities), set(b.claims.capabilities)
    for name, claims in (("A", claims_a - claims_b), ("B", claims_b - claims_a)):
        if claims:
            yield f"Claimed in {name} alone: {', '.join(sorted(claims))}."
    if dict(a.claims.timing) != dict(b.claims.timing):
        yield "The profiles state other figures of time."
