"""What the tap saw during one case: its lines, and how a test waits for what it expects to see.

The tap's thread writes, under the lock; a test waits for a condition to hold, and never polls.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from conformance.evidence.case import MOST_BYTES, MOST_PACKETS, Evidence
from conformance.evidence.describe import describe
from conformance.evidence.device_watch import DeviceWatch
from conformance.evidence.transcript import Glyph
from conformance.mqtt.packets import Packet
from conformance.tap.happenings import Happening
from conformance.tap.line import End, Entrance, Line, Origin, Seen
from conformance.target.credentials import Secret

T = TypeVar("T")


class Record:
    """The lines of one case, and what happens on them; `keys` are those of the device, `watch` judges it."""

    def __init__(
        self, evidence: Evidence, *, keys: tuple[Secret, ...] = (), watch: DeviceWatch | None = None
    ) -> None:
        self.keys = keys
        self._evidence = evidence
        self._watch = watch
        self._changed = threading.Condition()
        self._lines: list[Line] = []
        self._happenings: list[Happening] = []

    # -- what a test asks

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every connection of the device, the first one first."""
        with self._changed:
            return tuple(self._lines)

    @property
    def sessions(self) -> tuple[Line, ...]:
        """The connections on which the hub, or the tap for it, accepted a CONNECT."""
        return tuple(line for line in self.lines if line.connack is not None and line.connack.code == 0)

    def until(self, found: Callable[[], T | None], seconds: float) -> T | None:
        """Wait until `found` returns something, for so many seconds at most, and return that."""
        with self._changed:
            self._changed.wait_for(lambda: found() is not None, seconds)
            return found()

    def note(self, who: str, glyph: Glyph, text: str) -> None:
        """Write a line into the transcript: what the device was told, or told."""
        self._evidence.transcript.add(who, glyph, text)

    # -- what happens

    def happen(self, happening: Happening) -> None:
        """Let something go wrong from now on, on every line."""
        with self._changed:
            self._happenings.append(happening)
        self.note("tap", "=", happening.says)

    def no_more(self, happening: Happening) -> None:
        """Let it go wrong no longer."""
        with self._changed:
            self._happenings.remove(happening)

    @property
    def happenings(self) -> Sequence[Happening]:
        """What goes wrong now, the last one first."""
        with self._changed:
            return self._happenings[::-1]

    # -- what the tap's thread writes

    def opened(self, entrance: Entrance, *, by_proxy: bool) -> Line:
        """Begin a line."""
        with self._changed:
            line = Line(f"c{len(self._lines) + 1}", time.monotonic(), entrance, by_proxy)
            self._lines.append(line)
            self._changed.notify_all()
        return line

    def passed(self, line: Line, packet: Packet, origin: Origin) -> None:
        """Take down a packet: of the device, or for it."""
        glyph: Glyph = "→" if origin == "device" else "←"
        who = f"tap:{line.label}" if origin == "tap" else line.label
        self.note(who, glyph, describe(packet))
        if self._watch is not None and origin == "device":
            self._evidence.watch.note(self._watch.sent(line.label, packet))
        elif self._watch is not None:
            self._watch.received(line.label, packet)
        self._add(line, Seen(time.monotonic(), packet, origin))

    def kept(self, line: Line, packet: Packet, from_whom: Origin) -> None:
        """Take down that a packet did not reach the device, or the hub."""
        self.note(f"tap:{line.label}", "=", f"keeps from the {from_whom}: {describe(packet)}")
        with self._changed:
            self._changed.notify_all()

    def came_up(self, line: Line) -> None:
        """Take down that TLS is up on a line."""
        self.note(line.label, "=", f"{line.tls}, server name {line.server_name or '(none)'}")
        with self._changed:
            self._changed.notify_all()

    def ended(self, line: Line, by: Origin, how: str) -> None:
        """Take down the end of a line; only the first one counts."""
        with self._changed:
            if line.end is not None:
                return
            line.end = End(time.monotonic(), by, how)
            self._changed.notify_all()
        self.note(line.label, "=", f"ended by the {'device' if by == 'device' else by} ({how})")

    def flood(self, line: Line, size: int) -> str:
        """Return what is too much of what a device sent on a line, `size` bytes in all; nothing if not."""
        flood = ""
        if len(line.passed) > MOST_PACKETS:
            flood = f"more than {MOST_PACKETS} packets on one connection of the device"
        elif size > MOST_BYTES:
            flood = f"more than {MOST_BYTES} bytes from the device on one connection"
        self._evidence.flood = self._evidence.flood or flood
        return flood

    def _add(self, line: Line, seen: Seen) -> None:
        with self._changed:
            line.passed.append(seen)
            self._changed.notify_all()


def each_sent(lines: Sequence[Line], kind: type[T]) -> Iterator[T]:
    """Yield the packets of one kind that the device sent, over several lines."""
    for line in lines:
        yield from (packet for packet in line.sent if isinstance(packet, kind))
