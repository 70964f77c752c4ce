"""AMQP values to bytes (OASIS AMQP 1.0 part 1, types)."""

import struct
import uuid
from collections.abc import Callable, Iterable
from typing import Any

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

_WIDE = 0x10
"""The bit of a constructor that says four bytes of size instead of one."""
_LIST, _MAP, _ARRAY = 0xC0, 0xC1, 0xE0


def encode(value: Value) -> bytes:
    """Return the bytes of `value`, in the shortest encoding; TypeError for what has no wire type."""
    try:
        encoder = _ENCODERS[type(value)]
    except KeyError:
        raise TypeError(f"{type(value).__name__} has no AMQP type: {value!r}") from None
    return encoder(value)


def encode_described(descriptor: int, value: Value) -> bytes:
    """Return `value` under a numeric descriptor below 256, as all of AMQP's own are."""
    return bytes((0x00, 0x53, descriptor)) + encode(value)


def encode_described_map(descriptor: int, entries: list[bytes]) -> bytes:
    """Return the same for a map whose entries are encoded already, each as its key and its value."""
    return bytes((0x00, 0x53, descriptor)) + _compound(_MAP, len(entries) * 2, b"".join(entries))


def _packer(code: int, layout: str) -> Callable[[Any], bytes]:
    packer, constructor = struct.Struct("!B" + layout).pack, code
    return lambda value: packer(constructor, value)


def _short_or_long(zero: int, short: int, long: int, layout: str) -> Callable[[int], bytes]:
    pack = struct.Struct("!B" + layout).pack

    def encode_number(value: int) -> bytes:
        if 0 <= value < 256:  # noqa: PLR2004 - one byte
            return bytes((short, value)) if value else bytes((zero,))
        return pack(long, value)

    return encode_number


def _signed(short: int, long: int, layout: str) -> Callable[[int], bytes]:
    pack = struct.Struct("!B" + layout).pack
    return lambda value: bytes((short, value & 0xFF)) if -128 <= value < 128 else pack(long, value)  # noqa: PLR2004


def _sized(code: int, data: bytes) -> bytes:
    size = len(data)
    if size < 256:  # noqa: PLR2004 - one byte
        return bytes((code, size)) + data
    return struct.pack("!BI", code | _WIDE, size) + data


def _compound(code: int, count: int, body: bytes) -> bytes:
    # The size covers the count, which is as wide as the size itself.
    if len(body) < 255 and count < 256:  # noqa: PLR2004 - one byte
        return bytes((code, len(body) + 1, count)) + body
    return struct.pack("!BII", code | _WIDE, len(body) + 4, count) + body


def _encode_items(items: Iterable[Value]) -> bytes:
    return b"".join([encode(item) for item in items])


def _encode_list(value: list[Value]) -> bytes:
    # Never list0 (0x45): azure-eventhub's decoder of performatives takes any but list32 for a list8.
    return _compound(_LIST, len(value), _encode_items(value))


def _encode_map(value: dict[Value, Value]) -> bytes:
    return _compound(
        _MAP, len(value) * 2, b"".join([encode(key) + encode(item) for key, item in value.items()])
    )


# One encoding for all items of an array, whatever their values: the widest.
_ARRAY_ITEMS: dict[type, tuple[int, Callable[[Any], bytes]]] = {
    bool: (0x56, lambda value: bytes((value,))),
    Ubyte: (0x50, lambda value: bytes((value,))),
    Ushort: (0x60, struct.Struct("!H").pack),
    Uint: (0x70, struct.Struct("!I").pack),
    Ulong: (0x80, struct.Struct("!Q").pack),
    Byte: (0x51, struct.Struct("!b").pack),
    Short: (0x61, struct.Struct("!h").pack),
    Int: (0x71, struct.Struct("!i").pack),
    Long: (0x81, struct.Struct("!q").pack),
    Float: (0x72, struct.Struct("!f").pack),
    float: (0x82, struct.Struct("!d").pack),
    Char: (0x73, lambda value: value.encode("utf-32-be")),
    Timestamp: (0x83, struct.Struct("!q").pack),
    Decimal32: (0x74, bytes),
    Decimal64: (0x84, bytes),
    Decimal128: (0x94, bytes),
    uuid.UUID: (0x98, lambda value: value.bytes),
    type(None): (0x40, lambda _: b""),
}
_ARRAY_OF_SIZED: dict[type, tuple[int, Callable[[Any], bytes]]] = {
    bytes: (0xA0, bytes),
    str: (0xA1, str.encode),
    Symbol: (0xA3, lambda value: value.encode("ascii")),
}


def _encode_array(value: Array) -> bytes:
    kinds = {type(item) for item in value.items}
    if len(kinds) > 1:
        raise TypeError(f"an array holds one type, not {sorted(kind.__name__ for kind in kinds)}")
    kind = kinds.pop() if kinds else type(None)
    if kind in _ARRAY_ITEMS:
        code, body_of = _ARRAY_ITEMS[kind]
        bodies = [body_of(item) for item in value.items]
    elif kind in _ARRAY_OF_SIZED:
        code, content_of = _ARRAY_OF_SIZED[kind]
        contents = [content_of(item) for item in value.items]
        wide = any(len(content) > 255 for content in contents)  # noqa: PLR2004 - one byte
        code |= _WIDE if wide else 0
        bodies = [len(content).to_bytes(4 if wide else 1, "big") + content for content in contents]
    else:
        code, bodies = _compound_bodies(kind, value.items)
    constructor = bytes((code,))
    if value.descriptor is not None:
        constructor = b"\x00" + encode(value.descriptor) + constructor
    return _compound(_ARRAY, len(value.items), constructor + b"".join(bodies))


def _compound_bodies(kind: type, items: tuple[Value, ...]) -> tuple[int, list[bytes]]:
    """Encode lists, maps or arrays as items of an array: all wide, and without their own constructor."""
    codes: dict[type, int] = {list: _LIST, dict: _MAP, Array: _ARRAY}
    if kind not in codes:
        raise TypeError(f"an array of {kind.__name__} has no AMQP encoding here")
    bodies = []
    for item in items:
        encoded = encode(item)
        if encoded[0] & _WIDE:
            bodies.append(encoded[1:])
        else:
            body = encoded[3:]
            bodies.append(struct.pack("!II", len(body) + 4, encoded[2]) + body)
    return codes[kind] | _WIDE, bodies


_ENCODERS: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda _: b"\x40",
    bool: lambda value: b"\x41" if value else b"\x42",
    Ubyte: _packer(0x50, "B"),
    Ushort: _packer(0x60, "H"),
    Uint: _short_or_long(0x43, 0x52, 0x70, "I"),
    Ulong: _short_or_long(0x44, 0x53, 0x80, "Q"),
    Byte: _packer(0x51, "b"),
    Short: _packer(0x61, "h"),
    Int: _signed(0x54, 0x71, "i"),
    Long: _signed(0x55, 0x81, "q"),
    Float: _packer(0x72, "f"),
    float: _packer(0x82, "d"),
    Char: lambda value: b"\x73" + value.encode("utf-32-be"),
    Timestamp: _packer(0x83, "q"),
    Decimal32: lambda value: b"\x74" + value,
    Decimal64: lambda value: b"\x84" + value,
    Decimal128: lambda value: b"\x94" + value,
    uuid.UUID: lambda value: b"\x98" + value.bytes,
    bytes: lambda value: _sized(0xA0, value),
    str: lambda value: _sized(0xA1, value.encode()),
    Symbol: lambda value: _sized(0xA3, value.encode("ascii")),
    Described: lambda value: b"\x00" + encode(value.descriptor) + encode(value.value),
    Array: _encode_array,
    list: _encode_list,
    dict: _encode_map,
}
