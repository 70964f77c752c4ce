"""A case that failed while the suite itself was held up runs again: our lateness is never the hub's fault.

It runs anew from its fixtures on, with new devices, three times at most. If the suite was held up each time,
the case is broken: nothing is known of the hub. Whether the process was stopped, starved of a processor or
busy with something else, a heartbeat in a thread of its own tells: an answer that waited in a socket for a
stopped reader looks like one that came too late.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from typing import Final, Protocol

import pytest
from _pytest.runner import runtestprotocol  # what pytest itself runs a test with; it has no public name

from conformance.run.cases import RunningCase

ATTEMPTS: Final = 3


class Worker(Protocol):
    """The process that runs cases; `current` is the one that runs now, None between them."""

    current: RunningCase | None

    def begin_again(self, item: pytest.Item, case: RunningCase) -> RunningCase:
        """Let a case begin anew; return its new record."""


class Again:
    """Runs each case of the suite, and runs it again where it says nothing."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._pulse = Pulse()
        self._began = 0.0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run a case as often as it takes; report the last attempt alone."""
        case = self._worker.current
        if case is None:
            return None
        self._pulse.start()
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self._last_attempt(item, nextitem, case):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Tell the case, before anything is made of how its phase ended, whether we were in time."""
        if self._worker.current is not None:
            self._worker.current.held_up = self._pulse.held_up_since(self._began)
        return (yield)

    def held_up_since(self, moment: float) -> float:
        """Return for how many seconds this process stood still since this moment of the monotonic clock."""
        return self._pulse.held_up_since(moment)

    def pytest_sessionfinish(self) -> None:
        """End the heartbeat."""
        self._pulse.stop()

    def _last_attempt(
        self, item: pytest.Item, nextitem: pytest.Item | None, case: RunningCase
    ) -> list[pytest.TestReport]:
        properties = tuple(item.user_properties)
        while True:
            self._began = time.monotonic()
            reports = runtestprotocol(item, log=False, nextitem=nextitem)
            if not case.says_nothing or case.attempt == ATTEMPTS:
                return reports
            properties = (*properties, ("ran again", case.why_again))
            item.user_properties[:] = properties
            case = self._worker.begin_again(item, case)


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
