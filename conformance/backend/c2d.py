"""Cloud-to-device messages: sent over AMQP, purged over REST, each with what the hub said to it.

Source: Microsoft, "Understand cloud-to-device messaging from an IoT hub". A message goes to one address for
all devices; its property `to` names the device.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypedDict, Unpack

from conformance.backend.addresses import Addressee, name_of
from conformance.backend.amqp import Outgoing, Settlement
from conformance.backend.call_log import Journal
from conformance.backend.links import Links
from conformance.backend.rest import TELLING, RestClient
from conformance.errors import MessageRefused, ServiceError
from conformance.evidence import asked
from conformance.evidence.describe import preview
from conformance.report.redaction import redact
from conformance.run.sleeping import Patience, pause

ADDRESS: Final = "/messages/devicebound"
ACK: Final = "iothub-ack"
# A hub takes a hundred messages a minute, and says so ("IoT Hub quotas and throttling").
THROTTLED: Final = "com.microsoft:device-container-throttled"

# Of a message that shall expire while we wait: the hub has it well before, in seconds.
SHORT_LIFE: Final = 0.3

Ack = Literal["none", "positive", "negative", "full"]

_NONE: Final[Mapping[str, str | None]] = {}


class MessageFields(TypedDict, total=False):
    """What a message may have beside its body; what is absent is not sent.

    Times are unix seconds. A property of None is sent as null. `ack` asks for feedback. `address` stands in
    for the device's, ``/devices/{device}/messages/devicebound``.
    """

    message_id: str
    correlation_id: str
    user_id: str
    content_type: str
    content_encoding: str
    expires_at: float
    creation_time: float
    properties: Mapping[str, str | None]
    ack: Ack
    address: str


@dataclass(frozen=True)
class CloudMessage:
    """A message on its way to a device."""

    to: str
    body: bytes
    fields: MessageFields = field(default_factory=MessageFields)

    def outgoing(self) -> Outgoing:
        """Return the message in AMQP's terms."""
        fields = self.fields
        address = fields.get("address", f"/devices/{self.to}/messages/devicebound")
        properties: dict[str, object] = {"to": address}
        for name in ("message_id", "correlation_id", "content_type", "content_encoding"):
            if name in fields:
                properties[name] = fields[name]
        if "user_id" in fields:
            properties["user_id"] = fields["user_id"].encode()
        # AMQP counts milliseconds.
        if "expires_at" in fields:
            properties["absolute_expiry_time"] = round(fields["expires_at"] * 1000)
        if "creation_time" in fields:
            properties["creation_time"] = round(fields["creation_time"] * 1000)
        ack = {ACK: fields["ack"]} if "ack" in fields else _NONE
        return Outgoing(
            body=self.body,
            properties=properties,
            application_properties={**fields.get("properties", _NONE), **ack},
        )

    def __str__(self) -> str:
        looks = f" {preview(self.body)}" if self.body else ""
        rest = "".join(f", {name.replace('_', '-')} {value}" for name, value in self.fields.items())
        return f"message to {self.to}: {len(self.body)} bytes{looks}{rest}"


class CloudToDevice:
    """Sends messages to devices. `within` is how long the hub may take to say what became of one, seconds.

    `clock_ahead` is by how many seconds the hub's clock is ahead of ours, `clocks_differ` by how many more it
    may differ at most.
    """

    def __init__(
        self,
        links: Links,
        rest: RestClient,
        journal: Journal,
        *,
        within: float,
        clocks_differ: float = 0.0,
        clock_ahead: float = 0.0,
        sleep: Callable[[float], object] = pause,
    ) -> None:
        self._links = links
        self._rest = rest
        self._journal = journal
        self._within = within
        self._clocks_differ = clocks_differ
        self._clock_ahead = clock_ahead
        self._pause = sleep

    def send(self, to: Addressee, body: bytes = b"", **fields: Unpack[MessageFields]) -> None:
        """Send a message; the hub has it when this returns. Raises MessageRefused if it does not take it."""
        settlement = self._send(to, body, fields)
        if settlement.outcome != "accepted":
            because = f" ({redact(settlement.description)})" if settlement.description else ""
            raise MessageRefused(f"message to {name_of(to)}: {settlement}{because}.", outcome=str(settlement))

    def attempt_to_send(self, to: Addressee, body: bytes = b"", **fields: Unpack[MessageFields]) -> str:
        """Send a message and return what became of it.

        "accepted", "rejected amqp:resource-limit-exceeded" and the like, "released", "modified", or "detached
        {condition}" where the hub ended the link over it. Raises ServiceError if there is no answer at all.
        """
        return str(self._send(to, body, fields))

    def send_each(self, to: Addressee, bodies: Iterable[bytes], **fields: Unpack[MessageFields]) -> None:
        """Send these one after the other, each when the hub has the one before."""
        for body in bodies:
            self.send(to, body, **fields)

    def attempt_to_send_each(
        self, to: Addressee, bodies: Iterable[bytes], **fields: Unpack[MessageFields]
    ) -> list[str]:
        """Send these one after the other and return what became of each, as `attempt_to_send` words it."""
        return [self.attempt_to_send(to, body, **fields) for body in bodies]

    def send_and_outlive(self, to: Addressee, body: bytes, **fields: Unpack[MessageFields]) -> None:
        """Send a message with a short life, and return when it has expired by the hub's clock too."""
        life = SHORT_LIFE + self._clocks_differ
        fields["expires_at"] = self.hubs_time() + life
        self.send(to, body, **fields)
        self._pause(life + self._clocks_differ)

    def hubs_time(self) -> float:
        """Return what the hub's clock says now, in unix seconds."""
        return time.time() + self._clock_ahead

    def send_and_purge(self, to: Addressee, body: bytes, **fields: Unpack[MessageFields]) -> None:
        """Send a message and remove it from its device's queue, with all that waits there."""
        self.send(to, body, **fields)
        self.purge(to)

    def attempt_to_send_by_rest(self, to: Addressee, body: bytes, properties: Mapping[str, str]) -> str:
        """Send a message as Azure IoT Explorer does, by REST, and return the status: "204", "404"."""
        headers = {f"iothub-app-{name}": value for name, value in properties.items()}
        path = ("devices", name_of(to), "messages", "deviceBound")
        return str(self._rest.call("POST", *path, body=body, headers=headers, accept=TELLING).status)

    def purge(self, device: Addressee) -> int:
        """Empty a device's queue and return how many messages were in it."""
        answer = self._rest.call("DELETE", "devices", name_of(device), "commands", open_book=True)
        document = answer.json
        count = document.get("totalMessagesPurged") if isinstance(document, dict) else None
        if not isinstance(count, int):
            raise ServiceError(f"{answer.what}: the answer does not say how many messages were purged.")
        return count

    def _send(self, to: Addressee, body: bytes, fields: MessageFields) -> Settlement:
        message = CloudMessage(name_of(to), body, fields)
        write = self._journal.writer()
        patience = Patience(f"message to {message.to}", sleep=self._pause)
        while True:
            write(f"sends {message}")
            asked.message(len(body))
            settlement = self._links.send(ADDRESS, message.outgoing(), within=self._within)
            write(f"message to {message.to}: {settlement}")
            if settlement.condition != THROTTLED:
                return settlement
            patience.wait()
