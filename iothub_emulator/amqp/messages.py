"""Messages: the sections that a delivery's bytes are made of (OASIS AMQP 1.0 part 3, section 3.2)."""

# ruff: noqa: RUF009 - `wire` returns a dataclass field

from dataclasses import dataclass, field
from typing import ClassVar

from iothub_emulator.amqp.composites import Composite, wire
from iothub_emulator.amqp.decoding import decode
from iothub_emulator.amqp.encoding import encode_described
from iothub_emulator.amqp.errors import DECODE_ERROR, AmqpError
from iothub_emulator.amqp.values import Described, Symbol, Timestamp, Ubyte, Uint, Ulong, Value

HEADER, DELIVERY_ANNOTATIONS, MESSAGE_ANNOTATIONS, PROPERTIES = 0x70, 0x71, 0x72, 0x73
APPLICATION_PROPERTIES, DATA, SEQUENCE, VALUE, FOOTER = 0x74, 0x75, 0x76, 0x77, 0x78
"""Descriptors of the sections, in the order in which they may come."""

_SYMBOLS = {
    "amqp:header:list": HEADER,
    "amqp:delivery-annotations:map": DELIVERY_ANNOTATIONS,
    "amqp:message-annotations:map": MESSAGE_ANNOTATIONS,
    "amqp:properties:list": PROPERTIES,
    "amqp:application-properties:map": APPLICATION_PROPERTIES,
    "amqp:data:binary": DATA,
    "amqp:amqp-sequence:list": SEQUENCE,
    "amqp:amqp-value:*": VALUE,
    "amqp:footer:map": FOOTER,
}


@dataclass(frozen=True, kw_only=True)
class Header(Composite):
    """How a message is to be carried (3.2.1)."""

    descriptor: ClassVar[int] = HEADER
    symbol: ClassVar[str] = "amqp:header:list"
    durable: bool = wire(bool, default=False)
    priority: int = wire(Ubyte, default=4)
    ttl: int | None = wire(Uint)
    first_acquirer: bool = wire(bool, default=False)
    delivery_count: int = wire(Uint, default=0)


@dataclass(frozen=True, kw_only=True)
class Properties(Composite):
    """What a message is (3.2.4). Ids keep their wire type; times are milliseconds since 1970."""

    descriptor: ClassVar[int] = PROPERTIES
    symbol: ClassVar[str] = "amqp:properties:list"
    message_id: Value = wire(object)
    user_id: bytes | None = wire(bytes)
    to: str | None = wire(str)
    subject: str | None = wire(str)
    reply_to: str | None = wire(str)
    correlation_id: Value = wire(object)
    content_type: str | None = wire(Symbol)
    content_encoding: str | None = wire(Symbol)
    absolute_expiry_time: int | None = wire(Timestamp)
    creation_time: int | None = wire(Timestamp)
    group_id: str | None = wire(str)
    group_sequence: int | None = wire(Uint)
    reply_to_group_id: str | None = wire(str)


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message. Its body is `data`, or a value: `value` is a tuple of one then, as a value may be null."""

    header: Header | None = None
    delivery_annotations: dict[Value, Value] = field(default_factory=dict)
    message_annotations: dict[Value, Value] = field(default_factory=dict)
    properties: Properties = field(default_factory=Properties)
    application_properties: dict[Value, Value] = field(default_factory=dict)
    data: bytes | None = None
    value: tuple[Value] | None = None
    sequence: tuple[list[Value], ...] = ()
    footer: dict[Value, Value] = field(default_factory=dict)


def encode_message(message: Message) -> bytes:
    """Return the bytes of a message; empty sections are left out."""
    sections = []
    if message.header is not None:
        sections.append(message.header.encode())
    if message.delivery_annotations:
        sections.append(encode_described(DELIVERY_ANNOTATIONS, message.delivery_annotations))
    if message.message_annotations:
        sections.append(encode_described(MESSAGE_ANNOTATIONS, message.message_annotations))
    if message.properties != _NO_PROPERTIES:
        sections.append(message.properties.encode())
    if message.application_properties:
        sections.append(encode_described(APPLICATION_PROPERTIES, message.application_properties))
    if message.data is not None:
        sections.append(encode_described(DATA, message.data))
    sections.extend(encode_described(SEQUENCE, items) for items in message.sequence)
    if message.value is not None:
        sections.append(encode_described(VALUE, message.value[0]))
    if message.footer:
        sections.append(encode_described(FOOTER, message.footer))
    return b"".join(sections)


_NO_PROPERTIES = Properties()


def decode_message(data: bytes) -> Message:
    """Read a message; `AmqpError` if the bytes are none: unknown sections, wrong order, two kinds of body."""
    return _reader_of(data).message()


def _reader_of(data: bytes) -> "_MessageReader":
    reader = _MessageReader()
    position = 0
    while position < len(data):
        section, position = decode(data, position)
        reader.take(section)
    return reader


BATCHED = 0x80013700
"""The message-format of several messages in one delivery (Microsoft's; azure-eventhub, uamqp)."""


def messages_in(data: bytes) -> list[bytes]:
    """Return the encoded messages of a `BATCHED` one: its data sections are one each."""
    reader = _reader_of(data)
    reader.message()
    return reader.data


class _MessageReader:
    """Collects sections in their order."""

    def __init__(self) -> None:
        self._last = 0
        self._single: dict[int, Value] = {}
        self.data: list[bytes] = []
        self._sequence: list[list[Value]] = []

    def take(self, section: Value) -> None:
        code = _code(section)
        repeats = code == self._last and code in {DATA, SEQUENCE}
        if code <= self._last and not repeats:
            raise AmqpError(DECODE_ERROR, "sections of a message are out of order")
        if code in {SEQUENCE, VALUE} and self._last in {DATA, SEQUENCE} and not repeats:
            raise AmqpError(DECODE_ERROR, "a message has two kinds of body")
        self._last = code
        expected = _KINDS.get(code)
        if expected is not None and not isinstance(section.value, expected):
            raise AmqpError(DECODE_ERROR, "a section of a message has the wrong type")
        if code == DATA:
            self.data.append(section.value)
        elif code == SEQUENCE:
            self._sequence.append(section.value)
        else:
            self._single[code] = section.value

    def message(self) -> Message:
        single = self._single
        return Message(
            header=Header.from_fields(single[HEADER]) if HEADER in single else None,
            delivery_annotations=single.get(DELIVERY_ANNOTATIONS, {}),
            message_annotations=single.get(MESSAGE_ANNOTATIONS, {}),
            properties=Properties.from_fields(single.get(PROPERTIES, [])),
            application_properties=single.get(APPLICATION_PROPERTIES, {}),
            data=b"".join(self.data) if self.data else None,
            value=(single[VALUE],) if VALUE in single else None,
            sequence=tuple(self._sequence),
            footer=single.get(FOOTER, {}),
        )


_KINDS: dict[int, type] = {
    HEADER: list,
    DELIVERY_ANNOTATIONS: dict,
    MESSAGE_ANNOTATIONS: dict,
    PROPERTIES: list,
    APPLICATION_PROPERTIES: dict,
    DATA: bytes,
    SEQUENCE: list,
    FOOTER: dict,
}


def _code(section: Value) -> int:
    if isinstance(section, Described):
        descriptor = section.descriptor
        if isinstance(descriptor, Symbol):
            descriptor = _SYMBOLS.get(descriptor)
        elif not isinstance(descriptor, Ulong):
            descriptor = None
        if descriptor is not None and HEADER <= descriptor <= FOOTER:
            return int(descriptor)
    raise AmqpError(DECODE_ERROR, "what is not a section of a message")
