"""The one place where the suite waits for nothing to happen, and counts for how long.

Waiting for a documented event with a deadline is not a pause: it ends with the event.
"""

import threading
import time
from collections.abc import Callable

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
