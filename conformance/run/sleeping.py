"""Where the suite waits for no event: for nothing to happen, which is counted, and for a hub that is busy.

Waiting for a documented event with a deadline is not a pause: it ends with the event. A hub that has enough
to do answers 429, over AMQP with a condition of that meaning, and may say when to come again. That is no
refusal, and no verdict: whoever asked waits, within bounds, and asks again.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

from conformance.errors import Throttled

_lock = threading.Lock()
_slept = 0.0


def pause(seconds: float, *, until: Callable[[float], bool] | None = None) -> bool:
    """Let time pass, and add the time that really passed to `slept_seconds`.

    `until` waits for an event that would end the pause early, for at most the seconds given to it, and tells
    whether it came. Returns whether it did: without `until`, never.
    """
    global _slept  # noqa: PLW0603 - one count per process, by design
    began = time.monotonic()
    try:
        if until is not None:
            return until(seconds)
        time.sleep(seconds)
        return False
    finally:
        with _lock:
            _slept += time.monotonic() - began


def slept_seconds() -> float:
    """Return how many seconds this process has spent in pauses."""
    with _lock:
        return _slept


# How long one request may wait in all, in seconds: a quota of a minute and its next one.
PATIENCE: Final = 120.0
# Where the hub says only that it is busy: wait this long, then twice as long, and so on.
FIRST_WAIT: Final = 1.0


class Patience:
    """The waits of one request; `what` names it. `sleep` is what waits."""

    def __init__(
        self,
        what: str,
        *,
        sleep: Callable[[float], object] = pause,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what = what
        self._sleep = sleep
        self._clock = clock
        self._began = clock()
        self._waited = 0.0
        self._next = FIRST_WAIT

    def wait(self, seconds: float | None = None) -> None:
        """Wait so many seconds, which the hub asked for, or twice as long as the last time.

        Raises Throttled where that is too long. The time that the hub took to answer counts too.
        """
        wait = self._next if seconds is None else seconds
        waited = max(self._waited, self._clock() - self._began)
        if waited + wait > PATIENCE:
            raise Throttled(
                f"{self._what}: still throttled after {waited:.0f} s. "
                "Run fewer workers ([limits] workers), or later."
            )
        self._sleep(wait)
        self._waited += wait
        self._next *= 2
