"""Receiving feedback over AMQP: batches, dispositions, and what happens to a batch that nobody settles."""

import json

import pytest
from amqp_peer import NOW, Peer, hub, performatives, refusal, token

from iothub_emulator.amqp.messages import Header, decode_message
from iothub_emulator.amqp.performatives import (
    Accepted,
    Attach,
    Close,
    Detach,
    Disposition,
    End,
    Flow,
    Modified,
    Received,
    Rejected,
    Released,
    Transfer,
)
from iothub_emulator.amqp.values import Described, Symbol, Timestamp, Ulong
from iothub_emulator.hub.links import LinkRules
from iothub_emulator.hub.mailbox import FeedbackRecord

ADDRESS = "/messages/servicebound/feedback"


def tell(runtime, *identifiers):
    """Let these messages come to their end, each in a batch of its own."""
    for identifier in identifiers:
        record = FeedbackRecord(identifier, "Success", "Success", "device-1", "7", runtime.now())
        runtime.feedback.add(record, runtime.now())


def receivers(count=1, *, address=ADDRESS, credit=10, **attach):
    """Return peers on connections of their own, each receiving; batches hold one record."""
    runtime = hub(feedback_batch_size=1)
    found = [Peer(runtime).open() for _ in range(count)]
    for peer in found:
        peer.put_token(audience="localhost")
        peer.attached = peer.attach_receiver(address, handle=7, credit=credit, **attach)
    return found


def received(frames):
    """Return the ids in the batches among frames, and their transfers."""
    transfers = [frame for frame in frames if isinstance(frame.performative, Transfer)]
    identifiers = [
        record["originalMessageId"]
        for frame in transfers
        for record in json.loads(decode_message(frame.payload).data)
    ]
    return identifiers, [frame.performative for frame in transfers]


def take(peer):
    """Return the id in the one batch that comes, and the id of its delivery."""
    ((identifier,), (transfer,)) = received(peer.pump())
    return identifier, transfer.delivery_id


def settle(peer, first, outcome=None, *, last=None, settled=True):
    state = None if outcome is None else outcome.described()
    return peer.send(Disposition(role=True, first=first, last=last, settled=settled, state=state))


def waits(runtime):
    """Tell whether any batch is left, locked or not."""
    return runtime.feedback.next_deadline() is not None


# Attaching


@pytest.mark.parametrize(
    "address",
    [
        "/messages/servicebound/feedback",
        "/messages/serviceBound/feedback",
        "messages/ServiceBound/Feedback/",
        "amqps://localhost/messages/serviceBound/feedback",
    ],
)
def test_the_address_comes_in_many_forms(address):
    (peer,) = receivers(address=address)

    assert peer.attached[0].source.address == address


def test_feedback_needs_an_authorisation():
    assert refusal(Peer().open().attach_receiver(ADDRESS)) == "amqp:unauthorized-access"


@pytest.mark.parametrize(
    "address", ["/messages/servicebound", ADDRESS + "/x", "/messages/servicebound/files"]
)
def test_nothing_else_is_received(address):
    peer = Peer().open()
    peer.put_token(audience="localhost")

    assert refusal(peer.attach_receiver(address, handle=7)) == "amqp:not-found"


@pytest.mark.parametrize(
    ("asked", "answered"), [(0, 0), (1, 1), (2, 0)], ids=["unsettled", "settled", "mixed"]
)
def test_batches_come_unsettled_unless_asked_otherwise(asked, answered):
    """rhea asks for mixed, and loses nothing by it."""
    (peer,) = receivers(snd_settle_mode=asked)
    tell(peer.runtime, "m")
    _, (transfer,) = received(peer.pump())

    assert peer.attached[0].snd_settle_mode == answered
    assert transfer.settled is (answered == 1)


def test_who_asks_for_settled_has_settled():
    (peer,) = receivers(snd_settle_mode=1)
    tell(peer.runtime, "m")
    peer.pump()

    assert not waits(peer.runtime)


# Messages


def test_a_batch_as_it_is_received():
    (peer,) = receivers()
    tell(peer.runtime, "m-1")
    (frame,) = peer.pump()
    message = decode_message(frame.payload)

    assert message.header == Header(delivery_count=0)
    assert message.message_annotations == {Symbol("iothub-enqueuedtime"): NOW * 1000}
    assert type(message.message_annotations["iothub-enqueuedtime"]) is Timestamp
    assert message.properties.content_type == "application/vnd.microsoft.iothub.feedback.json"
    assert message.properties.user_id == b"localhost"
    assert json.loads(message.data) == [
        {
            "originalMessageId": "m-1",
            "description": "Success",
            "deviceGenerationId": "7",
            "deviceId": "device-1",
            "enqueuedTimeUtc": "2027-01-15T08:00:00.000000Z",
            "statusCode": "Success",
        }
    ]
    assert len(frame.performative.delivery_tag) == 16


@pytest.mark.parametrize(
    ("host", "name"), [("myhub.azure-devices.net", b"myhub"), ("localhost:8443", b"localhost")]
)
def test_the_user_id_is_the_name_of_the_hub(host, name):
    assert LinkRules(hub(host_names=(host,)).settings).feedback_user_id() == name


def test_a_receiver_is_woken_when_there_is_feedback():
    (peer,) = receivers()
    peer.wakes = 0
    tell(peer.runtime, "m")

    assert peer.wakes > 0
    assert take(peer)[0] == "m"


def test_batches_wait_for_credit():
    (peer,) = receivers(credit=None)
    tell(peer.runtime, "1", "2", "3")
    assert peer.pump() == []

    flow = Flow(
        next_incoming_id=1,
        incoming_window=100,
        next_outgoing_id=1,
        outgoing_window=1,
        handle=7,
        delivery_count=0,
        link_credit=2,
    )
    assert received(peer.send(flow))[0] == ["1", "2"]


def test_drain_says_that_there_is_no_more():
    (peer,) = receivers(credit=None)
    tell(peer.runtime, "1")
    flow = Flow(
        next_incoming_id=1,
        incoming_window=100,
        next_outgoing_id=1,
        outgoing_window=1,
        handle=7,
        delivery_count=0,
        link_credit=9,
        drain=True,
    )
    sent = peer.send(flow)

    assert received(sent)[0] == ["1"]
    assert (sent[-1].performative.delivery_count, sent[-1].performative.link_credit) == (9, 0)
    tell(peer.runtime, "2")
    assert peer.pump() == []


# Dispositions


@pytest.mark.parametrize("outcome", [Accepted(), Rejected()], ids=["accepted", "rejected"])
@pytest.mark.parametrize("settled", [True, False], ids=["first", "second"])
def test_an_accepted_or_rejected_batch_is_done_with(outcome, settled):
    (peer,) = receivers()
    tell(peer.runtime, "m")
    _, delivery = take(peer)
    answer = performatives(settle(peer, delivery, outcome, settled=settled))

    assert not waits(peer.runtime)
    state = outcome.described()
    confirmation = Disposition(role=False, first=delivery, last=delivery, settled=True, state=state)
    assert answer == ([] if settled else [confirmation])


@pytest.mark.parametrize(
    "outcome",
    [Released(), Modified(delivery_failed=True), None],
    ids=["released", "modified", "settled-without-a-word"],
)
def test_any_other_batch_comes_again(outcome):
    (peer,) = receivers()
    tell(peer.runtime, "m")
    _, delivery = take(peer)
    (frame,) = settle(peer, delivery, outcome)

    assert received([frame])[0] == ["m"]
    assert frame.performative.delivery_id != delivery
    assert decode_message(frame.payload).header.delivery_count == 1


def test_a_state_on_the_way_settles_nothing():
    (peer,) = receivers()
    tell(peer.runtime, "m")
    _, delivery = take(peer)

    assert settle(peer, delivery, Received(section_number=0, section_offset=9), settled=False) == []
    assert settle(peer, delivery, None, settled=False) == []
    settle(peer, delivery, Accepted())
    assert not waits(peer.runtime)


def test_an_unknown_state_closes():
    (peer,) = receivers()
    tell(peer.runtime, "m")
    _, delivery = take(peer)
    state = Described(Ulong(0x34), [b"transaction"])
    (close,) = peer.say(Disposition(role=True, first=delivery, state=state))

    assert isinstance(close, Close)
    assert close.error.condition == "amqp:not-implemented"


def test_several_batches_are_settled_at_once():
    (peer,) = receivers()
    tell(peer.runtime, "1", "2", "3")
    identifiers, transfers = received(peer.pump())
    assert identifiers == ["1", "2", "3"]

    settle(peer, transfers[0].delivery_id, Accepted(), last=transfers[1].delivery_id)
    assert waits(peer.runtime)
    settle(peer, transfers[2].delivery_id, Accepted())
    assert not waits(peer.runtime)


def test_after_ten_times_a_batch_is_dropped():
    (peer,) = receivers()
    tell(peer.runtime, "m")
    _, delivery = take(peer)
    seen = 1
    while sent := settle(peer, delivery, Released()):
        delivery = sent[0].performative.delivery_id
        seen += 1

    assert seen == 10
    assert not waits(peer.runtime)


# Locks


def test_a_word_that_comes_too_late_does_not_count():
    """The lock of a minute is over: the batch goes out again, and who settles second is told."""
    (peer,) = receivers()
    tell(peer.runtime, "m")
    _, delivery = take(peer)
    peer.runtime.clock += 60
    peer.runtime.feedback.advance(peer.runtime.now())
    confirmed, lost, again = performatives(settle(peer, delivery, Accepted(), settled=False))

    assert confirmed.settled
    assert Rejected.from_value(lost.state).error.condition == "com.microsoft:message-lock-lost"
    settle(peer, again.delivery_id, Accepted())
    assert not waits(peer.runtime)


def test_a_batch_goes_to_one_receiver_at_a_time():
    first, second = receivers(2)
    tell(first.runtime, "m")

    assert take(first)[0] == "m"
    assert second.pump() == []


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda peer: peer.say(Detach(handle=7, closed=True)), id="detach"),
        pytest.param(lambda peer: peer.say(End()), id="end"),
        pytest.param(lambda peer: peer.say(Close()), id="close"),
        pytest.param(lambda peer: peer.connection.receive_eof(), id="lost"),
    ],
)
def test_what_a_receiver_leaves_behind_goes_to_another(end):
    first, second = receivers(2)
    tell(first.runtime, "done", "left")
    _, (done, _) = received(first.pump())
    settle(first, done.delivery_id, Accepted())
    second.wakes = 0
    end(first)

    assert second.wakes > 0
    assert take(second)[0] == "left"
    assert second.pump() == []


def test_a_receiver_whose_token_ends_leaves_its_batch_to_others():
    peer, other = receivers(2)
    peer.put_token(token(peer.runtime, "localhost", expires_in=20), "localhost")
    tell(peer.runtime, "m")
    take(peer)
    peer.runtime.clock += 20
    peer.connection.on_time()

    assert performatives(peer.pump())[0].error.condition == "amqp:unauthorized-access"
    assert take(other)[0] == "m"


def test_a_link_that_is_gone_is_woken_no_more():
    (peer,) = receivers()
    peer.say(Detach(handle=7, closed=True))
    peer.wakes = 0
    tell(peer.runtime, "m")

    assert peer.wakes == 0
    assert len(peer.attach_receiver(ADDRESS, name="again", handle=8)) == 1
    assert isinstance(peer.attached[0], Attach)


# Each decision can be replaced


@pytest.mark.parametrize(
    ("outcome", "method", "left"),
    [(Accepted(), lambda *_: False, True), (Released(), lambda *_: True, False)],
    ids=["nothing-settles", "everything-settles"],
)
def test_what_settles_is_a_rule(outcome, method, left):
    (peer,) = receivers()
    rules = type("Faulty", (LinkRules,), {"feedback_settles": method})
    peer.runtime.rules.links = rules(peer.runtime.settings)
    tell(peer.runtime, "m")
    _, delivery = take(peer)
    settle(peer, delivery, outcome)

    assert waits(peer.runtime) is left
