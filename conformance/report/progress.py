"""What a run says while it goes on: which sections run, how far it is, what is wrong so far."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from conformance.report.printable import plural
from conformance.verdict.clause import Case
from conformance.verdict.verdicts import Verdict

# A log holds so many lines of a run at most, and none for a handful of cases that take no time.
LINES: Final = 10
FEWEST_CASES: Final = 10
SECONDS: Final = 30.0
# After so long without a line a log has one anyway: cases wait, and nobody shall think that the run hangs.
QUIET: Final = 60.0
# Tests that are none of the suite's and run beside it.
OTHERS: Final = "other tests"
# With many workers, or in another order, a line would name them all.
_MOST_NAMES: Final = 6
_MINUTE: Final = 60


@dataclass(frozen=True, kw_only=True)
class Reached:
    """How far a run is: `done` of `total` cases after so many `seconds`, and what they found.

    `sections` are those that run; `violated` counts clauses, `broken` and `stale` count cases. `longest` is
    the clause of the case that has run longest, for so many `longest_seconds`; empty where none has for long.
    """

    sections: Sequence[str]
    done: int
    total: int
    seconds: float
    violated: int = 0
    broken: int = 0
    stale: int = 0
    longest: str = ""
    longest_seconds: float = 0.0


class Progress:
    """Counts cases as they begin and end.

    `sections` names the section of each case by node id, and `clauses` its clause; `order` is that of the
    sections, `judged` the clauses that a hub can violate.
    """

    def __init__(
        self,
        sections: Mapping[str, str],
        order: Sequence[str],
        judged: Collection[str],
        clauses: Mapping[str, str] | None = None,
    ) -> None:
        self._sections = sections
        self._clauses = clauses or {}
        self._order = order
        self._judged = judged
        self._running: dict[str, str] = {}
        self._began: dict[str, float] = {}
        # What workers have just left: until they begin another case, they are still said to be there.
        self._left: deque[str] = deque()
        self._done: set[str] = set()
        self._since: set[str] = set()
        self._violated: set[str] = set()
        self._red: dict[Verdict, int] = dict.fromkeys((Verdict.BROKEN, Verdict.STALE_DEVIATION), 0)

    def begin(self, node_id: str, seconds: float = 0.0) -> None:
        """Take note of a case that begins, so many seconds after the run did."""
        self._running[node_id] = self._sections.get(node_id, OTHERS)
        self._began[node_id] = seconds
        if self._left:
            self._left.popleft()

    def end(self, node_id: str, case: Case | None) -> None:
        """Take note of a case that ended; of a test that is none of the suite's there is no record."""
        self._done.add(node_id)
        self._running.pop(node_id, None)
        self._began.pop(node_id, None)
        self._left.append(self._sections.get(node_id, OTHERS))
        self._since.add(self._left[-1])
        if case is None:
            return
        found = {case.clause} if case.verdict is Verdict.VIOLATION else set()
        found |= {each.clause for each in case.breaches if each.verdict is Verdict.VIOLATION}
        self._violated |= found.intersection(self._judged)
        if case.verdict in self._red:
            self._red[case.verdict] += 1

    def now(self, total: int, seconds: float) -> Reached:
        """Return how far the run is, with the sections whose cases run at this moment; none at its end."""
        sections = (*self._running.values(), *self._left) if len(self._done) < total else ()
        return self._reached(sections, total, seconds)

    def since_last(self, total: int, seconds: float) -> Reached:
        """Return how far the run is, with the sections whose cases ended since `forget`, or else run."""
        return self._reached(self._since or self._running.values(), total, seconds)

    def forget(self) -> None:
        """Begin a new stretch of the run."""
        self._since.clear()

    def _reached(self, sections: Iterable[str], total: int, seconds: float) -> Reached:
        named = set(sections)
        longest = min(self._began, key=self._began.__getitem__, default="")
        waited = seconds - self._began.get(longest, seconds)
        is_long = waited >= SECONDS
        return Reached(
            longest=self._clauses.get(longest, OTHERS) if is_long else "",
            longest_seconds=waited if is_long else 0.0,
            sections=[name for name in (*self._order, OTHERS) if name in named],
            done=len(self._done),
            total=max(total, len(self._done)),
            seconds=seconds,
            violated=len(self._violated),
            broken=self._red[Verdict.BROKEN],
            stale=self._red[Verdict.STALE_DEVIATION],
        )


class Pace:
    """Says when a line of a log is due: at each tenth of a run, at its end, and never line upon line.

    So it is where none was written for a while, however little was done.
    """

    def __init__(self) -> None:
        self._tenth = 0
        self._done = 0
        self._seconds = 0.0

    def due(self, reached: Reached) -> bool:
        """Say so, and count the line as written."""
        if reached.done == reached.total:
            return self._written(reached, self._done < reached.total)
        grown = reached.done - self._done >= FEWEST_CASES or reached.seconds - self._seconds >= SECONDS
        is_quiet = reached.seconds - self._seconds >= QUIET
        return self._written(reached, is_quiet or (grown and _share(reached, LINES) > self._tenth))

    def _written(self, reached: Reached, due: bool) -> bool:
        if due:
            self._tenth, self._done, self._seconds = _share(reached, LINES), reached.done, reached.seconds
        return due


def line(reached: Reached) -> str:
    """Return a line for a log."""
    width = len(str(reached.total))
    return (
        f"{_share(reached, 100):3d} %  {reached.done:{width}d} of {plural(reached.total, 'case')}  "
        f"{_clock(reached.seconds):>5}  {_names(reached.sections, _MOST_NAMES)}{_and_found(reached)}"
        f"{_and_longest(reached)}"
    )


def live(reached: Reached, width: int) -> str:
    """Return the line that stands at the bottom of a terminal of so many columns; never a longer one."""
    return next(text for text in _live(reached, width) if len(text) <= width)


def _live(reached: Reached, width: int) -> Iterator[str]:
    """Yield the line with less and less in it."""
    counts = f"{reached.done} of {plural(reached.total, 'case')}"
    share, clock = f" ({_share(reached, 100)} %)", f"  {_clock(reached.seconds)}"
    found = _and_found(reached)
    for most in (_MOST_NAMES, 2, 1):
        names = f"{_names(reached.sections, most)}  " if reached.sections else ""
        yield f"{names}{counts}{share}{found}{clock}{_and_longest(reached)}"
        yield f"{names}{counts}{share}{found}{clock}"
        yield f"{names}{counts}{found}{clock}"
    yield f"{counts}{found}"
    yield f"{counts}{found}"[:width]


def _names(sections: Sequence[str], most: int) -> str:
    more = len(sections) - most
    return ", ".join(sections) if more <= 0 else f"{', '.join(sections[:most])} + {more} more"


def _and_found(reached: Reached) -> str:
    """Return what is wrong so far, behind a semicolon; nothing where nothing is."""
    found = (
        (reached.violated, f"{plural(reached.violated, 'clause')} violated"),
        (reached.stale, f"{plural(reached.stale, 'deviation')} stale"),
        (reached.broken, f"{plural(reached.broken, 'case')} broken"),
    )
    words = [text for count, text in found if count]
    return f"; {', '.join(words)}" if words else ""


def _and_longest(reached: Reached) -> str:
    """Return which case has run for long, behind a semicolon; nothing where none has."""
    return f"; {reached.longest} for {_clock(reached.longest_seconds)}" if reached.longest else ""


def _share(reached: Reached, parts: int) -> int:
    return reached.done * parts // reached.total if reached.total else parts


def _clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), _MINUTE)
    hours, minute = divmod(minutes, _MINUTE)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
