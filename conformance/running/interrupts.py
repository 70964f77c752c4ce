"""Ctrl-C: the first one ends the run, and no further one may end the clearing up.

pytest turns every SIGINT into KeyboardInterrupt. A second one, while devices are being deleted, would leave
the rest of them on a hub that somebody pays for. So would SIGTERM, by which a CI server cancels a job: the
process that was started takes it for a Ctrl-C.
"""

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

NOTE: Final = (
    "\nStopping: deleting this run's devices, stopping the hub it launched. Each step has a deadline.\n"
)


class FirstInterruptOnly:
    """A handler of signals that raises KeyboardInterrupt once. `install` it from the main thread only."""

    def __init__(self, *signals: signal.Signals) -> None:
        self.count = 0
        self._signals = signals or (signal.SIGINT,)
        self._before: dict[signal.Signals, signal.Handlers | Callable[..., object]] = {}

    def install(self) -> None:
        """Take the signals over. Does nothing outside the main thread, where Python admits no handler."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in self._signals:
            before = signal.signal(number, self._handle)
            if callable(before) or isinstance(before, signal.Handlers):
                self._before[number] = before

    def remove(self) -> None:
        """Give the signals back."""
        while self._before:
            number, before = self._before.popitem()
            signal.signal(number, before)

    def _handle(self, signal_number: int, frame: FrameType | None) -> None:
        del signal_number, frame
        self.count += 1
        if self.count == 1:
            raise KeyboardInterrupt
        if self.count == 2:  # noqa: PLR2004 - the second one deserves an answer, the tenth does not
            sys.stderr.write(NOTE)
