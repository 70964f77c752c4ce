"""What an adapter is told and tells, in JSON lines: orders on its stdin, events on its stdout.

`conformance/adapters/protocol.schema.json` has the lines, `docs/devices.md` explains them. What an adapter
says that is no event is rubbish: it is counted, and shown to nobody, since anything may be in it.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from conformance.errors import HarnessError, StageFailed, Violation
from conformance.evidence.describe import cut
from conformance.report.redaction import redact

T = TypeVar("T")

PROTOCOL: Final = 1
# So many events of one case are kept: of a device that tells more, the rest says nothing new.
MOST_EVENTS: Final = 5_000
LONGEST_SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an adapter: its name, the number of the order that it answers, and what it says."""

    name: str
    of: int | None
    says: Mapping[str, Any] = field(default_factory=dict)


class Adapter:
    """The conversation with one adapter. `write` hands it a line; `notes` takes lines for the transcript."""

    def __init__(self, write: Callable[[bytes], None], notes: Callable[[str], None]) -> None:
        self._write = write
        self._note = notes
        self._changed = threading.Condition()
        self._events: list[Event] = []
        self._number = 0
        self._taken: set[int] = set()
        self.rubbish = 0

    @property
    def events(self) -> tuple[Event, ...]:
        """All that it told, in order."""
        with self._changed:
            return tuple(self._events)

    def events_named(self, name: str) -> tuple[Event, ...]:
        """Return the events of one name."""
        return tuple(event for event in self.events if event.name == name)

    def has_answered(self, number: int) -> bool:
        """Tell whether an order has been answered by now."""
        return any(event.of == number for event in self.events)

    def last_in_words(self) -> str:
        """Return the last event as words."""
        last = next(iter(self.events[::-1]), None)
        return "nothing" if last is None else f"{last.name} {dict(last.says) or ''}".strip()

    def hear(self, line: bytes) -> None:
        """Take a line of its stdout."""
        event = _event(line)
        if event is not None:
            self._note(f"tells {cut(redact(_shown(event)), LONGEST_SHOWN)}")
        with self._changed:
            if event is None:
                self.rubbish += 1
            elif len(self._events) < MOST_EVENTS:
                self._events.append(event)
            self._changed.notify_all()

    def order(self, do: str, **says: Any) -> int:
        """Give an order; return its number."""
        with self._changed:
            self._number += 1
            number = self._number
        order = {"id": number, "do": do, **says}
        self._note(f"is told {cut(redact(json.dumps({'do': do, **says})), LONGEST_SHOWN)}")
        self._write(json.dumps(order).encode())
        return number

    def until(self, found: Callable[[Event], bool], seconds: float) -> Event | None:
        """Return the first event that is it, waiting for so many seconds at most."""
        with self._changed:
            self._changed.wait_for(lambda: self._first(found) is not None, seconds)
            return self._first(found)

    def wait(self, holds: Callable[[], bool], seconds: float) -> None:
        """Wait until something holds of what was told, or for so many seconds."""
        with self._changed:
            self._changed.wait_for(holds, seconds)

    def next(self, name: str, seconds: float) -> Event:
        """Return the next event of a name that nobody took yet; raises Violation where none comes."""

        def untaken(event: Event) -> bool:
            return event.name == name and event.of is None and id(event) not in self._taken

        event = self.until(untaken, seconds)
        if event is None:
            raise Violation(
                f"the application is told of no {name} within {seconds:g} s",
                observed=f"no {name}",
                expected=f"the application is told of a {name}",
                actual=f"it is told of none within {seconds:g} s",
            )
        self._taken.add(id(event))
        return event

    def answer(self, number: int, seconds: float) -> Event:
        """Return the answer to an order. Raises StageFailed where none comes in time."""
        answer = self.until(lambda event: event.of == number, seconds)
        if answer is None:
            raise StageFailed(f"the adapter did not answer order {number} within {seconds:g} s")
        return answer

    def ready(self, seconds: float) -> Event:
        """Return its first word, which says who it is. Raises HarnessError for another protocol, or none."""
        first = self.until(lambda event: event.name == "ready", seconds)
        if first is None:
            rubbish = f"; {self.rubbish} lines on its stdout were no event" if self.rubbish else ""
            raise HarnessError(f"the adapter did not say that it is ready within {seconds:g} s{rubbish}")
        if first.says.get("protocol") != PROTOCOL:
            raise HarnessError(
                f"the adapter speaks protocol {first.says.get('protocol')!r}, and this suite {PROTOCOL}"
            )
        return first

    def _first(self, found: Callable[[Event], bool]) -> Event | None:
        return next(filter(found, self._events), None)


def _event(line: bytes) -> Event | None:
    try:
        says = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(says, dict) or not isinstance(says.get("event"), str):
        return None
    name, of = says.pop("event"), says.pop("of", None)
    return Event(name, of if isinstance(of, int) else None, says)


def _shown(event: Event) -> str:
    return json.dumps({"event": event.name, **event.says}, ensure_ascii=False)
