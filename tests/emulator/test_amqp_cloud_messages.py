"""A message that comes by AMQP as its device gets it: properties, ids, bodies of any type, and its expiry."""

import uuid

import pytest
from amqp_peer import NOW
from amqp_sender import TO, bag, deliveries, message, outcome, sender

from iothub_emulator.amqp.messages import Header, Message, Properties, encode_message
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


def test_all_properties_reach_the_device():
    peer = sender()
    properties = {
        "message_id": "id",
        "user_id": b"back end",
        "correlation_id": "cid",
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "absolute_expiry_time": int(NOW * 1000) + 60_000,
        "creation_time": int(NOW * 1000) - 500,
        "subject": "not carried",
        "reply_to": "not carried",
        "group_id": "not carried",
    }
    outcome(peer, message(properties=properties, application_properties={"a": "b", "iothub-ack": "full"}))

    assert bag(peer) == {
        "%24.mid=id",
        "%24.uid=back%20end",
        "%24.cid=cid",
        "%24.ct=application%2Fjson",
        "%24.ce=utf-8",
        "%24.exp=2027-01-15T08%3A01%3A00.000000Z",
        "%24.ctime=2027-01-15T07%3A59%3A59.500000Z",
        "a=b",
        "iothub-ack=full",
    }


@pytest.mark.parametrize("field", ["message_id", "correlation_id"])
@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        ("text", "text"),
        (Ulong(2**64 - 1), "18446744073709551615"),
        (uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (b"octets", "octets"),
        (b"\xff\xfe", "%2F%2F4%3D"),
    ],
    ids=["string", "ulong", "uuid", "binary", "binary-that-is-no-text"],
)
def test_an_id_of_any_type_becomes_text(field, identifier, text):
    peer = sender()
    outcome(peer, message(properties={field: identifier}))

    name = {"message_id": "mid", "correlation_id": "cid"}[field]
    assert bag(peer) == {f"%24.{name}={text}"}


MILLISECONDS = int(NOW * 1000)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("text", "=text", id="string"),
        pytest.param("", "=", id="empty"),
        pytest.param(None, "", id="null"),
        pytest.param(True, "=True", id="true"),
        pytest.param(False, "=False", id="false"),
        pytest.param(Ubyte(255), "=255", id="ubyte"),
        pytest.param(Ushort(65535), "=65535", id="ushort"),
        pytest.param(Uint(0), "=0", id="uint"),
        pytest.param(Ulong(2**64 - 1), "=18446744073709551615", id="ulong"),
        pytest.param(Byte(-128), "=-128", id="byte"),
        pytest.param(Short(-1), "=-1", id="short"),
        pytest.param(Int(7), "=7", id="int"),
        pytest.param(Long(-(2**63)), "=-9223372036854775808", id="long"),
        pytest.param(Float(0.1), "=0.1", id="float"),
        pytest.param(Float(16777216.0), "=16777216", id="float-of-a-whole-number"),
        pytest.param(Float(3.4028234663852886e38), "=3.4028235E%2B38", id="largest-float"),
        pytest.param(0.1, "=0.1", id="double"),
        pytest.param(-2.0, "=-2", id="double-of-a-whole-number"),
        pytest.param(1e300, "=1E%2B300", id="large-double"),
        pytest.param(float("nan"), "=NaN", id="nan"),
        pytest.param(float("-inf"), "=-Infinity", id="infinity"),
        pytest.param(Decimal32(bytes.fromhex("3280007b")), "=123", id="decimal32"),
        pytest.param(Decimal32(bytes.fromhex("b180007b")), "=-1.23", id="negative-decimal32"),
        pytest.param(Decimal32(bytes.fromhex("6c58967f")), "=9999.999", id="decimal32-of-seven-digits"),
        pytest.param(Decimal32(bytes.fromhex("78000000")), "=Infinity", id="infinite-decimal32"),
        pytest.param(Decimal32(bytes.fromhex("7c000000")), "=NaN", id="decimal32-that-is-none"),
        pytest.param(Decimal64(bytes.fromhex("31c000000000000f")), "=15", id="decimal64"),
        pytest.param(Decimal128(bytes.fromhex("303e0000000000000000000000000005")), "=0.5", id="decimal128"),
        pytest.param(Char("é"), "=%C3%A9", id="char"),
        pytest.param(Timestamp(MILLISECONDS), "=2027-01-15T08%3A00%3A00.000000Z", id="timestamp"),
        pytest.param(uuid.UUID(int=1), "=00000000-0000-0000-0000-000000000001", id="uuid"),
        pytest.param(b"text", "=text", id="binary"),
        pytest.param(b"\xff", "=%2Fw%3D%3D", id="binary-that-is-no-text"),
        pytest.param(Symbol("sym"), "=sym", id="symbol"),
    ],
)
def test_an_application_property_of_any_type_becomes_text(value, text):
    peer = sender()

    assert outcome(peer, message(application_properties={"k": value})) == "accepted"
    assert bag(peer) == {f"k{text}"}


@pytest.mark.parametrize(
    "value",
    [["list"], {"a": "map"}, Array(("a",)), Described(Symbol("d"), "x"), Timestamp(2**62)],
    ids=["list", "map", "array", "described", "time-of-no-year"],
)
def test_what_is_no_simple_value_is_rejected(value):
    assert outcome(sender(), message(application_properties={"k": value})) == "amqp:invalid-field"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (Message(data=b""), b""),
        (Message(), b""),
        (Message(value=("text é",)), "text é".encode()),
        (Message(value=(b"octets",)), b"octets"),
        (Message(value=(None,)), b""),
    ],
    ids=["empty", "none", "string", "binary", "null"],
)
def test_a_body_is_bytes_however_it_comes(body, expected):
    peer = sender()
    header = encode_message(Message(properties=Properties(to=TO)))

    assert outcome(peer, header + encode_message(body)) == "accepted"
    assert deliveries(peer)[0].payload == expected


@pytest.mark.parametrize(
    ("fields", "lives"),
    [
        pytest.param({}, 3600, id="by-default"),
        pytest.param({"properties": {"absolute_expiry_time": MILLISECONDS + 5_000}}, 5, id="absolute"),
        pytest.param({"header": Header(ttl=7_000)}, 7, id="header"),
        pytest.param(
            {"header": Header(ttl=7_000), "properties": {"absolute_expiry_time": MILLISECONDS + 90_000}},
            90,
            id="absolute-before-header",
        ),
    ],
)
def test_a_message_expires_as_its_sender_said(fields, lives):
    peer = sender()
    outcome(peer, message(**fields))
    mailbox = peer.runtime.state.mailbox(peer.runtime.registry.require("device-1"))

    assert mailbox.next_deadline() == NOW + lives
