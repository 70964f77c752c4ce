"""Links on which the hub receives: credit, deliveries in many frames, and what ends a link or more."""

import pytest
from amqp_peer import Peer, errors, flow_of, performatives

from iothub_emulator.amqp.messages import Message, encode_message
from iothub_emulator.amqp.performatives import Accepted, Disposition, Flow, Rejected, Transfer
from iothub_emulator.amqp.request_node import MAX_REQUEST_SIZE, REQUESTS_UNDER_WAY

REQUEST = encode_message(Message(application_properties={"operation": "x"}, value=(None,)))


def requesting():
    """Return a peer with both links to $cbs and credit for the replies."""
    peer = Peer().open()
    peer.attach_receiver("$cbs", handle=0, credit=10)
    peer.attach_sender("$cbs", handle=1)
    return peer


def test_the_sender_gets_credit_with_the_attach():
    peer = Peer().open()
    attach, flow = peer.attach_sender("$cbs")

    assert (attach.role, attach.rcv_settle_mode) == (True, 0)
    assert (flow.handle, flow.link_credit, flow.delivery_count) == (0, REQUESTS_UNDER_WAY, 0)


def test_a_delivery_is_settled_once_it_is_taken():
    disposition, reply = performatives(requesting().transfer(REQUEST))

    assert disposition == Disposition(role=True, first=0, last=0, settled=True, state=Accepted().described())
    assert isinstance(reply, Transfer)


def test_a_settled_delivery_needs_no_disposition():
    (reply,) = performatives(requesting().transfer(REQUEST, settled=True))

    assert isinstance(reply, Transfer)


def test_a_delivery_in_several_frames():
    peer = requesting()
    assert peer.transfer(REQUEST[:5], delivery_id=0, more=True) == []
    assert peer.transfer(REQUEST[5:9], delivery_id=0, more=True) == []
    disposition, _ = performatives(peer.transfer(REQUEST[9:], delivery_id=None, delivery_tag=None))

    assert (disposition.first, disposition.state) == (0, Accepted().described())


def test_an_aborted_delivery_is_forgotten():
    peer = requesting()
    peer.transfer(b"garbage", delivery_id=0, more=True)
    assert peer.transfer(b"", delivery_id=None, aborted=True) == []

    assert len(peer.transfer(REQUEST, delivery_id=1)) == 2


@pytest.mark.parametrize(
    "fields",
    [{"delivery_id": None}, {"delivery_tag": None}],
    ids=["no-delivery-id", "no-delivery-tag"],
)
def test_the_first_frame_names_its_delivery(fields):
    assert errors(performatives(requesting().transfer(REQUEST, **fields))) == ["amqp:invalid-field"]


def test_deliveries_do_not_interleave_on_a_link():
    peer = requesting()
    peer.transfer(REQUEST, delivery_id=0, more=True)

    assert errors(performatives(peer.transfer(REQUEST, delivery_id=1))) == ["amqp:invalid-field"]


def test_a_message_too_large_ends_its_link():
    """And nothing else: the connection goes on."""
    peer = requesting()
    for _ in range(MAX_REQUEST_SIZE // 60_000):
        peer.transfer(bytes(60_000), delivery_id=0, more=True)
    (detach,) = performatives(peer.transfer(bytes(60_000), delivery_id=0, more=True))

    assert (detach.handle, detach.closed) == (1, True)
    assert detach.error.condition == "amqp:link:message-size-exceeded"
    assert peer.transfer(b"", delivery_id=0) == []
    assert peer.connection._unfinished_bytes == 0


def test_unfinished_messages_are_bounded_over_all_links():
    peer = Peer().open()
    found = []
    for handle in range(80):
        peer.attach_sender("$cbs", name=str(handle), handle=handle)
        found += performatives(peer.transfer(bytes(60_000), handle=handle, delivery_id=handle, more=True))

    assert errors(found) == ["amqp:resource-limit-exceeded"]


def test_a_message_without_credit_ends_its_link():
    """Replies that are not fetched use the credit up: 100 wait, and no more requests are taken."""
    peer = Peer().open()
    peer.attach_receiver("$cbs", handle=0)
    peer.attach_sender("$cbs", handle=1)
    for _ in range(REQUESTS_UNDER_WAY):
        peer.transfer(REQUEST, settled=True)
    (detach,) = performatives(peer.transfer(REQUEST, settled=True))

    assert detach.error.condition == "amqp:link:transfer-limit-exceeded"


def test_credit_comes_back_as_replies_are_fetched():
    peer = Peer().open()
    peer.attach_receiver("$cbs", handle=0)
    peer.attach_sender("$cbs", handle=1)
    for _ in range(REQUESTS_UNDER_WAY):
        peer.transfer(REQUEST, settled=True)
    sent = peer.send(flow_of(credit=1000))
    flows = [frame.performative for frame in sent if isinstance(frame.performative, Flow)]

    assert len(sent) - len(flows) == REQUESTS_UNDER_WAY
    assert flows[-1].handle == 1
    assert flows[-1].link_credit > REQUESTS_UNDER_WAY // 2


def test_a_transfer_on_a_link_that_the_hub_sends_on_closes():
    peer = requesting()

    assert errors(performatives(peer.transfer(REQUEST, handle=0))) == ["amqp:not-allowed"]


def test_a_request_without_a_place_for_the_reply_is_rejected():
    peer = Peer().open()
    peer.attach_sender("$cbs")
    (disposition,) = performatives(peer.transfer(REQUEST))

    assert Rejected.from_value(disposition.state).error.condition == "amqp:not-allowed"


def test_a_malformed_message_closes():
    assert errors(performatives(requesting().transfer(b"\x40"))) == ["amqp:decode-error"]
