"""The whole run: counts, and the one exit code."""

import enum
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from conformance.verdict.words import JUDGED, WORST_FIRST, Verdict


class ExitCode(enum.IntEnum):
    """What a run tells its caller: the suite's own codes beside pytest's."""

    CONFORMS = 0
    VIOLATED = 1
    INTERRUPTED = 2
    INTERNAL_ERROR = 3
    USAGE = 4
    NO_CASES = 5
    WARNINGS = 6
    INCONCLUSIVE = 10
    POLICY = 11
    SECRET_FOUND = 12
    NOT_WRITTEN = 13


# Where several hold, the first of these is the run's. Pytest's 4, 5 and 6 say why there is nothing to judge,
# or something beside it.
WORST_CODE_FIRST: Final = (
    ExitCode.INTERNAL_ERROR,
    ExitCode.INTERRUPTED,
    ExitCode.SECRET_FOUND,
    ExitCode.NOT_WRITTEN,
    ExitCode.VIOLATED,
    ExitCode.USAGE,
    ExitCode.POLICY,
    ExitCode.INCONCLUSIVE,
    ExitCode.NO_CASES,
    ExitCode.WARNINGS,
    ExitCode.CONFORMS,
)


class Judged(Protocol):
    """A clause or a case, of a run or of a statement."""

    @property
    def verdict(self) -> Verdict:
        """What is said about it."""


_POLICY = frozenset({Verdict.STALE_DEVIATION, Verdict.NOT_TESTED})


def summary(judgements: Iterable[Judged]) -> Mapping[Verdict, int]:
    """Count clauses by verdict, worst first; a verdict that no clause has is left out."""
    counts = Counter(judgement.verdict for judgement in judgements)
    return {verdict: counts[verdict] for verdict in WORST_FIRST if counts[verdict]}


def worst(*codes: int) -> ExitCode:
    """Return the one code of a run of which several hold."""
    return min(map(ExitCode, codes), key=WORST_CODE_FIRST.index)


def exit_code(
    judgements: Sequence[Judged], cases: Sequence[Judged], *, partial: bool, unmatched: bool = False
) -> ExitCode:
    """Return the code of a run whose cases all came to an end.

    `partial`: a selection (-k, a node id, …) left cases out, so a clause that was not tested is no breach
    of policy; a selection in which nothing at all was judged still is. `unmatched`: the profile states a
    deviation that no case is about, which a part of the suite says nothing about either.
    """
    verdicts = {judgement.verdict for judgement in judgements}
    of_cases = {case.verdict for case in cases}
    policy = {Verdict.STALE_DEVIATION} if partial else _POLICY
    nothing_seen = not of_cases & (JUDGED | {Verdict.BROKEN})
    holding = {
        ExitCode.VIOLATED: Verdict.VIOLATION in verdicts,
        ExitCode.USAGE: bool(of_cases) and of_cases <= {Verdict.NOT_CLAIMED},
        ExitCode.POLICY: bool(verdicts & policy) or nothing_seen or (unmatched and not partial),
        ExitCode.INCONCLUSIVE: Verdict.BROKEN in verdicts | of_cases,
    }
    return worst(ExitCode.CONFORMS, *(code for code, holds in holding.items() if holds))
