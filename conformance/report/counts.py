"""What a statement adds up to: the same numbers for every format."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

from conformance.report.causes import Cause, causes
from conformance.report.printable import plural
from conformance.report.statement import CasePart, ClausePart, DeviationFoundPart, Statement
from conformance.verdict.deviation_states import State
from conformance.verdict.run import summary
from conformance.verdict.verdicts import WORST_FIRST, Verdict


class CaseFound(Protocol):
    """A case that was settled, and whether it is one of another clause."""

    @property
    def verdict(self) -> Verdict: ...  # noqa: D102 - the fields of a case, as its own class explains them
    @property
    def in_passing(self) -> bool: ...  # noqa: D102


# Something was to hold, and it is not shown that it does; in this order.
ATTENTION: Final = (Verdict.VIOLATION, Verdict.STALE_DEVIATION, Verdict.BROKEN, Verdict.NOT_TESTED)
# What a clause is that the target claims and the suite can judge.
CLAIMED: Final = frozenset({*ATTENTION, Verdict.KNOWN_DEVIATION, Verdict.PASS})


def left_out(statement: Statement, clause: ClausePart) -> bool:
    """Say whether a partial selection left a clause out: nothing is said about it."""
    return statement.run.partial and not clause.cases


def shown(statement: Statement) -> Sequence[ClausePart]:
    """Return the clauses that the statement says something about, in order."""
    return [clause for clause in statement.clauses if not left_out(statement, clause)]


def of_verdict(statement: Statement, *verdicts: Verdict) -> Sequence[ClausePart]:
    """Return the shown clauses with one of some verdicts, in the order of these verdicts."""
    return [clause for verdict in verdicts for clause in shown(statement) if clause.verdict is verdict]


def causes_of(statement: Statement) -> Sequence[Cause]:
    """Return the shown violations, those that one fault has probably caused together; likeliest first."""
    violated = [clause.id for clause in of_verdict(statement, Verdict.VIOLATION)]
    return causes({clause.id: clause.cases for clause in statement.clauses}, violated)


def own(clause: ClausePart) -> Sequence[CasePart]:
    """Return a clause's own cases: a breach in passing belongs to the case of another clause."""
    return [case for case in clause.cases if not case.in_passing]


def own_cases(statement: Statement) -> Iterator[CasePart]:
    """Return every case once."""
    return (case for clause in statement.clauses for case in own(clause))


def clause_counts(clauses: Iterable[ClausePart]) -> Mapping[Verdict, int]:
    """Count clauses by verdict, worst first; a verdict that none has is left out."""
    return summary(clauses)


def case_counts(statement: Statement) -> Mapping[Verdict, int]:
    """Count cases by verdict, worst first; a verdict that none has is left out."""
    counts = Counter(case.verdict for case in own_cases(statement))
    return {verdict: counts[verdict] for verdict in WORST_FIRST if counts[verdict]}


def columns(statement: Statement) -> Sequence[Verdict]:
    """Return the verdicts that a matrix of clauses and cases shows, good ones first.

    Pass and violation are always among them: their absence is what a reader looks for.
    """
    used = {*clause_counts(shown(statement)), *case_counts(statement), Verdict.PASS, Verdict.VIOLATION}
    return [verdict for verdict in _COLUMNS if verdict in used]


def words_of(clause: ClausePart) -> Sequence[str]:
    """Return the different words that a clause's cases observed, in order."""
    return list(dict.fromkeys(case.observed for case in clause.cases if case.observed))


def how_many(cases: Sequence[CaseFound], verdict: Verdict) -> str:
    """Return how many of a clause's cases have its verdict, "2 of 14 cases"; empty where it has but one.

    A watched rule that cases of other clauses broke names those: "seen in 3 cases".
    """
    its_own = [case for case in cases if not case.in_passing]
    guilty = sum(case.verdict is verdict for case in its_own)
    passing = sum(case.in_passing and case.verdict is verdict for case in cases)
    words = []
    if guilty and len(its_own) > 1:
        words.append(f"{guilty} of {plural(len(its_own), 'case')}")
    if passing > 1 or (passing and guilty):
        words.append(f"seen in {plural(passing, 'case')}{' of other clauses' if guilty else ''}")
    return "; ".join(words)


def kept_out(clause: ClausePart) -> Sequence[str]:
    """Return what the readings that were seen keep known clients from, each once."""
    return list(dict.fromkeys(words for each in clause.consequences.values() for words in each))


def unheld(statement: Statement) -> Sequence[DeviationFoundPart]:
    """Return the known differences that the profile states and that are not as it states them."""
    return [each for each in statement.deviations if each.state not in _HELD]


_COLUMNS: Final = (
    Verdict.PASS, Verdict.KNOWN_DEVIATION, Verdict.VIOLATION, Verdict.STALE_DEVIATION, Verdict.BROKEN,
    Verdict.NOT_TESTED, Verdict.OBSERVED, Verdict.NOT_CLAIMED, Verdict.UNTESTABLE,
)  # fmt: skip
_HELD: Final = frozenset({State.KNOWN, State.NOT_RUN})
