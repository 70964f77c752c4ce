"""What a hub tells of its own accord: connections, identities that come and go, changes of twins.

Source of names and shapes: Microsoft, "Azure IoT Hub non-telemetry event schemas". Such an event stands among
telemetry at the built-in endpoint, under a message source of its own, if the hub is told to send it there.
"""

from dataclasses import dataclass
from typing import Final, Literal

from iothub_emulator.hub import json_text
from iothub_emulator.hub.host_names import without_port
from iothub_emulator.hub.json_text import Object
from iothub_emulator.hub.packets import FromClient, Publish, Subscribe
from iothub_emulator.hub.refusals import iso
from iothub_emulator.hub.telemetry import TelemetryEvent
from iothub_emulator.settings import Settings

Subject = Literal["twin", "lifecycle", "connection"]

_TICKS_BEFORE_1970: Final = 116_444_736_000_000_000
"""The sequence number of a hub counts from 1601, in tenths of a microsecond."""
_TICKS_PER_SECOND: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that a hub may tell of. `when` is unix seconds, `correlation_id` an id of its own."""

    device_id: str
    module_id: str | None
    operation: str
    when: float
    body: Object
    correlation_id: str


class EventRules:
    """Each decision about an event of the hub's own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def tells_of(self, subject: Subject) -> bool:
        """Tell whether events about a subject reach the built-in endpoint."""
        return subject in self.settings.events

    # Connections

    def is_activity(self, packet: FromClient) -> bool:
        """monitoring.connected: a connection counts once its device has published or subscribed."""
        return isinstance(packet, Publish | Subscribe)

    def next_look(self, now: float, started: float) -> float:
        """monitoring.connected, monitoring.disconnected: when connections are looked at next."""
        interval = self.settings.connection_events_interval
        return started + ((now - started) // interval + 1) * interval if interval else now

    def is_change(self, *, told: bool, connected: bool) -> bool:
        """monitoring.connected, monitoring.disconnected: only a change against what was told last."""
        return told != connected

    def connection_operation(self, *, connected: bool) -> str:
        """monitoring.connected, monitoring.disconnected, monitoring.module-operations: the `opType`.

        Microsoft's page, since 2024: modules and devices have the same two, and modules `moduleId` beside it.
        """
        return "deviceConnected" if connected else "deviceDisconnected"

    def sequence_number(self, number: int, now: float) -> str:
        """monitoring.details: 256 bits in hexadecimal, each number above the one before.

        As in Microsoft's example a time stands in the upper half; here it is when the hub tells.
        """
        ticks = int(now * _TICKS_PER_SECOND) + _TICKS_BEFORE_1970
        return f"{ticks:032X}{number:032X}"

    def connection_body(self, sequence_number: str) -> Object:
        """monitoring.details: the body holds the sequence number and nothing else."""
        return {"sequenceNumber": sequence_number}

    # Operations on identities and twins

    def lifecycle_operation(self, *, created: bool, is_module: bool) -> str:
        """Return the `opType` of an identity that came or went."""
        return f"{'create' if created else 'delete'}{'Module' if is_module else 'Device'}Identity"

    # How an event looks

    def source(self, subject: Subject) -> str:
        """monitoring.connected: `iothub-message-source`."""
        return {
            "twin": "twinChangeEvents",
            "lifecycle": "deviceLifecycleEvents",
            "connection": "deviceConnectionStateEvents",
        }[subject]

    def schema(self, subject: Subject, *, is_module: bool) -> str:
        """monitoring.details: `iothub-message-schema`; only that of a lifecycle tells a module's apart."""
        if subject == "lifecycle":
            return f"{'module' if is_module else 'device'}LifecycleNotification"
        return {"twin": "twinChangeNotification", "connection": "deviceConnectionStateNotification"}[subject]

    def time(self, when: float) -> str:
        """monitoring.details: `operationTimestamp`, ISO 8601 in UTC."""
        return iso(when)

    def named_device(self, happening: Happening) -> str:
        """monitoring.details: `deviceId`."""
        return happening.device_id

    def named_module(self, subject: Subject, happening: Happening) -> str | None:
        """monitoring.module-id: `moduleId`.

        Microsoft's page of 2024 says in its table that connection events have none, and below that those of
        modules have one; nobody could tell modules apart without it.
        """
        return happening.module_id

    def hub_name(self) -> str:
        """Return the name of the hub: the first label of its host name."""
        return without_port(self.settings.host_names[0]).partition(".")[0]

    def properties(self, subject: Subject, happening: Happening) -> dict[str, str]:
        """monitoring.details: the application properties."""
        module_id = self.named_module(subject, happening)
        properties = {
            "hubName": self.hub_name(),
            "deviceId": self.named_device(happening),
            "opType": happening.operation,
            "operationTimestamp": self.time(happening.when),
            "iothub-message-schema": self.schema(subject, is_module=happening.module_id is not None),
        }
        return properties if module_id is None else properties | {"moduleId": module_id}

    def event(self, subject: Subject, happening: Happening, now: float) -> TelemetryEvent:
        """Return the event as the back end sees it; nobody authenticated for it."""
        return TelemetryEvent(
            happening.device_id,
            "",
            "",
            json_text.dump(happening.body),
            now,
            self.named_module(subject, happening),
            self.properties(subject, happening),
            self.system_properties(happening),
            self.source(subject),
        )

    def system_properties(self, happening: Happening) -> dict[str, str | bytes]:
        """Return AMQP's own properties: JSON in UTF-8, by the hub itself."""
        return {
            "content-type": "application/json",
            "content-encoding": "utf-8",
            "correlation-id": happening.correlation_id,
            "user-id": self.hub_name().encode(),
        }
