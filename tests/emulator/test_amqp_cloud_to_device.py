"""Sending to devices over AMQP: who may, and the outcome of each message."""

import struct

import pytest
from amqp_peer import Peer, decoded, performatives, refusal, token
from amqp_sender import ACCEPTED, TO, deliveries, message, outcome, sender
from hypothesis import given, settings
from hypothesis import strategies as st

from iothub_emulator.amqp import frames
from iothub_emulator.amqp.answers import MAX_MESSAGE_SIZE
from iothub_emulator.amqp.messages import BATCHED, Message, Properties, encode_message
from iothub_emulator.amqp.performatives import Flow, Rejected, Transfer
from iothub_emulator.amqp.values import (
    Decimal32,
    Decimal64,
    Decimal128,
    Float,
    Long,
    Symbol,
    Timestamp,
    Uint,
)
from iothub_emulator.hub.mailbox_rules import MailboxRules
from iothub_emulator.hub.service_errors import ErrorCode, Refused

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
        pytest.param(
            message(to=f"/devices/{'a' * 60_000}/messages/devicebound"), "amqp:not-found", id="endless-id"
        ),
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


def test_decisions_are_looked_up_each_time():
    """What `--load` replaces before the start takes effect on links too."""
    peer = sender()

    class Elsewhere(MailboxRules):
        def addressee(self, to):
            return "device-1" if to == "anywhere" else None

    peer.runtime.rules.mailbox = Elsewhere()
    assert outcome(peer, message(to="anywhere")) == "accepted"
    assert outcome(peer, message()) == "amqp:not-found"
