"""An AMQP message as a message to a device: every property that a device can be told, as text."""

import uuid
from collections.abc import Callable
from decimal import Decimal

from iothub_emulator.amqp.errors import INVALID_FIELD, NOT_IMPLEMENTED, AmqpError
from iothub_emulator.amqp.messages import Message
from iothub_emulator.amqp.values import (
    Byte,
    Char,
    Decimal32,
    Decimal64,
    Decimal128,
    Float,
    Int,
    Long,
    Short,
    Symbol,
    Timestamp,
    Ubyte,
    Uint,
    Ulong,
    Ushort,
    Value,
)
from iothub_emulator.hub.cloud_links import CloudLinkRules, Milliseconds, Plain, SingleFloat
from iothub_emulator.hub.mailbox_rules import CloudMessage

FIRST_MOMENT, LAST_MOMENT = -62_135_596_800_000, 253_402_300_799_999
"""Milliseconds: the years 1 to 9999, which is as far as times can be written."""


def cloud_message(rules: CloudLinkRules, message: Message, now: float) -> CloudMessage:
    """Return what a mailbox takes, or raise `AmqpError` with the condition to reject the message with."""
    properties = message.properties
    created = properties.creation_time
    return CloudMessage(
        to=properties.to or "",
        body=_body(message),
        message_id=_text(rules, properties.message_id),
        correlation_id=_text(rules, properties.correlation_id),
        user_id=_text(rules, properties.user_id),
        content_type=_text(rules, properties.content_type),
        content_encoding=_text(rules, properties.content_encoding),
        creation_time=None if created is None else _moment(created) / 1000,
        expires_at=rules.expires_at(
            None if properties.absolute_expiry_time is None else _moment(properties.absolute_expiry_time),
            None if message.header is None else message.header.ttl,
            now,
        ),
        properties={
            _key(name): _text(rules, value) for name, value in message.application_properties.items()
        },
    )


def _body(message: Message) -> bytes:
    """Return the bytes of the body. SDKs send data; a value that is text or binary says the same."""
    if message.data is not None:
        return message.data
    if message.sequence:
        raise AmqpError(NOT_IMPLEMENTED, "a message to a device has a body of bytes")
    value = message.value[0] if message.value else None
    if value is None:
        return b""
    if isinstance(value, str):
        return value.encode()
    if type(value) is bytes:
        return value
    raise AmqpError(NOT_IMPLEMENTED, "a message to a device has a body of bytes")


def _key(name: Value) -> str:
    if not isinstance(name, str):
        raise AmqpError(INVALID_FIELD, "the key of an application property is a string")
    return str(name)


def _text(rules: CloudLinkRules, value: Value) -> str | None:
    return rules.text_of(plain(value))


def _moment(milliseconds: int) -> int:
    if not FIRST_MOMENT <= milliseconds <= LAST_MOMENT:
        raise AmqpError(INVALID_FIELD, f"no time is {milliseconds} milliseconds from 1970")
    return milliseconds


def plain(value: Value) -> Plain:
    """Return a simple value without its wire type; `AmqpError` for lists, maps, arrays and described ones."""
    convert = _CONVERSIONS.get(type(value))
    if convert is None:
        raise AmqpError(INVALID_FIELD, "the value of a property is simple: no list, map or array")
    return convert(value)


_EXPONENT_BITS = {4: 8, 8: 10, 16: 14}
_BIAS = {4: 101, 8: 398, 16: 6176}
_DIGITS = {4: 7, 8: 16, 16: 34}
"""By the number of bytes: IEEE 754-2008, table 3.6."""
_NOT_FINITE = 0b11110
"""The first five bits of the infinities; NaN has all five."""


def _decimal(raw: bytes) -> Decimal:
    """Read an IEEE 754 decimal in its binary integer encoding, which is AMQP's (part 1, 1.6.13 to 1.6.15)."""
    size = len(raw)
    bits, width = int.from_bytes(raw, "big"), size * 8 - 1
    sign = bits >> width
    combination = bits >> (width - 5) & 0b11111
    if combination >= _NOT_FINITE:
        return Decimal("NaN" if combination & 1 else "-Infinity" if sign else "Infinity")
    exponent_bits = _EXPONENT_BITS[size]
    # Two bits of 1 say that the exponent begins two bits later, and that the integer begins with 100.
    large = combination >> 3 == 0b11  # noqa: PLR2004 - those two bits
    rest = width - exponent_bits - (2 if large else 0)
    exponent = bits >> rest & ((1 << exponent_bits) - 1)
    coefficient = bits & ((1 << rest) - 1)
    if large:
        coefficient |= 0b100 << rest
    if coefficient >= 10 ** _DIGITS[size]:
        coefficient = 0
    return Decimal((sign, tuple(map(int, str(coefficient))), exponent - _BIAS[size]))


_CONVERSIONS: dict[type, Callable[[Value], Plain]] = {
    type(None): lambda value: value,
    bool: bool,
    str: str,
    Symbol: str,
    Char: str,
    bytes: bytes,
    uuid.UUID: str,
    Timestamp: lambda value: Milliseconds(_moment(value)),
    Float: SingleFloat,
    float: float,
    **dict.fromkeys((Ubyte, Ushort, Uint, Ulong, Byte, Short, Int, Long), int),
    **dict.fromkeys((Decimal32, Decimal64, Decimal128), _decimal),
}
