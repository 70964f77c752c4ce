"""An event of the built-in endpoint as JSON, in the names that `az iot hub monitor-events` prints."""

import base64
import json
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

if TYPE_CHECKING:
    from azure.eventhub import EventData

PARTS: Final = ("anno", "app", "sys")
"""What may be shown beside origin and payload: annotations, application properties, system properties."""


def event_document(event_data: "EventData", parts: Collection[str] = ()) -> dict[str, Any]:
    """Return the event; `parts` are those of `PARTS` that are wanted too."""
    message = event_data.raw_amqp_message
    body = b"".join(cast("Iterable[bytes]", event_data.body))  # a hub sends data sections, no other
    annotations = _texts(message.annotations or {})
    system = _texts(message.properties or {})
    event: dict[str, Any] = {
        "origin": annotations.get("iothub-connection-device-id", ""),
        "module": annotations.get("iothub-connection-module-id", ""),
        **_payload(body, system.get("content_type")),
    }
    if "anno" in parts:
        event["annotations"] = annotations
    properties = {}
    if "sys" in parts:
        properties["system"] = {name: value for name, value in system.items() if value is not None}
    if "app" in parts:
        properties["application"] = _texts(message.application_properties or {})
    if properties:
        event["properties"] = properties
    return {"event": event}


def as_line(document: Mapping[str, Any]) -> str:
    """Return JSON in one line; what no terminal should be sent, such as an escape of its own, is escaped."""
    text = json.dumps(document, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(document)


def _payload(body: bytes, content_type: object) -> dict[str, Any]:
    """Return the body as JSON where its sender says so, else as text, else in base64 under another name."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return {"payload_base64": base64.b64encode(body).decode()}
    if isinstance(content_type, str) and content_type.partition(";")[0].strip().lower() == "application/json":
        try:
            return {"payload": json.loads(text, parse_constant=_refuse)}
        except (ValueError, RecursionError):
            pass  # its sender says so and it is none: shown as what it is
    return {"payload": text}


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON (RFC 8259 section 6)")


def _texts(fields: Any) -> dict[str, Any]:
    """Return what AMQP says of a message with names and values that JSON has."""
    return {str(_text(name)): _text(value) for name, value in fields.items()}


def _text(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value if value is None or isinstance(value, str | int | float) else str(value)
