"""A device's ordinary connection: paho speaks, and keeps to what MQTT and a well-behaved client allow."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from conformance.errors import Violation
from conformance.evidence.describe import describe, preview, word
from conformance.mqtt.channel import Channel
from conformance.mqtt.conversation import CLOSED, NO_ANSWER, SILENCE, Conversation
from conformance.mqtt.endpoint import Timeouts
from conformance.mqtt.login import Bearer
from conformance.mqtt.packets import PINGREQ, Connack, Packet, Puback, Publish, Suback, Unsuback
from conformance.mqtt.paho_client import Speaker, SpeechlessError
from conformance.mqtt.reactor import Reactor
from conformance.mqtt.topics import matches

# The clause about a PINGREQ without an answer.
PING: Final = "connection.ping"

# When a sign of life is due, as a share of the keep-alive: late enough to be rare, early enough for the tick.
DUE: Final = 0.75

T = TypeVar("T")


@dataclass(frozen=True)
class Pending:
    """What waited for a device: `how` it came, in words, and each payload once, in the order of arrival."""

    how: str
    payloads: list[bytes]


class Connection(Conversation):
    """A connection over which paho speaks; `Device.connect` opens one.

    It keeps itself alive: after three quarters of its keep-alive without a packet it sends a PINGREQ. For a
    silent client take `RawConnection`. `subprotocol` is what the hub chose for a WebSocket, None for none.
    """

    def __init__(
        self,
        device: Bearer,
        channel: Channel,
        reactor: Reactor,
        timeouts: Timeouts,
        make_speaker: Callable[[Callable[[bytes], None]], Speaker],
        keep_alive: int,
        subprotocol: str | None = None,
    ) -> None:
        super().__init__(channel, timeouts)
        self.device = device
        self.subprotocol = subprotocol
        self._reactor = reactor
        self._keep_alive = keep_alive
        self._speaker = make_speaker(lambda data: channel.write(data, hidden=True))
        channel.on_data = self._speaker.hear
        self._say(lambda: self._speaker.connect(keep_alive))

    @property
    def session_present(self) -> int:
        """The flags of the CONNACK, as one number: 0 or 1 on a hub that keeps to MQTT."""
        return next(packet.session_present for packet in self.received if isinstance(packet, Connack))

    def stay_alive(self) -> None:
        """Begin to send signs of life. For `Device`, once the hub has accepted."""
        if self._keep_alive:
            self._channel.on_tick = self._sign_of_life

    def outcome(self, *, fence: bool = True) -> str:
        """Return all that comes, as `Conversation.outcome` does.

        This client says nothing but packets that a hub can read: a PINGREQ that gets no answer on an open
        connection is a breach, whatever the case is about.
        """
        outcome = super().outcome(fence=fence)
        if fence and self.is_accepted and outcome.endswith(SILENCE):
            self.unanswered(PING, f"no PINGRESP within {self._timeouts.reaction:g} s, connection open")
        return outcome

    def unanswered(self, clause: str, message: str) -> None:
        """Take note of a breach of a clause: what has an answer in any case got none."""
        self._channel.recorder.breach(clause, message, SILENCE)

    def publish(self, topic: str, payload: bytes = b"", *, qos: int = 1, retain: bool = False) -> int:
        """Publish, and wait for the PUBACK with this packet id, or, with QoS 0, until it is written out.

        Returns the packet id, 0 with QoS 0. Raises Violation "closed", "silence" or the word of what came.
        """
        if qos not in {0, 1}:
            raise ValueError("publish waits for PUBACK: for QoS 2 take send() and outcome()")
        if self._ended():
            raise self._violation(CLOSED, "an open connection to publish on", self._how_it_ended())
        packet_id = self.send(topic, payload, qos=qos, retain=retain)
        if qos:
            self._await(lambda packet: packet == Puback(packet_id), f"PUBACK packet={packet_id}")
        elif not self._channel.wait(self._channel.flushed, self._timeouts.reaction):
            raise self._violation(SILENCE, "the hub reads what is sent", self._how_it_ended())
        return packet_id

    def publish_each(self, topic: str, payloads: Iterable[bytes], *, qos: int = 1) -> None:
        """Publish these one after the other, each after the PUBACK of the one before."""
        for payload in payloads:
            self.publish(topic, payload, qos=qos)

    def send(self, topic: str, payload: bytes = b"", *, qos: int = 1, retain: bool = False) -> int:
        """Send a PUBLISH and wait for nothing. Returns the packet id, 0 with QoS 0."""
        packet_id = self._say(lambda: self._speaker.publish(topic, payload, qos=qos, retain=retain))
        return packet_id if qos else 0

    def send_each(self, topic: str, payloads: Iterable[bytes], *, qos: int = 1) -> None:
        """Send all these at once, as fast as the network takes them."""
        self.send_all([(topic, payload) for payload in payloads], qos=qos)

    def send_and_count(self, topic: str, payloads: Iterable[bytes]) -> list[bytes]:
        """Send all these at once with QoS 1; return those that were acknowledged before anything else came.

        A hub may close the connection in between, or acknowledge none.
        """
        waiting = {self.send(topic, payload, qos=1): payload for payload in payloads}
        self._channel.wait(
            lambda: waiting.keys() <= {each.packet_id for each in self.received if isinstance(each, Puback)},
            self._timeouts.reaction,
        )
        done = [each.packet_id for each in self.received if isinstance(each, Puback)]
        return [waiting[packet_id] for packet_id in done if packet_id in waiting]

    def send_all(self, messages: Sequence[tuple[str, bytes]], *, qos: int = 0) -> None:
        """Send all these pairs of topic and payload at once, as fast as the network takes them."""

        def send() -> None:
            for topic, payload in messages:
                self._speaker.publish(topic, payload, qos=qos, retain=False)

        self._say(send)

    def subscribe(self, topic_filter: str, *, qos: int = 1) -> int:
        """Subscribe and return the granted QoS, or 128 for a refusal; raises Violation without a SUBACK."""
        codes = self.subscribe_all([(topic_filter, qos)])
        if len(codes) != 1:
            seen = Suback(0, codes)
            raise self._violation(word(seen), "SUBACK with one code for one filter", describe(seen))
        return codes[0]

    def subscribe_all(self, filters: Sequence[tuple[str, int]]) -> tuple[int, ...]:
        """Subscribe to pairs of filter and QoS in one packet; return the codes of its SUBACK."""
        packet_id = self._say(lambda: self._speaker.subscribe(filters))
        answer = self._await(
            lambda packet: isinstance(packet, Suback) and packet.packet_id == packet_id,
            f"SUBACK packet={packet_id}",
        )
        assert isinstance(answer, Suback), "only a SUBACK was asked for"  # noqa: S101 - for the type
        return answer.codes

    def try_to_subscribe(self, topic_filter: str, *, qos: int = 1) -> str:
        """Subscribe and return what comes of it: "suback 1", "suback 128", "closed", "no answer"."""
        return self.try_to_subscribe_all([topic_filter], qos=qos)

    def try_to_subscribe_all(self, filters: Sequence[str], *, qos: int = 1) -> str:
        """Do the same with several filters in one packet: "suback 1 1 128"."""
        packet_id = self._say(lambda: self._speaker.subscribe([(each, qos) for each in filters]))
        return self._outcome_with(lambda packet: isinstance(packet, Suback) and packet.packet_id == packet_id)

    def try_to_unsubscribe(self, topic_filter: str) -> str:
        """Unsubscribe and return what comes of it: "unsuback", "closed", "no answer"."""
        packet_id = self._say(lambda: self._speaker.unsubscribe(topic_filter))
        return self._outcome_with(lambda packet: packet == Unsuback(packet_id))

    def _outcome_with(self, answer: Callable[[Packet], bool]) -> str:
        """Return the outcome without messages, once this answer is there, which MQTT demands in any case.

        It may come behind a PINGRESP, and messages before it (MQTT 3.1.1 section 3.8.4).
        """
        self._channel.wait(lambda: self._channel.has(answer), self._timeouts.reaction)
        words = self.outcome().split(", ")
        return ", ".join(each for each in words if each != "publish") or NO_ANSWER

    def unsubscribe(self, *topic_filters: str) -> None:
        """Unsubscribe from these in one packet and wait for the UNSUBACK."""
        packet_id = self._say(lambda: self._speaker.unsubscribe(*topic_filters))
        self._await(lambda packet: packet == Unsuback(packet_id), f"UNSUBACK packet={packet_id}")

    def expect_message(self, topic: str | None = None, *, within: float | None = None) -> Publish:
        """Return the next message on this topic or filter, or on any; raises Violation if none comes.

        `within` so many seconds, `timeouts.reaction` where it is not given.
        """
        answer = self._await(
            lambda packet: isinstance(packet, Publish) and (topic is None or matches(topic, packet.topic)),
            f"PUBLISH {topic or 'from the hub'}",
            within,
        )
        assert isinstance(answer, Publish), "only a PUBLISH was asked for"  # noqa: S101 - for the type
        return answer

    def next_message(self, topic: str, *, within: float) -> Publish | None:
        """Return the next message on this topic or filter, or None if none comes within so many seconds."""

        def wanted(packet: Packet) -> bool:
            return isinstance(packet, Publish) and matches(topic, packet.topic)

        self._channel.wait(lambda: self._channel.has(wanted), within)
        packet = self._channel.take(wanted)
        return packet if isinstance(packet, Publish) else None

    def next_delivery(self, *, within: float) -> str:
        """Return in words what comes within so many seconds: "delivered, DUP 1", or "nothing"."""
        self._channel.wait(lambda: self._channel.has(lambda packet: isinstance(packet, Publish)), within)
        packet = self._channel.take(lambda packet: isinstance(packet, Publish))
        return f"delivered, DUP {int(packet.dup)}" if isinstance(packet, Publish) else "nothing"

    def messages_until(self, payload: bytes, *, within: float | None = None) -> list[Publish]:
        """Return the messages that come up to the one with this payload, that one included.

        Raises Violation if it does not come `within` so many seconds, by default `timeouts.reaction`. The
        last message is the fence: what was sent before it on a path that keeps order has come by then.
        """
        seconds = self._timeouts.reaction if within is None else within
        messages: list[Publish] = []

        def came() -> bool:
            while not messages or messages[-1].payload != payload:
                packet = self._channel.take(lambda packet: isinstance(packet, Publish))
                if packet is None:
                    return False
                assert isinstance(packet, Publish), "nothing else was asked for"  # noqa: S101 - for the type
                messages.append(packet)
            return True

        if self._channel.wait(came, seconds):
            return messages
        expected = f"PUBLISH with payload {preview(payload)} within {seconds:g} s"
        others = f"others: {len(messages)}, the last {describe(messages[-1])}" if messages else "no message"
        if self._ended():
            raise self._violation(CLOSED, expected, f"{others}; {self._how_it_ended()}")
        raise self._violation("publish" if messages else SILENCE, expected, f"{others}, connection open")

    def deliveries_until(self, payload: bytes, *, within: float | None = None) -> list[Publish]:
        """Return the messages of `messages_until` without resends, which a hub may make until the PUBACK.

        A resend is the same message with QoS 1 under the same packet id. Two of QoS 0 are two deliveries.
        """
        messages: list[Publish] = []
        for message in self.messages_until(payload, within=within):
            if not message.qos or replace(message, dup=False) not in [
                replace(each, dup=False) for each in messages
            ]:
                messages.append(message)
        return messages

    def payloads_until(self, payload: bytes, *, within: float | None = None) -> list[bytes]:
        """Return the payloads of `messages_until`, each where it came first: a hub delivers at least once."""
        return list(dict.fromkeys(message.payload for message in self.messages_until(payload, within=within)))

    def heard(self) -> list[bytes]:
        """Return the payloads of all messages that came up to here (fence), or before the hub closed."""
        return [message.payload for message in self.heard_messages()]

    def heard_messages(self) -> list[Publish]:
        """Return all messages that came up to here (fence), or before the hub closed."""
        if not self._ended():
            self._fenced()
            self._observe_silence()
        self._channel.take_all()
        return [packet for packet in self.received if isinstance(packet, Publish)]

    def heard_until(self, payload: bytes) -> list[bytes]:
        """Return the payloads that came before this one, or before the hub closed the connection.

        Raises Violation if neither happens within `timeouts.reaction`.
        """
        try:
            return [message.payload for message in self.messages_until(payload)[:-1]]
        except Violation as violation:
            if violation.observed != CLOSED:
                raise
            return [packet.payload for packet in self.received if isinstance(packet, Publish)]

    def pending(self, payloads: Sequence[bytes], *, within: float | None = None) -> Pending:
        """Return what a session that goes on is given, until each of these payloads has come.

        The filter is subscribed to once more if they do not all come without that, each time `within` so many
        seconds, by default `timeouts.reaction`. Raises Violation if they do not all come then either.
        """
        seconds = self._timeouts.reaction if within is None else within
        how = "delivered without SUBSCRIBE"
        if not self._channel.wait(lambda: set(payloads) <= set(self._payloads()), seconds):
            self.subscribe(self.device.topics.devicebound)
            how = "delivered after SUBSCRIBE"
            if not self._channel.wait(lambda: set(payloads) <= set(self._payloads()), seconds):
                missing = ", ".join(
                    preview(payload) for payload in payloads if payload not in self._payloads()
                )
                raise self._violation(
                    "not delivered",
                    f"{len(payloads)} messages within {seconds:g} s, at the latest after SUBSCRIBE",
                    f"never came: {missing}",
                )
        return Pending(how, list(dict.fromkeys(self._payloads())))

    def _payloads(self) -> list[bytes]:
        return [packet.payload for packet in self.received if isinstance(packet, Publish)]

    def acknowledge(self, message: Publish) -> None:
        """Send the PUBACK of a message; for a connection with `manual_acknowledgement`. Waits for nothing."""
        self._say(lambda: self._speaker.acknowledge(message.packet_id))

    def expect_no_message(self) -> None:
        """Require that no message has come or is on its way (fence)."""
        self.ping()
        self._observe_silence(lambda packet: isinstance(packet, Publish))
        packet = self._channel.take(lambda packet: isinstance(packet, Publish))
        if packet is not None:
            raise self._violation("publish", "no message", describe(packet))

    def disconnect(self) -> None:
        """Send DISCONNECT, then nothing more, and read until the hub has closed too; then close.

        A client that closed with unread bytes would reset the connection and could take its DISCONNECT back.
        """
        self._say(self._speaker.disconnect)
        self._channel.half_close()
        self._channel.wait(lambda: False, self._timeouts.reaction)
        self._channel.close()

    def _say(self, speak: Callable[[], T]) -> T:
        self._ended()
        try:
            return self._reactor.do(speak)
        except SpeechlessError as error:
            last = describe(self.received[-1]) if self.received else "nothing"
            observed = word(self.received[-1]) if self.received else SILENCE
            raise self._violation(
                observed, "packets that a client can go on from", f"{last} ({error})"
            ) from None

    def _sign_of_life(self) -> None:
        if time.monotonic() - self._channel.last_sent >= DUE * self._keep_alive:
            self._channel.write(PINGREQ, hidden=True)
