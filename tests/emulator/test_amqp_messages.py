"""Messages: sections in and out."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iothub_emulator.amqp.encoding import encode_described
from iothub_emulator.amqp.errors import AmqpError
from iothub_emulator.amqp.messages import Header, Message, Properties, decode_message, encode_message
from iothub_emulator.amqp.values import Int, Symbol, Uint, Ulong

FULL = Message(
    header=Header(durable=True, ttl=1000, delivery_count=2),
    delivery_annotations={Symbol("d"): Int(1)},
    message_annotations={Symbol("m"): "x"},
    properties=Properties(
        message_id=Ulong(7),
        user_id=b"u",
        to="/devices/d/messages/devicebound",
        subject="s",
        reply_to="r",
        correlation_id=uuid.UUID(int=1),
        content_type="application/json",
        content_encoding="utf-8",
        absolute_expiry_time=1,
        creation_time=2,
        group_id="g",
        group_sequence=3,
        reply_to_group_id="rg",
    ),
    application_properties={"a": "b", "n": Uint(1)},
    data=b"body",
    footer={Symbol("f"): None},
)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(FULL, id="all-sections"),
        pytest.param(Message(data=b""), id="empty-body"),
        pytest.param(Message(value=(None,)), id="null-value"),
        pytest.param(Message(sequence=([Int(1)], ["a"])), id="sequences"),
        pytest.param(Message(), id="nothing"),
    ],
)
def test_a_message_comes_back(message):
    assert decode_message(encode_message(message)) == message


def test_data_sections_are_joined():
    assert decode_message(encode_described(0x75, b"ab") + encode_described(0x75, b"cd")).data == b"abcd"


def test_a_section_may_be_named_by_its_symbol():
    assert decode_message(b"\x00\xa3\x10amqp:data:binary\xa0\x01x").data == b"x"


@pytest.mark.parametrize(
    "identifier",
    [Ulong(2**40), uuid.UUID(int=5), b"\x00\x01", "text"],
    ids=["ulong", "uuid", "binary", "string"],
)
def test_a_message_id_keeps_its_type(identifier):
    """Each SDK finds its request by the correlation-id, type included."""
    found = decode_message(encode_message(Message(properties=Properties(message_id=identifier))))

    assert found.properties.message_id == identifier
    assert type(found.properties.message_id) is type(identifier)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x40", id="no-section"),
        pytest.param(encode_described(0x99, None), id="unknown-section"),
        pytest.param(encode_described(0x75, b"") + encode_described(0x74, {}), id="out-of-order"),
        pytest.param(encode_described(0x74, {}) + encode_described(0x74, {}), id="section-twice"),
        pytest.param(encode_described(0x75, b"") + encode_described(0x77, None), id="two-bodies"),
        pytest.param(encode_described(0x75, b"") + encode_described(0x76, []), id="data-and-sequence"),
        pytest.param(encode_described(0x77, None) + encode_described(0x77, None), id="two-values"),
        pytest.param(encode_described(0x75, "text"), id="data-of-text"),
        pytest.param(encode_described(0x74, []), id="properties-in-a-list"),
        pytest.param(encode_described(0x73, {}), id="properties-in-a-map"),
        pytest.param(encode_described(0x73, [None, "text"]), id="user-id-of-text"),
    ],
)
def test_what_is_no_message_is_an_amqp_error(data):
    with pytest.raises(AmqpError):
        decode_message(data)


def condition_of(data):
    try:
        decode_message(data)
    except AmqpError as error:
        return error.condition
    return None


@given(st.binary(max_size=200), st.integers(0, len(encode_message(FULL))))
def test_any_bytes_are_a_message_or_an_amqp_error(data, cut):
    expected = {None, "amqp:decode-error", "amqp:invalid-field"}
    encoded = encode_message(FULL)

    assert condition_of(data) in expected
    assert condition_of(encoded[:cut] + data + encoded[cut + len(data) :]) in expected
