"""One device-to-cloud message as the back end sees it, and how it is read from an Event Hubs event.

Where things stand in an event: the property bag in the application properties; message-id and its like in
AMQP's own properties; who sent it and where it came from in the annotations (Microsoft, "Create and read IoT
Hub messages").
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

# The system properties that a device can set over MQTT, by their names in an event.
SYSTEM_PROPERTIES: Final = ("message-id", "correlation-id", "user-id", "content-type", "content-encoding")

DEVICE_ID: Final = "iothub-connection-device-id"
MODULE_ID: Final = "iothub-connection-module-id"
AUTH_METHOD: Final = "iothub-connection-auth-method"
SOURCE: Final = "iothub-message-source"
# What a hub may send to the same endpoint of its own accord; the source of what devices send is "Telemetry".
EVENT_SOURCES: Final = frozenset(
    {
        "deviceConnectionStateEvents",
        "deviceLifecycleEvents",
        "deviceJobLifecycleEvents",
        "digitalTwinChangeEvents",
        "twinChangeEvents",
    }
)

# What each message has by the hub, whatever its device sent.
_STAMPS: Final = ("x-opt-", "iothub-connection-", "iothub-enqueuedtime", "iothub-message-source")

ENQUEUED_TIME: Final = "x-opt-enqueued-time"
SEQUENCE_NUMBER: Final = "x-opt-sequence-number"


@dataclass(frozen=True, kw_only=True)
class Telemetry:
    """A message that arrived at the back end.

    `properties` are the application's, None for a value of null; `system` those of `SYSTEM_PROPERTIES` that
    are there; `auth` is what the hub says about the sender's authentication, empty if it says nothing
    readable; `enqueued_time` is in unix seconds; `annotations` holds every annotation and the rest of AMQP's
    properties.
    """

    body: bytes
    properties: Mapping[str, str | None]
    system: Mapping[str, str]
    device_id: str
    module_id: str | None = None
    source: str | None = None
    auth: Mapping[str, Any] = field(default_factory=dict)
    partition: str = ""
    sequence_number: int = -1
    enqueued_time: float = 0.0
    annotations: Mapping[str, object] = field(default_factory=dict)

    @property
    def sender(self) -> str:
        """Who sent it: ``{device}``, or ``{device}/{module}``."""
        return self.device_id if self.module_id is None else f"{self.device_id}/{self.module_id}"

    @property
    def offset(self) -> str:
        """Its position in its partition, as the endpoint words it; empty where it says none."""
        return str(self.annotations.get("x-opt-offset", ""))

    @property
    def enqueued_milliseconds(self) -> object:
        """When it entered its partition, as the endpoint counts it."""
        return self.annotations.get(ENQUEUED_TIME)

    @property
    def is_event(self) -> bool:
        """Whether the hub sent it of its own accord, and no device."""
        return self.source in EVENT_SOURCES

    @property
    def names_beside_stamps(self) -> tuple[str, ...]:
        """The names of system properties and annotations that a message has by its device, in order."""
        return (*self.system, *(name for name in self.annotations if not name.startswith(_STAMPS)))

    @property
    def properties_in_words(self) -> str:
        """The application properties as ``a=1, b=null``, by name, or ``none``."""
        written = [
            f"{name}={'null' if value is None else value}" for name, value in sorted(self.properties.items())
        ]
        return ", ".join(written) or "none"

    def value_in_words(self, name: str) -> str:
        """One application property as ``absent``, ``null``, ``empty string`` or its value in quotes."""
        if name not in self.properties:
            return "absent"
        value = self.properties[name]
        if value is None:
            return "null"
        return f"'{value}'" if value else "empty string"

    def __str__(self) -> str:
        system = "".join(f", {name} {value}" for name, value in self.system.items())
        place = f"partition {self.partition} number {self.sequence_number}"
        return (
            f"{self.source if self.is_event else 'telemetry'} of {self.sender}: {len(self.body)} bytes, "
            f"properties: {self.properties_in_words}{system} ({place})"
        )


def decode(
    *,
    partition: str,
    body: bytes,
    application_properties: Mapping[Any, Any] | None,
    amqp_properties: Iterable[tuple[str, Any]],
    annotations: Mapping[Any, Any] | None,
) -> Telemetry:
    """Return the message that an event carries.

    `amqp_properties` are AMQP's own, under their names with `-` or `_` (`message-id`, `message_id`).
    """
    marks = {_text(name): value for name, value in (annotations or {}).items()}
    amqp = {name.replace("_", "-"): value for name, value in amqp_properties if value is not None}
    enqueued_time = marks.get(ENQUEUED_TIME)
    return Telemetry(
        body=body,
        properties={
            _text(name): None if value is None else _text(value)
            for name, value in (application_properties or {}).items()
        },
        system={name: _text(amqp[name]) for name in SYSTEM_PROPERTIES if name in amqp},
        device_id=_text(marks.get(DEVICE_ID, "")),
        module_id=_text(marks[MODULE_ID]) if MODULE_ID in marks else None,
        source=_text(marks[SOURCE]) if SOURCE in marks else None,
        auth=_json_object(marks.get(AUTH_METHOD)),
        partition=partition,
        sequence_number=int(marks.get(SEQUENCE_NUMBER, -1)),
        # AMQP counts milliseconds.
        enqueued_time=enqueued_time / 1000 if isinstance(enqueued_time, int | float) else 0.0,
        annotations={
            **{name: _plain(value) for name, value in marks.items()},
            **{name: _plain(value) for name, value in amqp.items() if name not in SYSTEM_PROPERTIES},
        },
    )


def _text(value: object) -> str:
    return value.decode("utf-8", errors="backslashreplace") if isinstance(value, bytes) else str(value)


def _plain(value: object) -> object:
    return _text(value) if isinstance(value, bytes) else value


def _json_object(value: object) -> dict[str, Any]:
    """Read the annotation that holds JSON; anything else is no statement about the sender."""
    try:
        read = json.loads(_text(value))
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
