"""The whole run: counts, and the one exit code."""

import enum
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

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


def run_with_secret(code: int) -> int:
    """Return the code of a run whose report held a secret; only an interruption says more."""
    return code if code in {ExitCode.INTERRUPTED, ExitCode.INTERNAL_ERROR} else ExitCode.SECRET_FOUND


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
    if Verdict.VIOLATION in verdicts:
        return ExitCode.VIOLATED
    if of_cases and of_cases <= {Verdict.NOT_CLAIMED}:
        return ExitCode.USAGE
    policy = {Verdict.STALE_DEVIATION} if partial else _POLICY
    nothing_seen = not of_cases & (JUDGED | {Verdict.BROKEN})
    if verdicts & policy or nothing_seen or (unmatched and not partial):
        return ExitCode.POLICY
    if Verdict.BROKEN in verdicts | of_cases:
        return ExitCode.INCONCLUSIVE
    return ExitCode.CONFORMS
