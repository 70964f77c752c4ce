"""The whole run: counts, and the one exit code."""

import enum
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from conformance.verdict.needs import is_shut
from conformance.verdict.verdicts import JUDGED, WORST_FIRST, Verdict


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
    HUB_CRASHED = 14


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
    ExitCode.HUB_CRASHED,
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


class JudgedCase(Judged, Protocol):
    """A case, of a run or of a statement."""

    @property
    def message(self) -> str:
        """Why it is not better."""


class JudgedClause(Judged, Protocol):
    """A clause, of a run or of a statement."""

    @property
    def cases(self) -> Sequence[JudgedCase]:
        """What its verdict rests on."""


# How the reason of a case begins that did not run because the hub had stopped answering.
STOPPED: Final = "the hub stopped answering"


def summary(judgements: Iterable[Judged]) -> Mapping[Verdict, int]:
    """Count clauses by verdict, worst first; a verdict that no clause has is left out."""
    counts = Counter(judgement.verdict for judgement in judgements)
    return {verdict: counts[verdict] for verdict in WORST_FIRST if counts[verdict]}


def worst(*codes: int) -> ExitCode:
    """Return the one code of a run of which several hold."""
    return min(map(ExitCode, codes), key=WORST_CODE_FIRST.index)


def exit_code(
    judgements: Sequence[JudgedClause],
    cases: Sequence[JudgedCase],
    *,
    partial: bool,
    unmatched: bool = False,
    crashed: bool = False,
) -> ExitCode:
    """Return the code of a run whose cases all came to an end.

    `partial`: a selection (-k, a node id, …) left cases out, so a clause that was not tested is no breach
    of policy; a selection in which nothing at all was judged still is. `unmatched`: the profile states a
    deviation that no case is about, which a part of the suite says nothing about either. `crashed`: the
    launched hub wrote tracebacks. What is not tested because the hub stopped answering breaks no policy: the
    run is then inconclusive.
    """
    verdicts = {judgement.verdict for judgement in judgements}
    of_cases = {case.verdict for case in cases}
    stopped = any(map(_is_left_out, cases))
    untested = [each for each in judgements if each.verdict is Verdict.NOT_TESTED]
    if stopped:
        untested = [each for each in untested if _has_another_reason(each)]
    nothing_seen = not of_cases & (JUDGED | {Verdict.BROKEN})
    shut = not partial and any(is_shut(case.message) for case in cases)
    missed = not partial and (bool(untested) or (unmatched and not stopped))
    holding = {
        ExitCode.VIOLATED: Verdict.VIOLATION in verdicts,
        ExitCode.USAGE: bool(of_cases) and of_cases <= {Verdict.NOT_CLAIMED},
        ExitCode.POLICY: Verdict.STALE_DEVIATION in verdicts or nothing_seen or missed or shut,
        ExitCode.HUB_CRASHED: crashed,
        ExitCode.INCONCLUSIVE: stopped or Verdict.BROKEN in verdicts | of_cases,
    }
    return worst(ExitCode.CONFORMS, *(code for code, holds in holding.items() if holds))


def _is_left_out(case: JudgedCase) -> bool:
    return case.verdict is Verdict.NOT_TESTED and case.message.startswith(STOPPED)


def _has_another_reason(clause: JudgedClause) -> bool:
    """Tell whether a case of it was not tested for a reason of its own; a clause without cases has none."""
    return any(case.verdict is Verdict.NOT_TESTED and not _is_left_out(case) for case in clause.cases)
