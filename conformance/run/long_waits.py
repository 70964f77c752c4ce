"""What a run says before its first case where it will take minutes, however fast the hub is, and why.

What has to be waited for are times that the hub states of itself. An embedded hub has a real one's unless it
is told others, and a run on it waits for a quarter of an hour. Cases that wait long are dealt to the workers
by how long that is, and begin first; what a run says follows from the same deal.
"""

import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pytest

from conformance.documents.catalogue import Catalogue
from conformance.report.printable import plural
from conformance.run.records import Records
from conformance.run.run_state import STATE
from conformance.verdict.needs import TIMING


@dataclass(frozen=True)
class Wait:
    """What one case waits for: the sum of `figures` of the hub's timing, so many `times`."""

    figures: tuple[str, ...]
    what: str
    times: int = 1

    def seconds(self, timing: Mapping[str, float]) -> float:
        """Return how long one case waits; 0 where the hub does not state it."""
        stated = all(figure in timing for figure in self.figures)
        return self.times * sum(timing[figure] for figure in self.figures) if stated else 0.0


# What `needs` of a clause means for each of its cases. One that waits for two of these counts twice.
_WAITS: Final = (
    Wait(("sas-skew", "sas-grace"), "until the hub ends a connection whose token has expired"),
    Wait(("c2d-lock",), "until a message that was not acknowledged comes again"),
    Wait(("c2d-expiry",), "until the sender is told of a message that has expired"),
    Wait(("connection-events",), "until connections are told of", times=2),
    Wait(("feedback",), "until feedback is sent"),
)
# The figure is the longest that these may take, and on a hub that is right they take no time.
_AT_MOST: Final = frozenset({"session.pending-delivered"})
# Behind the line where somebody started the hub for this: the times are theirs to choose.
SHORTER: Final = ". A hub that is started with shorter ones is judged sooner."
# A case that waits for so many seconds and more is dealt by that.
LONG: Final = 20.0
# Below so many seconds nobody wonders.
_WONDERS: Final = 120.0
# What adds less than this to a run, in seconds, is not named.
_WORTH_NAMING: Final = 20.0
_MINUTE: Final = 60


def waited(clause: str, needs: Iterable[str], timing: Mapping[str, float]) -> float:
    """Return for how many seconds one case of a clause waits, by what the clause needs."""
    return sum(wait.seconds(timing) for wait in _waits(clause, needs))


def _waits(clause: str, needs: Iterable[str]) -> Iterator[Wait]:
    stated = set(needs)
    if clause not in _AT_MOST:
        yield from (wait for wait in _WAITS if {TIMING + figure for figure in wait.figures} <= stated)


def dealt(waits: Sequence[float], rooms: Sequence[float]) -> list[list[int]]:
    """Return for each worker which long waits it begins with: the longest first, to whom waits least.

    `waits` are the seconds of each case; those that are not long stay out of it. `rooms` is how many cases
    each worker has room for, all of them together.
    """
    parts: list[list[int]] = [[] for _ in rooms]
    loads = [(0.0, worker) for worker, room in enumerate(rooms) if room]
    for number in sorted(range(len(waits)), key=lambda number: -waits[number]):
        if waits[number] < LONG:
            break
        load, worker = heapq.heappop(loads)
        parts[worker].append(number)
        if len(parts[worker]) < rooms[worker]:
            heapq.heappush(loads, (load + waits[number], worker))
    return parts


def least(waits: Sequence[float], workers: int) -> float:
    """Return how many seconds a run with these waits takes, however fast its hub is."""
    parts = dealt(waits, [math.inf] * workers)
    loads = (sum(waits[number] for number in part) for part in parts)
    return max(sum(waits) / workers, *loads)


def spread(waits: Sequence[float], workers: int, *, apart: bool) -> list[int]:
    """Return in which order cases run, so that long waits are shared by the workers, by `dealt`.

    xdist deals each worker a part that stands together. What one has not begun is taken over by others, but
    for the case that comes next. `apart`: cases that stand together, and wait alike, go to different workers.
    """
    rooms = [(len(waits) + worker) // workers for worker in range(workers)]
    parts = dealt(waits, rooms)
    begun = {number for part in parts for number in part}
    if not begun and not apart:
        return list(range(len(waits)))
    rest = [number for number in range(len(waits)) if number not in begun]
    order: list[int] = []
    for worker, part in enumerate(parts):
        first = rest[:: workers - worker] if apart else rest
        fill = list(dict.fromkeys([*first, *rest]))[: rooms[worker] - len(part)]
        order += [*part, *fill]
        taken = set(fill)
        rest = [number for number in rest if number not in taken]
    return order


def beforehand(
    cases: Mapping[str, int],
    needs: Mapping[str, Iterable[str]],
    timing: Mapping[str, float],
    *,
    workers: int,
    lanes: int = 1,
) -> str | None:
    """Return the line; None where a run is not long for what it waits for.

    `cases` is how many cases of each clause will run, `needs` what each clause needs; a worker is so many
    `lanes`, processes.
    """
    processes = workers * lanes
    counts: Counter[Wait] = Counter()
    waits: list[float] = []
    for clause, count in cases.items():
        waits += [waited(clause, needs[clause], timing)] * count
        counts.update(dict.fromkeys(_waits(clause, needs[clause]), count))
    seconds = least(waits, processes)
    if seconds < _WONDERS:
        return None
    parts = [
        _told(wait, counts[wait], wait.seconds(timing), timing)
        for wait in _WAITS
        if counts[wait] * wait.seconds(timing) / processes >= _WORTH_NAMING
    ]
    of_processes = f" of {lanes} processes each" if lanes > 1 else ""
    return (
        f"this run takes {_time(seconds)} at least on {plural(workers, 'worker')}{of_processes}, for times "
        f"that the hub states: {'; '.join(parts)}"
    )


def _told(wait: Wait, count: int, seconds: float, timing: Mapping[str, float]) -> str:
    figures = ", ".join(f"{figure} {timing[figure]:g} s" for figure in wait.figures)
    waits = f"1 case waits {_time(seconds)}" if count == 1 else f"{count} cases wait {_time(seconds)} each"
    return f"{waits} {wait.what} ({figures})"


class SaidBeforehand:
    """Says it once it is known what will run: with xdist, when the first case begins.

    `timing` is that of the hub, and asked once; `advice` is a sentence behind the line, or nothing.
    """

    def __init__(
        self,
        config: pytest.Config,
        records: Records,
        catalogue: Catalogue,
        timing: Callable[[], Mapping[str, float]],
        advice: str,
    ) -> None:
        self._config = config
        self._records = records
        self._catalogue = catalogue
        self._timing = timing
        self._advice = advice
        self._is_said = False

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Iterator[None]:
        """Speak where this process runs the cases."""
        if not self._config.pluginmanager.hasplugin("dsession"):
            self._say()
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        """Speak where others do."""
        self._say()

    def _say(self) -> None:
        reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        if self._is_said or reporter is None:
            return
        self._is_said = True
        lanes = self._config.stash[STATE].lanes
        clauses = self._catalogue.clauses
        collected = self._records.collected().values()
        line = beforehand(
            Counter(case["clause"] for case in collected if case["will_run"]),
            {name: clause.needs for name, clause in clauses.items()},
            self._timing(),
            workers=(len(getattr(self._config.option, "tx", None) or ()) or 1) // lanes,
            lanes=lanes,
        )
        if line is not None:
            reporter.write_line(line + self._advice)
            reporter.flush()


def _time(seconds: float) -> str:
    if seconds < _MINUTE * 2:
        return f"{seconds:.0f} seconds"
    return plural(round(seconds / _MINUTE), "minute")
