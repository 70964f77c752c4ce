"""MQTT packets that break the rules.

Document: it asks for MQTT 3.1.1, whose sections are cited with each case. Clauses: clauses/packets.toml.

A malformed packet ends the connection it came on [MQTT-4.8.0-1], and no other. Packets that many
servers let pass may be ignored or acknowledged as well; nothing of them may become another's message.
"""

import pytest

from conformance.mqtt.fields import Will
from conformance.mqtt.raw_packets import connect, packet, text

clause = pytest.mark.clause

FILTER = text("$iothub/twin/res/#")


def five_bytes(length):
    """Return a remaining length in five bytes, one more than there may be; nothing else is wrong with it."""
    return bytes([0x80 + length % 128, 0x80 + length // 128, 0x80, 0x80, 0x00])


def contents(sent):
    """Return what a packet of fewer than 16,384 bytes holds behind its fixed header."""
    return sent[3:] if sent[1] & 0x80 else sent[2:]


@clause("packets.malformed")
@pytest.mark.parametrize(
    "malformed",
    [
        pytest.param(packet(0x80, b"\x00\x01", FILTER, b"\x00"), id="3.8.1-1-reserved-flags-of-SUBSCRIBE"),
        pytest.param(packet(0xA0, b"\x00\x01", FILTER), id="3.10.1-1-reserved-flags-of-UNSUBSCRIBE"),
        pytest.param(packet(0x60, b"\x00\x01"), id="3.6.1-1-reserved-flags-of-PUBREL"),
        pytest.param(packet(0xC1), id="2.2.2-2-reserved-flags-of-PINGREQ"),
        pytest.param(packet(0xE1), id="3.14.1-1-reserved-flags-of-DISCONNECT"),
        pytest.param(packet(0x82, b"\x00\x01", b"\x00\x20", b"short"), id="1.5.3-filter-overruns-SUBSCRIBE"),
        pytest.param(packet(0x82, b"\x00\x01", FILTER), id="3.8.3-QoS-missing-in-SUBSCRIBE"),
        pytest.param(packet(0x82, b"\x00\x01", FILTER, b"\x03"), id="3.8.3-4-requested-QoS-3"),
        pytest.param(packet(0x82, b"\x00\x01", FILTER, b"\x80"), id="3.8.3-4-reserved-bits-of-requested-QoS"),
        pytest.param(packet(0x82, b"\x00\x01"), id="3.8.3-3-SUBSCRIBE-without-filter"),
        pytest.param(packet(0xA2, b"\x00\x01"), id="3.10.3-2-UNSUBSCRIBE-without-filter"),
        pytest.param(packet(0xC0, b"\x00"), id="3.12-PINGREQ-with-a-body"),
        pytest.param(packet(0x40, b"\x00"), id="3.4.2-PUBACK-cut-off"),
        pytest.param(packet(0x00), id="2.2.1-packet-type-0"),
        pytest.param(packet(0xF0), id="2.2.1-packet-type-15"),
        pytest.param(packet(0x20, b"\x00\x00"), id="2.2.1-CONNACK-from-a-client"),
        pytest.param(packet(0x90, b"\x00\x01", b"\x00"), id="2.2.1-SUBACK-from-a-client"),
        pytest.param(packet(0xB0, b"\x00\x01"), id="2.2.1-UNSUBACK-from-a-client"),
        pytest.param(packet(0xD0), id="2.2.1-PINGRESP-from-a-client"),
    ],
)
def test_a_malformed_packet_ends_its_connection_alone(raw_connected, bystander, malformed, untouched):
    """[MQTT-4.8.0-1] A protocol violation closes the network connection it came on."""
    raw_connected.send(malformed)

    raw_connected.expect_closed()
    bystander.ping()
    untouched.confirm()


@clause("packets.malformed")
@pytest.mark.parametrize(
    "malformed",
    [
        pytest.param(lambda events: packet(0x36, text(events), b"\x00\x01", b"x"), id="3.3.1-4-QoS-3"),
        pytest.param(
            lambda events: b"\x30" + five_bytes(len(text(events))) + text(events),
            id="2.2.3-remaining-length-of-five-bytes",
        ),
        pytest.param(
            lambda events: packet(0x30, (len(events) + 1).to_bytes(2), events.encode()),
            id="1.5.3-topic-overruns-PUBLISH",
        ),
        pytest.param(lambda events: packet(0x32, text(events), b"\x00"), id="3.3.2-packet-id-cut-off"),
        pytest.param(
            lambda events: packet(0x30, text(f"{events}#"), b"x"), id="3.3.2-2-wildcard-in-topic-name"
        ),
    ],
)
def test_a_malformed_publish_ends_its_connection_alone(raw_connected, bystander, malformed, untouched):
    """[MQTT-4.8.0-1] The topic is the device's own, so that nothing but the packet's form is wrong."""
    raw_connected.send(malformed(raw_connected.device.topics.events))

    raw_connected.expect_closed()
    bystander.ping()
    untouched.confirm()


@clause("packets.malformed")
@pytest.mark.parametrize(
    "flags",
    [
        pytest.param({"flags": 0xC3}, id="3.1.2-3-reserved-flag"),
        pytest.param({"flags": 0xDE, "will": Will(topic="any", payload=b"gone")}, id="3.1.2-14-Will-QoS-3"),
        pytest.param({"flags": 0xCA}, id="3.1.2-13-Will-QoS-without-Will"),
        pytest.param({"flags": 0xE2}, id="3.1.2-15-Will-RETAIN-without-Will"),
        pytest.param({"flags": 0x42, "username": False}, id="3.1.2-22-Password-without-Username"),
    ],
)
def test_a_malformed_connect_gets_no_session(raw, bystander, flags, untouched):
    """[MQTT-3.1.4-1] Flags have to fit each other and what follows; else the hub closes without CONNACK."""
    raw.send(connect(raw.device, **flags))

    raw.expect_silent_close()
    bystander.ping()
    untouched.confirm()


@clause("packets.malformed")
@pytest.mark.parametrize(
    "malformed",
    [
        pytest.param(lambda sent: packet(0x10, sent[:-1]), id="3.1.3-cut-off-in-the-Password"),
        pytest.param(lambda sent: packet(0x10, sent[:12]), id="3.1.3-cut-off-in-the-ClientId"),
        pytest.param(lambda sent: packet(0x10, sent[:9]), id="3.1.2-cut-off-in-the-keep-alive"),
        pytest.param(lambda sent: packet(0x10, sent, b"x"), id="3.1.3-a-byte-behind-the-Password"),
        pytest.param(lambda sent: packet(0x11, sent), id="2.2.2-2-reserved-flags-of-CONNECT"),
    ],
)
def test_a_connect_of_the_wrong_length_gets_no_connack(raw, bystander, malformed, untouched):
    """[MQTT-3.1.4-1] What does not conform to section 3.1 is not answered; `sent`: what a right one holds."""
    raw.send(malformed(contents(raw.device.connect_packet())))

    raw.expect_silent_close()
    bystander.ping()
    untouched.confirm()


@clause("packets.utf-8")
@pytest.mark.parametrize(
    "wrong", [b"\xc3\x28", b"\xed\xa0\x80", b"\x00"], ids=["ill-formed", "surrogate", "U+0000"]
)
@pytest.mark.parametrize(
    "made",
    [
        pytest.param(
            lambda events, wrong: packet(0x30, text(events.encode() + b"a=" + wrong), b"x"), id="PUBLISH"
        ),
        pytest.param(
            lambda events, wrong: packet(0x82, b"\x00\x01", text(b"$iothub/twin/res/" + wrong), b"\x00"),
            id="SUBSCRIBE",
        ),
        pytest.param(
            lambda events, wrong: packet(0xA2, b"\x00\x01", text(b"$iothub/twin/res/" + wrong)),
            id="UNSUBSCRIBE",
        ),
    ],
)
def test_text_that_is_none_closes_the_connection(raw_connected, bystander, made, wrong, untouched):
    """[MQTT-1.5.3-1] [MQTT-1.5.3-2] Whoever receives such a packet closes."""
    raw_connected.send(made(raw_connected.device.topics.events, wrong))

    raw_connected.expect_closed()
    bystander.ping()
    untouched.confirm()


@clause("packets.utf-8")
@pytest.mark.parametrize("wrong", [b"\xc3\x28", b"\x00"], ids=["ill-formed", "U+0000"])
def test_text_that_is_none_in_connect_gets_no_session(raw, bystander, wrong, untouched):
    """[MQTT-1.5.3-1] [MQTT-1.5.3-2] Here in the ClientId."""
    client_id = raw.device.id.encode()
    sent = raw.device.connect_packet().replace(text(client_id), text(client_id[: -len(wrong)] + wrong))

    raw.send(sent)

    raw.expect_silent_close()
    bystander.ping()
    untouched.confirm()


questionable_packet = pytest.mark.parametrize(
    "questionable",
    [
        pytest.param(lambda events: packet(0x38, text(events), b"x"), id="3.3.1-2-DUP-with-QoS-0"),
        pytest.param(lambda events: packet(0x32, text(events), b"\x00\x00", b"x"), id="2.3.1-1-packet-id-0"),
        pytest.param(
            lambda events: packet(0x82, b"\x00\x00", FILTER, b"\x00"), id="2.3.1-1-packet-id-0-of-SUBSCRIBE"
        ),
        pytest.param(
            lambda events: packet(0x32, text(events.encode() + b"a=\xc3\x28"), b"\x00\x01", b"x"),
            id="1.5.3-1-ill-formed-UTF-8",
        ),
        pytest.param(
            lambda events: packet(0x32, text(events.encode() + b"a=\x00"), b"\x00\x01", b"x"),
            id="1.5.3-2-U+0000",
        ),
        pytest.param(lambda events: packet(0x32, text(""), b"\x00\x01", b"x"), id="4.7.3-1-empty-topic-name"),
    ],
)


@clause("packets.malformed-soft")
@questionable_packet
def test_what_becomes_of_a_questionable_packet(raw_connected, bystander, readings, questionable, untouched):
    """Closing, ignoring or acknowledging are all in use; somebody else notices nothing."""
    raw_connected.send(questionable(raw_connected.device.topics.events))

    readings.match(raw_connected.outcome())
    assert bystander.outcome() == "no answer"
    untouched.confirm()


@clause("packets.malformed-soft")
@questionable_packet
def test_a_questionable_packet_harms_nobody(
    raw_connected, bystander, telemetry, readings, questionable, untouched
):
    """Closing, ignoring or acknowledging are all in use; a message of somebody else is not."""
    raw_connected.send(questionable(raw_connected.device.topics.events))

    readings.match(raw_connected.outcome())
    assert telemetry.until_fence(bystander.device, over=bystander) == []
    untouched.confirm()
