"""AMQP values (OASIS AMQP 1.0 part 1, types).

A decoded value keeps the type it had on the wire, so that a message-id comes back as a correlation-id of
the same type. What Python has no type for is a subclass here: `Uint(7)` equals 7 and is written as a uint.
A plain `int` has no wire type and is refused by the encoder.

`decoding` and `encoding` turn them from and into bytes.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

Value: TypeAlias = Any
"""None, bool, float, str, bytes, uuid.UUID, list, dict, or a type of this module."""


class Ubyte(int):
    """0 to 2**8 - 1."""


class Ushort(int):
    """0 to 2**16 - 1."""


class Uint(int):
    """0 to 2**32 - 1."""


class Ulong(int):
    """0 to 2**64 - 1."""


class Byte(int):
    """-2**7 to 2**7 - 1."""


class Short(int):
    """-2**15 to 2**15 - 1."""


class Int(int):
    """-2**31 to 2**31 - 1."""


class Long(int):
    """-2**63 to 2**63 - 1."""


class Timestamp(int):
    """Milliseconds since 1970, UTC."""


class Float(float):
    """A 32-bit float; Python's own is AMQP's double."""


class Char(str):
    """One Unicode character."""

    __slots__ = ()


class Symbol(str):
    """ASCII text from a constrained domain: a mechanism, a condition, a key."""

    __slots__ = ()


class Decimal32(bytes):
    """IEEE 754 decimal, four bytes as sent; never computed with here."""


class Decimal64(bytes):
    """IEEE 754 decimal, eight bytes as sent."""


class Decimal128(bytes):
    """IEEE 754 decimal, sixteen bytes as sent."""


@dataclass(frozen=True)
class Described:
    """A value with a descriptor that says what it means."""

    descriptor: Value
    value: Value


@dataclass(frozen=True)
class Array:
    """Values of one type, written with one constructor.

    `descriptor` is set where the constructor is a described one; it then belongs to each item.
    """

    items: tuple[Value, ...]
    descriptor: Value = None
