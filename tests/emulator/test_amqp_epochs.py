"""Epochs over AMQP: a link on one connection ends a link on another."""

import pytest
from amqp_peer import STREAM, Peer, bodies, fill, hub, performatives, refusal

from iothub_emulator.amqp import frames
from iothub_emulator.amqp.performatives import Attach, Close, Detach, End, Flow, Source, Target
from iothub_emulator.amqp.values import Long, Symbol

EPOCH = Symbol("com.microsoft:epoch")


def peers(count=2, **settings):
    """Return peers on connections of their own to one hub, each with a token."""
    runtime = hub(**settings)
    found = [Peer(runtime).open() for _ in range(count)]
    for peer in found:
        peer.put_token()
    return found


def attach(peer, epoch=None, **fields):
    properties = None if epoch is None else {EPOCH: epoch}
    return peer.attach_receiver(STREAM, properties=properties, **fields)


def test_a_higher_epoch_steals_the_link_of_another_connection():
    older, newer = peers()
    attach(older, Long(1), credit=10)
    older.wakes = 0

    assert len(attach(newer, Long(2))) == 1
    assert older.wakes == 1
    (detach,) = performatives(older.pump())
    assert (detach.handle, detach.closed, detach.error.condition) == (2, True, "amqp:link:stolen")
    assert "New receiver with higher epoch of '2'" in detach.error.description


def test_a_stolen_link_gets_no_event_any_more():
    older, newer = peers()
    attach(older, Long(1), credit=10)
    attach(newer, Long(2), credit=10)
    fill(newer.runtime, [b"x"])

    assert bodies(older.pump()) == []
    assert bodies(newer.pump()) == [b"x"]


def test_the_connection_of_a_stolen_link_goes_on():
    older, newer = peers()
    attach(older, Long(1), handle=5)
    attach(newer, Long(2))
    older.pump()

    assert older.flow(5, 10) == []
    assert older.say(Detach(handle=5, closed=True)) == []
    assert len(attach(older, Long(3), handle=5)) == 1
    assert performatives(newer.pump())[0].error.condition == "amqp:link:stolen"


def test_a_link_may_be_stolen_on_its_own_connection():
    (peer,) = peers(1)
    attach(peer, Long(1), name="a", handle=5)
    answers = attach(peer, Long(2), name="b", handle=6)

    assert [type(answer) for answer in answers] == [Attach, Detach]
    assert answers[1].error.condition == "amqp:link:stolen"


def test_a_link_stolen_in_the_middle_of_a_message_ends_there():
    """The rest of the message stays unsent; a Detach ends what the link had under way."""
    runtime = hub()
    fill(runtime, [bytes(60_000)])
    older, newer = Peer(runtime).open(max_frame_size=512), Peer(runtime).open()
    for peer in (older, newer):
        peer.put_token()
    attach(older, Long(1))
    older.connection.receive(
        frames.encode_frame(
            0,
            Flow(
                next_incoming_id=1,
                incoming_window=5,
                next_outgoing_id=1,
                outgoing_window=1,
                handle=0,
                delivery_count=0,
                link_credit=1,
            ),
        )
    )
    older.connection.pump()
    older.connection.bytes_to_send()
    attach(newer, Long(2))

    assert [type(item) for item in performatives(older.pump())] == [Detach]


@pytest.mark.parametrize(("present", "wanted"), [(Long(2), Long(1)), (Long(0), None)])
def test_who_is_outranked_is_refused(present, wanted):
    older, newer = peers()
    attach(older, present)

    assert refusal(attach(newer, wanted)) == "amqp:link:stolen"
    assert older.pump() == []


@pytest.mark.parametrize("epoch", [True, "1", 1.5, b"1"], ids=["boolean", "string", "double", "binary"])
def test_an_epoch_is_a_number(epoch):
    assert refusal(attach(peers(1)[0], epoch)) == "amqp:invalid-field"


def test_a_negative_epoch_is_refused():
    assert refusal(attach(peers(1)[0], Long(-1))) == "amqp:invalid-field"


def test_the_sixth_reader_without_an_epoch_is_refused():
    """On a connection of its own or not, and whatever the case of the group's name."""
    many = peers(6)
    for peer in many[:5]:
        assert len(attach(peer)) == 1
    address = STREAM.replace("$Default", "$default")

    assert refusal(many[5].attach_receiver(address)) == "amqp:resource-limit-exceeded"


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda peer: peer.say(Detach(handle=5, closed=True)), id="detach"),
        pytest.param(lambda peer: peer.say(End()), id="end"),
        pytest.param(lambda peer: peer.say(Close()), id="close"),
        pytest.param(lambda peer: peer.connection.receive_eof(), id="lost"),
    ],
)
def test_a_reader_that_left_gives_its_place(end):
    first, second = peers(2, readers_per_partition=1)
    attach(first, handle=5)
    end(first)

    assert len(attach(second)) == 1


def test_a_refused_reader_takes_no_place():
    (peer,) = peers(1, readers_per_partition=1)
    attach(peer, Long(-1), handle=5)
    bad = {Symbol("apache.org:selector-filter:string"): "nonsense"}
    peer.attach_receiver(STREAM, name="bad", handle=6, filters=bad)

    assert len(attach(peer, handle=7)) == 1


def test_an_attach_that_cannot_be_answered_takes_no_place():
    """The answer, which repeats the name, is too large for the peer: the connection ends, and all of it."""
    runtime = hub(readers_per_partition=1)
    small = Peer(runtime).open(max_frame_size=512)
    small.put_token()
    attach_ = Attach(
        name="n" * 600, handle=9, role=True, source=Source(address=STREAM), target=Target(address="t")
    )
    small.raw(frames.encode_frame(0, attach_))
    other = Peer(runtime).open()
    other.put_token()

    assert len(attach(other)) == 1
    assert len(runtime.endpoints.built_in._wakes[0]) == 1
