"""AMQP values from bytes (OASIS AMQP 1.0 part 1, types).

The bytes come from strangers. The decoder raises `AmqpError` and nothing else, goes no deeper than
`MAX_DEPTH`, and makes no more values than there were bytes.
"""

import struct
import uuid
from collections.abc import Callable
from typing import Any

from iothub_emulator.amqp.errors import DECODE_ERROR, AmqpError
from iothub_emulator.amqp.values import (
    Array,
    Byte,
    Char,
    Decimal32,
    Decimal64,
    Decimal128,
    Described,
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

MAX_DEPTH = 32
"""Nesting that is still read. Filters, the deepest thing a client sends, nest four times."""
_TOO_DEEP = f"values nest deeper than {MAX_DEPTH}"

_FIXED: dict[int, tuple[int, Callable[[bytes], Value]]] = {}
_VARIABLE: dict[int, Callable[[bytes], Value]] = {}


def _unpacker(layout: str, kind: Callable[[Any], Value]) -> Callable[[bytes], Value]:
    unpack = struct.Struct(layout).unpack
    return lambda raw: kind(unpack(raw)[0])


def _boolean(raw: bytes) -> bool:
    if raw[0] > 1:
        raise AmqpError(DECODE_ERROR, "a boolean is 0 or 1")
    return raw[0] == 1


def _char(raw: bytes) -> Char:
    return Char(raw.decode("utf-32-be"))


def _string(raw: bytes) -> str:
    return raw.decode("utf-8")


def _symbol(raw: bytes) -> Symbol:
    return Symbol(raw.decode("ascii"))


_FIXED.update(
    {
        0x40: (0, lambda _: None),
        0x41: (0, lambda _: True),
        0x42: (0, lambda _: False),
        0x43: (0, lambda _: Uint(0)),
        0x44: (0, lambda _: Ulong(0)),
        0x45: (0, lambda _: []),
        0x50: (1, lambda raw: Ubyte(raw[0])),
        0x51: (1, _unpacker("!b", Byte)),
        0x52: (1, lambda raw: Uint(raw[0])),
        0x53: (1, lambda raw: Ulong(raw[0])),
        0x54: (1, _unpacker("!b", Int)),
        0x55: (1, _unpacker("!b", Long)),
        0x56: (1, _boolean),
        0x60: (2, _unpacker("!H", Ushort)),
        0x61: (2, _unpacker("!h", Short)),
        0x70: (4, _unpacker("!I", Uint)),
        0x71: (4, _unpacker("!i", Int)),
        0x72: (4, _unpacker("!f", Float)),
        0x73: (4, _char),
        0x74: (4, Decimal32),
        0x80: (8, _unpacker("!Q", Ulong)),
        0x81: (8, _unpacker("!q", Long)),
        0x82: (8, _unpacker("!d", float)),
        0x83: (8, _unpacker("!q", Timestamp)),
        0x84: (8, Decimal64),
        0x94: (16, Decimal128),
        0x98: (16, lambda raw: uuid.UUID(bytes=raw)),
    }
)
_VARIABLE.update({0xA0: bytes, 0xA1: _string, 0xA3: _symbol})

_LIST, _MAP, _ARRAY = 0xC0, 0xC1, 0xE0
_WIDE = 0x10
"""The bit of a constructor that says four bytes of size instead of one."""


def decode(data: bytes, position: int = 0) -> tuple[Value, int]:
    """Return the value at `position` and the position behind it; `AmqpError` if there is no valid one."""
    try:
        return _Decoder(data).value(position, len(data), MAX_DEPTH)
    except (UnicodeDecodeError, IndexError, struct.error) as error:
        raise AmqpError(DECODE_ERROR, f"malformed value: {error.__class__.__name__}") from error


class _Decoder:
    """Reads one buffer. `end` bounds every read: a nested value never reaches beyond what holds it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def value(self, at: int, end: int, depth: int) -> tuple[Value, int]:
        code, descriptors, at = self._constructor(at, end, depth)
        value, at = self._body(code, at, end, depth - len(descriptors))
        for descriptor in reversed(descriptors):
            value = Described(descriptor, value)
        return value, at

    def _constructor(self, at: int, end: int, depth: int) -> tuple[int, list[Value], int]:
        """Return the format code, the descriptors before it, outermost first, and where the value begins."""
        descriptors: list[Value] = []
        while True:
            code = self._data[self._claim(at, 1, end)]
            at += 1
            if code != 0:
                return code, descriptors, at
            if len(descriptors) >= depth:
                raise AmqpError(DECODE_ERROR, _TOO_DEEP)
            descriptor, at = self.value(at, end, depth - 1)
            descriptors.append(descriptor)

    def _claim(self, at: int, size: int, end: int) -> int:
        if at + size > end:
            raise AmqpError(DECODE_ERROR, "a value ends beyond what holds it")
        return at

    def _body(self, code: int, at: int, end: int, depth: int) -> tuple[Value, int]:
        fixed = _FIXED.get(code)
        if fixed is not None:
            size, read = fixed
            self._claim(at, size, end)
            return read(self._data[at : at + size]), at + size
        width = 4 if code & _WIDE else 1
        kind = code & ~_WIDE
        read_variable = _VARIABLE.get(kind)
        if read_variable is None and kind not in {_LIST, _MAP, _ARRAY}:
            raise AmqpError(DECODE_ERROR, f"no type has the constructor 0x{code:02x}")
        size = int.from_bytes(self._data[self._claim(at, width, end) : at + width], "big")
        at += width
        stop = self._claim(at, size, end) + size
        if read_variable is not None:
            return read_variable(self._data[at:stop]), stop
        if depth <= 0:
            raise AmqpError(DECODE_ERROR, _TOO_DEEP)
        count = int.from_bytes(self._data[self._claim(at, width, stop) : at + width], "big")
        # Each item of a list or map takes a byte at least. Items of an array may take none (an array of
        # nulls): such a one is bounded the same way, as no client has a use for it.
        if count > size:
            raise AmqpError(DECODE_ERROR, f"{count} items cannot be in {size} bytes")
        value: Value
        if kind == _ARRAY:
            value, at = self._array(count, at + width, stop, depth - 1)
        else:
            items, at = self._items(count, at + width, stop, depth - 1)
            value = self._map(items) if kind == _MAP else items
        if at != stop:
            raise AmqpError(DECODE_ERROR, "a compound value is longer than its items")
        return value, stop

    def _items(self, count: int, at: int, stop: int, depth: int) -> tuple[list[Value], int]:
        items = []
        for _ in range(count):
            item, at = self.value(at, stop, depth)
            items.append(item)
        return items, at

    def _array(self, count: int, at: int, stop: int, depth: int) -> tuple[Array, int]:
        if count == 0 and at == stop:
            return Array(()), at
        code, descriptors, at = self._constructor(at, stop, depth)
        if len(descriptors) > 1:
            raise AmqpError(DECODE_ERROR, "items of an array are described twice")
        items = []
        for _ in range(count):
            item, at = self._body(code, at, stop, depth)
            items.append(item)
        return Array(tuple(items), *descriptors), at

    def _map(self, items: list[Value]) -> dict[Value, Value]:
        if len(items) % 2:
            raise AmqpError(DECODE_ERROR, "a map has a key without a value")
        try:
            entries = dict(zip(items[::2], items[1::2], strict=True))
        except TypeError as error:
            raise AmqpError(DECODE_ERROR, "a map key is a compound value") from error
        if len(entries) * 2 != len(items):
            raise AmqpError(DECODE_ERROR, "a map has the same key twice")
        return entries
