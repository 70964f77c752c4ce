"""Sending device-to-cloud messages.

Document: #sending-device-to-cloud-messages. Clauses: clauses/d2c.toml.

A device sends telemetry by publishing to its own events topic, with QoS 0 or 1. The body is opaque,
the sender's identity comes from the connection, and the order of one device's messages is kept.
"""

import pytest

from conformance.mqtt.raw_packets import packet, text

clause = pytest.mark.clause
large = pytest.mark.large


@clause("d2c.events-topic")
@pytest.mark.parametrize("qos", [0, 1])
def test_telemetry_reaches_the_back_end(device, connection, telemetry, qos):
    """What is published to the events topic arrives at the back end."""
    connection.publish(f"devices/{device.path}/messages/events/", b"21.5", qos=qos)

    message = telemetry.next(sent_by=device)
    assert (message.body, message.properties) == (b"21.5", {})


@clause("d2c.puback")
@pytest.mark.parametrize("packet_id", [1, 65535])
def test_a_qos_1_publish_is_acknowledged_once(raw_connected, packet_id):
    """[MQTT-4.3.2-2] One PUBACK comes back, with the packet id that was sent."""
    topic = raw_connected.device.topics.events
    raw_connected.send(packet(0x32, text(topic), packet_id.to_bytes(2), b"x"))

    assert raw_connected.take(1) == (f"puback {packet_id}",)
    assert raw_connected.outcome() == "no answer"


@clause("d2c.puback")
def test_a_packet_id_may_be_used_again(raw_connected):
    """[MQTT-2.3.1-4] After its PUBACK a packet id is free."""
    publish = packet(0x32, text(raw_connected.device.topics.events), b"\x00\x05", b"x")

    raw_connected.send(publish)
    assert raw_connected.take(1) == ("puback 5",)

    raw_connected.send(publish)
    assert raw_connected.take(1) == ("puback 5",)


@clause("d2c.acknowledged-delivered")
def test_a_message_with_a_packet_id_of_an_earlier_one_arrives(raw_connected, telemetry):
    """[MQTT-4.3.2-2] Behind its PUBACK a packet id is another message's, not the first one again."""
    topic = text(raw_connected.device.topics.events)
    first, second = [packet(0x32, topic, b"\x00\x05", body) for body in (b"one", b"another")]

    raw_connected.send(first)
    assert raw_connected.take(1) == ("puback 5",)
    raw_connected.send(second)
    assert raw_connected.take(1) == ("puback 5",)

    arrived = telemetry.until_fence(raw_connected.device)
    assert {message.body for message in arrived} == {b"one", b"another"}


@clause("d2c.acknowledged-delivered")
def test_the_same_message_again_is_another_one(device, connection, telemetry):
    """A sensor that reads the same twice has sent two messages: each that was acknowledged is an event."""
    connection.publish(f"{device.topics.events}a=1", b"21.5", qos=1)
    connection.publish(f"{device.topics.events}a=1", b"21.5", qos=1)

    arrived = telemetry.until_fence(device)
    assert len({(each.partition, each.sequence_number) for each in arrived}) >= 2


@clause("d2c.body-opaque")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{id=123}", id="the-samples"),
        pytest.param(b'{"temperature": 21.5}', id="JSON"),
        pytest.param("São Paulo, 东京".encode(), id="UTF-8"),
        pytest.param(b"\xff\xfe\xc3\x28", id="no-UTF-8"),
        pytest.param(b"\x00\x01\x00", id="NUL-bytes"),
        pytest.param(bytes(range(256)) * 256, id="64-KB", marks=large),
        pytest.param(bytes(range(255)) * 1024, id="255-KB", marks=large),
    ],
)
def test_a_body_arrives_as_it_was_sent(device, connection, telemetry, body):
    """The body is opaque: not even the sample's own body is JSON."""
    connection.publish(device.topics.events, body, qos=1)

    assert telemetry.next(sent_by=device).body == body


@clause("d2c.identity-stamped")
def test_the_hub_says_who_sent_a_message(device, connection, telemetry):
    """Device id, source and manner of authentication stand in the message's annotations."""
    connection.publish(device.topics.events, b"who am I?", qos=1)

    message = telemetry.next(sent_by=device)
    assert (message.device_id, message.source, message.auth.get("scope"), message.auth.get("type")) == (
        device.device_id,
        "Telemetry",
        "device",
        "sas",
    )


@clause("d2c.auth-issuer")
def test_the_hub_says_that_it_has_issued_the_key(device, connection, telemetry):
    """The issuer stands beside scope and type of the authentication."""
    connection.publish(device.topics.events, b"whose key is it?", qos=1)

    assert telemetry.next(sent_by=device).auth.get("issuer") == "iothub"


@clause("d2c.identity-not-spoofable")
@pytest.mark.parametrize(
    "bag",
    ["iothub-connection-device-id={other}", "%24.cdid={other}", "$.cdid={other}"],
    ids=["stamp", "escaped", "raw"],
)
def test_a_property_cannot_name_another_sender(device, other_device, connection, telemetry, observed, bag):
    """The stamp comes from the authenticated connection; whether such a bag is taken is not stated."""
    connection.send(device.topics.events + bag.format(other=other_device.device_id), b"it was them", qos=1)
    observed(connection.outcome())

    assert telemetry.until_fence(other_device) == []


@clause("d2c.trailing-slash")
@pytest.mark.parametrize(
    ("bag", "properties"),
    [
        pytest.param("a=1/", {"a": "1"}, id="one-property"),
        pytest.param("a=1&b=2/", {"a": "1", "b": "2"}, id="two-properties"),
    ],
)
def test_a_slash_behind_the_bag_is_ignored(device, connection, telemetry, bag, properties):
    """Some SDKs end every topic with a slash."""
    connection.publish(device.topics.events + bag, b"x", qos=1)

    assert telemetry.next(sent_by=device).properties == properties


@clause("d2c.no-slash")
def test_the_events_topic_without_its_slash(device, probe, observed):
    """Reports differ on devices/{device}/messages/events."""
    observed(probe(device.topics.events.removesuffix("/"), b"no slash"))


@clause("d2c.encoded-id")
@pytest.mark.parametrize("id_ending", [pytest.param("-a:b", id="colon"), pytest.param("-n@m.et", id="at")])
def test_the_events_topic_with_an_encoded_id(device, probe, observed):
    """SDKs differ in whether they write an id as it is; of hubs both is told."""
    encoded = device.path.replace(":", "%3A").replace("@", "%40")

    observed(probe(f"devices/{encoded}/messages/events/", b"whose"))


@clause("d2c.order")
def test_acknowledged_messages_stay_in_order(device, connection, telemetry):
    """20 messages, each sent after the PUBACK of the one before, arrive in that order."""
    bodies = [f"message {number}".encode() for number in range(20)]

    connection.publish_each(device.topics.events, bodies)

    assert telemetry.take(20, sent_by=device) == bodies


@clause("d2c.acknowledged-delivered")
@pytest.mark.parametrize(
    ("bag", "count"),
    [
        pytest.param("", 40, id="forty-at-once"),
        pytest.param("a=1&b=2", 5, id="with-properties"),
        pytest.param("a=%zz", 5, id="a-bad-escape"),
        pytest.param("a", 5, id="no-value"),
        pytest.param("a=1&a=2", 5, id="a-name-twice"),
    ],
)
def test_what_is_acknowledged_arrives(device, connection, telemetry, bag, count):
    """[MQTT-4.3.2-2] Sent without waiting: no PUBACK without a delivery, though a hub may close instead."""
    bodies = [f"message {number}".encode() for number in range(count)]

    acknowledged = connection.send_and_count(device.topics.events + bag, bodies)

    arrived = {message.body for message in telemetry.until_fence(device)}
    assert [body for body in acknowledged if body not in arrived] == []


@clause("d2c.order-pipelined")
def test_messages_sent_at_once(device, connection, telemetry, observed):
    """20 messages sent without waiting; in which order they arrive is recorded."""
    bodies = [f"message {number}".encode() for number in range(20)]

    connection.send_each(device.topics.events, bodies)

    arrived = telemetry.take(20, sent_by=device)
    observed(f"in order: {arrived == bodies}; all there: {sorted(arrived) == sorted(bodies)}")


@clause("d2c.dup")
def test_a_resent_message_is_acknowledged(raw_connected):
    """[MQTT-4.3.2-2] A PUBLISH with DUP 1 gets its PUBACK like the first one."""
    topic = raw_connected.device.topics.events

    raw_connected.send(packet(0x32, text(topic), b"\x00\x07", b"once"))
    assert raw_connected.take(1) == ("puback 7",)

    raw_connected.send(packet(0x3A, text(topic), b"\x00\x07", b"once"))
    assert raw_connected.take(1) == ("puback 7",)


@clause("d2c.dup-property")
def test_the_properties_of_a_resent_message(raw_connected, telemetry, observed):
    """A gateway of Microsoft adds mqtt-dup; whether a hub does is not known."""
    topic = raw_connected.device.topics.events

    raw_connected.send(packet(0x3A, text(topic), b"\x00\x07", b"again"))

    observed(f"properties: {telemetry.next(sent_by=raw_connected.device).properties}")


@clause("d2c.foreign-topic")
@pytest.mark.parametrize("qos", [0, 1])
def test_a_message_on_another_devices_topic_is_not_that_devices(connection, bystander, telemetry, qos):
    """Whatever the hub does with it, it is never telemetry of the device that the topic names."""
    connection.send(bystander.device.topics.events, b"forged", qos=qos)
    connection.outcome()

    assert telemetry.until_fence(bystander.device, over=bystander) == []


@clause("d2c.too-large")
@pytest.mark.large
def test_a_message_beyond_the_limit_closes_and_is_not_delivered(
    device, connection, bystander, telemetry, untouched
):
    """256 KB is the limit for body and properties; 266 KB end the connection, and only that one."""
    connection.send(device.topics.events, bytes(266 * 1024), qos=1)

    connection.expect_closed()
    bystander.ping()
    assert telemetry.until_fence(device) == []
    untouched.confirm()


@clause("d2c.too-large")
@pytest.mark.large
def test_a_message_beyond_the_limit_closes_its_connection_alone(device, connection, bystander, untouched):
    """The devices' side of it."""
    connection.send(device.topics.events, bytes(266 * 1024), qos=1)

    connection.expect_closed()
    bystander.ping()
    untouched.confirm()
