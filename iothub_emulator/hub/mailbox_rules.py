"""Each decision about cloud-to-device messages, one method each.

Sources: the document's section on them; Microsoft, "Understand cloud-to-device messaging" (life cycle,
expiry, delivery count, feedback); traces where both are silent.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, unquote

from iothub_emulator.hub.filters import printed
from iothub_emulator.hub.refusals import iso
from iothub_emulator.hub.service_errors import ErrorCode, Refused

ACKNOWLEDGE = "iothub-ack"
"""The application property by which a sender asks for feedback."""

LONGEST_TOPIC = 65_535
"""[MQTT-1.5.3-3] bytes of UTF-8 in a string."""

Ack = Literal["none", "positive", "negative", "full"]
Outcome = Literal["Success", "Expired", "DeliveryCountExceeded", "Rejected", "Purged"]

_ADDRESS = re.compile(r"/?devices/([^/]+)/messages/devicebound/?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudMessage:
    """What a back end sent to a device."""

    to: str
    """As the sender wrote it."""
    body: bytes = b""
    message_id: str | None = None
    correlation_id: str | None = None
    user_id: str | None = None
    content_type: str | None = None
    content_encoding: str | None = None
    creation_time: float | None = None
    """Unix seconds, set by the sender."""
    expires_at: float | None = None
    """Unix seconds; None: the hub's default time to live."""
    properties: Mapping[str, str | None]
    """Application properties."""


class MailboxRules:
    """Each decision about a mailbox. Durations are seconds; the defaults are a real hub's."""

    def __init__(
        self,
        *,
        lock: float = 60.0,
        depth: int = 50,
        time_to_live: float = 3600.0,
        max_delivery_count: int = 10,
        max_message_bytes: int = 65_536,
    ) -> None:
        self._lock = lock
        self._depth = depth
        self._time_to_live = time_to_live
        self._max_delivery_count = max_delivery_count
        self._max_message_bytes = max_message_bytes

    # Taking a message in

    def addressee(self, to: str) -> str | None:
        """c2d.delivered: the device of `/devices/{id}/messages/devicebound`; None for any other address.

        SDKs percent-encode the id. Modules get no such messages (EdgeHub, edgehub-api).
        """
        found = _ADDRESS.fullmatch(to)
        return unquote(found[1]) if found else None

    def recipients(self, addressee: str) -> tuple[str, ...]:
        """c2d.own-only, topics.cross-device: in whose mailbox a message is put."""
        return (addressee,)

    def accepts_another(self, depth: int) -> bool:
        """c2d.queue-depth: 50 in a mailbox, those under a lock included."""
        return depth < self._depth

    def queue_full(self) -> Refused:
        """c2d.queue-depth: 403004 to the sender."""
        return Refused(
            ErrorCode.DeviceMaximumQueueDepthExceeded, f"The device has {self._depth} messages waiting."
        )

    def accepts_size(self, message: CloudMessage) -> bool:
        """c2d.body: body and properties within 64 KB, counted as for device-to-cloud messages."""
        size = len(message.body)
        for name, value in message.properties.items():
            size += len(name.encode()) + len((value or "").encode())
        for system in self.system_properties(message):
            size += len(system[1].encode())
        return size <= self._max_message_bytes

    def accepts_topic(self, topic: str) -> bool:
        """c2d.bag-encoding [MQTT-1.5.3-3]: percent-encoded, the properties must fit a topic name.

        unspecified: what a hub does with a message that no PUBLISH could carry; its sender hears at once.
        """
        return len(topic.encode()) <= LONGEST_TOPIC

    def expires_at(self, message: CloudMessage, now: float) -> float:
        """c2d.expired: an absolute time, by default one hour after the hub took the message.

        From then on it is not delivered any more, also where a device holds it under a lock.
        """
        return now + self._time_to_live if message.expires_at is None else message.expires_at

    def feedback_wanted(self, message: CloudMessage) -> Ack:
        """c2d.feedback: `iothub-ack`. unspecified: a word that is none of the four counts as none."""
        match message.properties.get(ACKNOWLEDGE):
            case ("positive" | "negative" | "full") as ack:
                return ack
        return "none"

    def purges(self) -> bool:
        """c2d.purged: a purge empties the mailbox, locked messages included."""
        return True

    def purged_with(self, device_id: str, known: Iterable[str]) -> Iterable[str]:
        """c2d.purged: whose mailboxes a purge of this device's empties, of all that are known; its own."""
        return (device_id,)

    # Delivering

    def feeds(self, *, subscribed: bool) -> bool:
        """c2d.not-before-subscribe, c2d.unsubscribe, session.clean-is-silent: who subscribed is served."""
        return subscribed

    def position_of_next(self, waiting: int) -> int:
        """c2d.order, session.pending-order: the oldest first."""
        return 0

    def delivery_qos(self, granted: int) -> int:
        """c2d.delivery-qos, watch.qos: as granted, never above 1."""
        return min(granted, 1)

    def retain(self) -> bool:
        """c2d.retain-clear, watch.flags [MQTT-3.3.1-9]: RETAIN 0."""
        return False

    def dup(self, *, qos: int, times_taken: int) -> bool:
        """c2d.first-dup, c2d.redelivered-same-connection, watch.flags [MQTT-3.3.1-2, -3]: when sent again.

        inferred: azure-iot-protocol-gateway sets it so; of a hub's second delivery it is unknown.
        """
        return qos > 0 and times_taken > 1

    def completes_when_sent(self, qos: int) -> bool:
        """c2d.acknowledged-not-again: QoS 0 has no acknowledgement and is done once it is sent."""
        return qos == 0

    def completes_when_acknowledged(self) -> bool:
        """c2d.acknowledged-not-again, c2d.feedback: PUBACK completes."""
        return True

    def acknowledged_by(self, packet_id: int, unacknowledged: Sequence[int]) -> Sequence[int]:
        """c2d.acknowledged-not-again [MQTT-2.3.1-6]: a PUBACK is for the one message with its packet id."""
        return (packet_id,)

    def body(self, message: CloudMessage) -> bytes:
        """c2d.body: as it was sent."""
        return message.body

    # Locks

    def lock_seconds(self) -> float:
        """c2d.redelivered: one minute, which cannot be changed on a real hub."""
        return self._lock

    def on_lock_lapsed(self) -> Literal["requeue", "count", "reject"]:
        """c2d.redelivered, c2d.no-reject: the message waits again, and that does not count as a delivery.

        `count` is what Microsoft's page said before 2026. MQTT has no reject.
        """
        return "requeue"

    def may_deliver_again(self, delivery_count: int) -> bool:
        """c2d.redelivered: up to the maximum delivery count, where deliveries count at all."""
        return delivery_count < self._max_delivery_count

    # Sessions

    def purges_on_resumed_session(self) -> bool:
        """session.pending-delivered: CleanSession 0 finds all that was sent while the device was away."""
        return False

    def purges_on_clean_session(self) -> bool:
        """session.clean-purges: CleanSession 1 removes all that waits (azure-sdk-for-c, MQTT states)."""
        return True

    def purges_on_first_session(self) -> bool:
        """c2d.before-first-subscription: nothing sent before a device's first session is delivered.

        The same page of azure-sdk-for-c; tests of the C# SDK connect before they send.
        """
        return True

    # The topic of a delivery

    def topic(self, device_id: str, message: CloudMessage) -> str:
        """c2d.topic, watch.topics: the device's devicebound topic and the bag behind its last slash."""
        return f"devices/{printed(device_id)}/messages/devicebound/{self.bag(message)}"

    def bag(self, message: CloudMessage) -> str:
        """c2d.topic, c2d.bag-contents: system properties, then the sender's own, joined by `&`."""
        pairs: list[tuple[str, str | None]] = [*self.system_properties(message)]
        pairs += message.properties.items()
        return "&".join(self.pair(name, value) for name, value in pairs)

    def system_properties(self, message: CloudMessage) -> list[tuple[str, str]]:
        """c2d.bag-names, c2d.bag-names-more, c2d.bag-contents: `$.to` always, others where they were set.

        Order and the times' form are those of traces and SDKs; nobody may rely on the order.
        """
        expiry, created = message.expires_at, message.creation_time
        given = {
            "$.mid": message.message_id,
            "$.exp": None if expiry is None else iso(expiry),
            "$.to": message.to,
            "$.cid": message.correlation_id,
            "$.uid": message.user_id,
            "$.ct": message.content_type,
            "$.ce": message.content_encoding,
            "$.ctime": None if created is None else iso(created),
        }
        return [(name, value) for name, value in given.items() if value is not None]

    def pair(self, name: str, value: str | None) -> str:
        """c2d.null-and-empty: null is the bare name, an empty text keeps its `=` (azure-docs issue 58154)."""
        return self.encode(name) if value is None else f"{self.encode(name)}={self.encode(value)}"

    def encode(self, text: str) -> str:
        """c2d.bag-encoding: UTF-8, percent-encoded in upper case, all but letters, digits and `-._~`."""
        return quote(text, safe="", errors="replace")

    # Feedback

    def owes_feedback(self, ack: Ack, outcome: Outcome) -> bool:
        """c2d.feedback, c2d.feedback-negative, c2d.feedback-unasked: as the sender asked.

        Positive is for completed messages, negative for the others, full for both.
        """
        return ack in {"full", "positive" if outcome == "Success" else "negative"}

    def description(self, outcome: Outcome) -> str:
        """c2d.feedback, c2d.feedback-negative: Microsoft's page has the status again."""
        return outcome
