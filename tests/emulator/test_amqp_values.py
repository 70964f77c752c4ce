"""AMQP values: bytes to value and back, and what strangers' bytes may not do."""

import math
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iothub_emulator.amqp.decoding import MAX_DEPTH, decode
from iothub_emulator.amqp.encoding import encode
from iothub_emulator.amqp.errors import AmqpError
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
)


def same(one, other):
    """Equal, and of the same wire type throughout."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one), list(other)) and same(list(one.values()), list(other.values()))
    if isinstance(one, Described):
        return same(one.descriptor, other.descriptor) and same(one.value, other.value)
    if isinstance(one, Array):
        return same(one.descriptor, other.descriptor) and same(one.items, other.items)
    return one == other or (isinstance(one, float) and math.isnan(one) and math.isnan(other))


EXAMPLES = {
    "null": ("40", None),
    "true": ("41", True),
    "false": ("42", False),
    "ubyte": ("50 ff", Ubyte(255)),
    "ushort": ("60 01 02", Ushort(0x102)),
    "uint0": ("43", Uint(0)),
    "smalluint": ("52 07", Uint(7)),
    "uint": ("70 00 00 01 00", Uint(256)),
    "ulong0": ("44", Ulong(0)),
    "smallulong": ("53 ff", Ulong(255)),
    "ulong": ("80 ff ff ff ff ff ff ff ff", Ulong(2**64 - 1)),
    "byte": ("51 80", Byte(-128)),
    "short": ("61 ff fe", Short(-2)),
    "smallint": ("54 ff", Int(-1)),
    "int": ("71 00 00 01 91", Int(401)),
    "smalllong": ("55 80", Long(-128)),
    "long": ("81 80 00 00 00 00 00 00 00", Long(-(2**63))),
    "float": ("72 3f 80 00 00", Float(1.0)),
    "double": ("82 3f f8 00 00 00 00 00 00", 1.5),
    "decimal32": ("74 01 02 03 04", Decimal32(b"\1\2\3\4")),
    "decimal64": ("84 01 02 03 04 05 06 07 08", Decimal64(bytes(range(1, 9)))),
    "decimal128": ("94" + "00" * 16, Decimal128(bytes(16))),
    "char": ("73 00 01 f6 00", Char("\U0001f600")),
    "timestamp": ("83 00 00 00 00 00 00 03 e8", Timestamp(1000)),
    "uuid": ("98" + "11" * 16, uuid.UUID(bytes=b"\x11" * 16)),
    "binary": ("a0 02 00 ff", b"\x00\xff"),
    "string": ("a1 03 e2 82 ac", "€"),
    "symbol": ("a3 04 24 63 62 73", Symbol("$cbs")),
    "long-binary": ("b0 00 00 01 00" + "00" * 256, bytes(256)),
    "list": ("c0 03 02 41 40", [True, None]),
    "empty-list": ("c0 01 00", []),
    "map": ("c1 05 02 a3 01 61 43", {Symbol("a"): Uint(0)}),
    "array": ("e0 06 02 a3 01 61 01 62", Array((Symbol("a"), Symbol("b")))),
    "described-twice": ("00 43 00 44 40", Described(Uint(0), Described(Ulong(0), None))),
    "described": ("00 53 24 c0 01 00", Described(Ulong(0x24), [])),
}


@pytest.mark.parametrize(("text", "value"), EXAMPLES.values(), ids=EXAMPLES.keys())
def test_an_encoding_and_its_value(text, value):
    """Each type in the shortest encoding that the specification gives it."""
    data = bytes.fromhex(text)

    assert encode(value) == data
    found, end = decode(data)
    assert same(found, value)
    assert end == len(data)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("45", [], id="list0"),
        pytest.param("56 01", True, id="boolean"),
        pytest.param("70 00 00 00 00", Uint(0), id="wide-uint"),
        pytest.param("80 00 00 00 00 00 00 00 07", Ulong(7), id="wide-ulong"),
        pytest.param("b1 00 00 00 01 61", "a", id="str32"),
        pytest.param("d0 00 00 00 05 00 00 00 01 40", [None], id="list32"),
        pytest.param("d1 00 00 00 04 00 00 00 00", {}, id="map32"),
        pytest.param("f0 00 00 00 09 00 00 00 01 71 00 00 00 05", Array((Int(5),)), id="array32"),
        pytest.param("e0 02 00 40", Array(()), id="empty-array"),
        pytest.param("e0 01 00", Array(()), id="empty-array-without-constructor"),
        pytest.param("e0 06 01 00 a3 01 61 44", Array((Ulong(0),), Symbol("a")), id="array-of-described"),
        pytest.param("e0 06 02 c0 01 00 01 00", Array(([], [])), id="array-of-lists"),
    ],
)
def test_longer_encodings_are_read_too(text, value):
    """Clients pick any encoding of a type; the value is the same."""
    found, end = decode(bytes.fromhex(text))

    assert same(found, value)
    assert end == len(bytes.fromhex(text))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("70 00 00", id="truncated-number"),
        pytest.param("a1 05 61", id="string-beyond-the-end"),
        pytest.param("a1 01 ff", id="not-utf-8"),
        pytest.param("a3 01 ff", id="not-ascii"),
        pytest.param("73 00 11 00 00", id="no-unicode-character"),
        pytest.param("56 02", id="boolean-of-two"),
        pytest.param("ff", id="unknown-constructor"),
        pytest.param("00", id="descriptor-missing"),
        pytest.param("00 53 24", id="described-value-missing"),
        pytest.param("c0 03 01 41 40", id="list-longer-than-its-items"),
        pytest.param("c0 02 02 41", id="list-shorter-than-its-items"),
        pytest.param("c1 02 01 41", id="map-of-one"),
        pytest.param("c1 05 04 43 40 43 40", id="map-key-twice"),
        pytest.param("c1 05 02 c0 01 00 40", id="list-as-a-key"),
        pytest.param("d0 ff ff ff ff ff ff ff ff", id="huge-list"),
        pytest.param("d0 00 00 00 05 ff ff ff ff 40", id="huge-count"),
        pytest.param("f0 00 00 00 05 ff ff ff ff 40", id="huge-array-of-nulls"),
        pytest.param("b0 ff ff ff ff 00", id="huge-binary"),
        pytest.param("c0 04 01 a0 09 00", id="item-beyond-its-list"),
    ],
)
def test_what_is_no_value_is_a_decode_error(text):
    with pytest.raises(AmqpError) as caught:
        decode(bytes.fromhex(text))
    assert caught.value.condition == "amqp:decode-error"


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(
            lambda inner: b"\xd0" + (len(inner) + 4).to_bytes(4, "big") + b"\0\0\0\1" + inner, id="list"
        ),
        pytest.param(lambda inner: b"\x00" + inner + b"\x40", id="descriptor"),
        pytest.param(
            lambda inner: b"\xf0" + (len(inner) + 4).to_bytes(4, "big") + b"\0\0\0\1" + inner, id="array"
        ),
    ],
)
def test_depth_is_bounded(step):
    """A megabyte of nesting ends in an error, not in the interpreter's recursion limit."""
    data = b"\x40"
    for _ in range(5000):
        data = step(data)

    with pytest.raises(AmqpError, match=f"deeper than {MAX_DEPTH}"):
        decode(data)


def test_moderate_depth_is_read():
    value = None
    for _ in range(MAX_DEPTH):
        value = [value]

    assert decode(encode(value))[0] == value


@pytest.mark.parametrize("value", [5, object(), Described(1, None), [Uint(1), 2]])
def test_what_has_no_wire_type_is_not_guessed(value):
    with pytest.raises(TypeError):
        encode(value)


def test_an_array_of_two_types_is_refused():
    with pytest.raises(TypeError, match="one type"):
        encode(Array((Uint(1), Int(1))))


def numbers(kind, low, high):
    return st.integers(low, high).map(kind)


LEAVES = {
    "bool": st.booleans(),
    "ubyte": numbers(Ubyte, 0, 2**8 - 1),
    "ushort": numbers(Ushort, 0, 2**16 - 1),
    "uint": numbers(Uint, 0, 2**32 - 1),
    "ulong": numbers(Ulong, 0, 2**64 - 1),
    "byte": numbers(Byte, -(2**7), 2**7 - 1),
    "short": numbers(Short, -(2**15), 2**15 - 1),
    "int": numbers(Int, -(2**31), 2**31 - 1),
    "long": numbers(Long, -(2**63), 2**63 - 1),
    "timestamp": numbers(Timestamp, -(2**63), 2**63 - 1),
    "float": st.floats(width=32).map(Float),
    "double": st.floats(),
    "char": st.characters(exclude_categories=["Cs"]).map(Char),
    "uuid": st.uuids(),
    "binary": st.binary(max_size=300),
    "string": st.text(max_size=300),
    "symbol": st.text(st.characters(max_codepoint=127), max_size=300).map(Symbol),
    "decimal32": st.binary(min_size=4, max_size=4).map(Decimal32),
    "decimal64": st.binary(min_size=8, max_size=8).map(Decimal64),
    "decimal128": st.binary(min_size=16, max_size=16).map(Decimal128),
}
leaves = st.one_of(st.none(), *LEAVES.values())
arrays = st.one_of([st.lists(leaf, max_size=5).map(tuple).map(Array) for leaf in LEAVES.values()])
keys = st.one_of(LEAVES["symbol"], LEAVES["string"])
values = st.recursive(
    leaves | arrays,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(keys, inner, max_size=5),
        st.builds(Described, LEAVES["ulong"] | LEAVES["symbol"], inner),
        st.lists(st.lists(inner, max_size=3), max_size=3).map(tuple).map(Array),
        st.lists(st.dictionaries(keys, inner, max_size=3), max_size=3).map(tuple).map(Array),
    ),
    max_leaves=20,
)


@given(values)
def test_every_value_comes_back_with_its_type(value):
    data = encode(value)
    found, end = decode(data)

    assert same(found, value)
    assert end == len(data)


def condition_of(data):
    """Return the condition of the error that decoding ends in, None where there is a value."""
    try:
        decode(data)
    except AmqpError as error:
        return error.condition
    return None


@given(st.binary(max_size=400))
def test_any_bytes_are_a_value_or_an_amqp_error(data):
    assert condition_of(data) in {None, "amqp:decode-error"}


@given(values, st.data())
def test_a_mutated_value_is_a_value_or_an_amqp_error(value, data):
    encoded = bytearray(encode(value))
    for _ in range(data.draw(st.integers(1, 4))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))

    assert condition_of(bytes(encoded)) in {None, "amqp:decode-error"}
