"""A back end that sends messages to devices over AMQP, and what the device `device-1` has of them."""

from amqp_peer import Peer, hub, performatives

from iothub_emulator.amqp.messages import Message, Properties, encode_message
from iothub_emulator.amqp.performatives import Accepted, Disposition, Rejected

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
    while (delivery := mailbox.next_delivery(lambda topic: 1, peer.runtime.now())) is not None:
        found.append(delivery)
    return found


def bag(peer):
    """Return the properties of the one message that was delivered, but for its address."""
    (delivery,) = deliveries(peer)
    _, _, text = delivery.topic.rpartition("/")
    return {pair for pair in text.split("&") if not pair.startswith("%24.to=")}
