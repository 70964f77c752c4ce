"""A timer for objects that say themselves when they have something to do."""

import asyncio
import math
from collections.abc import Callable


class Alarm:
    """Rings at the earliest deadline it was set to. Deadlines are unix seconds, on the hub's clock.

    It may ring before anything is due, where a deadline has moved since; whoever is rung sets it anew.
    """

    def __init__(self, now: Callable[[], float], ring: Callable[[], None]) -> None:
        self._now = now
        self._ring = ring
        self._at = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def set(self, deadline: float | None) -> None:
        """Ring at `deadline` at the latest; None: no need to."""
        if deadline is None or deadline >= self._at:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no loop: a test that moves the time by hand
            return
        self.cancel()
        self._at = deadline
        self._timer = loop.call_later(max(deadline - self._now(), 0.0), self._rings)

    def cancel(self) -> None:
        """Do not ring any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._at = None, math.inf

    def _rings(self) -> None:
        self._timer, self._at = None, math.inf
        self._ring()
