"""What the hub tells of its own accord about a device, as the back end sees it.

Source: Microsoft, "Azure IoT Hub non-telemetry event schemas". On a live hub a route has to lead these events
to the built-in endpoint; there they stand among telemetry.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from conformance.backend.reader import Sender, TelemetryReader
from conformance.backend.telemetry import Telemetry
from conformance.errors import Violation

CONNECTIONS: Final = "deviceConnectionStateEvents"
LIFECYCLES: Final = "deviceLifecycleEvents"
TWIN_CHANGES: Final = "twinChangeEvents"

_PROPERTIES: Final = ("hubName", "deviceId", "moduleId", "opType", "iothub-message-schema")
_SYSTEM: Final = ("content-type", "content-encoding", "user-id")
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
    def hub_name(self) -> str | None:
        """The hub that it names."""
        return self.message.properties.get("hubName")

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
            text = self.body["sequenceNumber"]
            return int(text, 16) if isinstance(text, str) and _HEXADECIMAL.fullmatch(text) else None
        except (KeyError, TypeError):
            return None

    @property
    def body(self) -> Any:
        """The body as JSON has it; None where it is none."""
        try:
            return json.loads(self.message.body)
        except (ValueError, RecursionError):
            return None

    @property
    def id(self) -> str | None:
        """The id that tells it from other events."""
        return self.message.system.get("correlation-id")

    def marks(self) -> dict[str, str | None]:
        """Return what says whose event it is, of its properties and of the hub's stamps; None: absent."""
        own = {name: self.message.properties.get(name) for name in _PROPERTIES}
        system = {name: self.message.system.get(name) for name in _SYSTEM}
        return {
            **own,
            **system,
            "iothub-message-source": self.message.source,
            "iothub-connection-device-id": self.message.device_id,
            "iothub-connection-module-id": self.message.module_id,
        }

    def without_metadata(self) -> Any:
        """Return the body of a change of a twin without the metadata of its properties."""
        return _without_metadata(self.body)

    def sections(self) -> dict[str, Any]:
        """Return tags, desired and reported properties of a change of a twin, as far as it shows them."""
        body = self.body if isinstance(self.body, dict) else {}
        shown = {**body, **(body.get("properties") or {})}
        return {
            name: {member: value for member, value in shown[name].items() if not member.startswith("$")}
            for name in ("tags", "desired", "reported")
            if name in shown
        }

    def member(self, name: str) -> Any:
        """Return a member of the body; None where there is none."""
        return self.body.get(name) if isinstance(self.body, dict) else None

    def stamps(self, section: Literal["desired", "reported"], *members: str) -> dict[str, Any]:
        """Return when the body says that a section, and members of it by their paths, were changed."""
        whole = _inside(self.body, ("properties", section, "$metadata"))
        return {path: _inside(whole, (*path.split("."), "$lastUpdated")) for path in ("", *members)}

    def names_module(self, module_id: str) -> str:
        """Tell whether it names this module: "named", "no module", or "another module"."""
        if self.module_id is None:
            return "no module"
        return "named" if self.module_id == module_id else "another module"


class HubEvents:
    """What the hub tells from one message source. `within` is how many seconds each event may take."""

    def __init__(self, reader: TelemetryReader, source: str, within: float) -> None:
        self._reader = reader
        self._source = source
        self._told: dict[str, str] = {}
        self.within = within

    def follow(self, device_id: str) -> None:
        """Keep what is told of a device and its modules: to be called before anything happens to them."""
        self._reader.follow_events(device_id, self._source)

    def next(self, about: Sender | str) -> HubEvent:
        """Return what is told next of a device, or of a module's device; raises Violation if nothing is."""
        message = self._reader.next_event(_device_id(about), self._source, self.within)
        if message is None:
            last = self._told.get(_device_id(about))
            further = f"a further event, behind {last}," if last else "an event"
            expected = f"{further} about {_device_id(about)} within {self.within:g} s"
            raise Violation(
                f"expected {expected}; nothing arrived",
                observed="no event",
                expected=expected,
                actual="nothing arrived at the back end",
            )
        event = HubEvent(message)
        self._told[_device_id(about)] = str(event.operation)
        return event

    def count_so_far(self, about: Sender | str) -> int:
        """Return how many events have been told of a device and not asked for."""
        return len(list(iter(lambda: self._reader.next_event(_device_id(about), self._source, 0.0), None)))

    def told_so_far(self, about: Sender | str) -> str:
        """Describe what has been told of a device and not asked for: operations in order, or "nothing"."""
        messages = iter(lambda: self._reader.next_event(_device_id(about), self._source, 0.0), None)
        return ", ".join(str(HubEvent(message).operation) for message in messages) or "nothing"


def _device_id(who: Sender | str) -> str:
    return (who if isinstance(who, str) else who.id).partition("/")[0]


def _inside(value: Any, path: Iterable[str]) -> Any:
    """Return what stands at the end of a path of names; empty names are none."""
    for name in filter(None, path):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _without_metadata(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: _without_metadata(inner) for name, inner in value.items() if name != "$metadata"}
