"""Sending to devices over AMQP: outcomes and their conditions, and what a device gets of each property."""

import struct
import uuid

import pytest
from amqp_peer import NOW, Peer, decoded, hub, token
from hypothesis import given, settings
from hypothesis import strategies as st
from test_amqp_links import performatives, refusal

from iothub_emulator.amqp import frames
from iothub_emulator.amqp.answers import MAX_MESSAGE_SIZE
from iothub_emulator.amqp.messages import BATCHED, Header, Message, Properties, encode_message
from iothub_emulator.amqp.performatives import Accepted, Disposition, Flow, Rejected, Transfer
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
from iothub_emulator.hub.mailbox_rules import MailboxRules
from iothub_emulator.hub.service_errors import ErrorCode, Refused

TO = "/devices/device-1/messages/devicebound"
FRAME = 60_000
"""Bytes of a message in one frame; the hub takes 65,536 of anything."""
ACCEPTED = Accepted().described()


def sender(address="/messages/devicebound", **settings):
    """Return a peer attached to send; its hub has the device `device-1`."""
    runtime = hub(**settings)
    runtime.add_device("device-1")
    peer = Peer(runtime).open()
    peer.put_token(audience="localhost")
    peer.next_delivery = 100
    peer.attached = peer.attach_sender(address, handle=7)
    return peer


def message(body=b"hello", *, to=TO, **fields):
    properties = fields.pop("properties", {})
    return encode_message(Message(properties=Properties(to=to, **properties), data=body, **fields))


def outcome(peer, data, **fields):
    """Send one message and return its outcome: `accepted`, or the condition of the rejection."""
    *parts, last = [data[at : at + FRAME] for at in range(0, len(data), FRAME)]
    for part in parts:
        peer.transfer(part, handle=7, delivery_id=peer.next_delivery, more=True)
    answers = performatives(peer.transfer(last, handle=7, delivery_id=peer.next_delivery, **fields))
    (disposition,) = [answer for answer in answers if isinstance(answer, Disposition)]
    assert (disposition.settled, disposition.first, disposition.last) == (True, *[peer.next_delivery] * 2)
    peer.next_delivery += 1
    if disposition.state == ACCEPTED:
        return "accepted"
    return Rejected.from_value(disposition.state).error.condition


def deliveries(peer, device_id="device-1"):
    mailbox = peer.runtime.state.mailbox(peer.runtime.registry.require(device_id))
    found = []
    while (delivery := mailbox.next_delivery(1, peer.runtime.now())) is not None:
        found.append(delivery)
    return found


def bag(peer):
    """Return the properties of the one message that was delivered, but for its address."""
    (delivery,) = deliveries(peer)
    _, _, text = delivery.topic.rpartition("/")
    return {pair for pair in text.split("&") if not pair.startswith("%24.to=")}


# Attaching


@pytest.mark.parametrize(
    "address",
    [
        "/messages/devicebound",
        "messages/devicebound",
        "/Messages/deviceBound/",
        "amqps://localhost/messages/devicebound",
        "amqps://localhost:5671/messages/deviceBound",
    ],
)
def test_the_address_comes_in_many_forms(address):
    attach, flow = sender(address).attached

    assert attach.target.address == address
    assert flow.link_credit == 100


def test_sending_needs_an_authorisation():
    peer = Peer().open()
    answers = peer.attach_sender("/messages/devicebound")

    assert refusal(answers) == "amqp:unauthorized-access"
    assert "'Send'" in answers[1].error.description


@pytest.mark.parametrize("policy", ["device", "registryRead", "registryReadWrite"])
def test_a_policy_without_service_connect_may_not_send(policy):
    peer = Peer().open()

    assert peer.status_of_put_token(token(peer.runtime, "localhost", policy=policy), "localhost") == 401
    assert refusal(peer.attach_sender("/messages/devicebound", handle=7)) == "amqp:unauthorized-access"


def test_an_authorisation_for_the_event_hub_does_not_open_it():
    peer = Peer().open()
    peer.put_token()

    assert refusal(peer.attach_sender("/messages/devicebound", handle=7)) == "amqp:unauthorized-access"


@pytest.mark.parametrize(
    "address", ["/messages/devicebound/x", "/messages", "/messages/servicebound/feedback"]
)
def test_there_is_no_sending_elsewhere(address):
    attach, detach = sender(address).attached

    assert attach.target is None
    assert detach.error.condition == "amqp:not-found"


def test_nothing_is_received_where_messages_are_sent():
    assert refusal(sender().attach_receiver("/messages/devicebound", handle=8)) == "amqp:not-found"


def test_a_sender_ends_with_its_token_unless_it_is_renewed():
    peer = sender()
    peer.put_token(token(peer.runtime, "localhost", expires_in=100), "localhost")
    peer.runtime.clock += 90
    peer.put_token(token(peer.runtime, "localhost", expires_in=100), "localhost")
    peer.runtime.clock += 90
    peer.connection.on_time()
    assert outcome(peer, message()) == "accepted"

    peer.runtime.clock += 10
    peer.connection.on_time()
    (detach,) = performatives(peer.pump())
    assert (detach.handle, detach.error.condition) == (2, "amqp:unauthorized-access")


# Outcomes


def test_a_message_is_accepted_and_waits_for_its_device():
    peer = sender()

    assert outcome(peer, message(b"\x00\xffbody")) == "accepted"
    (delivery,) = deliveries(peer)
    assert delivery.payload == b"\x00\xffbody"
    assert delivery.topic == (
        "devices/device-1/messages/devicebound/%24.to=%2Fdevices%2Fdevice-1%2Fmessages%2Fdevicebound"
    )


@pytest.mark.parametrize(
    ("data", "condition"),
    [
        pytest.param(
            message(to="/devices/nobody/messages/devicebound"), "amqp:not-found", id="unknown-device"
        ),
        pytest.param(message(to="/devices/device-1/modules/m/x"), "amqp:not-found", id="a-module"),
        pytest.param(message(to="device-1"), "amqp:not-found", id="no-address"),
        pytest.param(message(to=""), "amqp:not-found", id="empty-to"),
        pytest.param(message(to=None), "amqp:not-found", id="no-to"),
        pytest.param(message(bytes(65_537)), "amqp:link:message-size-exceeded", id="too-large"),
        pytest.param(
            message(application_properties={"k": "é" * 33_000}),
            "amqp:link:message-size-exceeded",
            id="properties-too-large",
        ),
        pytest.param(b"\x00\x53\x75\xa0\x05x", "amqp:decode-error", id="malformed"),
        pytest.param(
            message(application_properties={Uint(1): "x"}), "amqp:invalid-field", id="key-of-a-number"
        ),
        pytest.param(
            message(properties={"absolute_expiry_time": 2**62}), "amqp:invalid-field", id="time-of-no-year"
        ),
        pytest.param(
            message(properties={"creation_time": -(2**62)}),
            "amqp:invalid-field",
            id="creation-before-the-year-1",
        ),
        pytest.param(
            encode_message(Message(properties=Properties(to=TO), sequence=([b"x"],))),
            "amqp:not-implemented",
            id="sequence",
        ),
        pytest.param(
            encode_message(Message(properties=Properties(to=TO), value=({"a": 1.0},))),
            "amqp:not-implemented",
            id="map-as-a-body",
        ),
    ],
)
def test_what_cannot_be_sent_is_rejected_with_its_reason(data, condition):
    """And nothing else ends: the next message is taken."""
    peer = sender()

    assert outcome(peer, data) == condition
    assert outcome(peer, message()) == "accepted"
    assert len(deliveries(peer)) == 1


def test_the_fifty_first_message_is_rejected():
    peer = sender()
    assert [outcome(peer, message()) for _ in range(50)] == ["accepted"] * 50

    assert outcome(peer, message()) == "amqp:resource-limit-exceeded"
    assert len(deliveries(peer)) == 50


@pytest.mark.parametrize(
    ("code", "condition"),
    [
        (ErrorCode.DeviceNotFound, "amqp:not-found"),
        (ErrorCode.DeviceMaximumQueueDepthExceeded, "amqp:resource-limit-exceeded"),
        (ErrorCode.MessageTooLarge, "amqp:link:message-size-exceeded"),
        (ErrorCode.IotHubUnauthorizedAccess, "amqp:unauthorized-access"),
        (ErrorCode.ArgumentInvalid, "com.microsoft:argument-error"),
        (ErrorCode.ThrottlingException, "com.microsoft:device-container-throttled"),
        (ErrorCode.ServerError, "amqp:internal-error"),
    ],
)
def test_each_error_has_its_condition(monkeypatch, code, condition):
    peer = sender()
    monkeypatch.setattr(peer.runtime, "send_to_device", lambda *_: Refused(code, "no"))

    assert outcome(peer, message()) == condition


def test_a_rejection_says_which_error_it_was():
    (disposition,) = performatives(
        sender().transfer(message(to="/devices/x%20y/messages/devicebound"), handle=7)
    )

    error = Rejected.from_value(disposition.state).error
    assert error.description.startswith("ErrorCode:DeviceNotFound;")


def test_a_settled_message_is_not_answered():
    peer = sender()

    assert peer.transfer(message(), handle=7, settled=True) == []
    assert peer.transfer(message(to="/devices/x/messages/devicebound"), handle=7, settled=True) == []
    assert len(deliveries(peer)) == 1


def test_a_message_in_several_frames():
    peer = sender()
    data = message(bytes(20_000))
    peer.transfer(data[:10_000], handle=7, delivery_id=0, more=True)
    (disposition,) = performatives(
        peer.transfer(data[10_000:], handle=7, delivery_id=None, delivery_tag=None)
    )

    assert disposition.state == ACCEPTED
    assert deliveries(peer)[0].payload == bytes(20_000)


def test_a_message_beyond_all_measure_ends_the_link():
    """What is announced as max-message-size is still read, and rejected by name; more is not read at all."""
    peer = sender()
    assert peer.attached[0].max_message_size == MAX_MESSAGE_SIZE
    for _ in range(MAX_MESSAGE_SIZE // 65_000):
        peer.transfer(bytes(65_000), handle=7, delivery_id=0, more=True)
    (detach,) = performatives(peer.transfer(bytes(65_000), handle=7, delivery_id=0, more=True))

    assert detach.error.condition == "amqp:link:message-size-exceeded"


def test_credit_comes_back():
    peer = sender(c2d_queue_depth=1000)
    flows = [
        item for _ in range(200) for item in performatives(peer.transfer(message(), handle=7, settled=True))
    ]

    assert {type(flow) for flow in flows} == {Flow}
    assert [flow.delivery_count for flow in flows] == [51, 102, 153]
    assert len(deliveries(peer)) == 200


def test_each_of_a_burst_is_answered():
    peer = sender()
    first = peer.next_transfer
    frames_sent = [
        frames.encode_frame(
            0, Transfer(handle=7, delivery_id=first + n, delivery_tag=b"t"), message(b"%d" % n)
        )
        for n in range(10)
    ]
    answers = performatives(decoded(peer.raw(b"".join(frames_sent))))

    assert [answer.first for answer in answers] == list(range(first, first + 10))
    assert [delivery.payload for delivery in deliveries(peer)] == [b"%d" % number for number in range(10)]


SIMPLE = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=9),
    st.binary(max_size=9),
    st.uuids(),
    st.floats(),
    st.floats(width=32).map(Float),
    st.integers(-(2**63), 2**63 - 1).map(Long),
    st.integers(-(2**63), 2**63 - 1).map(Timestamp),
    st.binary(min_size=4, max_size=4).map(Decimal32),
    st.binary(min_size=8, max_size=8).map(Decimal64),
    st.binary(min_size=16, max_size=16).map(Decimal128),
)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.builds(
            lambda key, value, identifier, times: message(
                application_properties={key: value},
                properties={
                    "message_id": identifier,
                    "absolute_expiry_time": times[0],
                    "creation_time": times[1],
                },
            ),
            st.text(max_size=9),
            SIMPLE,
            SIMPLE,
            st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1)),
        ),
    ),
    st.integers(0, 200),
    st.integers(0, 255),
)
@settings(max_examples=200)
def test_any_message_has_an_outcome(data, position, byte):
    """Whatever it is, whole or with a byte changed: accepted or rejected, and the link goes on."""
    peer = sender()
    changed = bytearray(data)
    if changed:
        changed[position % len(changed)] = byte

    for each in (data, bytes(changed)):
        assert outcome(peer, each or b"\x00")
    assert outcome(peer, message()) == "accepted"
    assert deliveries(peer)


# Batches


def batch(*messages):
    """Return messages as the SDKs' batches hold them: a data section each."""
    data = b"".join(b"\x00\x53\x75\xb0" + struct.pack("!I", len(item)) + item for item in messages)
    return encode_message(Message(message_annotations={Symbol("x-opt-partition-key"): "k"})) + data


def test_a_batch_is_so_many_messages():
    peer = sender()

    assert outcome(peer, batch(message(b"1"), message(b"2")), message_format=BATCHED) == "accepted"
    assert [delivery.payload for delivery in deliveries(peer)] == [b"1", b"2"]


def test_an_empty_batch_is_accepted():
    assert outcome(sender(), batch(), message_format=BATCHED) == "accepted"


@pytest.mark.parametrize(
    ("second", "condition"),
    [
        (message(to="/devices/nobody/messages/devicebound"), "amqp:not-found"),
        (b"\x40", "amqp:decode-error"),
        (b"", "amqp:not-found"),
    ],
    ids=["unknown-device", "no-message", "empty"],
)
def test_the_first_refusal_is_the_outcome_of_a_batch(second, condition):
    peer = sender()

    assert outcome(peer, batch(message(b"1"), second, message(b"3")), message_format=BATCHED) == condition
    assert [delivery.payload for delivery in deliveries(peer)] == [b"1"]


# Properties


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


def test_decisions_are_looked_up_each_time():
    """What `--load` replaces before the start takes effect on links too."""
    peer = sender()

    class Elsewhere(MailboxRules):
        def addressee(self, to):
            return "device-1" if to == "anywhere" else None

    peer.runtime.rules.mailbox = Elsewhere()
    assert outcome(peer, message(to="anywhere")) == "accepted"
    assert outcome(peer, message()) == "amqp:not-found"
