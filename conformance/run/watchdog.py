"""Whether this process itself was held up: stopped, starved of a processor, or busy with something else.

Many a check holds the hub to a time, and our own lateness looks like the hub's: a PUBACK that left too late
brings a message back, an answer that waited in a socket for a stopped reader came too late. A heartbeat in a
thread of its own tells the two apart.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

# How often it beats, in seconds: a few dozen microseconds of work each time.
BEAT: Final = 0.1
# From how many seconds on a late beat counts: half of the shortest time that any check depends on.
HELD_UP: Final = 0.5
# The latest of them are enough: each is asked for by the case during which it happened.
_KEPT: Final = 32


class Pulse:
    """The heartbeat of a process. Start it before the first case, and stop it in the end."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()
        self._late: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def start(self) -> None:
        """Begin to beat; once more is the same as once."""
        if self._thread.ident is None:
            self._last = self._clock()
            self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()

    def beat(self) -> None:
        """Note that the process runs, and by how much this beat is late."""
        now = self._clock()
        late = now - self._last - BEAT
        if late >= HELD_UP:
            self._late.append((now, late))
        self._last = now

    def held_up_since(self, moment: float) -> float:
        """Return for how many seconds at most the process was held up since this moment of its clock.

        0 where no beat was late by `HELD_UP`. One that is due now counts: whoever asks may have woken first.
        """
        due = self._clock() - self._last - BEAT
        late = [due, *(seconds for ended, seconds in tuple(self._late) if ended >= moment)]
        return max((seconds for seconds in late if seconds >= HELD_UP), default=0.0)

    def _run(self) -> None:
        while not self._stopping.wait(BEAT):
            self.beat()
