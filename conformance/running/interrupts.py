"""Ctrl-C: the first one ends the run, and no further one may end the clearing up.

pytest turns every SIGINT into KeyboardInterrupt. A second one, while devices are being deleted, would leave
the rest of them on a hub that somebody pays for.
"""

import signal
import sys
import threading
from types import FrameType
from typing import Final

NOTE: Final = (
    "\nStopping: deleting this run's devices, stopping the hub it launched. Each step has a deadline.\n"
)


class FirstInterruptOnly:
    """A handler of SIGINT that raises KeyboardInterrupt once. `install` it from the main thread only."""

    def __init__(self) -> None:
        self.count = 0
        self._before: object = None

    def install(self) -> None:
        """Take SIGINT over. Does nothing outside the main thread, where Python admits no handler."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._handle)

    def remove(self) -> None:
        """Give SIGINT back."""
        if callable(self._before) or isinstance(self._before, signal.Handlers):
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def _handle(self, signal_number: int, frame: FrameType | None) -> None:
        del signal_number, frame
        self.count += 1
        if self.count == 1:
            raise KeyboardInterrupt
        if self.count == 2:  # noqa: PLR2004 - the second one deserves an answer, the tenth does not
            sys.stderr.write(NOTE)
