"""One connection: headers, SASL, open and close, sessions, time-outs, and every way to do them wrong."""

import amqp_peer
import pytest
from amqp_peer import NOW, Peer, decoded, errors, hub
from hypothesis import given
from hypothesis import strategies as st

from iothub_emulator.amqp import frames
from iothub_emulator.amqp.connection import CHANNEL_MAX, IDLE_TIME_OUT, MAX_FRAME_SIZE
from iothub_emulator.amqp.frames import AMQP_HEADER, HEARTBEAT, SASL_FRAME, SASL_HEADER
from iothub_emulator.amqp.performatives import (
    Attach,
    Begin,
    Close,
    Detach,
    End,
    Error,
    Open,
    SaslInit,
    SaslMechanisms,
    SaslOutcome,
)


def sasl(peer, mechanism, response=None):
    """Go through SASL and return the outcome's code."""
    answer = peer.raw(SASL_HEADER)
    assert answer[:8] == SASL_HEADER
    (mechanisms,) = decoded(answer[8:])
    assert mechanisms.performative == SaslMechanisms(
        sasl_server_mechanisms=("MSSBCBS", "ANONYMOUS", "PLAIN", "EXTERNAL")
    )
    init = SaslInit(mechanism=mechanism, initial_response=response, hostname="localhost")
    (outcome,) = decoded(peer.raw(frames.encode_frame(0, init, kind=SASL_FRAME)))
    assert isinstance(outcome.performative, SaslOutcome)
    return outcome.performative.code


@pytest.mark.parametrize(
    ("mechanism", "response"),
    [("MSSBCBS", None), ("ANONYMOUS", b""), ("EXTERNAL", None)],
)
def test_these_mechanisms_prove_nothing_and_pass(mechanism, response):
    """Authorisation comes by $cbs: azure-iot-hub picks MSSBCBS, azure-eventhub ANONYMOUS."""
    peer = Peer()

    assert sasl(peer, mechanism, response) == 0
    assert peer.raw(AMQP_HEADER) == AMQP_HEADER
    assert not peer.connection.directory.authorisations.any()


def plain(name, password):
    return b"\x00" + name.encode() + b"\x00" + password.encode()


def test_plain_takes_a_policy_and_its_key():
    runtime = hub()
    peer = Peer(runtime)

    assert sasl(peer, "PLAIN", plain("service", runtime.policies["service"].secondary_key)) == 0
    assert peer.connection.directory.authorisations.opens("iothub-emulator/ConsumerGroups/g/Partitions/0")


def test_plain_takes_a_policy_and_a_token():
    runtime = hub()
    peer = Peer(runtime)
    text = amqp_peer.token(runtime, "localhost", key_is_text=False)

    assert sasl(peer, "PLAIN", plain("service@sas.root.localhost", text)) == 0
    assert peer.connection.directory.authorisations.opens("messages/devicebound")


def test_plain_with_a_token_for_a_part_of_the_hub_opens_that_part():
    """As a sample of azure-sdk-for-js signs, which asks to be redirected to the events."""
    runtime = hub()
    peer = Peer(runtime)
    text = amqp_peer.token(runtime, "localhost/messages/events", key_is_text=False)

    assert sasl(peer, "PLAIN", plain("service@sas.root.localhost", text)) == 0
    authorisations = peer.connection.directory.authorisations
    assert authorisations.opens("messages/events/ConsumerGroups/$Default/Partitions/0")
    assert not authorisations.opens("messages/devicebound")
    assert not authorisations.opens("iothub-emulator/ConsumerGroups/$Default/Partitions/0")


def test_plain_with_a_token_for_another_hub_fails():
    runtime = hub()
    text = amqp_peer.token(runtime, "elsewhere/messages/events", key_is_text=False)

    assert sasl(Peer(runtime), "PLAIN", plain("service@sas.root.localhost", text)) == 1


@pytest.mark.parametrize(
    ("mechanism", "response"),
    [
        pytest.param("PLAIN", None, id="plain-without-a-response"),
        pytest.param("PLAIN", b"service", id="plain-of-one-part"),
        pytest.param("PLAIN", plain("service", "wrong"), id="wrong-key"),
        pytest.param("PLAIN", plain("nobody", "wrong"), id="unknown-policy"),
        pytest.param("PLAIN", plain("service", "SharedAccessSignature sr=x"), id="bad-token"),
        pytest.param("PLAIN", b"\x00\xff\x00\xff", id="not-utf-8"),
        pytest.param("SCRAM-SHA-256", b"", id="not-offered"),
    ],
)
def test_a_failed_authentication_ends_the_connection(mechanism, response):
    peer = Peer()

    assert sasl(peer, mechanism, response) == 1
    assert peer.connection.is_finished


def test_plain_with_a_policy_that_may_not_connect_fails():
    runtime = hub()

    key = runtime.policies["registryRead"].primary_key
    assert sasl(Peer(runtime), "PLAIN", plain("registryRead", key)) == 1


def test_sasl_can_be_skipped():
    """Node's azure-iothub begins with AMQP itself."""
    peer = Peer()

    assert peer.raw(AMQP_HEADER) == AMQP_HEADER
    assert peer.say(Open(container_id="peer")) == [
        Open(
            container_id="iothub-emulator",
            max_frame_size=MAX_FRAME_SIZE,
            channel_max=CHANNEL_MAX,
            idle_time_out=IDLE_TIME_OUT,
        )
    ]


def test_everything_may_come_in_one_go():
    """Clients pipeline: header, open, begin and close in one write."""
    peer = Peer()
    answer = peer.raw(
        AMQP_HEADER
        + frames.encode_frame(0, Open(container_id="peer"))
        + frames.encode_frame(7, Begin(next_outgoing_id=0, incoming_window=1, outgoing_window=1))
        + frames.encode_frame(0, Close())
    )

    assert answer[:8] == AMQP_HEADER
    assert [type(frame.performative) for frame in decoded(answer[8:])] == [Open, Begin, Close]
    assert peer.connection.is_finished


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b"GET / HT", id="http"),
        pytest.param(b"AMQP\x00\x00\x09\x01", id="amqp-0-9-1"),
        pytest.param(b"AMQP\x02\x01\x00\x00", id="tls-inside"),
        pytest.param(b"AMQP\x00\x01\x00\x01", id="revision-1"),
    ],
)
def test_another_protocol_is_answered_with_ours(header):
    """2.2: the header that would have been right, then the end."""
    peer = Peer()

    assert peer.raw(header) == SASL_HEADER
    assert peer.connection.is_finished


def test_sasl_is_not_done_twice():
    peer = Peer()
    sasl(peer, "ANONYMOUS")

    assert peer.raw(SASL_HEADER) == SASL_HEADER
    assert peer.connection.is_finished


def test_sasl_goes_on_with_an_init():
    peer = Peer()
    peer.raw(SASL_HEADER)

    assert peer.raw(frames.encode_frame(0, SaslOutcome(code=0), kind=SASL_FRAME)) == b""
    assert peer.connection.is_finished


def opened():
    peer = Peer()
    peer.raw(AMQP_HEADER)
    peer.say(Open(container_id="peer"))
    return peer


BEGIN = Begin(next_outgoing_id=0, incoming_window=1, outgoing_window=1)


@pytest.mark.parametrize(
    ("performative", "channel", "condition"),
    [
        pytest.param(Open(container_id="peer"), 0, "amqp:not-allowed", id="second-open"),
        pytest.param(BEGIN, CHANNEL_MAX + 1, "amqp:not-allowed", id="channel-above-the-maximum"),
        pytest.param(
            Begin(remote_channel=0, next_outgoing_id=0, incoming_window=1, outgoing_window=1),
            0,
            "amqp:not-allowed",
            id="begin-as-an-answer",
        ),
        pytest.param(End(), 0, "amqp:not-allowed", id="end-without-a-session"),
        pytest.param(
            Attach(name="n", handle=0, role=True), 0, "amqp:not-allowed", id="attach-without-a-session"
        ),
        pytest.param(Detach(handle=0), 3, "amqp:not-allowed", id="detach-without-a-session"),
    ],
)
def test_a_mistake_closes_with_its_condition(performative, channel, condition):
    peer = opened()

    assert errors(peer.say(performative, channel=channel)) == [condition]
    assert not peer.connection.is_finished, "the peer's Close is awaited"


@pytest.mark.parametrize(
    ("performative", "channel", "condition"),
    [
        pytest.param(BEGIN, 0, "amqp:not-allowed", id="begin-before-open"),
        pytest.param(Open(container_id="peer"), 1, "amqp:not-allowed", id="open-on-channel-1"),
        pytest.param(
            Open(container_id="peer", max_frame_size=511), 0, "amqp:invalid-field", id="frames-too-small"
        ),
    ],
)
def test_a_mistake_before_open_is_answered_by_open_and_close(performative, channel, condition):
    """2.4.1: nothing comes before an Open, not even a Close."""
    peer = Peer()
    peer.raw(AMQP_HEADER)
    answers = peer.say(performative, channel=channel)

    assert [type(answer) for answer in answers] == [Open, Close]
    assert errors(answers) == [condition]


def test_after_an_error_only_a_close_counts():
    """2.4.6: what was on its way when the hub closed is discarded."""
    peer = opened()
    peer.say(End())

    assert peer.say(BEGIN) == []
    assert peer.say(Close()) == []
    assert peer.connection.is_finished


def test_garbage_after_an_error_ends_it():
    peer = opened()
    peer.say(End())

    assert peer.raw(b"\x00\x00\x00\x00\x00\x00\x00\x00") == b""
    assert peer.connection.is_finished


def test_a_peer_that_never_closes_is_not_waited_for_long():
    peer = opened()
    peer.say(End())
    assert peer.connection.next_deadline() == NOW + 5

    peer.runtime.clock += 5
    peer.connection.on_time()
    assert peer.connection.is_finished


def test_a_close_is_answered_by_a_close():
    peer = opened()

    assert peer.say(Close(error=Error(condition="amqp:internal-error"))) == [Close()]
    assert peer.connection.is_finished


def test_nothing_is_read_after_the_end():
    peer = opened()
    peer.say(Close())

    assert peer.raw(frames.encode_frame(0, BEGIN)) == b""


@pytest.mark.parametrize("channel", [0, 7, CHANNEL_MAX])
def test_a_session_begins_and_ends(channel):
    peer = opened()
    (begin,) = peer.say(BEGIN, channel=channel)

    assert begin.remote_channel == channel
    assert peer.say(End(), channel=channel) == [End()]
    assert errors(peer.say(End(), channel=channel)) == ["amqp:not-allowed"]


def test_a_channel_is_used_once_at_a_time():
    peer = opened()
    peer.say(BEGIN)

    assert errors(peer.say(BEGIN)) == ["amqp:not-allowed"]


def test_own_channels_stay_within_what_the_peer_takes():
    peer = Peer()
    peer.raw(AMQP_HEADER)
    peer.say(Open(container_id="peer", channel_max=1))

    assert [frame.channel for frame in peer.send(BEGIN, channel=10)] == [0]
    assert [frame.channel for frame in peer.send(BEGIN, channel=20)] == [1]
    assert errors(peer.say(BEGIN, channel=30)) == ["amqp:resource-limit-exceeded"]


def test_a_frame_beyond_the_agreed_size_closes():
    peer = opened()
    answer = decoded(peer.raw((MAX_FRAME_SIZE + 1).to_bytes(4, "big") + b"\x02\x00\x00\x00"))

    assert errors([frame.performative for frame in answer]) == ["amqp:connection:framing-error"]


def test_an_answer_that_the_peer_cannot_take_is_not_sent():
    """A peer that takes 512 bytes and sends a name of more than that gets a reason instead."""
    peer = Peer().open(max_frame_size=512)
    answers = peer.attach_receiver("$cbs", name="n" * 600)

    assert errors(answers) == ["amqp:frame-size-too-small"]


# Time


def test_open_must_come_in_time():
    peer = Peer()
    assert peer.connection.next_deadline() == NOW + 60

    peer.runtime.clock += 60
    peer.connection.on_time()
    assert peer.connection.is_finished


def test_heartbeats_keep_the_peer_patient():
    """2.4.5: an empty frame after half of the time that the peer allows."""
    peer = Peer()
    peer.raw(AMQP_HEADER)
    peer.say(Open(container_id="peer", idle_time_out=10_000))
    assert peer.connection.next_deadline() == NOW + 5

    peer.runtime.clock += 4
    peer.connection.on_time()
    assert peer.pump_raw() == b""

    peer.runtime.clock += 1
    peer.connection.on_time()
    assert peer.pump_raw() == HEARTBEAT
    assert peer.connection.next_deadline() == NOW + 10


def test_no_heartbeat_is_due_while_something_waits_for_a_slow_reader():
    """A deadline that has passed and cannot be met would set the timer again and again."""
    peer = Peer().open(idle_time_out=10_000)
    peer.runtime.clock = NOW + 5
    peer.connection.on_time()

    assert peer.connection.next_deadline() == NOW + 2 * IDLE_TIME_OUT / 1000
    assert peer.pump_raw() == HEARTBEAT
    assert peer.connection.next_deadline() == NOW + 10


def test_what_is_sent_anyway_is_heartbeat_enough():
    peer = Peer()
    peer.raw(AMQP_HEADER)
    peer.say(Open(container_id="peer", idle_time_out=10_000))
    peer.runtime.clock += 4
    peer.begin()

    peer.runtime.clock += 4
    peer.connection.on_time()
    assert peer.pump_raw() == b""
    assert peer.connection.next_deadline() == NOW + 9


@pytest.mark.parametrize("time_out", [None, 0])
def test_a_peer_without_a_time_out_gets_no_heartbeats(time_out):
    peer = Peer()
    peer.raw(AMQP_HEADER)
    peer.say(Open(container_id="peer", idle_time_out=time_out))

    assert peer.connection.next_deadline() == NOW + 2 * IDLE_TIME_OUT / 1000


def test_a_silent_peer_is_closed():
    peer = opened()
    peer.runtime.clock += IDLE_TIME_OUT / 1000
    peer.raw(HEARTBEAT)
    peer.runtime.clock += 2 * IDLE_TIME_OUT / 1000 - 1
    peer.connection.on_time()
    assert peer.pump() == []

    peer.runtime.clock += 1
    peer.connection.on_time()
    assert errors([frame.performative for frame in peer.pump()]) == ["amqp:resource-limit-exceeded"]


# Any bytes


def conditions_of(data):
    """Return the conditions of all Closes in what the hub sends, after its header."""
    return errors([frame.performative for frame in decoded(data)])


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_after_open_end_in_a_close_at_most(data, in_a_session):
    peer = opened()
    if in_a_session:
        peer.begin()

    assert len(conditions_of(peer.raw(data))) <= 1


@given(st.binary(max_size=60))
def test_any_bytes_at_first_raise_nothing(data):
    Peer().raw(data)
    peer = Peer()
    peer.raw(SASL_HEADER)
    peer.raw(data)
    peer = Peer()
    peer.raw(AMQP_HEADER)
    peer.raw(data)


PERFORMATIVES = st.one_of(
    st.builds(
        Attach,
        name=st.sampled_from(["a", "b"]),
        handle=st.integers(0, 3),
        role=st.booleans(),
        source=st.sampled_from([None, amqp_peer.Source(address="$cbs"), amqp_peer.Source()]),
        target=st.sampled_from([None, amqp_peer.Target(address="$cbs"), amqp_peer.Target()]),
    ),
    st.builds(
        amqp_peer.Flow,
        next_incoming_id=st.none() | st.integers(0, 2**32 - 1),
        incoming_window=st.integers(0, 2**32 - 1),
        next_outgoing_id=st.integers(0, 2**32 - 1),
        outgoing_window=st.integers(0, 2**32 - 1),
        handle=st.none() | st.integers(0, 3),
        delivery_count=st.none() | st.integers(0, 2**32 - 1),
        link_credit=st.none() | st.integers(0, 2**32 - 1),
        drain=st.booleans(),
        echo=st.booleans(),
    ),
    st.builds(
        amqp_peer.Transfer,
        handle=st.integers(0, 3),
        delivery_id=st.none() | st.integers(0, 3),
        delivery_tag=st.none() | st.just(b"t"),
        settled=st.booleans(),
        more=st.booleans(),
        aborted=st.booleans(),
    ),
    st.builds(Detach, handle=st.integers(0, 3), closed=st.booleans()),
    st.just(End()),
    st.just(BEGIN),
)


@given(st.lists(st.tuples(PERFORMATIVES, st.binary(max_size=30)), max_size=20))
def test_any_conversation_ends_in_a_close_at_most(conversation):
    """Legal frames in any order: the hub answers or closes, and raises nothing."""
    peer = opened()
    peer.begin()
    closes = []
    for performative, message in conversation:
        payload = message if isinstance(performative, amqp_peer.Transfer) else b""
        closes += conditions_of(peer.raw(frames.encode_frame(0, performative, payload)))

    assert len(closes) <= 1
