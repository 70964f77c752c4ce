"""What messages carry: every text as name and value of a property, every body, either way.

Document: #sending-device-to-cloud-messages and #receiving-cloud-to-device-messages.
Clauses: clauses/bag.toml, d2c.toml, c2d.toml, will.toml, module.toml. Values: conformance/corpora.

What has to arrive travels together: one bag has all names or all values. What comes is held against it as a
whole, and what differs is named.
"""

import pytest

from conformance.corpora.corpus import load
from conformance.corpora.whole import as_bodies, as_names, as_several_values, as_values
from conformance.mqtt.bag import as_needed, bag_of, every_byte, in_small_hexadecimal, written
from conformance.mqtt.fields import Will

clause = pytest.mark.clause
large = pytest.mark.large

PROPERTIES = load("telemetry_properties")
CLOUD_PROPERTIES = load("cloud_properties")
SYSTEM = load("system_properties").must("id")
BODIES = load("bodies")
# Of $.mid, $.cid, $.uid, $.ct and $.ce at the back end.
SYSTEM_PROPERTIES = ("message-id", "correlation-id", "user-id", "content-type", "content-encoding")

ESCAPES = pytest.mark.parametrize(
    "escape",
    [
        pytest.param(as_needed, id="encoded-as-needed"),
        pytest.param(every_byte, id="every-byte-encoded"),
        pytest.param(in_small_hexadecimal, id="in-small-hexadecimal"),
    ],
)


# -- from devices


@clause("bag.encoding")
@ESCAPES
def test_every_text_arrives_as_the_value_of_a_property(bag_of_telemetry, escape):
    """A value is decoded once, and stays a text whatever it looks like."""
    sent = as_values(PROPERTIES.must("value"))

    sent.expect_same(bag_of_telemetry(sent, escape))


@clause("bag.encoding")
@ESCAPES
def test_every_text_arrives_as_the_name_of_a_property(bag_of_telemetry, escape):
    """A name is decoded once, and each is another, also where they differ in letter case alone."""
    sent = as_names(PROPERTIES.must("name"))

    sent.expect_same(bag_of_telemetry(sent, escape))


@clause("bag.encoding")
@large
def test_values_arrive_that_nearly_fill_a_topic(bag_of_telemetry):
    """[MQTT-1.5.3] A topic has up to 65,535 bytes; a message up to 256 KB."""
    sent = as_values(PROPERTIES.must("value", large=True))

    sent.expect_same(bag_of_telemetry(sent))


@clause("bag.control-characters")
@pytest.mark.parametrize("character", PROPERTIES.alone("value", "disputed"), ids=str)
def test_a_control_character_in_a_value(device, probe, readings, character, untouched):
    """It arrives, or the message is not taken; what is delivered is whole."""
    outcome = probe(f"{device.topics.events}name={as_needed(character.text)}", b"x")

    readings.match(outcome.replace(f"{{'name': {character.text!r}}}", "as sent"))
    untouched.confirm()


@clause("bag.control-characters")
@pytest.mark.parametrize("character", PROPERTIES.alone("name", "disputed"), ids=str)
def test_a_control_character_in_a_name(device, probe, readings, character, untouched):
    """Likewise."""
    outcome = probe(f"{device.topics.events}{as_needed(character.text)}=value", b"x")

    readings.match(outcome.replace(f"{{{character.text!r}: 'value'}}", "as sent"))
    untouched.confirm()


@clause("bag.system-properties")
@pytest.mark.parametrize("dollar", ["$", "%24"])
def test_every_value_of_a_system_property_arrives(systems_of_telemetry, dollar):
    """Decoded once, in each of $.mid, $.cid, $.uid, $.ct and $.ce; none of them is the application's."""
    sent = as_several_values(SYSTEM, SYSTEM_PROPERTIES)

    sent.expect_same(systems_of_telemetry(sent, dollar))


@clause("d2c.body-opaque")
def test_every_body_arrives_as_it_was_sent(bodies_of_telemetry):
    """One behind the other on one connection, whatever they look like."""
    sent = as_bodies(BODIES.must("telemetry"))

    sent.expect_same(bodies_of_telemetry(sent))


@clause("d2c.body-opaque")
@large
def test_bodies_of_4_kb_to_255_kb_arrive_as_they_were_sent(bodies_of_telemetry):
    """Every byte of them."""
    sent = as_bodies(BODIES.must("telemetry", large=True))

    sent.expect_same(bodies_of_telemetry(sent))


@clause("d2c.body-opaque")
@large
def test_a_message_arrives_whose_body_and_properties_are_255_kb_together(device, connection, telemetry):
    """Microsoft counts the body, and names and values of properties as they are, up to 256 KB."""
    properties, body = {"name": "x" * 60_000}, bytes(range(256)) * 785
    connection.publish(device.topics.events + written(properties), body, qos=1)

    message = telemetry.next(sent_by=device)
    assert (message.body, message.properties) == (body, properties)


@clause("will.property-bag")
def test_every_text_arrives_as_the_value_of_a_wills_property(bag_of_will):
    """The bag of a Will's topic is read like any other."""
    sent = as_values(PROPERTIES.must("value"))

    sent.expect_same(bag_of_will(sent))


@clause("will.property-bag")
def test_every_text_arrives_as_the_name_of_a_wills_property(bag_of_will):
    """Likewise."""
    sent = as_names(PROPERTIES.must("name"))

    sent.expect_same(bag_of_will(sent))


@clause("will.payload")
@pytest.mark.parametrize("body", [body for body in BODIES.must("will") if "every-byte" in body.id], ids=str)
def test_every_byte_arrives_in_the_payload_of_a_will(device, telemetry, body):
    """The payload is opaque, NUL and 255 in it too."""
    will = Will(topic=device.topics.events, payload=body.body, qos=1)
    connection = device.connect(clean_session=False, will=will)

    connection.drop()

    assert telemetry.next(sent_by=device).body == body.body


@clause("module.telemetry")
def test_every_text_arrives_as_the_value_of_a_modules_property(bag_of_modules_telemetry):
    """The bag behind a module's topic is read like a device's."""
    sent = as_values(PROPERTIES.must("value"))

    sent.expect_same(bag_of_modules_telemetry(sent))


@clause("module.telemetry")
def test_every_text_arrives_as_the_name_of_a_modules_property(bag_of_modules_telemetry):
    """Likewise."""
    sent = as_names(PROPERTIES.must("name"))

    sent.expect_same(bag_of_modules_telemetry(sent))


# -- to devices


@clause("c2d.bag-encoding")
def test_every_allowed_text_reaches_the_device_as_the_value_of_a_property(bag_to_device):
    """Decoded once, it is what the sender set."""
    sent = as_values(CLOUD_PROPERTIES.must("value"))

    sent.expect_same(bag_to_device(sent))


@clause("c2d.bag-encoding")
def test_every_allowed_text_reaches_the_device_as_the_name_of_a_property(bag_to_device):
    """Decoded once, it is what the sender set, and no other property's name."""
    sent = as_names(CLOUD_PROPERTIES.must("name"))

    sent.expect_same(bag_to_device(sent))


@clause("c2d.bag-encoding-more")
@pytest.mark.parametrize("text", CLOUD_PROPERTIES.alone("value", "observe"), ids=str)
def test_a_text_that_is_not_allowed(device, receiver, c2d, observed, text):
    """SDKs send these all the same; how a hub passes them on is not documented."""
    outcome = c2d.attempt_to_send(device, b"x", properties={"name": text.text})
    c2d.send(device, b"behind it")

    bags = [bag_of(message).application for message in receiver.messages_until(b"behind it")]
    observed(f"{outcome}; then {bags[:-1]}")


@clause("c2d.bag-utf-8")
@pytest.mark.parametrize("text", CLOUD_PROPERTIES.alone("value", "disputed"), ids=str)
def test_a_value_beyond_ascii(fate_at_the_device, readings, text):
    """SDKs send these all the same: what is taken arrives, character by character."""
    readings.match(fate_at_the_device({"name": text.text}))


@clause("c2d.bag-utf-8")
@pytest.mark.parametrize("text", CLOUD_PROPERTIES.alone("name", "disputed"), ids=str)
def test_a_name_beyond_ascii(fate_at_the_device, readings, text):
    """Likewise."""
    readings.match(fate_at_the_device({text.text: "value"}))


@clause("c2d.bag-encoding")
@pytest.mark.parametrize(
    ("field", "name"),
    [("message_id", "$.mid"), ("correlation_id", "$.cid")],
    ids=["message-id", "correlation-id"],
)
def test_every_value_of_a_system_property_reaches_the_device(messages_to_device, field, name):
    """Decoded once, it is what the sender set."""
    sent = as_values(SYSTEM)

    came = messages_to_device(sent, lambda value: (b"x", {field: value}))

    sent.expect_same({value: bag_of(message).system.get(name) for value, message in came.items()})


@clause("c2d.body")
def test_every_body_reaches_the_device_as_it_was_sent(messages_to_device):
    """Whatever it looks like."""
    sent = as_bodies(BODIES.must("cloud"))

    came = messages_to_device(sent, lambda body: (body, {}))

    sent.expect_same({place: message.payload for place, message in came.items()})


@clause("c2d.body")
@large
def test_bodies_of_4_kb_to_62_kb_reach_the_device_as_they_were_sent(messages_to_device):
    """Every byte of them; a message may have 64 KB."""
    sent = as_bodies(BODIES.must("cloud", large=True))

    came = messages_to_device(sent, lambda body: (body, {}))

    sent.expect_same({place: message.payload for place, message in came.items()})
