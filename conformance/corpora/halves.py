"""Which value it is that a hub refuses, where it refuses a whole: found by sending halves. Pure."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from conformance.corpora.whole import Whole
from conformance.errors import Violation

T = TypeVar("T")

MOST_SENDS: Final = 8


def refused_part(
    whole: Whole[Any, Any],
    refusal: Violation,
    send: Callable[[Whole[Any, Any]], object],
    *,
    in_time: Callable[[], bool] = lambda: True,
) -> Violation:
    """Return the refusal of a whole, with the smallest part found that is refused too.

    `send` sends a part on a new identity, and raises Violation where that is refused: at most eight times,
    and not beyond what is `in_time`. Of two halves only the first is sent: where it is taken, the second is
    looked into. What is left in the end is sent once by itself.
    """
    part, sends = whole, 0
    while len(part) > 1 and sends < MOST_SENDS - 1 and in_time():
        first = part.half(first=True)
        part = first if _is_refused(first, send) else part.half(first=False)
        sends += 1
    values = ", ".join(part.ids.values())
    if len(part) < len(whole) and in_time() and _is_refused(part, send):
        found = f"{values} by {'itself' if len(part) == 1 else 'themselves'}, of {len(whole)} values"
        observed = f"{refusal.observed}: {values}"
    else:
        found, observed = f"{len(whole)} values, and no part of them that was tried", refusal.observed
    return Violation(
        f"refused: {found}: {refusal}",
        observed=observed,
        expected=refusal.expected,
        actual=f"{found}: {refusal.actual}",
    )


def _is_refused(part: Whole[Any, Any], send: Callable[[Whole[Any, Any]], object]) -> bool:
    try:
        send(part)
    except Violation:
        return True
    return False
