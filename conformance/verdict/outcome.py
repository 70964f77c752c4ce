"""One case: from what happened in its phases to its verdict."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from conformance.verdict.verdicts import Verdict, worst


class Kind(enum.Enum):
    """How a phase of a case ended, if not well."""

    VIOLATION = enum.auto()  # Violation, or an assertion of the test
    TROUBLE = enum.auto()  # any other exception, or a worker that died
    NOT_SEEN = enum.auto()  # NotTested, or a skip of any other origin
    NOT_OFFERED = enum.auto()  # NotOffered: what the clause is about is the hub's to bring up, and did not


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What ended a phase. `phase` is setup, call, teardown or, for a worker that died, crash."""

    phase: str
    kind: Kind
    message: str
    observed: str = ""
    expected: str = ""
    actual: str = ""
    needs: str = ""
    broke: str = ""
    """The clause that was violated where the stage was set for another; empty where there is none."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The settled verdict of a case, with what its reports show."""

    verdict: Verdict
    message: str = ""
    observed: str = ""
    expected: str = ""
    actual: str = ""


def settle(
    level: str, problems: Sequence[Problem], *, observed: Sequence[str] = (), reading: str | None = None
) -> Outcome:
    """Return the verdict of a case that ran, from all that went wrong in it.

    The worst problem decides, whatever came after it: a good end never repairs a bad one. A case of level
    *observe* ends in *observed*, also where the hub did something the harness calls a violation: its word
    is then what was seen. A case that says nothing where its level wants a word (no outcome observed, no
    outcome compared with the readings) proves nothing and is broken.
    """
    outcomes = [_of_problem(level, problem) for problem in problems]
    if not outcomes:
        outcomes.append(_of_silence(level, observed, reading))
    verdict = worst(outcome.verdict for outcome in outcomes)
    chosen = next(outcome for outcome in outcomes if outcome.verdict == verdict)
    words = "; ".join(dict.fromkeys((*observed, *filter(None, [chosen.observed]))))
    return Outcome(
        verdict=verdict,
        message=chosen.message,
        observed=words,
        expected=chosen.expected,
        actual=chosen.actual,
    )


def _of_problem(level: str, problem: Problem) -> Outcome:
    if problem.kind is Kind.NOT_SEEN:
        return Outcome(verdict=Verdict.NOT_TESTED, message=problem.message)
    if problem.kind is Kind.NOT_OFFERED:
        return Outcome(verdict=Verdict.NOT_CLAIMED, message=problem.message)
    in_call = problem.phase == "call"
    if problem.kind is Kind.VIOLATION and in_call:
        if level == "observe" and problem.observed:
            return Outcome(verdict=Verdict.OBSERVED, message=problem.message, observed=problem.observed)
        if level != "observe":
            return Outcome(
                verdict=Verdict.VIOLATION,
                message=problem.message,
                observed=problem.observed,
                expected=problem.expected,
                actual=problem.actual,
            )
    # Setting the stage and clearing it judge nothing: the hub may be wrong there, but not about this clause.
    message = problem.message
    if problem.phase == "setup" and problem.kind is Kind.VIOLATION:
        message = f"needs {problem.needs}: {message}" if problem.needs else f"setting the stage: {message}"
    elif problem.phase == "teardown":
        message = f"clearing the stage: {message}"
    return Outcome(verdict=Verdict.BROKEN, message=message, expected=problem.expected, actual=problem.actual)


def _of_silence(level: str, observed: Sequence[str], reading: str | None) -> Outcome:
    if level == "observe":
        if observed:
            return Outcome(verdict=Verdict.OBSERVED)
        return Outcome(verdict=Verdict.BROKEN, message="the case ended without saying what it observed")
    if level == "disputed" and reading is None:
        return Outcome(
            verdict=Verdict.BROKEN, message="the case compared no outcome with the readings of its clause"
        )
    return Outcome(verdict=Verdict.PASS)
