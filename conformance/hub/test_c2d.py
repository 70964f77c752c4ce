"""Receiving cloud-to-device messages: the subscription, and what it brings.

Document: #receiving-cloud-to-device-messages. Clauses: clauses/c2d.toml.

A device subscribes to its own devicebound filter, with QoS 1 at most. From then on it is given its own
messages, each as it was sent, in the order in which they were sent.
"""

import pytest

from conformance.hub.fixtures.topics import in_words
from conformance.mqtt.bag import bag_of, path_of

clause = pytest.mark.clause
large = pytest.mark.large


@clause("c2d.subscribe")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_the_devicebound_filter_can_be_subscribed_to(device, connection, qos):
    """Whatever QoS is asked for, the SUBACK holds no failure."""
    assert connection.subscribe(f"devices/{device.id}/messages/devicebound/#", qos=qos) != 128


@clause("c2d.granted-qos")
@pytest.mark.parametrize(("asked", "granted"), [(0, 0), (1, 1), (2, 1)])
def test_qos_1_is_the_most_that_is_granted(device, connection, asked, granted):
    """QoS 0 and 1 are granted as asked; QoS 2 is granted as 1."""
    assert connection.subscribe(device.topics.devicebound, qos=asked) == granted


@clause("c2d.encoded-id")
@pytest.mark.parametrize("id_ending", [pytest.param("-a:b", id="colon"), pytest.param("-n@m.et", id="at")])
def test_a_filter_with_an_encoded_id(device, connection, c2d, observed):
    """Whether it names the device itself, sources differ."""
    encoded = device.id.replace(":", "%3A").replace("@", "%40")
    answer = connection.try_to_subscribe(f"devices/{encoded}/messages/devicebound/#")

    c2d.send(device, b"mine")

    observed(f"{answer}; heard {in_words(connection.heard())}")


@clause("c2d.delivered")
@pytest.mark.parametrize("clean_session", [True, False], ids=["CleanSession-1", "CleanSession-0"])
def test_a_message_sent_after_the_subscription_arrives(device, c2d, stage, clean_session):
    """Once the device has subscribed, what is sent to it arrives."""
    connection = stage(device.connect, clean_session=clean_session)
    stage(connection.subscribe, device.topics.devicebound, needs="c2d.subscribe")

    c2d.send(device, b"turn left")

    assert connection.expect_message().payload == b"turn left"


@clause("c2d.delivery-qos")
@pytest.mark.parametrize(("asked", "delivered"), [(0, 0), (1, 1), (2, 1)])
def test_a_message_comes_with_the_granted_qos(device, connection, c2d, stage, asked, delivered):
    """Subscribed with QoS 0 it comes with 0; with 1 and 2 it comes with 1."""
    stage(connection.subscribe, device.topics.devicebound, qos=asked, needs="c2d.subscribe")

    c2d.send(device, b"x")

    assert connection.expect_message().qos == delivered


@clause("c2d.topic")
@pytest.mark.parametrize(
    "properties",
    [
        pytest.param({}, id="no-properties"),
        pytest.param({"alarm": "fire"}, id="one-property"),
        pytest.param({"alarm": "fire", "floor": "3", "door": "4"}, id="three-properties"),
    ],
)
def test_a_message_comes_on_the_devices_topic(device, receiver, c2d, properties):
    """The topic is devices/{device}/messages/devicebound/ and, where there are properties, their bag."""
    c2d.send(device, b"x", properties=properties)

    message = receiver.expect_message()
    assert (path_of(message), bag_of(message).application) == (
        f"devices/{device.id}/messages/devicebound/",
        properties,
    )


@clause("c2d.body")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"turn left", id="text"),
        pytest.param(b'{"speed": 21.5}', id="JSON"),
        pytest.param("São Paulo, 东京".encode(), id="UTF-8"),
        pytest.param(b"\xff\xfe\xc3\x28", id="no-UTF-8"),
        pytest.param(b"\x00\x01\x00", id="NUL-bytes"),
        pytest.param(bytes(range(256)), id="every-byte"),
        pytest.param(bytes(range(240)) * 256, id="60-KB", marks=large),
    ],
)
def test_a_body_arrives_as_it_was_sent(device, receiver, c2d, body):
    """The body is opaque."""
    c2d.send(device, body)

    assert receiver.expect_message().payload == body


@clause("c2d.retain-clear")
@pytest.mark.parametrize("qos", [0, 1])
def test_a_message_is_not_retained(device, connection, c2d, stage, qos):
    """[MQTT-3.3.1-9] A message that the hub has for a subscription comes with RETAIN 0."""
    stage(connection.subscribe, device.topics.devicebound, qos=qos, needs="c2d.subscribe")

    c2d.send(device, b"x")

    assert connection.expect_message().retain is False


@clause("c2d.retain-clear")
def test_a_message_that_waited_is_not_retained(away, c2d, stage):
    """Nor has one RETAIN 1 that waited until its device came."""
    c2d.send(away, b"x")

    connection = stage(away.connect, clean_session=False)
    stage(connection.subscribe, away.topics.devicebound, needs="c2d.subscribe")

    assert connection.expect_message().retain is False


@clause("c2d.first-dup")
@pytest.mark.parametrize("qos", [0, 1])
def test_the_first_delivery(device, connection, c2d, stage, qos):
    """[MQTT-3.3.1-3] DUP says whether a packet is sent again, and nothing else."""
    stage(connection.subscribe, device.topics.devicebound, qos=qos, needs="c2d.subscribe")

    c2d.send(device, b"x")

    assert connection.expect_message().dup is False


@clause("c2d.order")
@pytest.mark.parametrize("qos", [0, 1])
def test_twenty_messages_come_in_their_order(device, connection, c2d, stage, qos):
    """First in, first out; one that comes twice counts where it came first."""
    stage(connection.subscribe, device.topics.devicebound, qos=qos, needs="c2d.subscribe")
    bodies = [f"{number}".encode() for number in range(20)]

    c2d.send_each(device, bodies)

    assert connection.payloads_until(b"19") == bodies


@clause("c2d.own-only")
def test_a_message_reaches_its_own_device_alone(device, receiver, other_device, other_receiver, c2d, stage):
    """Of two devices that both subscribed, each is given what was sent to it."""
    c2d.send(other_device, b"for the other")
    stage(other_receiver.expect_message, needs="c2d.delivered")
    c2d.send(device, b"for the one")
    assert receiver.payloads_until(b"for the one") == [b"for the one"]

    c2d.send(other_device, b"fence")
    assert set(other_receiver.payloads_until(b"fence")) <= {b"for the other", b"fence"}


@clause("c2d.own-only")
def test_what_waits_for_a_device_is_given_to_no_other(device, other_device, other_receiver, c2d):
    """A message to a device that is not there does not go to one that is."""
    c2d.send(device, b"for the absent one")
    c2d.send(other_device, b"fence")

    assert other_receiver.payloads_until(b"fence") == [b"fence"]


@clause("c2d.not-before-subscribe")
@pytest.mark.parametrize("clean_session", [True, False], ids=["CleanSession-1", "CleanSession-0"])
def test_nothing_comes_before_the_subscription(device, c2d, stage, clean_session):
    """Connected and not subscribed, a device is given nothing; subscribed, it is."""
    connection = stage(device.connect, clean_session=clean_session)

    c2d.send(device, b"too early")
    connection.expect_no_message()

    connection.subscribe(device.topics.devicebound)
    c2d.send(device, b"in time")
    connection.messages_until(b"in time")


@clause("c2d.other-subscription")
def test_another_subscription_brings_no_messages(device, connection, c2d, stage):
    """Who has subscribed to answers about the twin is given nothing else."""
    stage(connection.subscribe, "$iothub/twin/res/#", needs="twin.get")

    c2d.send(device, b"too early")
    connection.expect_no_message()

    connection.subscribe(device.topics.devicebound)
    c2d.send(device, b"in time")
    connection.messages_until(b"in time")


@clause("c2d.before-first-subscription")
@pytest.mark.parametrize("clean_session", [True, False], ids=["CleanSession-1", "CleanSession-0"])
def test_a_message_for_a_device_that_never_subscribed(device, c2d, stage, observed, clean_session):
    """The document promises what is sent after the subscription, and leaves open what was sent before."""
    c2d.send(device, b"before")
    connection = stage(device.connect, clean_session=clean_session)
    stage(connection.subscribe, device.topics.devicebound, needs="c2d.subscribe")
    c2d.send(device, b"after")

    observed(" and ".join(payload.decode() for payload in connection.payloads_until(b"after")))


@clause("c2d.by-rest")
def test_a_message_that_is_sent_by_rest(device, receiver, c2d, observed):
    """Its status, and what the device hears before another message."""
    status = c2d.attempt_to_send_by_rest(device, b"by REST", {"alarm": "fire"})
    c2d.send(device, b"by AMQP")

    heard = [
        f"{each.payload.decode()} with {bag_of(each).application}"
        for each in receiver.messages_until(b"by AMQP")
    ]
    observed(f"{status}; heard {', '.join(heard)}")


@clause("c2d.unsubscribe")
@pytest.mark.parametrize("qos", [0, 1])
def test_nothing_comes_after_unsubscribe(device, connection, c2d, stage, qos):
    """[MQTT-3.10.4-2] After UNSUBACK no message comes until the device subscribes again."""
    stage(connection.subscribe, device.topics.devicebound, qos=qos, needs="c2d.subscribe")
    connection.unsubscribe(device.topics.devicebound)

    c2d.send(device, b"not wanted")
    connection.expect_no_message()

    connection.subscribe(device.topics.devicebound, qos=qos)
    c2d.send(device, b"wanted")
    connection.messages_until(b"wanted")
