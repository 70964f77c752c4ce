"""A telemetry event as an AMQP message: annotations, properties, application properties, the body as data.

Encoded when a reader asks, never before: a device's PUBACK does not wait for it.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from functools import lru_cache

from iothub_emulator.amqp.encoding import encode, encode_described, encode_described_map
from iothub_emulator.amqp.messages import (
    APPLICATION_PROPERTIES,
    DATA,
    DELIVERY_ANNOTATIONS,
    MESSAGE_ANNOTATIONS,
    Properties,
)
from iothub_emulator.amqp.values import Long, Symbol, Timestamp, Value
from iothub_emulator.hub.cloud_links import Milliseconds
from iothub_emulator.hub.links import LinkRules
from iothub_emulator.hub.telemetry import Partition, TelemetryEvent


def encode_event(rules: LinkRules, partition: Partition, number: int, event: TelemetryEvent) -> bytes:
    """Return the message for event `number` of `partition`."""
    annotations = {**rules.annotations(event, number, partition.offset_of(number))}
    properties: dict[str, Value] = {}
    for name, text in rules.system_properties(event).items():
        field, typed = _PROPERTY_FIELDS.get(name, ("", _nothing))
        value = typed(text)
        if value is None:
            # `dt-dataschema` and its like: what AMQP has no property for, or no such value, is an annotation.
            annotations[name] = _text(text)
        else:
            properties[field] = value
    sections = [_annotations(MESSAGE_ANNOTATIONS, annotations)]
    if properties:
        sections.append(Properties(**properties).encode())
    application = rules.application_properties(event)
    if application:
        sections.append(encode_described(APPLICATION_PROPERTIES, dict(application)))
    sections.append(encode_described(DATA, event.body))
    return b"".join(sections)


def encode_partition_state(rules: LinkRules, partition: Partition, now: float) -> bytes:
    """Return the delivery annotations that `com.microsoft:enable-receiver-runtime-metric` asks for."""
    state: dict[str, str | int] = {
        "last_enqueued_sequence_number": partition.next_sequence_number - 1,
        "last_enqueued_offset": rules.last_offset(partition),
        "last_enqueued_time_utc": Milliseconds(partition.last_enqueued_time * 1000),
        "runtime_info_retrieval_time_utc": Milliseconds(now * 1000),
    }
    return _annotations(DELIVERY_ANNOTATIONS, state)


def _annotations(section: int, annotations: Mapping[str, str | int]) -> bytes:
    return encode_described_map(
        section, [_key(name) + encode(_value(value)) for name, value in annotations.items()]
    )


@lru_cache(maxsize=256)
def _key(name: str) -> bytes:
    # The same dozen names in every event.
    return encode(Symbol(name))


def _value(value: str | int) -> Value:
    if isinstance(value, str):
        return value
    return Timestamp(value) if isinstance(value, Milliseconds) else Long(value)


def _nothing(_value: str | bytes) -> None:
    return None


def _time(value: str | bytes) -> Timestamp | None:
    """Return a time as devices write it; None for what is no time."""
    try:
        when = dt.datetime.fromisoformat(_text(value))
    except ValueError:
        return None
    return Timestamp(round((when if when.tzinfo else when.replace(tzinfo=dt.UTC)).timestamp() * 1000))


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _octets(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def _ascii(value: str | bytes) -> Symbol:
    # A symbol is ASCII; a device may have sent anything. What does not fit becomes a question mark.
    return Symbol(_text(value).encode("ascii", "replace").decode())


_PROPERTY_FIELDS: dict[str, tuple[str, Callable[[str | bytes], Value | None]]] = {
    "message-id": ("message_id", _text),
    "user-id": ("user_id", _octets),
    "to": ("to", _text),
    "subject": ("subject", _text),
    "reply-to": ("reply_to", _text),
    "correlation-id": ("correlation_id", _text),
    "absolute-expiry-time": ("absolute_expiry_time", _time),
    "content-type": ("content_type", _ascii),
    "content-encoding": ("content_encoding", _ascii),
    "group-id": ("group_id", _text),
    "reply-to-group-id": ("reply_to_group_id", _text),
}
"""System properties with a place among AMQP's own, and the type they have there."""
