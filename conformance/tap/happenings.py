"""What goes wrong on networks and at hubs, each as one small piece that the tap plays where a case asks.

A piece sees the packets of either side before they are passed on, and says what becomes of one: None leaves
it alone. What it makes up is consistent to its end: behind a refused CONNECT the hub saw none.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from conformance.mqtt.packets import Connect, Packet, Puback
from conformance.mqtt.raw_packets import packet as raw_packet
from conformance.mqtt.raw_packets import text


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a packet instead of being passed on: what each side gets, and whether the line ends.

    `end` is "drop" for the end of the stream, "reset" for one of TCP.
    """

    to_device: bytes = b""
    to_hub: bytes = b""
    end: str = ""


SWALLOWED = Fate()


class Happening(Protocol):
    """One piece. `says` describes it in the transcript."""

    @property
    def says(self) -> str:
        """What it does, in words."""

    def device_sent(self, line: object, packet: Packet, data: bytes) -> Fate | None:
        """Say what becomes of a packet of the device; None passes it on."""

    def hub_sent(self, line: object, packet: Packet, data: bytes) -> Fate | None:
        """Say what becomes of a packet of the hub; None passes it on."""


@dataclass(eq=False)
class RefuseConnect:
    """Answer CONNECT with a refusal, as a hub does; the hub sees nothing of the line.

    `close`: the line ends behind it, as [MQTT-3.2.2-5] asks of a hub. `times` are the lines that it refuses.
    """

    code: int
    close: bool = True
    times: int = 1
    _lines: list[object] = field(default_factory=list)

    @property
    def says(self) -> str:
        """What it does, in words."""
        return f"refuses CONNECT with code {self.code}" + ("" if self.close else " and leaves the line open")

    def device_sent(self, line: object, packet: Packet, data: bytes) -> Fate | None:
        """Refuse a CONNECT; whatever else comes on such a line goes nowhere."""
        if line in self._lines:
            return SWALLOWED
        if not isinstance(packet, Connect) or len(self._lines) >= self.times:
            return None
        self._lines.append(line)
        return Fate(to_device=raw_packet(0x20, bytes([0, self.code])), end="drop" if self.close else "")

    def hub_sent(self, line: object, packet: Packet, data: bytes) -> Fate | None:
        """Leave what the hub says alone: of such a line it knows nothing."""
        return None


@dataclass(eq=False)
class Withhold:
    """Keep packets of the hub from the device: those that `which` takes, `times` of them; None is all.

    `end` ends the line with the first of them, as a network that is lost in that moment.
    """

    what: str
    which: Callable[[Packet], bool]
    times: int | None = 1
    end: str = ""

    @property
    def says(self) -> str:
        """What it does, in words."""
        return f"withholds {self.what}"

    def device_sent(self, line: object, packet: Packet, data: bytes) -> Fate | None:
        """Leave what the device says alone."""
        return None

    def hub_sent(self, line: object, packet: Packet, data: bytes) -> Fate | None:
        """Keep what it is about."""
        if self.times == 0 or not self.which(packet):
            return None
        if self.times is not None:
            self.times -= 1
        return Fate(end=self.end)


@dataclass(eq=False)
class KeepPubacks:
    """Keep from the hub what the device acknowledges of messages that the tap made up."""

    packet_ids: set[int] = field(default_factory=set)
    says = "keeps the PUBACKs of its own messages"

    def device_sent(self, line: object, packet: Packet, data: bytes) -> Fate | None:
        """Keep a PUBACK of one of them."""
        return SWALLOWED if isinstance(packet, Puback) and packet.packet_id in self.packet_ids else None

    def hub_sent(self, line: object, packet: Packet, data: bytes) -> Fate | None:
        """Leave what the hub says alone."""
        return None


@dataclass(eq=False)
class LoseWith:
    """Lose the network with a packet of the device that `which` takes: it does not get through."""

    what: str
    which: Callable[[Packet], bool]
    times: int = 1

    @property
    def says(self) -> str:
        """What it does, in words."""
        return f"loses the network with {self.what}"

    def device_sent(self, line: object, packet: Packet, data: bytes) -> Fate | None:
        """End the line with what it is about."""
        if self.times == 0 or not self.which(packet):
            return None
        self.times -= 1
        return Fate(end="drop")

    def hub_sent(self, line: object, packet: Packet, data: bytes) -> Fate | None:
        """Leave what the hub says alone."""
        return None


@dataclass(eq=False)
class Replace:
    """Let the device get something else than what the hub sent: what `make` returns; None is what it was."""

    what: str
    make: Callable[[Packet], bytes | None]

    @property
    def says(self) -> str:
        """What it does, in words."""
        return self.what

    def device_sent(self, line: object, packet: Packet, data: bytes) -> Fate | None:
        """Leave what the device says alone."""
        return None

    def hub_sent(self, line: object, packet: Packet, data: bytes) -> Fate | None:
        """Put other bytes in the place of a packet."""
        made = self.make(packet)
        return None if made is None else Fate(to_device=made)


@dataclass(eq=False)
class Precede:
    """Let the device get a message of the tap's behind a packet that `which` takes, and pass that on."""

    what: str
    which: Callable[[Packet], bool]
    topic: str
    body: bytes

    @property
    def says(self) -> str:
        """What it does, in words."""
        return self.what

    def device_sent(self, line: object, packet: Packet, data: bytes) -> Fate | None:
        """Send the message, and pass the packet on."""
        if not self.which(packet):
            return None
        return Fate(to_device=raw_packet(0x30, text(self.topic), self.body), to_hub=data)

    def hub_sent(self, line: object, packet: Packet, data: bytes) -> Fate | None:
        """Leave what the hub says alone."""
        return None


@dataclass(eq=False)
class AnswerInstead:
    """Answer packets of the device in the hub's place: what `make` returns; None passes the packet on."""

    what: str
    make: Callable[[Packet], bytes | None]
    times: int | None = 1

    @property
    def says(self) -> str:
        """What it does, in words."""
        return self.what

    def device_sent(self, line: object, packet: Packet, data: bytes) -> Fate | None:
        """Answer what it is about."""
        made = None if self.times == 0 else self.make(packet)
        if made is None:
            return None
        if self.times is not None:
            self.times -= 1
        return Fate(to_device=made)

    def hub_sent(self, line: object, packet: Packet, data: bytes) -> Fate | None:
        """Leave what the hub says alone."""
        return None


@dataclass(eq=False)
class Swallow:
    """Let nothing through in either direction from now on: a connection that is half open."""

    says = "swallows everything"

    def device_sent(self, line: object, packet: Packet, data: bytes) -> Fate | None:
        """Swallow it."""
        return SWALLOWED

    def hub_sent(self, line: object, packet: Packet, data: bytes) -> Fate | None:
        """Swallow it."""
        return SWALLOWED
