"""Acknowledging cloud-to-device messages, and what happens without that.

Document: #receiving-cloud-to-device-messages and #migrating-a-device-app-from-amqp-to-mqtt.
Clauses: clauses/c2d.toml.

A message is removed by its PUBACK. Until then it is locked, and when the lock has run out it is there
again: MQTT has no packet to reject it with.
"""

import pytest

from conformance.mqtt.connection import Connection

clause = pytest.mark.clause


@clause("c2d.redelivered")
@pytest.mark.parametrize(
    "leave",
    [
        pytest.param(Connection.drop, id="drop"),
        pytest.param(Connection.disconnect, id="disconnect"),
        pytest.param(lambda connection: None, id="taken-over"),
    ],
)
def test_a_message_without_puback_comes_again(device, holder, c2d, stage, redelivery, leave):
    """However the connection ended: what was not acknowledged is delivered once more."""
    c2d.send(device, b"once more")
    stage(holder.expect_message, needs="c2d.delivered")
    leave(holder)

    returned = stage(device.connect, clean_session=False)
    stage(returned.subscribe, device.topics.devicebound, needs="c2d.subscribe")

    assert returned.expect_message(within=redelivery).payload == b"once more"


@clause("c2d.redelivered")
def test_the_puback_of_later_messages_is_not_that_of_an_earlier_one(
    device, holder, c2d, stage, within_lock, redelivery
):
    """Of three messages the last two are acknowledged; the first comes again, be it that the hub closes."""
    with within_lock():
        c2d.send_each(device, [b"1", b"2", b"3"])
        _, two, three = stage(holder.deliveries_until, b"3", needs="c2d.order")
        holder.acknowledge(three)
        holder.acknowledge(two)
        holder.outcome()

    returned = stage(device.connect, clean_session=False)
    stage(returned.subscribe, device.topics.devicebound, needs="c2d.subscribe")

    assert returned.messages_until(b"1", within=redelivery)[-1].payload == b"1"


@clause("c2d.redelivered-same-connection")
def test_a_connection_that_stays_without_puback(device, holder, c2d, stage, observed, redelivery):
    """MQTT 3.1.1 repeats only on a new connection; a hub's lock runs out all the same."""
    c2d.send(device, b"once more")
    stage(holder.expect_message, needs="c2d.delivered")

    observed(holder.next_delivery(within=redelivery))


@clause("c2d.acknowledged-not-again")
def test_what_was_acknowledged_does_not_come_again(device, holder, c2d, stage, within_lock, redelivery):
    """Of two messages the first is acknowledged: the second comes again, the first does not."""
    with within_lock():
        c2d.send_each(device, [b"acknowledged", b"not acknowledged"])
        first = stage(holder.messages_until, b"not acknowledged", needs="c2d.order")[0]
        holder.acknowledge(first)
        stage(holder.ping, needs="connection.ping")
    holder.drop()

    returned = stage(device.connect, clean_session=False)
    stage(returned.subscribe, device.topics.devicebound, needs="c2d.subscribe")

    arrived = returned.messages_until(b"not acknowledged", within=redelivery)
    assert [message.payload for message in arrived] == [b"not acknowledged"]


@clause("c2d.acknowledged-not-again")
def test_a_puback_behind_unsubscribe_counts(device, holder, c2d, stage, within_lock, redelivery):
    """[MQTT-3.10.4-3] What was begun before UNSUBSCRIBE is completed; the other message comes again."""
    with within_lock():
        c2d.send_each(device, [b"acknowledged", b"not acknowledged"])
        first = stage(holder.messages_until, b"not acknowledged", needs="c2d.order")[0]
        stage(holder.unsubscribe, device.topics.devicebound, needs="c2d.unsubscribe")
        holder.acknowledge(first)
        stage(holder.ping, needs="connection.ping")
    holder.drop()

    returned = stage(device.connect, clean_session=False)
    stage(returned.subscribe, device.topics.devicebound, needs="c2d.subscribe")

    arrived = returned.messages_until(b"not acknowledged", within=redelivery)
    assert [message.payload for message in arrived] == [b"not acknowledged"]


@clause("c2d.ack-order")
def test_messages_are_acknowledged_in_another_order(device, holder, c2d, stage, within_lock, observed):
    """[MQTT-4.6.0-2] A client acknowledges in the order of arrival; hubs were seen to insist on that."""
    with within_lock():
        c2d.send_each(device, [b"1", b"2", b"3"])
        one, two, three = stage(holder.deliveries_until, b"3", needs="c2d.order")

        holder.acknowledge(three)
        holder.acknowledge(two)
        holder.acknowledge(one)

        observed(holder.outcome())


@clause("c2d.no-reject")
def test_leaving_without_puback_rejects_nothing(device, holder, c2d, feedback, stage, redelivery):
    """The message comes again, and its sender hears of its success alone, not of a rejection."""
    c2d.send(device, b"once more", message_id=f"{device.id}-m", ack="full")
    stage(holder.expect_message, needs="c2d.delivered")
    holder.drop()

    returned = stage(device.connect, clean_session=False)
    stage(returned.subscribe, device.topics.devicebound, needs="c2d.subscribe")
    assert returned.expect_message(within=redelivery).payload == b"once more"
    assert feedback.expect(f"{device.id}-m").status == "Success"


@clause("c2d.feedback")
@pytest.mark.parametrize("ack", ["positive", "full"])
def test_the_sender_hears_that_its_message_was_acknowledged(device, receiver, c2d, feedback, stage, ack):
    """The PUBACK becomes feedback of success, with the message's id and the device's."""
    c2d.send(device, b"x", message_id=f"{device.id}-m", ack=ack)
    stage(receiver.expect_message, needs="c2d.delivered")

    record = feedback.expect(f"{device.id}-m")
    assert (record.device_id, record.status) == (device.id, "Success")


@clause("c2d.feedback")
def test_the_sender_hears_nothing_before_the_puback(device, holder, other_device, c2d, feedback, stage):
    """A message that was delivered and not acknowledged is no success; other feedback goes on."""
    c2d.send(device, b"x", message_id=f"{device.id}-m", ack="positive")
    stage(holder.expect_message, needs="c2d.delivered")

    c2d.send_and_purge(other_device, b"fence", message_id=f"{other_device.id}-fence", ack="negative")
    stage(feedback.expect, f"{other_device.id}-fence", needs="c2d.feedback-negative")
    assert feedback.received_for(device) == []


@clause("c2d.feedback-negative")
@pytest.mark.parametrize("ack", ["negative", "full"])
def test_the_sender_hears_that_its_message_was_purged(away, c2d, feedback, ack):
    """A purge ends a message without the device."""
    c2d.send_and_purge(away, b"x", message_id=f"{away.id}-m", ack=ack)

    record = feedback.expect(f"{away.id}-m")
    assert (record.device_id, record.status) == (away.id, "Purged")


@clause("c2d.feedback-expired")
@pytest.mark.clock
@pytest.mark.parametrize("ack", ["negative", "full"])
def test_the_sender_hears_that_its_message_expired(away, c2d, feedback, hub, ack):
    """A message ends at its expiry, whether or not its device ever comes back."""
    c2d.send_and_outlive(away, b"x", message_id=f"{away.id}-m", ack=ack)

    record = feedback.expect(f"{away.id}-m", noticed_after=hub.timing["c2d-expiry"])
    assert (record.device_id, record.status) == (away.id, "Expired")


@clause("c2d.feedback-unasked")
@pytest.mark.parametrize("ack", ["none", "negative"])
def test_nobody_hears_what_nobody_asked_for(device, receiver, c2d, feedback, stage, ack):
    """A message that arrives gives no feedback unless its sender asked for that of success."""
    c2d.send(device, b"x", message_id=f"{device.id}-{ack}", ack=ack)
    c2d.send(device, b"fence", message_id=f"{device.id}-fence", ack="full")
    stage(receiver.messages_until, b"fence", needs="c2d.order")

    feedback.expect(f"{device.id}-fence")
    assert feedback.received_for(device) == [(f"{device.id}-fence", "Success")]
