"""The words of a verdict, and which is worse."""

import enum
from collections.abc import Iterable
from typing import Final


class Verdict(enum.StrEnum):
    """What is said about a case or a clause. The value is the word that every report shows."""

    VIOLATION = "violation"
    STALE_DEVIATION = "stale deviation"
    BROKEN = "broken"
    NOT_TESTED = "not tested"
    KNOWN_DEVIATION = "known deviation"
    PASS = "pass"  # noqa: S105 - a verdict
    OBSERVED = "observed"
    UNTESTABLE = "untestable"
    NOT_CLAIMED = "not claimed"


# Worst first. The last three stand beside the order: they only show where nothing of it does.
WORST_FIRST: Final = tuple(Verdict)
_RANK: Final = {verdict: rank for rank, verdict in enumerate(WORST_FIRST)}

# The hub was looked at, and the look said something.
JUDGED: Final = frozenset(
    {Verdict.VIOLATION, Verdict.STALE_DEVIATION, Verdict.KNOWN_DEVIATION, Verdict.PASS, Verdict.OBSERVED}
)
# Nothing ran, for a stated reason.
SKIPPED: Final = frozenset({Verdict.NOT_TESTED, Verdict.NOT_CLAIMED, Verdict.UNTESTABLE})


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst of some verdicts. Of none it is *not tested*: what did not run is not green."""
    return min(verdicts, key=_RANK.__getitem__, default=Verdict.NOT_TESTED)
