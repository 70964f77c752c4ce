"""What devices sent: the event as the back end sees it, and the log that keeps the newest ones.

A partition numbers its events from 0. Positions in it are a sequence number, an offset (text, larger for
later events, as Event Hubs has it) or a time.
"""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from iothub_emulator.hub.partition_key import partition_of

OFFSET_STEP = 128
"""Offsets are no sequence numbers on a real hub; a client that mixes them up should notice here."""

LARGEST_LOG = 256 * 1024 * 1024
"""Bytes that an endpoint keeps, whatever the number of events: they may be of 256 KiB each."""

# What CPython takes for an event, and for each name or value of it, beside the text.
_EVENT_BYTES, _ENTRY_BYTES = 1000, 60


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a connection was authenticated as; stamped on all that it sends."""

    device_id: str
    generation_id: str
    auth_method: str
    """JSON text, see `TelemetryRules.auth_method`."""
    module_id: str | None = None
    model_id: str = ""
    """The model that the connection announced."""

    @property
    def identity_key(self) -> str:
        """`{device}`, or `{device}/{module}`."""
        return self.device_id if self.module_id is None else f"{self.device_id}/{self.module_id}"


@dataclass(frozen=True, slots=True)
class TelemetryEvent:
    """One message from a device, stamped. `enqueued_time` is unix seconds."""

    device_id: str
    generation_id: str
    auth_method: str
    """JSON text."""
    body: bytes
    enqueued_time: float
    module_id: str | None = None
    properties: dict[str, str] = field(default_factory=dict)
    """Application properties."""
    system: dict[str, str | bytes] = field(default_factory=dict)
    """Event Hubs names: message-id, correlation-id, user-id, content-type, content-encoding, …"""
    source: str = "Telemetry"

    @property
    def size(self) -> int:
        """About how many bytes it takes to keep: what was sent, and what each event has besides."""
        values = (*self.properties, *self.properties.values(), *self.system.values())
        return _EVENT_BYTES + len(self.body) + sum(_ENTRY_BYTES + len(value) for value in values)


class TelemetryRules:
    """Each decision about what the back end sees of a message.

    `certificate_method` is what a certificate is called: type and issuer.
    """

    def __init__(self, certificate_method: tuple[str, str] = ("x509", "iothub")) -> None:
        self.certificate_method = certificate_method

    def body(self, payload: bytes) -> bytes:
        """d2c.body-opaque: the body is not looked into."""
        return payload

    def device_id(self, sender: Sender, properties: dict[str, str]) -> str:
        """d2c.identity-stamped, d2c.identity-not-spoofable: from the connection, whatever the bag says."""
        return sender.device_id

    def source(self) -> str:
        """d2c.identity-stamped: `iothub-message-source` of what a device sent."""
        return "Telemetry"

    def auth_method(self, scope: str, kind: str) -> str:
        """d2c.identity-stamped, x509.auth-method: how the sender proved itself.

        `scope` is device, module or hub, `kind` sas or x509.
        """
        name, issuer = self.certificate_method if kind == "x509" else (kind, "iothub")
        return json.dumps(
            {"scope": scope, "type": name, "issuer": issuer, "acceptingIpFilterRule": None},
            separators=(",", ":"),
        )

    def stamp(
        self, sender: Sender, payload: bytes, properties: dict[str, str], system: dict[str, str], now: float
    ) -> TelemetryEvent:
        """Return the event that the back end will see."""
        return TelemetryEvent(
            self.device_id(sender, properties),
            sender.generation_id,
            sender.auth_method,
            self.body(payload),
            now,
            sender.module_id,
            properties,
            {**system, **self.model(sender)},
            self.source(),
        )

    def model(self, sender: Sender) -> dict[str, str]:
        """d2c.model-id: the system property that names the model; none where none was announced."""
        return {"dt-dataschema": sender.model_id} if sender.model_id else {}

    def partition(self, device_id: str, count: int) -> int:
        """d2c.order: a device's events share a partition, so that they keep their order.

        Which one follows from its id, as Event Hubs' partition keys do; a module's is its device's.
        """
        return partition_of(device_id, count)

    def arrivals(self, event: TelemetryEvent) -> Sequence[TelemetryEvent]:
        """d2c.order, d2c.events-topic, will.once: what enters the log now that `event` is here: it, once."""
        return (event,)


class Partition:
    """The newest events of one partition: at most `capacity` of them, and at most `size` bytes of memory."""

    def __init__(self, capacity: int, size: int = LARGEST_LOG) -> None:
        self._capacity = capacity
        self._size = size
        self._events: dict[int, TelemetryEvent] = {}
        """By sequence number, without a gap."""
        self._held = 0
        """Bytes of the events that are held."""
        self.next_sequence_number = 0
        self.last_enqueued_time = 0.0
        """Unix seconds; 0 where nothing was ever appended."""

    @property
    def first_sequence_number(self) -> int:
        """The oldest event still held; equal to `next_sequence_number` where there is none."""
        return self.next_sequence_number - len(self._events)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is held."""
        return not self._events

    def append(self, event: TelemetryEvent) -> int:
        """Keep `event` and return its sequence number; the oldest make room, the newest stays in any case."""
        if event.enqueued_time < self.last_enqueued_time:
            # The clock was set back; times in a partition never fall, or positions by time would lie.
            event = dataclasses.replace(event, enqueued_time=self.last_enqueued_time)
        self.last_enqueued_time = event.enqueued_time
        number = self.next_sequence_number
        self._events[number] = event
        self._held += event.size
        self.next_sequence_number = number + 1
        while len(self._events) > self._capacity or (self._held > self._size and len(self._events) > 1):
            self._held -= self._events.pop(self.first_sequence_number).size
        return number

    def read(self, sequence_number: int, limit: int) -> list[tuple[int, TelemetryEvent]]:
        """Return up to `limit` events from that number on; numbers that fell out of the log are skipped."""
        start = max(sequence_number, self.first_sequence_number)
        stop = min(start + limit, self.next_sequence_number)
        return [(number, self._events[number]) for number in range(start, stop)]

    @staticmethod
    def offset_of(sequence_number: int) -> str:
        """Return the offset of an event."""
        return str(sequence_number * OFFSET_STEP)

    @staticmethod
    def sequence_of(offset: str) -> int:
        """Return the number of the event at `offset`, or of the one before it; ValueError if it is no number.

        "-1", the beginning of the stream, gives -1: the first event is the one behind it.
        """
        return int(offset) // OFFSET_STEP


class TelemetryLog:
    """All partitions of one endpoint: each keeps `capacity` events, all together `size` bytes."""

    def __init__(self, partitions: int = 2, capacity: int = 10_000, size: int = LARGEST_LOG) -> None:
        self.partitions = tuple(Partition(capacity, size // partitions) for _ in range(partitions))

    def append(self, event: TelemetryEvent, partition: int | None = None) -> tuple[int, int]:
        """Keep `event`, by default in its device's partition; return partition and sequence number."""
        number = partition_of(event.device_id, len(self.partitions)) if partition is None else partition
        return number, self.partitions[number].append(event)
