"""Ctrl-C: the first one ends the run, and no further one may end the clearing up.

pytest turns every SIGINT into KeyboardInterrupt. A second one, while devices are being deleted, would leave
the rest of them on a hub that somebody pays for. So would SIGTERM, by which a CI server cancels a job: the
process that was started takes it for a Ctrl-C.

KeyboardInterrupt can come between any two steps of Python, also where a condition has half given up its lock:
"release unlocked lock" would then end the run in place of a Ctrl-C. There it is put off for a moment.
"""

import _thread
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Final

NOTE: Final = (
    "\nStopping: deleting this run's devices, stopping the hub it launched. Each step has a deadline.\n"
)
# How long a signal is put off that comes at such a place, in seconds.
PUT_OFF: Final = 0.01
# What `threading.Condition` does to its lock.
_LOCKING: Final = frozenset({"_release_save", "_acquire_restore", "_is_owned", "__enter__", "__exit__"})


class FirstInterruptOnly:
    """A handler of signals that raises KeyboardInterrupt once. `install` it from the main thread only."""

    def __init__(self, *signals: signal.Signals) -> None:
        self.count = 0
        self._raises = True
        self._is_told = False
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

    def only_note(self) -> None:
        """Raise no more: what is left to do is to be done whole. Says so, if a signal comes."""
        self._raises = False

    def remind(self) -> None:
        """Raise KeyboardInterrupt if there was a signal: the one that it raised may have been swallowed.

        A destructor, a weakref's callback or a compiler turns it into a message, and the run would go on.
        """
        if self.count and self._raises:
            raise KeyboardInterrupt

    def remove(self) -> None:
        """Give the signals back."""
        # Python ends itself by SIGINT, whatever the exit code, where KeyboardInterrupt has passed through an
        # `exec` or `eval`, such as a dataclass's; the next one clears its mark.
        exec("")  # noqa: S102 - see above
        while self._before:
            number, before = self._before.popitem()
            signal.signal(number, before)

    def _handle(self, signal_number: int, frame: FrameType | None) -> None:
        if self.count == 0 and self._raises and _is_at_a_lock(frame):
            # Not `threading.Thread`, which takes locks of that module itself.
            _thread.start_new_thread(_repeat, (signal_number,))
            return
        self.count += 1
        if self.count == 1 and self._raises:
            raise KeyboardInterrupt
        if not self._is_told:  # the second one deserves an answer, the tenth does not
            self._is_told = True
            sys.stderr.write(NOTE)


def _is_at_a_lock(frame: FrameType | None) -> bool:
    """Tell whether a condition is giving up its lock, or taking it back."""
    if frame is None or frame.f_code.co_filename != threading.__file__:
        return False
    # `Condition.wait` minds an exception from the moment on when it knows `gotit`.
    is_unminded = frame.f_code.co_name == "wait" and "waiter" in frame.f_locals
    return frame.f_code.co_name in _LOCKING or (is_unminded and "gotit" not in frame.f_locals)


def _repeat(signal_number: int) -> None:
    time.sleep(PUT_OFF)
    signal.pthread_kill(threading.main_thread().ident or 0, signal_number)
