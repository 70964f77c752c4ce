"""One connection of a device, as the tap saw it: what passed, when, and whose it was.

Values are added in the tap's thread and read in the test's; `Record` has the lock.
"""

import itertools
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from conformance.mqtt.packets import Connack, Connect, Packet, Puback, Suback, Subscribe
from conformance.tap.password import Token

Origin = Literal["device", "hub", "tap"]
Entrance = Literal["mqtt", "websocket"]

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Seen:
    """A packet that passed the tap, `at` so many seconds of the monotonic clock, and who made it."""

    at: float
    packet: Packet
    origin: Origin


@dataclass(frozen=True, slots=True)
class End:
    """Who ended a connection, how and when: "device", "hub" or "tap"; "end of stream", "reset"."""

    at: float
    by: Origin
    how: str


@dataclass(slots=True, repr=False)
class Line:
    """One connection of a device, from TCP on.

    `server_name` is the host that the device named in TLS, `tls` the version that was agreed on, and
    `tls_failure` why TLS did not come up. `token` is what the Password of its CONNECT was: a token, a word
    for something else, or None. `swallowed` are packets of the device that the hub never saw.
    """

    label: str
    began: float
    entrance: Entrance = "mqtt"
    by_proxy: bool = False
    server_name: str | None = None
    tls: str = ""
    tls_failure: str = ""
    token: Token | str | None = None
    end: End | None = None
    passed: list[Seen] = field(default_factory=list)

    def __repr__(self) -> str:
        """Return what a report calls it; the transcript has the rest under the same label."""
        return f"connection {self.label}"

    @property
    def is_open(self) -> bool:
        """Whether neither side has ended it."""
        return self.end is None

    @property
    def sent(self) -> tuple[Packet, ...]:
        """The packets of the device, in order."""
        return tuple(seen.packet for seen in self.passed if seen.origin == "device")

    @property
    def received(self) -> tuple[Packet, ...]:
        """The packets that the device got, of the hub or of the tap, in order."""
        return tuple(seen.packet for seen in self.passed if seen.origin != "device")

    @property
    def connect(self) -> Connect | None:
        """The device's first packet, where that is a CONNECT."""
        first = next(iter(self.sent), None)
        return first if isinstance(first, Connect) else None

    @property
    def connack(self) -> Connack | None:
        """The first CONNACK that the device got."""
        return next(self.of_kind(Connack, sent=False), None)

    def of_kind(self, kind: type[P], *, sent: bool = True) -> Iterator[P]:
        """Yield the packets of one kind that the device sent, or got."""
        yield from (packet for packet in (self.sent if sent else self.received) if isinstance(packet, kind))

    @property
    def has_acknowledged(self) -> bool:
        """Whether the device has sent a PUBACK."""
        return any(isinstance(packet, Puback) for packet in self.sent)

    @property
    def fields_of_token(self) -> frozenset[str]:
        """The names in the token of its CONNECT; none where the Password is no token."""
        return frozenset(self.token.fields) if isinstance(self.token, Token) else frozenset()

    def longest_gap(self) -> float:
        """Return the longest time between two packets of the device, in seconds; now counts as one."""
        times = [seen.at for seen in self.passed if seen.origin == "device"]
        return max(later - earlier for earlier, later in itertools.pairwise([*times, time.monotonic()]))

    def granted(self) -> tuple[tuple[str, ...], ...]:
        """Return the filters of each SUBSCRIBE that was answered."""
        answered = {packet.packet_id for packet in self.of_kind(Suback, sent=False)}
        asked = (packet for packet in self.of_kind(Subscribe) if packet.packet_id in answered)
        return tuple(tuple(item for item, _ in packet.filters) for packet in asked)

    def when_token_ends(self) -> float:
        """Return when the token of its CONNECT ends, in seconds of the monotonic clock; never without one."""
        at = self.when(Connect)
        return math.inf if at is None or not isinstance(self.token, Token) else at + self.token.seconds_left

    def sent_before_connack_in_words(self) -> str:
        """Name the packets that the device sent behind CONNECT before CONNACK was there."""
        early: list[str] = []
        for seen in self.passed[1:]:
            if seen.origin != "device":
                break
            early.append(type(seen.packet).__name__.upper())
        return ", ".join(early) or "nothing"

    def when(self, kind: type[Packet], *, sent: bool = True) -> float | None:
        """Return when the first packet of a kind passed, in seconds of the monotonic clock."""
        times = (
            seen.at
            for seen in self.passed
            if isinstance(seen.packet, kind) and (seen.origin == "device") == sent
        )
        return next(times, None)
