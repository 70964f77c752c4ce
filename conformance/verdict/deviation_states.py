"""What became of each known difference that a profile states, once all cases have ended."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from conformance.verdict.clause import Judgement
from conformance.verdict.deviation import Deviation
from conformance.verdict.verdicts import WORST_FIRST, Verdict


class State(enum.StrEnum):
    """The value is the word that every report shows."""

    KNOWN = "known"
    DIFFERS = "differs"
    STALE = "stale"
    EXPIRED = "expired"
    NOT_RUN = "not run"
    UNMATCHED = "unmatched"


# Of several cases under one entry, the first of these decides.
_BY_VERDICT: Final = {
    Verdict.VIOLATION: State.DIFFERS,
    Verdict.STALE_DEVIATION: State.STALE,
    Verdict.KNOWN_DEVIATION: State.KNOWN,
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """One entry of the profile, what became of it, and the ids of the cases that it is about."""

    deviation: Deviation
    state: State
    cases: tuple[str, ...]


def states(deviations: Sequence[Deviation], judgements: Sequence[Judgement], today: str) -> tuple[Found, ...]:
    """Return what became of each entry; *unmatched* is one that no case is about."""
    return tuple(_found(deviation, judgements, today) for deviation in deviations)


def _found(deviation: Deviation, judgements: Sequence[Judgement], today: str) -> Found:
    cases = [
        case
        for judgement in judgements
        for case in judgement.cases
        if deviation.concerns(judgement.clause.id, case.id)
    ]
    if not cases:
        return Found(deviation=deviation, state=State.UNMATCHED, cases=())
    # Where two entries are about one case, the one that decided has it.
    decided = {case.verdict for case in cases if case.deviation == deviation}
    worst_first = [_BY_VERDICT[verdict] for verdict in WORST_FIRST if verdict in decided & set(_BY_VERDICT)]
    state = worst_first[0] if worst_first else State.NOT_RUN
    if state is State.STALE and deviation.is_expired(today):
        state = State.EXPIRED
    return Found(deviation=deviation, state=state, cases=tuple(case.id for case in cases))
