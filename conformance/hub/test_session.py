"""Sessions: what a hub keeps of a device that is away.

Document: #receiving-cloud-to-device-messages. Clauses: clauses/session.toml.

With CleanSession 0 the subscription outlives the connection, and messages wait. With CleanSession 1 the
device is given nothing until it subscribes.
"""

import pytest

from conformance.mqtt.connection import Connection
from conformance.mqtt.methods import MethodsClient

clause = pytest.mark.clause

TWIN_ANSWERS = "$iothub/twin/res/#"
DESIRED = "$iothub/twin/PATCH/properties/desired/#"
CALLS = "$iothub/methods/POST/#"
# With DISCONNECT, and as a device does that loses power.
LEAVE = [Connection.disconnect, Connection.drop]


@clause("session.subscription-persists")
@pytest.mark.crossed
@pytest.mark.parametrize("leave", LEAVE, ids=["disconnect", "drop"])
def test_a_subscription_outlives_its_connection(device, c2d, stage, readings, leave):
    """A device that returns with CleanSession 0 is given messages; it may have to subscribe again."""
    earlier = stage(device.connect, clean_session=False)
    stage(earlier.subscribe, device.topics.devicebound, needs="c2d.subscribe")
    leave(earlier)

    returned = stage(device.connect, clean_session=False)
    c2d.send(device, b"welcome back")

    readings.match(returned.pending([b"welcome back"]).how)


@clause("session.subscription-persists")
def test_a_subscription_outlives_two_connections(away, c2d, stage, readings):
    """A connection on which nothing was subscribed leaves the subscription as it was."""
    stage(away.expect_accepted, clean_session=False)

    returned = stage(away.connect, clean_session=False)
    c2d.send(away, b"welcome back")

    readings.match(returned.pending([b"welcome back"]).how)


@clause("session.pending-delivered")
@pytest.mark.crossed
@pytest.mark.parametrize("leave", LEAVE, ids=["disconnect", "drop"])
def test_what_was_sent_meanwhile_is_delivered(device, c2d, stage, observed, redelivery, leave):
    """All that was sent while the device was away arrives when it returns with CleanSession 0."""
    earlier = stage(device.connect, clean_session=False)
    stage(earlier.subscribe, device.topics.devicebound, needs="c2d.subscribe")
    leave(earlier)
    sent = [b"one", b"two", b"three"]
    c2d.send_each(device, sent)

    returned = stage(device.connect, clean_session=False)

    pending = returned.pending(sent, within=redelivery)
    observed(pending.how)
    assert sorted(pending.payloads) == sorted(sent)


@clause("session.pending-delivered")
def test_what_was_sent_meanwhile_is_delivered_at_each_return(away, c2d, stage, observed, redelivery):
    """Twice away: each time all that was sent by then, and nothing of the time before."""
    c2d.send_each(away, [b"one", b"two"])
    first = stage(away.connect, clean_session=False)
    stage(first.pending, [b"one", b"two"], within=redelivery)
    stage(first.disconnect)
    c2d.send_each(away, [b"three", b"four"])

    returned = stage(away.connect, clean_session=False)

    pending = returned.pending([b"three", b"four"], within=redelivery)
    observed(pending.how)
    assert pending.payloads == [b"three", b"four"]


@clause("session.pending-delivered")
@pytest.mark.needs("modules", "registry")
@pytest.mark.parametrize("clean_session", [True, False], ids=["CleanSession-1", "CleanSession-0"])
def test_a_module_leaves_what_waits_for_its_device(
    away, module, c2d, stage, observed, redelivery, clean_session
):
    """A module's session is its own: what it begins, keeps or gives up is none of the device's."""
    c2d.send_each(away, [b"one", b"two"])
    stage(module.connect, clean_session=clean_session, needs="module.connect").disconnect()

    returned = stage(away.connect, clean_session=False)

    pending = returned.pending([b"one", b"two"], within=redelivery)
    observed(pending.how)
    assert pending.payloads == [b"one", b"two"]


@clause("session.pending-order")
@pytest.mark.parametrize("count", [5, 30])
def test_what_waited_comes_in_its_order(away, c2d, stage, count):
    """The first message sent is the first delivered."""
    bodies = [f"{number}".encode() for number in range(count)]
    c2d.send_each(away, bodies)

    returned = stage(away.connect, clean_session=False)

    assert returned.pending(bodies).payloads == bodies


@clause("session.pending-order")
def test_what_waited_comes_before_what_is_new(away, c2d, stage):
    """A message that is sent when the device has returned comes behind those that waited."""
    c2d.send_each(away, [b"one", b"two"])

    returned = stage(away.connect, clean_session=False)
    c2d.send(away, b"three")

    assert returned.pending([b"one", b"two", b"three"]).payloads == [b"one", b"two", b"three"]


@clause("session.clean-is-silent")
def test_clean_session_1_brings_nothing_before_subscribe(away, c2d, stage):
    """A subscription of an earlier session does not count: neither old nor new messages come."""
    c2d.send(away, b"sent before")
    returned = stage(away.connect, clean_session=True)

    c2d.send(away, b"sent behind CONNACK")
    returned.expect_no_message()

    returned.subscribe(away.topics.devicebound)
    c2d.send(away, b"sent behind SUBACK")
    returned.messages_until(b"sent behind SUBACK")


@clause("session.clean-forgets-subscription")
def test_clean_session_1_in_between_ends_the_subscription(away, c2d, stage):
    """[MQTT-3.1.2-6] The session with CleanSession 0 after it begins without a subscription."""
    stage(away.expect_accepted, clean_session=True)

    returned = stage(away.connect, clean_session=False)
    c2d.send(away, b"not subscribed")
    returned.expect_no_message()

    returned.subscribe(away.topics.devicebound)
    c2d.send(away, b"subscribed")
    returned.messages_until(b"subscribed")


@clause("session.clean-forgets-subscription")
def test_a_subscription_of_clean_session_1_ends_with_it(device, receiver, c2d, stage):
    """[MQTT-3.1.2-6] What was subscribed with CleanSession 1 does not outlive the connection."""
    stage(receiver.disconnect)

    returned = stage(device.connect, clean_session=False)
    c2d.send(device, b"not subscribed")
    returned.expect_no_message()

    returned.subscribe(device.topics.devicebound)
    c2d.send(device, b"subscribed")
    returned.messages_until(b"subscribed")


@clause("session.clean-purges")
@pytest.mark.parametrize("later", [True, False], ids=["then-CleanSession-1", "then-CleanSession-0"])
def test_what_waited_when_clean_session_1_came(away, c2d, stage, observed, later):
    """An SDK of Microsoft's says that it is removed; the document says nothing."""
    c2d.send(away, b"waited")
    stage(away.expect_accepted, clean_session=True)

    returned = stage(away.connect, clean_session=later)
    stage(returned.subscribe, away.topics.devicebound, needs="c2d.subscribe")
    c2d.send(away, b"new")

    observed(" and ".join(payload.decode() for payload in returned.payloads_until(b"new")))


@clause("session.unsubscribe-persists")
@pytest.mark.crossed
@pytest.mark.parametrize("leave", LEAVE, ids=["disconnect", "drop"])
def test_unsubscribing_outlives_the_connection(away, c2d, stage, leave):
    """A device that unsubscribed and returns with CleanSession 0 is given nothing until it subscribes."""
    earlier = stage(away.connect, clean_session=False)
    stage(earlier.subscribe, away.topics.devicebound, needs="c2d.subscribe")
    stage(earlier.unsubscribe, away.topics.devicebound, needs="c2d.unsubscribe")
    leave(earlier)

    returned = stage(away.connect, clean_session=False)
    c2d.send(away, b"not subscribed")
    returned.expect_no_message()

    returned.subscribe(away.topics.devicebound)
    c2d.send(away, b"subscribed")
    returned.messages_until(b"subscribed")


@clause("session.twin-subscriptions")
def test_a_subscription_to_answers_about_the_twin(device, stage, observed):
    """SDKs subscribe again after each CONNECT; whether they must is not documented."""
    earlier = stage(device.connect, clean_session=False)
    stage(earlier.subscribe, TWIN_ANSWERS, needs="twin.get")
    stage(earlier.disconnect)

    returned = stage(device.connect, clean_session=False)
    returned.send("$iothub/twin/GET/?$rid=1", qos=0)

    observed(returned.outcome())


@clause("session.desired-subscription")
@pytest.mark.parametrize("leave", LEAVE, ids=["disconnect", "drop"])
def test_a_subscription_to_desired_changes(device, twins, stage, observed, hub, leave):
    """Reports tell that it goes on; most SDKs subscribe again."""
    earlier = stage(device.connect, clean_session=False)
    stage(earlier.subscribe, DESIRED, needs="desired.notified")
    leave(earlier)

    returned = stage(device.connect, clean_session=False)
    twins.patch(device, desired={"interval": 5})

    observed(returned.next_delivery(within=hub.timeouts.reaction))


@clause("session.methods-subscription")
@pytest.mark.parametrize("leave", LEAVE, ids=["disconnect", "drop"])
def test_a_subscription_to_calls_of_methods(device, methods, stage, observed, leave):
    """What the caller gets says whether the device heard the call and answered."""
    earlier = stage(device.connect, clean_session=False)
    stage(earlier.subscribe, CALLS, needs="methods.request")
    leave(earlier)

    returned = MethodsClient(stage(device.connect, clean_session=False))
    call = methods.begin(device, "reboot")
    returned.answer_while(lambda: not call.is_over())

    observed(call.outcome())


@clause("session.refused-leaves-it")
@pytest.mark.needs("registry")
@pytest.mark.parametrize("clean_session", [True, False], ids=["CleanSession-1", "CleanSession-0"])
def test_a_refused_connect_leaves_what_waits(
    away, other_device, c2d, stage, observed, redelivery, clean_session, untouched
):
    """Whoever knows a device's name cannot take its messages away; the device finds them when it returns."""
    c2d.send(away, b"waits")
    wrong = other_device.token(resource=away.resource)
    stage(away.expect_refused, password=wrong, clean_session=clean_session, needs="sas.bad-signature")

    returned = stage(away.connect, clean_session=False)

    pending = returned.pending([b"waits"], within=redelivery)
    observed(pending.how)
    assert pending.payloads == [b"waits"]
    untouched.confirm()
