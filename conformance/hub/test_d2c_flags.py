"""Sending device-to-cloud messages: QoS 2 and RETAIN.

Document: #sending-device-to-cloud-messages. Clauses: clauses/d2c.toml.

The hub is no general broker: QoS 2 ends the connection, and RETAIN, instead of keeping the message,
becomes a property of it.
"""

import pytest

clause = pytest.mark.clause


@clause("d2c.qos2")
def test_qos_2_is_not_served(device, connection, readings, untouched):
    """A publish with QoS 2 closes the connection, or, as was seen, gets a PUBACK; never its handshake."""
    connection.send(device.topics.events, b"exactly once", qos=2)

    readings.match(connection.answer())
    untouched.confirm()


@clause("d2c.retain-delivered")
def test_a_retained_message_reaches_the_back_end(device, connection, telemetry):
    """RETAIN 1 keeps nothing at the hub; the message goes on to the back end."""
    connection.publish(device.topics.events, b"keep me", qos=1, retain=True)

    assert telemetry.next(sent_by=device).body == b"keep me"


@clause("d2c.retain-delivered")
@pytest.mark.parametrize("qos", [0, 1])
def test_a_retained_message_of_one_zero_reaches_the_back_end(device, connection, telemetry, qos):
    """A byte of zero is a body: what hubs do with none at all is d2c.retain-empty's affair."""
    connection.publish(f"{device.topics.events}a=1", b"\x00", qos=qos, retain=True)

    message = telemetry.next(sent_by=device)
    assert (message.body, message.properties.get("a")) == (b"\x00", "1")


@clause("d2c.not-retained")
@pytest.mark.parametrize(
    "topic_filter",
    [
        pytest.param("devices/{id}/messages/events/#", id="events"),
        pytest.param("devices/{id}/messages/events/", id="the-very-topic"),
        pytest.param("devices/{id}/messages/devicebound/#", id="devicebound"),
    ],
)
def test_a_retained_message_is_not_kept(device, connection, stage, topic_filter):
    """Whatever a later connection subscribes to, the message does not come."""
    stage(
        connection.publish, device.topics.events, b"keep me", qos=1, retain=True, needs="d2c.retain-delivered"
    )
    connection.disconnect()

    returned = stage(device.connect)
    returned.try_to_subscribe(topic_filter.format(id=device.id))

    assert returned.heard() == []


@clause("d2c.not-retained")
def test_a_retained_message_is_at_the_back_end_alone(device, connection, stage, telemetry):
    """There it is, and nothing else, also when its device is back and hears nothing of it."""
    stage(
        connection.publish, device.topics.events, b"keep me", qos=1, retain=True, needs="d2c.retain-delivered"
    )
    connection.disconnect()

    returned = stage(device.connect)
    returned.try_to_subscribe(device.topics.devicebound)

    assert returned.heard() == []
    assert {message.body for message in telemetry.until_fence(device)} == {b"keep me"}


@clause("d2c.retain-property")
def test_retain_becomes_a_property(device, connection, telemetry, readings):
    """The document calls the property x-opt-retain, its newer edition mqtt-retain."""
    connection.publish(device.topics.events, b"keep me", qos=1, retain=True)

    readings.match(telemetry.next(sent_by=device).properties_in_words)


@clause("d2c.no-retain-property")
def test_a_message_without_retain_has_no_such_property(device, connection, telemetry):
    """RETAIN 0 adds neither x-opt-retain nor mqtt-retain."""
    connection.publish(device.topics.events, b"let me go", qos=1, retain=False)

    assert telemetry.next(sent_by=device).properties == {}


@clause("d2c.retain-empty")
def test_an_empty_message_with_retain(device, connection, telemetry, observed):
    """On a broker it would delete a retained message; here it is most likely an ordinary one."""
    connection.publish(device.topics.events, b"", qos=1, retain=True)

    message = telemetry.next(sent_by=device)
    observed(f"body {message.body!r}, properties {message.properties_in_words}")
