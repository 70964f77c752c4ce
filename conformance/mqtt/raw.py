"""A connection that says literal bytes: what paho refuses to say, and what no client should."""

from conformance.mqtt.channel import Channel
from conformance.mqtt.conversation import ACCEPTED, Conversation
from conformance.mqtt.endpoint import Timeouts
from conformance.mqtt.fields import Will
from conformance.mqtt.login import Bearer
from conformance.mqtt.raw_packets import packet, text


class RawConnection(Conversation):
    """A stream to the hub on which nothing is sent but what a test sends; `Device.raw` opens one."""

    def __init__(self, device: Bearer, channel: Channel, timeouts: Timeouts, tls_version: str | None) -> None:
        super().__init__(channel, timeouts)
        self.device = device
        self.tls_version = tls_version

    def send(self, *chunks: bytes) -> None:
        """Send these bytes; each chunk is a write of its own."""
        self._ended()
        for chunk in chunks:
            self._channel.send(chunk)

    def send_slowly(self, data: bytes) -> None:
        """Send one byte a write."""
        self.send(*(data[position : position + 1] for position in range(len(data))))

    def connect(
        self,
        device: Bearer | None = None,
        *,
        clean_session: bool | None = None,
        keep_alive: int = 60,
        will: Will | None = None,
    ) -> None:
        """Send a right CONNECT, of this connection's device or another; raises Violation if not accepted."""
        speaker = self.device if device is None else device
        self.clean_session = speaker.clean_session if clean_session is None else clean_session
        self.send(speaker.connect_packet(clean_session=clean_session, keep_alive=keep_alive, will=will))
        outcome, actual = self.answer_to_connect()
        if outcome != ACCEPTED:
            expected = f"CONNACK with code 0 within {self._timeouts.connect:g} s"
            raise self._violation(outcome, expected, actual)

    def exchange(self, data: bytes, answer: str) -> None:
        """Send these bytes and require this packet in answer, in words with its id: "suback 1 0"."""
        self.send(data)
        came = ", ".join(self.take(1)) or "silence"
        if came != answer:
            raise self._violation(came, answer, came)

    def publish_packet(self, topic: str, payload: bytes = b"") -> bytes:
        """Return a PUBLISH with QoS 0."""
        return packet(0x30, text(topic), payload)
