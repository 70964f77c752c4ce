"""The decoder: each packet a client may send, and each rule that closes the connection."""

import pytest
from mqtt_bytes import DISCONNECT, PINGREQ, client_bytes, field

from iothub_emulator.hub.packets import (
    Connect,
    Disconnect,
    Pingreq,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Subscribe,
    Unsubscribe,
    Will,
)
from iothub_emulator.mqtt.decoder import Decoder
from iothub_emulator.mqtt.encoder import frame
from iothub_emulator.mqtt.rules import CodecRules, Malformed
from iothub_emulator.settings import Settings


def decode(*chunks, rules=None):
    decoder = Decoder(rules or CodecRules(Settings()))
    packets = []
    for chunk in chunks:
        decoder.feed(chunk)
        packets.extend(decoder.packets())
    return packets


PACKETS = [
    Connect("MQTT", 4, client_id="d1"),
    Connect("MQTT", 4, clean_session=False, keep_alive=65535, client_id="d1", username="u", password=b"\xff"),
    Connect("MQTT", 4, client_id="d1", username="u", will=Will("a/b", b"\0bye", 2, retain=True)),
    Connect("MQIsdp", 3, client_id="d1"),
    Publish("a", b""),
    Publish("a/\u00e9/\U0001f600", b"\0\xff", qos=1, retain=True, dup=True, packet_id=65535),
    Publish("a", b"x", qos=2, packet_id=1),
    Puback(1),
    Pubrec(2),
    Pubrel(3),
    Pubcomp(65535),
    Subscribe(1, (("a/#", 0), ("+/b", 2))),
    Unsubscribe(7, ("a/#", "$iothub/x/+")),
    Pingreq(),
    Disconnect(),
]


@pytest.mark.parametrize("packet", PACKETS, ids=str)
def test_a_packet_is_read_as_it_was_written(packet):
    """Every field survives, and nothing is left behind."""
    assert decode(client_bytes(packet) + PINGREQ) == [packet, Pingreq()]


@pytest.mark.parametrize("length", [127, 128, 16_383, 16_384])
def test_remaining_lengths_of_one_to_three_bytes(length):
    """MQTT 3.1.1, 2.2.3: the edges of each number of length bytes."""
    packet = Publish("a", bytes(length - 3))
    assert len(client_bytes(packet)) == length + 1 + (1 if length < 128 else 2 if length < 16_384 else 3)
    assert decode(client_bytes(packet)) == [packet]


def test_bytes_one_at_a_time():
    """A packet may come in as many pieces as it has bytes."""
    data = client_bytes(PACKETS[2]) + client_bytes(PACKETS[5])
    assert decode(*(data[i : i + 1] for i in range(len(data)))) == [PACKETS[2], PACKETS[5]]


def test_another_protocol_is_read_no_further_than_its_level():
    """The layout behind an unknown level is unknown; the hub still has to answer it."""
    assert decode(frame(1, 0, field("MQTT") + b"\x05\x02\x00\x3c\x00\x00\x02d1")) == [Connect("MQTT", 5)]
    assert decode(frame(1, 0, field("HTTP") + b"\x04")) == [Connect("HTTP", 4)]


CONNECT_HEAD = field("MQTT") + b"\x04"

MALFORMED = {
    "reserved type 0": (b"\x00\x00", "[MQTT-4.8.0-1]"),
    "reserved type 15": (b"\xf0\x00", "[MQTT-4.8.0-1]"),
    "CONNACK": (b"\x20\x02\x00\x00", "[MQTT-4.8.0-1]"),
    "SUBACK": (b"\x90\x03\x00\x01\x00", "[MQTT-4.8.0-1]"),
    "UNSUBACK": (b"\xb0\x02\x00\x01", "[MQTT-4.8.0-1]"),
    "PINGRESP": (b"\xd0\x00", "[MQTT-4.8.0-1]"),
    "flags of CONNECT": (b"\x11" + client_bytes(PACKETS[0])[1:], "[MQTT-2.2.2-2]"),
    "flags of PUBACK": (b"\x41\x02\x00\x01", "[MQTT-2.2.2-2]"),
    "flags of PUBREL": (b"\x60\x02\x00\x01", "[MQTT-3.6.1-1]"),
    "flags of SUBSCRIBE": (frame(8, 0, b"\x00\x01" + field("a") + b"\0"), "[MQTT-3.8.1-1]"),
    "flags of UNSUBSCRIBE": (frame(10, 0, b"\x00\x01" + field("a")), "[MQTT-3.10.1-1]"),
    "flags of PINGREQ": (b"\xc1\x00", "[MQTT-2.2.2-2]"),
    "flags of DISCONNECT": (b"\xe1\x00", "[MQTT-3.14.1-1]"),
    "five length bytes": (b"\x30\x80\x80\x80\x80\x01", "[MQTT-4.8.0-1]"),
    "far too large": (b"\x30\xff\xff\xff\x7f", "[MQTT-4.8.0-1]"),
    "PINGREQ with a body": (b"\xc0\x01\x00", "[MQTT-4.8.0-1]"),
    "PUBACK without an id": (b"\x40\x01\x00", "[MQTT-4.8.0-1]"),
    "PUBACK with more": (b"\x40\x03\x00\x01\x00", "[MQTT-4.8.0-1]"),
    "topic overruns": (frame(3, 0, b"\x00\x05abc"), "[MQTT-4.8.0-1]"),
    "id overruns": (frame(3, 2, field("a") + b"\x00"), "[MQTT-4.8.0-1]"),
    "CONNECT underruns": (frame(1, 0, CONNECT_HEAD + b"\x02\x00\x00" + field("d") + b"\0"), "[MQTT-4.8.0-1]"),
    "CONNECT ends early": (frame(1, 0, CONNECT_HEAD + b"\x82\x00\x00" + field("d")), "[MQTT-4.8.0-1]"),
    "QoS 3": (frame(3, 6, field("a") + b"\x00\x01"), "[MQTT-3.3.1-4]"),
    "DUP with QoS 0": (frame(3, 8, field("a")), "[MQTT-3.3.1-2]"),
    "# in a topic name": (frame(3, 0, field("a/#")), "[MQTT-3.3.2-2]"),
    "+ in a topic name": (frame(3, 0, field("a/+/b")), "[MQTT-3.3.2-2]"),
    "empty topic": (frame(3, 0, field("")), "[MQTT-4.7.3-1]"),
    "packet id 0": (frame(3, 2, field("a") + b"\0\0"), "[MQTT-2.3.1-1]"),
    "packet id 0 of SUBSCRIBE": (frame(8, 2, b"\0\0" + field("a") + b"\0"), "[MQTT-2.3.1-1]"),
    "ill-formed UTF-8": (frame(3, 0, field(b"a\xff")), "[MQTT-1.5.3-1]"),
    "surrogate": (frame(3, 0, field(b"\xed\xa0\x80")), "[MQTT-1.5.3-1]"),
    "overlong": (frame(3, 0, field(b"\xc0\xaf")), "[MQTT-1.5.3-1]"),
    "U+0000": (frame(3, 0, field("a\0")), "[MQTT-1.5.3-2]"),
    "reserved connect flag": (frame(1, 0, CONNECT_HEAD + b"\x03\x00\x00" + field("d")), "[MQTT-3.1.2-3]"),
    "Will QoS 3": (
        frame(1, 0, CONNECT_HEAD + b"\x1e\x00\x00" + field("d") + field("a") + field("")),
        "[MQTT-3.1.2-14]",
    ),
    "Will QoS without Will": (frame(1, 0, CONNECT_HEAD + b"\x0a\0\0" + field("d")), "[MQTT-3.1.2-13]"),
    "Will RETAIN without Will": (frame(1, 0, CONNECT_HEAD + b"\x22\0\0" + field("d")), "[MQTT-3.1.2-15]"),
    "password alone": (
        frame(1, 0, CONNECT_HEAD + b"\x42\0\0" + field("d") + field("secret")),
        "[MQTT-3.1.2-22]",
    ),
    "wildcard in the Will topic": (
        frame(1, 0, CONNECT_HEAD + b"\x06\0\0" + field("d") + field("a/#") + field("")),
        "[MQTT-3.3.2-2]",
    ),
    "SUBSCRIBE without filters": (frame(8, 2, b"\0\x01"), "[MQTT-3.8.3-3]"),
    "UNSUBSCRIBE without filters": (frame(10, 2, b"\0\x01"), "[MQTT-3.10.3-2]"),
    "requested QoS 3": (frame(8, 2, b"\0\x01" + field("a") + b"\x03"), "[MQTT-3-8.3-4]"),
    "reserved bits of the requested QoS": (frame(8, 2, b"\0\x01" + field("a") + b"\x41"), "[MQTT-3-8.3-4]"),
    "empty filter": (frame(8, 2, b"\0\x01" + field("") + b"\0"), "[MQTT-4.7.3-1]"),
    "# not last": (frame(8, 2, b"\0\x01" + field("a/#/b") + b"\0"), "[MQTT-4.7.1-2]"),
    "# beside letters": (frame(8, 2, b"\0\x01" + field("a#") + b"\0"), "[MQTT-4.7.1-2]"),
    "+ beside letters": (frame(10, 2, b"\0\x01" + field("a+")), "[MQTT-4.7.1-3]"),
}


@pytest.mark.parametrize(("data", "rule"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_packet_is_refused_by_its_rule(data, rule):
    """What comes before it counts, the error names the rule, and nothing behind it is read."""
    decoder = Decoder(CodecRules(Settings()))
    decoder.feed(PINGREQ + data + DISCONNECT)
    packets = decoder.packets()

    assert next(packets) == Pingreq()
    with pytest.raises(Malformed) as caught:
        next(packets)
    assert str(caught.value).startswith(rule)

    decoder.feed(PINGREQ)
    assert list(decoder.packets()) == []


@pytest.mark.parametrize(
    "check",
    [
        "packet_type", "client_packet", "flags", "packet_size", "overrun", "underrun", "no_null", "packet_id",
        "publish_qos", "publish_dup", "topic_wildcard", "topic_empty", "connect_reserved", "will_qos",
        "will_bits", "password_needs_username", "subscribe_filters", "unsubscribe_filters", "requested_qos",
        "filter_wildcards",
    ],
)  # fmt: skip
def test_each_check_can_be_taken_out_alone(check):
    """A fault replaces one method: some malformed packet passes then, and no other error comes out."""
    rules = CodecRules(Settings())
    setattr(rules, check, lambda *_, **__: None)

    passed = set()
    for name, (data, _) in MALFORMED.items():
        try:
            packets = decode(data, rules=rules)
        except Malformed:
            continue
        if packets or check == "packet_size":
            passed.add(name)
    assert passed
    assert len(passed) < len(MALFORMED) / 2


def test_text_and_lengths_can_be_read_leniently():
    """The two checks that return what they read."""

    class Lenient(CodecRules):
        def text(self, data):
            return data.decode(errors="replace")

        def fifth_length_byte(self, length, end):
            return 0, end

    rules = Lenient(Settings())
    assert decode(frame(3, 0, field(b"a\xff")), rules=rules) == [Publish("a\ufffd", b"")]
    assert decode(b"\xc0\x80\x80\x80\x80", rules=rules) == [Pingreq()]


def test_a_hub_that_cannot_wait_loses_the_beginning():
    """packets.split is one decision."""

    class Impatient(CodecRules):
        def waits_for_rest(self):
            return False

    rules = Impatient(Settings())
    assert decode(b"\xc0", b"\xc0\x00", rules=rules) == [Pingreq()]


@pytest.mark.parametrize("first_byte", [0x10, 0x32])
def test_little_is_read_of_who_has_not_said_who_it_is(first_byte):
    """A first packet larger than any CONNECT of a hub's is refused at its header, before it is collected."""
    decoder = Decoder(CodecRules(Settings()))
    decoder.feed(bytes((first_byte,)) + b"\x82\x80\x09")
    assert list(decoder.packets()) == []
    decoder = Decoder(CodecRules(Settings()))
    decoder.feed(bytes((first_byte,)) + b"\x83\x80\x09")
    with pytest.raises(Malformed, match="packet of 147459 bytes"):
        list(decoder.packets())
