"""The evidence of one case, and the recorder that each of its connections writes to."""

from typing import Final

from conformance.evidence import asked
from conformance.evidence.describe import describe, open_bytes
from conformance.evidence.transcript import Glyph, Transcript
from conformance.evidence.watch import Breach, ConnectionWatch, Judgement, Watch
from conformance.mqtt.decoder import Decoder
from conformance.mqtt.packets import Packet, Publish, Unreadable
from conformance.run import sleeping

# The longest that a hub sends is a method's payload of 128 KB; one that sends back what it hears, 256 KB.
LONGEST_PACKET: Final = 1024 * 1024
# What one connection may bring in a case; the busiest of the suite, a burst of twin requests, brings 1,001
# packets and 100 KB.
MOST_PACKETS: Final = 5_000
MOST_BYTES: Final = 16 * 1024 * 1024


class Evidence:
    """What one case saw: its transcript and its watch. Begin one when the case begins.

    `identities` counts the devices and modules that were made for it. `flood` is what was too much of the
    hub, where a connection was ended for that.
    """

    def __init__(self) -> None:
        self.transcript = Transcript()
        self.watch = Watch()
        self.identities = 0
        self.flood = ""
        self._slept_before = sleeping.slept_seconds()
        self._asked_before = asked.so_far()
        self._connections = 0

    def anew(self) -> "Evidence":
        """Return the evidence of another attempt: a transcript of its own, and all else goes on."""
        other = Evidence()
        self.watch.forget_what_rests_on_time()
        other.watch, other.identities, other.flood = self.watch, self.identities, self.flood
        other._asked_before = self._asked_before
        return other

    @property
    def breaches(self) -> tuple[Breach, ...]:
        """Every breach that the watch saw."""
        return self.watch.breaches

    @property
    def sightings(self) -> dict[str, int]:
        """How many packets each clause of the watch judged."""
        return self.watch.sightings

    def render(self) -> str:
        """Return the transcript as text."""
        return self.transcript.render()

    @property
    def slept(self) -> float:
        """The seconds that this process paused since the case began."""
        return sleeping.slept_seconds() - self._slept_before

    @property
    def asked(self) -> asked.Asked:
        """What this process asked of the hub since the case began."""
        return asked.so_far().since(self._asked_before)

    def connection(self, device_id: str, *, watched: bool = True) -> "Recorder":
        """Return the recorder of a new connection of this device; the first is `c1` in the transcript."""
        asked.connection()
        self._connections += 1
        return Recorder(self, f"c{self._connections}", device_id, watched=watched)


class Recorder:
    """Decodes what passes on one connection, writes it down and lets the watch judge it.

    `watched=False` is for a port that need not speak MQTT at all: its bytes are written down, not judged.
    """

    def __init__(self, evidence: Evidence, label: str, device_id: str, *, watched: bool) -> None:
        self.label = label
        self._evidence = evidence
        self._transcript = evidence.transcript
        self._watch = evidence.watch
        self._rules = ConnectionWatch(device_id) if watched else None
        self._outgoing = Decoder()
        self._incoming = Decoder(LONGEST_PACKET)
        self._packets = 0

    @property
    def is_lost(self) -> bool:
        """Whether the hub sent what leaves open where its next packet begins."""
        return self._incoming.is_lost

    def sent(self, data: bytes) -> list[Packet]:
        """Take note of bytes for the hub before it can answer them; return the packets they complete."""
        packets = []
        for packet, whole in self._outgoing.feed_with_bytes(data):
            packets.append(packet)
            self._transcript.add(self.label, "→", describe(packet), open_bytes(packet, whole))
            if isinstance(packet, Publish):
                asked.message(len(packet.payload))
            if self._rules is not None:
                self._rules.sent(packet)
        return packets

    def received(self, data: bytes) -> list[Packet]:
        """Take note of bytes from the hub and return the packets that they complete."""
        packets = []
        for packet, whole in self._incoming.feed_with_bytes(data):
            packets.append(packet)
            self._packets += 1
            self._transcript.add(self.label, "←", describe(packet), open_bytes(packet, whole))
            if self._rules is not None:
                self._watch.note(self._rules.received(packet))
        return packets

    def garbled(self, reason: str, data: bytes) -> Packet:
        """Take note of bytes from the hub that carry no MQTT at all, and return them as a packet."""
        packet = Unreadable(reason, data)
        self._transcript.add(self.label, "←", describe(packet))
        if self._rules is not None:
            self._watch.note(self._rules.received(packet))
        return packet

    def frame(self, glyph: Glyph, text: str) -> None:
        """Take note of what MQTT travels in on this connection: an HTTP handshake, a WebSocket frame."""
        self._transcript.add(self.label, glyph, text)

    def flood(self, size: int, empty: int) -> str:
        """Return what is too much of what the hub has sent, more than any case needs; nothing if it is not.

        `size` are the bytes that came, `empty` the frames that carried none. Nothing more should be read.
        """
        flood = ""
        if self._packets + empty > MOST_PACKETS:
            flood = f"more than {MOST_PACKETS} packets and empty frames from the hub on one connection"
        elif size > MOST_BYTES:
            flood = f"more than {MOST_BYTES} bytes from the hub on one connection"
        self._evidence.flood = self._evidence.flood or flood
        return flood

    def ended(self, text: str) -> list[Packet]:
        """Take note of the connection's end and return what the hub left unfinished: a packet's beginning.

        That beginning is not the watch's business: a connection may be lost at any byte.
        """
        rest = self._incoming.finish()
        for packet in rest:
            self._transcript.add(self.label, "←", describe(packet))
        self.state(text)
        return rest

    def breach(self, clause: str, message: str, observed: str) -> None:
        """Take note of a rule that was broken by something that did not come in time."""
        if self._rules is not None:
            self._watch.note(Judgement([clause], [Breach(clause, message, observed, rests_on_time=True)]))

    def state(self, text: str) -> None:
        """Take note of something about the connection that is not a packet."""
        self._transcript.add(self.label, "=", text)
