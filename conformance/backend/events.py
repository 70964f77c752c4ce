"""What the hub tells of its own accord about a device, as the back end sees it.

Source: Microsoft, "Azure IoT Hub non-telemetry event schemas". On a live hub a route has to lead these events
to the built-in endpoint; there they stand among telemetry.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from conformance.backend.reader import Sender, TelemetryReader
from conformance.backend.telemetry import Telemetry
from conformance.errors import Violation

_HEXADECIMAL: Final = re.compile("[0-9A-Fa-f]+")


@dataclass(frozen=True)
class HubEvent:
    """One event. What cannot be read in it is None, or empty."""

    message: Telemetry

    @property
    def operation(self) -> str | None:
        """What happened, such as ``deviceConnected``."""
        return self.message.properties.get("opType")

    @property
    def schema(self) -> str | None:
        """The schema that the event names."""
        return self.message.properties.get("iothub-message-schema")

    @property
    def device_id(self) -> str | None:
        """The device that it is about."""
        return self.message.properties.get("deviceId")

    @property
    def module_id(self) -> str | None:
        """The module that it is about: of the properties, else of the stamp."""
        return self.message.properties.get("moduleId") or self.message.module_id

    @property
    def time(self) -> float | None:
        """When it happened, in unix seconds; None unless that is ISO 8601 with its offset from UTC."""
        try:
            when = datetime.fromisoformat(self.message.properties.get("operationTimestamp") or "")
        except ValueError:
            return None
        return None if when.tzinfo is None else when.astimezone(UTC).timestamp()

    @property
    def age(self) -> float | None:
        """How many seconds lie between what happened and the event's arrival at the endpoint."""
        return None if self.time is None else self.message.enqueued_time - self.time

    @property
    def sequence_number(self) -> int | None:
        """The number that orders events of connections; None unless it is text of hexadecimal digits."""
        try:
            body = json.loads(self.message.body)
            text = body["sequenceNumber"]
            return int(text, 16) if isinstance(text, str) and _HEXADECIMAL.fullmatch(text) else None
        except (ValueError, KeyError, TypeError):
            return None

    def names_module(self, module_id: str) -> str:
        """Tell whether it names this module: "named", "no module", or "another module"."""
        if self.module_id is None:
            return "no module"
        return "named" if self.module_id == module_id else "another module"


class ConnectionEvents:
    """What the hub tells of connections. `within` is how many seconds each may take."""

    def __init__(self, reader: TelemetryReader, within: float) -> None:
        self._reader = reader
        self._told: dict[str, str] = {}
        self.within = within

    def follow(self, device_id: str) -> None:
        """Keep what is told of a device and its modules: to be called before either connects."""
        self._reader.follow_events(device_id)

    def next(self, about: Sender) -> HubEvent:
        """Return what is told next of a device, or of a module's device; raises Violation if nothing is."""
        message = self._reader.next_event(_device_id(about), self.within)
        if message is None:
            last = self._told.get(_device_id(about))
            further = f"a further event, behind {last}," if last else "an event"
            expected = f"{further} about {about.id} within {self.within:g} s"
            raise Violation(
                f"expected {expected}; nothing arrived",
                observed="no event",
                expected=expected,
                actual="nothing arrived at the back end",
            )
        event = HubEvent(message)
        self._told[_device_id(about)] = str(event.operation)
        return event

    def told_so_far(self, about: Sender) -> str:
        """Describe what has been told of a device and not asked for: operations in order, or "nothing"."""
        messages = iter(lambda: self._reader.next_event(_device_id(about), 0.0), None)
        return ", ".join(str(HubEvent(message).operation) for message in messages) or "nothing"


def _device_id(who: Sender) -> str:
    return who.id.partition("/")[0]
