"""The Will as a message: payload, property bag, QoS and RETAIN.

Document: #using-the-mqtt-protocol-directly-as-a-device. Clauses: clauses/will.toml.

The topic of a Will is the device's events topic, with or without a property bag. What reaches the back
end has the payload and the properties that CONNECT gave it, and the mark of a Will.
"""

import pytest

from conformance.mqtt.fields import Will

clause = pytest.mark.clause

MARK = {"iothub-MessageType": "Will"}


@clause("will.payload")
@pytest.mark.parametrize(
    "payload",
    [
        pytest.param("São Paulo is gone".encode(), id="text"),
        pytest.param(b"\x00\xff\xfe\xc3\x28", id="binary"),
        pytest.param(bytes(range(250)) * 40, id="10-KB"),
    ],
)
def test_a_payload_arrives_as_connect_had_it(device, telemetry, payload):
    """The payload is opaque, like that of any message."""
    connection = device.connect(
        clean_session=False, will=Will(topic=device.topics.events, payload=payload, qos=1)
    )

    connection.drop()

    assert telemetry.next(sent_by=device).body == payload


@clause("will.property-bag")
@pytest.mark.parametrize(
    ("bag", "properties"),
    [
        pytest.param("a=1", {"a": "1"}, id="one-property"),
        pytest.param("a=1&room=kitchen", {"a": "1", "room": "kitchen"}, id="two-properties"),
        pytest.param("why=no%20power%20%26%20no%3D%25", {"why": "no power & no=%"}, id="encoded-delimiters"),
        pytest.param("where=S%C3%A3o%20Paulo%2B", {"where": "São Paulo+"}, id="encoded-UTF-8-and-plus"),
    ],
)
def test_the_bag_of_the_topic_becomes_properties(device, telemetry, bag, properties):
    """The Will's topic may end in a property bag, encoded like that of telemetry."""
    will = Will(topic=f"devices/{device.path}/messages/events/{bag}", payload=b"gone", qos=1)
    connection = device.connect(clean_session=False, will=will)

    connection.drop()

    # A fault in the mark is will.message-type's: here it is as good as absent.
    assert {**telemetry.next(sent_by=device).properties, **MARK} == {**properties, **MARK}


@clause("will.qos")
@pytest.mark.parametrize("qos", [0, 1])
def test_a_will_of_either_qos_is_sent(device, telemetry, qos):
    """[MQTT-3.1.2-8] The Will's QoS does not decide whether it is sent."""
    connection = device.connect(
        clean_session=False, will=Will(topic=device.topics.events, payload=b"gone", qos=qos)
    )

    connection.drop()

    assert telemetry.next(sent_by=device).body == b"gone"


@clause("will.retain")
def test_a_will_with_retain_is_sent(device, telemetry):
    """RETAIN 1 is no reason to refuse CONNECT, nor to keep the Will back."""
    will = Will(topic=device.topics.events, payload=b"gone", qos=1, retain=True)
    connection = device.connect(clean_session=False, will=will)

    connection.drop()

    assert telemetry.next(sent_by=device).body == b"gone"


@clause("will.retain-property")
def test_retain_of_a_will_becomes_a_property(device, telemetry, readings):
    """The document calls the property of telemetry x-opt-retain, its newer edition mqtt-retain."""
    will = Will(topic=device.topics.events, payload=b"gone", qos=1, retain=True)
    connection = device.connect(clean_session=False, will=will)

    connection.drop()

    readings.match(telemetry.next(sent_by=device).properties_in_words)


@clause("will.empty-payload")
def test_a_will_without_payload(device, arrivals, observed):
    """MQTT 3.1.1, 3.1.3.3: a Will may have a payload of zero bytes."""
    answer = device.attempt_and_drop(clean_session=False, will=Will(topic=device.topics.events, qos=1))

    observed(f"CONNECT {answer}; then {arrivals(device)}")


@clause("will.qos2")
def test_a_will_of_qos_2(device, arrivals, observed):
    """The hub does not support QoS 2; the document does not say what that means for a Will."""
    will = Will(topic=device.topics.events, payload=b"gone", qos=2)
    answer = device.attempt_and_drop(clean_session=False, will=will)

    observed(f"CONNECT {answer}; then {arrivals(device)}")


@clause("will.clean-session")
def test_a_will_with_clean_session_1(device, arrivals, observed):
    """Tests on real hubs used CleanSession 0 only."""
    will = Will(topic=device.topics.events, payload=b"gone", qos=1)
    answer = device.attempt_and_drop(clean_session=True, will=will)

    observed(f"CONNECT {answer}; then {arrivals(device)}")


@clause("will.foreign-topic")
@pytest.mark.parametrize(
    "topic",
    [
        pytest.param("devices/{other}/messages/events/", id="another-devices-events"),
        pytest.param("devices/{own}/messages/devicebound/", id="devicebound"),
        pytest.param("devices/{own}/messages/events", id="events-without-slash"),
        pytest.param("$iothub/twin/PATCH/properties/reported/?$rid=1", id="twin"),
        pytest.param("rooms/kitchen", id="any-name"),
    ],
)
def test_a_will_on_another_topic(device, other_device, arrivals, observed, topic):
    """Two forms of a Will's topic are documented; what the hub does with others is not."""
    will = Will(topic=topic.format(own=device.id, other=other_device.id), payload=b"gone", qos=1)
    answer = device.attempt_and_drop(clean_session=False, will=will)

    observed(f"CONNECT {answer}; then {arrivals(device)}")


@clause("d2c.foreign-topic")
def test_a_will_on_another_devices_topic_is_not_that_devices(device, bystander, telemetry):
    """Whatever the hub does with it, it is never telemetry of the device that the topic names."""
    will = Will(topic=bystander.device.topics.events, payload=b"forged", qos=1)
    device.attempt_and_drop(clean_session=False, will=will)
    # Behind a later session of the device, the end of the earlier one is no news to the hub.
    telemetry.until_no_will_is_due(device)

    assert telemetry.until_fence(bystander.device, over=bystander) == []
