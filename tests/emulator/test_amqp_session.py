"""Sessions: windows both ways, handles, and the flows that tell of them."""

import pytest
from amqp_peer import STREAM, Peer, Source, bodies, errors, fill, hub

from iothub_emulator.amqp.performatives import Attach, Begin, Detach, Disposition, End, Flow, Open, Transfer
from iothub_emulator.amqp.session import HANDLE_MAX, INCOMING_WINDOW


def reading(bodies_in_log, *, window, credit=100, max_frame_size=65536):
    """Return a peer that reads partition 0 through a session with that incoming window, and what came."""
    runtime = hub()
    fill(runtime, bodies_in_log)
    peer = Peer(runtime)
    peer.open(max_frame_size=max_frame_size)
    peer.begin(window=window, channel=1)
    peer.put_token()
    peer.send(
        Attach(name="r", handle=0, role=True, source=Source(address=STREAM), target=None),
        channel=1,
    )
    return peer, send_flow(peer, seen=0, window=window, credit=credit)


def send_flow(peer, *, seen, window, credit=100, delivered=0, handle=0, **fields):
    flow = Flow(
        next_incoming_id=seen,
        incoming_window=window,
        next_outgoing_id=0,
        outgoing_window=0,
        handle=handle,
        delivery_count=delivered,
        link_credit=credit,
        **fields,
    )
    return peer.send(flow, channel=1)


def test_no_more_frames_than_the_window_holds():
    """2.5.6: credit alone sends nothing."""
    peer, answers = reading([b"1", b"2", b"3", b"4"], window=2)
    assert bodies(answers) == [b"1", b"2"]
    assert peer.pump() == []

    assert bodies(send_flow(peer, seen=2, window=1, delivered=2)) == [b"3"]


def test_a_window_counts_from_what_the_peer_has_seen():
    """A flow that crossed two transfers does not open the window for them again."""
    peer, answers = reading([b"1", b"2", b"3", b"4"], window=2)
    assert bodies(answers) == [b"1", b"2"]

    assert bodies(send_flow(peer, seen=0, window=3)) == [b"3"]


@pytest.mark.parametrize("most", [2**31 - 1, 2**31, 2**32 - 1])
def test_credit_and_window_may_be_as_large_as_their_fields(most):
    """Both are counts of 32 bits without sign; only the numbers that they count from wrap around."""
    peer, answers = reading([b"1"], window=most, credit=most)
    assert bodies(answers) == [b"1"]

    fill(peer.runtime, [b"2"])
    assert bodies(send_flow(peer, seen=1, window=most, credit=most, delivered=1)) == [b"2"]


def test_a_closed_window_stops_in_the_middle_of_a_message():
    """Each frame counts, not each message; the rest follows when the window opens."""
    peer, answers = reading([b"x" * 1200, b"y"], window=2, max_frame_size=512)
    frames = list(answers)
    assert [frame.performative.more for frame in frames] == [True, True]

    frames += send_flow(peer, seen=2, window=100, delivered=1)
    assert bodies(frames) == [b"x" * 1200, b"y"]
    assert [frame.performative.delivery_id for frame in frames] == [0, None, None, None, 1]


def test_a_flow_without_next_incoming_id_is_from_before_the_begin():
    peer, _ = reading([b"1", b"2"], window=0)

    assert bodies(send_flow(peer, seen=None, window=1)) == [b"1"]


def test_a_session_flow_is_echoed():
    peer = Peer().open()
    (flow,) = peer.flow(echo=True)

    assert flow == Flow(
        next_incoming_id=0,
        incoming_window=INCOMING_WINDOW,
        next_outgoing_id=0,
        outgoing_window=flow.outgoing_window,
    )


def test_a_session_flow_without_echo_is_not():
    assert Peer().open().flow() == []


def test_incoming_transfers_are_counted_and_the_window_opened_again():
    peer = Peer().open()
    peer.attach_sender("$cbs")
    peer.transfer(b"", delivery_id=0, more=True)
    flows = []
    for _ in range(INCOMING_WINDOW // 2):
        flows += [frame.performative for frame in peer.transfer(b"", delivery_id=None, more=True)]

    assert len(flows) == 1
    assert (flows[0].next_incoming_id, flows[0].incoming_window) == (
        INCOMING_WINDOW // 2 + 1,
        INCOMING_WINDOW,
    )


def test_a_handle_is_attached_once():
    peer = Peer().open()
    peer.attach_sender("$cbs", handle=5)

    assert errors(peer.attach_sender("$cbs", name="other", handle=5)) == ["amqp:session:handle-in-use"]


def test_a_handle_above_the_maximum_closes():
    assert errors(Peer().open().attach_sender("$cbs", handle=HANDLE_MAX + 1)) == ["amqp:not-allowed"]


def test_own_handles_stay_within_what_the_peer_takes():
    peer = Peer()
    peer.open()
    peer.begin(channel=1, handle_max=0)
    attach = Attach(name="a", handle=9, role=True, source=Source(address="$cbs"), target=None)
    assert [frame.performative.handle for frame in peer.send(attach, channel=1)] == [0]

    other = Attach(name="b", handle=8, role=True, source=Source(address="$cbs"), target=None)
    assert errors(peer.say(other, channel=1)) == ["amqp:resource-limit-exceeded"]


@pytest.mark.parametrize(
    "performative",
    [
        Flow(incoming_window=1, next_outgoing_id=0, outgoing_window=1, handle=3, link_credit=1),
        Transfer(handle=3, delivery_id=0, delivery_tag=b""),
        Detach(handle=3),
    ],
    ids=["flow", "transfer", "detach"],
)
def test_a_handle_that_is_not_attached_closes(performative):
    assert errors(Peer().open().say(performative)) == ["amqp:session:unattached-handle"]


def test_a_handle_is_free_again_after_a_detach():
    peer = Peer().open()
    peer.attach_sender("$cbs", handle=5)

    assert peer.say(Detach(handle=5, closed=True)) == [Detach(handle=0, closed=True)]
    attach, flow = peer.attach_sender("$cbs", handle=5)
    assert (attach.handle, flow.link_credit) == (0, 100)


def test_a_disposition_about_nothing_is_ignored():
    """First to last may be any two numbers; nothing is counted through."""
    disposition = Disposition(role=True, first=0, last=2**31 - 2, settled=True)

    assert Peer().open().say(disposition) == []
    assert Peer().open().say(Disposition(role=False, first=0, settled=True)) == []


def test_ending_a_session_frees_its_readers():
    """A partition wakes only who still reads it."""
    peer, _ = reading([], window=10)
    assert len(peer.runtime.endpoints.built_in._wakes[0]) == 1

    assert peer.say(End(), channel=1) == [End()]
    assert len(peer.runtime.endpoints.built_in._wakes[0]) == 0


def test_sessions_have_windows_of_their_own():
    peer = Peer()
    peer.raw(b"AMQP\x00\x01\x00\x00")
    peer.say(Open(container_id="peer"))
    first, second = (
        peer.say(Begin(next_outgoing_id=9, incoming_window=1, outgoing_window=1), channel=channel)[0]
        for channel in (4, 2)
    )

    assert (first.remote_channel, second.remote_channel) == (4, 2)
