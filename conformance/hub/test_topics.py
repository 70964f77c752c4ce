"""Topic names and filters that the document does not know.

Document: #receiving-cloud-to-device-messages. Clauses: clauses/topics.toml.

The hub is no general broker: it supports the documented names and filters only. What it does with
others is not documented, so several readings are taken. None of them brings a device what was meant
for another one, or what another one published.
"""

import pytest

from conformance.hub.fixtures.topics import in_words

clause = pytest.mark.clause
twin = pytest.mark.needs("twin")
methods = pytest.mark.needs("methods")

# Beside the device's own messages.
DOCUMENTED = (
    "$iothub/twin/res/#",
    "$iothub/twin/PATCH/properties/desired/#",
    "$iothub/methods/POST/#",
)
ANY_DEVICE = "devices/+/messages/devicebound/#"


@clause("topics.no-device-to-device")
@pytest.mark.parametrize(
    ("topic_filter", "topic"),
    [
        pytest.param("devices/{sender}/messages/events/#", "devices/{sender}/messages/events/", id="events"),
        pytest.param("#", "devices/{sender}/messages/events/", id="everything"),
        pytest.param("devices/+/messages/events/#", "devices/{sender}/messages/events/a=1", id="any-device"),
        pytest.param(
            "devices/{listener}/messages/devicebound/#",
            "devices/{listener}/messages/devicebound/",
            id="listeners-own-devicebound",
        ),
        pytest.param("rooms/kitchen", "rooms/kitchen", id="any-name"),
        pytest.param("$iothub/twin/GET/#", "$iothub/twin/GET/?$rid=1", id="twin-requests", marks=twin),
        pytest.param("$iothub/twin/res/#", "$iothub/twin/res/200/?$rid=1", id="twin-answers", marks=twin),
        pytest.param(
            "$iothub/twin/PATCH/properties/desired/#",
            "$iothub/twin/PATCH/properties/desired/?$version=9",
            id="desired-changes",
            marks=twin,
        ),
        pytest.param("$iothub/#", "$iothub/twin/GET/?$rid=1", id="all-of-iothub", marks=twin),
        pytest.param(
            "$iothub/methods/POST/#",
            "$iothub/methods/POST/reboot/?$rid=1",
            id="method-requests",
            marks=methods,
        ),
        pytest.param(
            "$iothub/methods/res/#", "$iothub/methods/res/200/?$rid=1", id="method-responses", marks=methods
        ),
    ],
)
def test_what_a_device_publishes_reaches_no_other(
    device, connection, other_device, stage, topic_filter, topic
):
    """Whatever the other device subscribed to, and wherever the first one publishes."""
    listener = stage(other_device.connect)
    names = {"sender": device.id, "listener": other_device.id}
    listener.try_to_subscribe(topic_filter.format(**names))

    connection.send(topic.format(**names), b"to whom it may concern", qos=1)
    connection.outcome()

    assert listener.heard() == []


@clause("topics.cross-device")
@pytest.mark.parametrize(
    "topic_filter",
    [
        pytest.param("#", id="everything"),
        pytest.param("+/#", id="any-first-level"),
        pytest.param("devices/#", id="all-of-devices"),
        pytest.param("devices/+/messages/devicebound/#", id="any-device"),
        pytest.param("devices/{other}/messages/devicebound/#", id="the-other-device"),
        pytest.param("devices/{other}/#", id="all-of-the-other-device"),
        pytest.param("$iothub/#", id="iothub"),
        pytest.param("+/x", id="no-such-level"),
    ],
)
def test_no_filter_brings_another_devices_messages(receiver, other_receiver, stage, c2d, topic_filter):
    """A message for one device, there by now, does not reach the other, whose own message comes behind it."""
    receiver.try_to_subscribe(topic_filter.format(other=other_receiver.device.id))

    c2d.send(other_receiver.device, b"theirs")
    stage(other_receiver.messages_until, b"theirs", needs="c2d.delivered")
    c2d.send(receiver.device, b"mine")

    assert receiver.heard_until(b"mine") == []


@clause("topics.beside-undocumented")
@pytest.mark.needs("registry")
@pytest.mark.parametrize(
    ("before", "behind"),
    [
        pytest.param([], ["rooms/kitchen", "$SYS/#"], id="in-front"),
        pytest.param(["rooms/kitchen"], ["$SYS/#"], id="between"),
        pytest.param(["rooms/kitchen", "$SYS/#"], [], id="behind"),
    ],
)
def test_a_documented_filter_beside_others_in_one_packet(trial, readings, before, behind, untouched):
    """[MQTT-3.8.4-4] Wherever it stands, what becomes of the others is not what becomes of it."""
    readings.match(trial.messages_among(before, behind))
    untouched.confirm()


@clause("topics.undocumented-filter")
@pytest.mark.parametrize(
    "topic_filter",
    [
        pytest.param("#", id="everything"),
        pytest.param("+", id="any-single-level"),
        pytest.param("rooms/kitchen", id="any-name"),
        pytest.param("$SYS/#", id="SYS"),
        pytest.param("$iothub/#", id="all-of-iothub"),
        pytest.param("$iothub/twin/GET/#", id="twin-requests"),
        pytest.param("devices/{id}/#", id="all-of-the-device"),
        pytest.param("devices/{id}/messages/events/#", id="events"),
        pytest.param("devices/{id}/messages/devicebound", id="devicebound-without-wildcard"),
        pytest.param("/devices/{id}/messages/devicebound/#", id="devicebound-behind-a-slash"),
    ],
)
def test_an_undocumented_filter(device, connection, other_receiver, c2d, readings, topic_filter, untouched):
    """Refused, closed, or granted: then it brings nothing, or at most this device's own messages."""
    answer = connection.try_to_subscribe(topic_filter.format(id=device.id))
    c2d.send(other_receiver.device, b"theirs")
    c2d.send(device, b"mine")

    readings.match(f"{answer}; heard {in_words(connection.heard())}")
    untouched.confirm()


@clause("topics.subtopic-wildcards")
@pytest.mark.parametrize(
    "topic_filter",
    [
        pytest.param("devices/{id}/messages/devicebound/+", id="one-level-behind"),
        pytest.param("devices/{id}/messages/devicebound/x/#", id="below-a-subtopic"),
        pytest.param("devices/{id}/+/devicebound/#", id="level-between"),
    ],
)
def test_a_wildcard_for_subtopics(device, connection, other_receiver, c2d, readings, topic_filter, untouched):
    """The one wildcard stands for property bags; others are refused, closed, or bring no foreign message."""
    answer = connection.try_to_subscribe(topic_filter.format(id=device.id))
    c2d.send(other_receiver.device, b"theirs")
    c2d.send(device, b"mine")

    readings.match(f"{answer}; heard {in_words(connection.heard())}")
    untouched.confirm()


@clause("topics.undocumented-name")
@pytest.mark.parametrize(
    "topic",
    [
        pytest.param("rooms/kitchen", id="any-name"),
        pytest.param("$SYS/broker", id="SYS"),
        pytest.param("$iothub/rooms/kitchen", id="iothub"),
        pytest.param("devices/{id}/messages/", id="messages"),
        pytest.param("devices/{id}/messages/telemetry/", id="telemetry"),
        pytest.param("devices/{id}/messages/devicebound/", id="devicebound"),
        pytest.param("Devices/{id}/Messages/Events/", id="other-case"),
        pytest.param("/devices/{id}/messages/events/", id="events-behind-a-slash"),
    ],
)
def test_an_undocumented_topic_name(device, probe, readings, topic, untouched):
    """Closed, acknowledged, or left alone; what reaches the back end of it is the sender's own telemetry."""
    readings.match(probe(topic.format(id=device.id), b"to whom it may concern"))
    untouched.confirm()


@clause("topics.five-subscriptions")
def test_five_subscriptions_in_one_packet(device, connection, readings, untouched):
    """All that a device can use, in one SUBSCRIBE."""
    filters = [device.topics.devicebound, *DOCUMENTED, ANY_DEVICE]

    readings.match(connection.try_to_subscribe_all(filters))
    untouched.confirm()


@clause("topics.five-subscriptions")
def test_five_subscriptions_one_by_one(device, connection, readings, untouched):
    """The fifth is granted or refused as in one packet, and the four before it stay."""
    filters = [device.topics.devicebound, *DOCUMENTED, ANY_DEVICE]

    readings.match(", ".join(connection.try_to_subscribe(topic_filter) for topic_filter in filters))
    untouched.confirm()


@clause("topics.subscriptions-limit")
def test_six_subscriptions(device, connection, observed):
    """Microsoft advises five at most; the device has four documented filters, here are two wider ones."""
    filters = [
        device.topics.devicebound,
        *DOCUMENTED,
        "$iothub/twin/#",
        "$iothub/methods/#",
    ]

    observed(", ".join(connection.try_to_subscribe(topic_filter) for topic_filter in filters))
