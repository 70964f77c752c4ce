"""How long a request waits because the hub is busy: the back end's calls and messages, and a device's own.

A hub that has enough to do answers 429, over AMQP with a condition of that meaning, and may say when to come
again. That is no refusal, and no verdict: whoever asked waits, within bounds, and asks again.
"""

import time
from collections.abc import Callable
from typing import Final

from conformance.errors import Throttled
from conformance.run.sleeping import pause

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
