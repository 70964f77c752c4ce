"""Links on which the hub sends: who may attach, credit and delivery counts, settlement, expiry."""

import pytest
from amqp_peer import STREAM, Peer, bodies, decoded, errors, fill, flow_of, hub, performatives, refusal, token

from iothub_emulator.amqp import frames
from iothub_emulator.amqp.event_receivers import EventReceiver
from iothub_emulator.amqp.link import MAX_UNSETTLED
from iothub_emulator.amqp.performatives import (
    Accepted,
    Attach,
    Coordinator,
    Detach,
    Disposition,
    Source,
    Target,
)
from iothub_emulator.amqp.values import Symbol


def authorised(*bodies_in_log, **settings):
    """Return a peer that may read, and has a log to read from."""
    runtime = hub(**settings)
    fill(runtime, bodies_in_log)
    peer = Peer(runtime).open()
    peer.put_token()
    return peer


# Attaching


def test_an_attach_is_answered_by_its_mirror_image():
    peer = authorised()
    (answer,) = peer.attach_receiver(STREAM, name="r", handle=4)

    assert (answer.name, answer.role, answer.initial_delivery_count) == ("r", False, 0)
    assert answer.source.address == STREAM
    assert answer.target.address == "r"


def test_an_attach_without_an_authorisation_is_refused():
    assert refusal(Peer().open().attach_receiver(STREAM)) == "amqp:unauthorized-access"


def test_an_authorisation_for_another_group_does_not_help():
    peer = Peer().open()
    peer.put_token(audience="sb://localhost/iothub-emulator/consumergroups/other")

    assert refusal(peer.attach_receiver(STREAM)) == "amqp:unauthorized-access"


@pytest.mark.parametrize(
    "audience",
    [
        "sb://localhost/iothub-emulator/consumergroups/$Default",
        "amqps://LOCALHOST:5671/IOTHUB-EMULATOR/ConsumerGroups/$DEFAULT/",
        "sb://emulator.azure-devices.net/iothub-emulator",
        "https://localhost",
        "localhost",
    ],
)
def test_an_authorisation_covers_what_is_below_its_audience(audience):
    """azure-eventhub names the consumer group, azure-iot-hub the host, Node the host without a scheme."""
    peer = Peer().open()
    assert peer.status_of_put_token(audience=audience) == 200

    assert len(peer.attach_receiver(STREAM)) == 1


@pytest.mark.parametrize(
    "address",
    [
        "iothub-emulator/ConsumerGroups/$Default/Partitions/1",
        "/iothub-emulator/consumergroups/$default/partitions/1",
        "amqps://localhost:5671/IoTHub-Emulator/ConsumerGroups/$DEFAULT/Partitions/1",
        "sb://127.0.0.1/iothub-emulator/ConsumerGroups/$Default/Partitions/1/",
    ],
)
def test_addresses_come_in_many_forms(address):
    assert len(authorised().attach_receiver(address)) == 1


@pytest.mark.parametrize(
    ("address", "condition"),
    [
        pytest.param("iothub-emulator/ConsumerGroups/$Default", "amqp:not-found", id="no-partition"),
        pytest.param("iothub-emulator/ConsumerGroups/$Default/x/0", "amqp:not-found", id="no-such-entity"),
        pytest.param(STREAM[:-1] + "2", "com.microsoft:argument-out-of-range", id="partition-2-of-2"),
        pytest.param(STREAM[:-1] + "00", "com.microsoft:argument-out-of-range", id="partition-00"),
        pytest.param(STREAM[:-1] + "x", "com.microsoft:argument-out-of-range", id="partition-x"),
        pytest.param(STREAM[:-1] + "9" * 99, "com.microsoft:argument-out-of-range", id="huge-partition"),
        pytest.param(
            "other-hub/ConsumerGroups/$Default/Partitions/0", "amqp:unauthorized-access", id="other"
        ),
        pytest.param("", "amqp:invalid-field", id="empty"),
        pytest.param(None, "amqp:invalid-field", id="no-address"),
    ],
)
def test_an_unknown_address_is_refused_with_its_reason(address, condition):
    assert refusal(authorised().attach_receiver(address)) == condition


@pytest.mark.parametrize("address", ["nowhere", STREAM])
def test_there_is_no_sending_to_what_only_sends(address):
    peer = Peer().open()
    peer.put_token(audience="localhost")
    attach, detach = peer.attach_sender(address)

    assert (attach.role, attach.source, attach.target) == (True, None, None)
    assert detach.error.condition == "amqp:not-found"


def test_dynamic_nodes_are_refused():
    peer = Peer().open()
    receiver = Attach(name="r", handle=0, role=True, source=Source(dynamic=True))
    sender = Attach(name="s", handle=1, role=False, target=Target(dynamic=True), initial_delivery_count=0)

    assert refusal(peer.say(receiver)) == "amqp:not-implemented"
    assert refusal(peer.say(sender)) == "amqp:not-implemented"


@pytest.mark.parametrize(
    "coordinator", [Coordinator(), Coordinator(capabilities=("amqp:local-transactions",))]
)
def test_transactions_are_refused(coordinator):
    peer = Peer().open()
    sender = Attach(name="s", handle=1, role=False, target=coordinator, initial_delivery_count=0)

    assert refusal(peer.say(sender)) == "amqp:not-implemented"


def test_what_comes_on_a_refused_link_is_ignored_until_its_detach():
    """The peer may have sent a flow before it read the refusal."""
    peer = Peer().open()
    peer.attach_receiver(STREAM, handle=3)

    assert peer.flow(3, 10) == []
    assert peer.say(Detach(handle=3, closed=True)) == []
    assert errors(peer.flow(3, 10)) == ["amqp:session:unattached-handle"]


def test_filters_that_are_not_applied_are_not_confirmed():
    """3.5.3: the answer names the filters that are in place."""
    (attach,) = authorised().attach_receiver(STREAM, filters={Symbol("com.example:unknown"): "x"})

    assert attach.source.filter is None


# Credit, from the hub's side


def test_credit_lets_as_many_messages_through():
    peer = authorised(b"1", b"2", b"3")
    peer.attach_receiver(STREAM)

    assert bodies(peer.pump()) == []
    assert bodies(peer.send(flow_of(credit=2))) == [b"1", b"2"]
    assert bodies(peer.send(flow_of(credit=2, delivered=2))) == [b"3"]


def test_credit_counts_from_what_the_peer_has_seen():
    """A flow that crossed two messages on the wire grants one more, not three."""
    peer = authorised(b"1", b"2", b"3", b"4")
    peer.attach_receiver(STREAM)
    peer.send(flow_of(credit=2))

    assert bodies(peer.send(flow_of(credit=3, delivered=0))) == [b"3"]


def test_credit_can_be_taken_back():
    peer = authorised(b"1", b"2")
    peer.attach_receiver(STREAM)
    peer.send(flow_of(credit=1))

    assert peer.send(flow_of(credit=0, delivered=0)) == []
    assert peer.send(flow_of(credit=0, delivered=1)) == []


def test_a_link_flow_is_echoed_with_the_credit_left():
    peer = authorised(b"1")
    (attach,) = peer.attach_receiver(STREAM)
    peer.send(flow_of(credit=5))
    (flow,) = peer.say(flow_of(credit=4, delivered=1, echo=True))

    assert (flow.handle, flow.delivery_count, flow.link_credit) == (attach.handle, 1, 4)


def test_a_flow_of_a_link_needs_credit():
    peer = authorised()
    peer.attach_receiver(STREAM)

    assert errors(peer.flow(0, None)) == ["amqp:invalid-field"]


def test_drain_uses_the_credit_up():
    """2.6.7: what there is, then the delivery count runs ahead and the credit is 0."""
    peer = authorised(b"1", b"2")
    peer.attach_receiver(STREAM)
    sent = peer.send(flow_of(credit=5, drain=True))

    assert bodies(sent) == [b"1", b"2"]
    flow = sent[-1].performative
    assert (flow.delivery_count, flow.link_credit, flow.drain) == (5, 0, True)
    fill(peer.runtime, [b"3"])
    assert bodies(peer.pump()) == []
    assert bodies(peer.send(flow_of(credit=1, delivered=5))) == [b"3"]


def test_a_message_in_several_frames():
    runtime = hub()
    fill(runtime, [bytes(range(256)) * 10])
    peer = Peer(runtime).open(max_frame_size=512)
    peer.put_token()
    peer.attach_receiver(STREAM)
    sent = peer.send(flow_of(credit=1))

    assert [frame.performative.more for frame in sent] == [True] * (len(sent) - 1) + [False]
    assert len(sent) > 5
    assert bodies(sent) == [bytes(range(256)) * 10]


def test_links_take_turns():
    """A backlog on one link does not hold back the other."""
    peer = authorised(*[b"0"] * 40)
    fill(peer.runtime, [b"1"] * 40, partition=1)
    peer.attach_receiver(STREAM, name="a", handle=0)
    peer.attach_receiver(STREAM[:-1] + "1", name="b", handle=1)
    flows = [frames.encode_frame(0, flow_of(credit=100, handle=handle)) for handle in (0, 1)]
    peer.connection.receive(b"".join(flows))
    peer.connection.pump()
    first_turn = bodies(decoded(peer.connection.bytes_to_send()))

    assert first_turn.count(b"0") == first_turn.count(b"1") > 0
    assert len(bodies(peer.pump())) == 80 - len(first_turn)


# Settlement


@pytest.fixture
def settling(monkeypatch):
    """Make events wait for the peer's settlement, as they would in a queue."""
    monkeypatch.setattr(EventReceiver, "settles_at_once", False)


@pytest.mark.parametrize("asked", [0, 1, 2], ids=["unsettled", "settled", "mixed"])
def test_events_are_sent_settled_whatever_is_asked(asked):
    """azure-eventhub asks for unsettled and settles nothing: 10,000 events later that would be a leak."""
    peer = authorised(b"1")
    (attach,) = peer.attach_receiver(STREAM, snd_settle_mode=asked)
    (transfer,) = peer.say(flow_of(credit=1))

    assert attach.snd_settle_mode == 1
    assert transfer.settled


@pytest.mark.usefixtures("settling")
@pytest.mark.parametrize(
    ("asked", "answered"), [(0, 0), (1, 1), (2, 0)], ids=["unsettled", "settled", "mixed"]
)
def test_settlement_is_as_asked_and_left_to_the_peer_where_free(asked, answered):
    peer = authorised(b"1")
    (attach,) = peer.attach_receiver(STREAM, snd_settle_mode=asked)
    (transfer,) = peer.say(flow_of(credit=1))

    assert attach.snd_settle_mode == answered
    assert transfer.settled is (answered == 1)


@pytest.mark.usefixtures("settling")
def test_unsettled_deliveries_are_bounded():
    """A peer that never settles gets no more after a while, instead of costing memory."""
    peer = authorised(*[b"."] * (MAX_UNSETTLED + 10))
    peer.attach_receiver(STREAM, snd_settle_mode=0)

    assert len(bodies(peer.send(flow_of(credit=10_000)))) == MAX_UNSETTLED
    settle = Disposition(role=True, first=0, last=4, settled=True, state=Accepted().described())
    # Delivery 0 was the reply of $cbs, which was settled.
    assert len(bodies(peer.send(settle))) == 4


@pytest.mark.usefixtures("settling")
def test_a_peer_that_settles_second_is_answered():
    peer = authorised(b"1", b"2")
    peer.attach_receiver(STREAM, snd_settle_mode=0)
    peer.send(flow_of(credit=2))
    state = Accepted().described()

    assert peer.say(Disposition(role=True, first=1, last=2, state=state)) == [
        Disposition(role=False, first=1, last=2, settled=True, state=state)
    ]
    assert peer.say(Disposition(role=True, first=1, last=2, state=state)) == []


@pytest.mark.usefixtures("settling")
def test_detaching_forgets_what_was_unsettled():
    peer = authorised(b"1")
    peer.attach_receiver(STREAM, snd_settle_mode=0)
    peer.send(flow_of(credit=1))
    peer.say(Detach(handle=0, closed=True))

    assert peer.connection.sessions[0].unsettled == {}


# Expiry


def test_links_end_with_the_token_that_opened_them():
    peer = Peer().open()
    peer.put_token(token(peer.runtime, expires_in=100))
    peer.attach_receiver(STREAM, handle=7)
    assert peer.connection.next_deadline() == peer.runtime.now() + 100

    peer.runtime.clock += 99
    peer.connection.on_time()
    assert peer.pump() == []

    peer.runtime.clock += 1
    peer.connection.on_time()
    (detach,) = performatives(peer.pump())
    assert detach.error.condition == "amqp:unauthorized-access"
    assert refusal(peer.attach_receiver(STREAM, name="again", handle=8)) == "amqp:unauthorized-access"
    assert len(peer.runtime.endpoints.built_in._wakes[0]) == 0


def test_a_new_token_keeps_links_open():
    peer = Peer().open()
    peer.put_token(token(peer.runtime, expires_in=100))
    peer.attach_receiver(STREAM, handle=7)
    peer.runtime.clock += 90
    peer.put_token(token(peer.runtime, expires_in=3600))
    peer.runtime.clock += 200
    peer.connection.on_time()

    assert peer.pump() == []


def test_a_token_within_the_skew_opens_links_for_that_long():
    """Accepted because clocks differ, so it holds as long as they may differ: 300 s behind its expiry."""
    peer = Peer().open()
    assert peer.status_of_put_token(token(peer.runtime, expires_in=-100)) == 200
    assert len(peer.attach_receiver(STREAM, handle=7)) == 1

    assert peer.connection.next_deadline() == peer.runtime.now() + 200


# Redirection


@pytest.mark.parametrize(
    ("address", "elsewhere"),
    [
        ("/messages/events", "iothub-emulator"),
        (
            "amqps://localhost/messages/events/ConsumerGroups/$Default/Partitions/0",
            "iothub-emulator/ConsumerGroups/$Default/Partitions/0",
        ),
        ("Messages/Events/$management", "iothub-emulator/$management"),
        ("messages/events/", "iothub-emulator/"),
        ("amqps://localhost/messages/events/", "iothub-emulator/"),
    ],
)
def test_a_reader_of_events_is_led_to_the_event_hub(address, elsewhere):
    """As Microsoft's page on AMQP has it; the SDKs' samples take name and address from the error."""
    peer = Peer().open(hostname="emulator.azure-devices.net:5671")
    peer.put_token(audience="localhost")
    answers = peer.attach_receiver(address, handle=7)

    assert refusal(answers) == "amqp:link:redirect"
    assert answers[1].error.info == {
        "hostname": "emulator.azure-devices.net",
        "network-host": "emulator.azure-devices.net",
        "port": 5671,
        "address": f"amqps://emulator.azure-devices.net:5671/{elsewhere}",
    }


def test_a_sender_of_requests_is_led_there_too():
    """azure-event-hubs 0.2.11 attaches its sender to `$management` before its receiver."""
    peer = Peer().open(hostname="emulator.azure-devices.net:5671")
    peer.put_token(audience="localhost")
    answers = peer.attach_sender("/messages/events/$management", handle=7)

    assert refusal(answers) == "amqp:link:redirect"
    assert answers[1].error.info[Symbol("address")] == (
        "amqps://emulator.azure-devices.net:5671/iothub-emulator/$management"
    )


REFUSED = Attach(name="r", handle=7, role=True, source=Source(address="/messages/events"), target=Target())


def test_the_reason_of_a_refusal_leaves_in_the_turn_behind_its_answer():
    """Whoever begins to listen for the reason once the attach is answered hears it."""
    peer = Peer().open()
    peer.put_token(audience="localhost")
    connection = peer.connection

    connection.receive(frames.encode_frame(0, REFUSED))
    (answer,) = performatives(decoded(connection.bytes_to_send()))
    goes_on = connection.pump()
    sent_in_this_turn = connection.bytes_to_send()
    connection.pump()
    (reason,) = performatives(decoded(connection.bytes_to_send()))

    assert (answer.name, answer.source, answer.target) == ("r", None, None)
    assert (goes_on, sent_in_this_turn) == (True, b"")
    assert (reason.handle, reason.closed, reason.error.condition) == (
        answer.handle,
        True,
        "amqp:link:redirect",
    )


def test_whoever_detaches_before_the_reason_came_is_told_it_too():
    peer = Peer().open()
    peer.put_token(audience="localhost")
    connection = peer.connection

    connection.receive(frames.encode_frame(0, REFUSED) + frames.encode_frame(0, Detach(handle=7)))
    _, reason = performatives(decoded(connection.bytes_to_send()))

    assert (reason.closed, reason.error.condition) == (True, "amqp:link:redirect")
    assert peer.pump() == []


def test_nobody_is_led_anywhere_without_an_authorisation():
    assert refusal(Peer().open().attach_receiver("/messages/events")) == "amqp:unauthorized-access"


def test_what_only_begins_like_events_is_not_found():
    peer = Peer().open()
    peer.put_token(audience="localhost")

    assert refusal(peer.attach_receiver("/messages/eventsx", handle=7)) == "amqp:not-found"
