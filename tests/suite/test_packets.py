"""The suite's packet decoder: literal bytes in, values out, and never an exception."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.evidence.case import LONGEST_PACKET
from conformance.evidence.describe import describe, preview, word, word_with_id
from conformance.mqtt.decoder import BEHIND, Decoder
from conformance.mqtt.packets import (
    Connack,
    Connect,
    Disconnect,
    Pingreq,
    Pingresp,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    Unreadable,
    Unsuback,
    Unsubscribe,
    Will,
)
from conformance.mqtt.raw_packets import remaining_length


def decoded(data):
    return Decoder().feed(data)


@pytest.mark.parametrize(
    ("data", "packet"),
    [
        (b"\x20\x02\x00\x00", Connack(0, 0)),
        (b"\x20\x02\x01\x00", Connack(1, 0)),
        (b"\x20\x02\x00\x05", Connack(0, 5)),
        (b"\x20\x02\xff\xfe", Connack(255, 254)),
        (b"\x20\x03\x00\x84\x00", Connack(0, 0x84, b"")),
        (b"\x20\x06\x00\x00\x03\x24\x01\x25", Connack(0, 0, b"\x24\x01\x25")),
        (b"\x30\x05\x00\x01t\x00\xff", Publish("t", b"\x00\xff")),
        (b"\x30\x02\x00\x00", Publish("", b"")),
        (b"\x3d\x07\x00\x01t\x12\x34hi", Publish("t", b"hi", 2, True, True, 0x1234)),
        (b"\x38\x03\x00\x01t", Publish("t", b"", 0, False, True)),
        (b"\x40\x02\x12\x34", Puback(0x1234)),
        (b"\x50\x02\x00\x01", Pubrec(1)),
        (b"\x62\x02\x00\x01", Pubrel(1)),
        (b"\x70\x02\x00\x01", Pubcomp(1)),
        (b"\x82\x0b\x00\x01\x00\x01a\x00\x00\x02b/\x02", Subscribe(1, (("a", 0), ("b/", 2)))),
        (b"\x90\x05\x00\x01\x00\x80\x03", Suback(1, (0, 128, 3))),
        (b"\xa2\x08\x00\x01\x00\x01a\x00\x01b", Unsubscribe(1, ("a", "b"))),
        (b"\xb0\x02\xff\xff", Unsuback(65535)),
        (b"\xc0\x00", Pingreq()),
        (b"\xd0\x00", Pingresp()),
        (b"\xe0\x00", Disconnect()),
        (b"\xe0\x01\x8d", Disconnect(0x8D)),
        (b"\xe0\x02\x8d\x00", Disconnect(0x8D)),
        (
            b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02d1",
            Connect("MQTT", 4, True, 60, "d1", None, None, False),
        ),
        (
            b"\x10\x10\x00\x06MQIsdp\x03\x00\x00\x01\x00\x02d1",
            Connect("MQIsdp", 3, False, 1, "d1", None, None, False),
        ),
        (
            b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x02d1",
            Connect("MQTT", 5, True, 60, "d1", None, None, False),
        ),
        (
            b"\x10\x1a\x00\x04MQTT\x04\xee\x00\x00\x00\x01d\x00\x01w\x00\x02hi\x00\x01u\x00\x01p",
            Connect("MQTT", 4, True, 0, "d", Will("w", b"hi", 1, True), "u", True),
        ),
    ],
    ids=repr,
)
def test_each_packet_is_read(data, packet):
    assert decoded(data) == [packet]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x00\x00", "type 0 is reserved"),
        (b"\xf0\x00", "type 15 is reserved"),
        (b"\x21\x02\x00\x00", "CONNACK with flags 0001"),
        (b"\x41\x02\x00\x01", "PUBACK with flags 0001"),
        (b"\x60\x02\x00\x01", "PUBREL with flags 0000 instead of 0010"),
        (b"\xd1\x00", "PINGRESP with flags"),
        (b"\x36\x05\x00\x01t\x00\x01", "QoS 3"),
        (b"\x30\x02\x00\x05", "topic name goes beyond"),
        (b"\x32\x04\x00\x01t\x00", "packet id goes beyond"),
        (b"\x30\x04\x00\x02\xc3\x28", "topic name is not UTF-8"),
        (b"\x30\x05\x00\x03\xed\xa0\x80", "topic name is not UTF-8"),
        (b"\x30\x03\x00\x01\x00", "U+0000"),
        (b"\x40\x03\x00\x01\x00", "1 bytes longer"),
        (b"\x40\x01\x00", "packet id goes beyond"),
        (b"\x90\x02\x00\x01", "no return code"),
        (b"\x82\x02\x00\x01", "no topic filter"),
        (b"\x82\x06\x00\x01\x00\x01a\x03", "requested QoS is 3"),
        (b"\x82\x05\x00\x01\x00\x01a", "requested QoS goes beyond"),
        (b"\xa2\x02\x00\x01", "no topic filter"),
        (b"\xd0\x01\x00", "1 bytes longer"),
        (b"\x10\x0e\x00\x04MQTT\x04\x03\x00\x3c\x00\x02d1", "reserved connect flag"),
        (b"\x10\x0e\x00\x04MQTT\x04\x1a\x00\x3c\x00\x02d1", "Will's flags"),
        (b"\x10\x11\x00\x04MQTT\x04\x42\x00\x3c\x00\x02d1\x00\x01p", "Password without Username"),
    ],
)
def test_what_is_no_packet_comes_back_with_its_reason_and_all_its_bytes(data, reason):
    (packet,) = decoded(data)

    assert isinstance(packet, Unreadable)
    assert reason in packet.reason
    assert packet.data == data


def test_the_packets_behind_a_malformed_one_are_read():
    assert decoded(b"\x41\x02\x00\x01\xd0\x00")[1:] == [Pingresp()]


def test_behind_a_length_of_five_bytes_nothing_can_be_read():
    decoder = Decoder()

    assert decoder.feed(b"\x30\xff\xff\xff\xff\x01") == [
        Unreadable("the remaining length has more than four bytes", b"\x30\xff\xff\xff\xff\x01")
    ]
    assert decoder.feed(b"\xd0\x00") == [Unreadable(BEHIND, b"\xd0\x00")]
    assert decoder.finish() == []


@pytest.mark.parametrize("length", [1_048_577, 268_435_455])
def test_a_packet_longer_than_any_hub_sends_is_unreadable_at_its_header(length):
    """Nothing of it is collected: what follows comes back as it comes."""
    header = b"\x30" + remaining_length(length)
    decoder = Decoder(LONGEST_PACKET)

    assert decoder.feed(header) == [
        Unreadable(f"a packet of {length} bytes, where none has more than 1048576", header)
    ]
    assert decoder.feed(b"    ") == [Unreadable(BEHIND, b"    ")]
    assert decoder.finish() == []


def test_the_longest_packet_that_a_hub_may_send_is_read():
    body = b"\x00\x01t".ljust(LONGEST_PACKET)

    assert Decoder(LONGEST_PACKET).feed(b"\x30" + remaining_length(LONGEST_PACKET) + body) == [
        Publish("t", body[3:])
    ]


def test_a_stream_that_ends_inside_a_packet_says_so():
    decoder = Decoder()

    assert decoder.feed(b"\x40\x02\x00") == []
    assert decoder.finish() == [Unreadable("the stream ended inside a packet", b"\x40\x02\x00")]
    assert decoder.finish() == []


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_no_bytes_raise_and_none_are_lost(pieces):
    """Whatever a hub sends, every byte is in a packet, in an Unreadable, or in the rest."""
    decoder = Decoder()

    packets = [packet for piece in pieces for packet in decoder.feed(piece)]
    packets += decoder.finish()

    for packet in packets:
        assert word(packet)
        assert describe(packet)
        assert word_with_id(packet)
    if all(isinstance(packet, Unreadable) for packet in packets):
        assert b"".join(packet.data for packet in packets) == b"".join(pieces)


BEGINNINGS = st.sampled_from([0x10, 0x20, 0x30, 0x32, 0x34, 0x40, 0x82, 0x90, 0xA2, 0xB0, 0xD0, 0xE0])


@given(BEGINNINGS, st.binary(max_size=127))
def test_no_body_of_any_packet_raises(first, body):
    (packet,) = decoded(bytes([first, len(body)]) + body)

    assert describe(packet)


@given(st.lists(st.tuples(BEGINNINGS, st.binary(max_size=30)), max_size=6), st.data())
def test_it_does_not_matter_where_the_network_cuts(packets, data):
    stream = b"".join(bytes([first, len(body)]) + body for first, body in packets)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    decoder = Decoder()

    in_pieces = [
        packet
        for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for packet in decoder.feed(stream[begin:end])
    ]

    assert in_pieces == decoded(stream)
    assert decoder.finish() == []


def test_a_password_is_in_no_value_and_in_no_line():
    secret = b"SharedAccessSignature sr=x&sig=abc&se=1"
    body = b"\x00\x04MQTT\x04\xc2\x00\x3c\x00\x01d\x00\x01u" + len(secret).to_bytes(2) + secret
    connect = bytes([0x10, len(body)]) + body

    whole = decoded(connect)
    malformed = decoded(b"\x11" + connect[1:])
    lost = Decoder()
    bad_length = [*lost.feed(b"\x10\xff\xff\xff\xff\x01"), *(lost.feed(connect[9:])), *lost.feed(secret)]

    for packet in [*whole, *malformed, *bad_length]:
        line = describe(packet)
        assert b"sig".hex(" ") not in line
        assert "sig" not in line
    assert "sig" not in repr(whole)
    assert "password=(redacted)" in describe(whole[0])


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (Connack(0, 5), "connack 5"),
        (Suback(7, (0, 128)), "suback 0 128"),
        (Suback(7, (0,) * 60_000), f"suback{' 0' * 100} … (60000 codes)"),
        (Puback(7), "puback"),
        (Publish("t", b""), "publish"),
        (Unreadable("x", b""), "unreadable"),
        (Disconnect(141), "disconnect 141"),
        (Pingresp(), "pingresp"),
    ],
)
def test_the_words_of_outcomes(packet, expected):
    assert word(packet) == expected


def test_words_with_ids():
    assert [
        word_with_id(packet) for packet in (Puback(7), Suback(4660, (1, 0)), Connack(0, 0), Pingresp())
    ] == [
        "puback 7",
        "suback 4660 1 0",
        "connack 0",
        "pingresp",
    ]


@pytest.mark.parametrize(
    ("packet", "line"),
    [
        (Connack(0, 0), "CONNACK  accepted, session_present=0"),
        (Connack(1, 5), "CONNACK  refused with code 5, session_present=1"),
        (Publish("a/b", b"21C", 1, False, False, 9), 'PUBLISH  qos=1 packet=9 a/b (3 bytes) "21C"'),
        (Publish("a", b"", 0, True, True), "PUBLISH  qos=0 retain=1 dup=1 a (0 bytes)"),
        (Puback(9), "PUBACK   packet=9"),
        (Pingresp(), "PINGRESP"),
        (Subscribe(1, (("a/#", 1), ("b", 0))), "SUBSCRIBE packet=1 a/# qos=1, b qos=0"),
        (Unreadable("it is odd", b"\xf0\x00"), "UNREADABLE (it is odd; 2 bytes) f0 00"),
    ],
)
def test_a_packet_in_words(packet, line):
    assert describe(packet) == line


def test_a_payload_is_shown_as_text_or_in_hexadecimal_and_never_whole():
    assert preview(b"{id=123}") == '"{id=123}"'
    assert preview("São".encode()) == '"São"'
    assert preview(b"\xff\x00") == "ff 00"
    assert preview(b"x" * 1000) == '"' + "x" * 200 + '…"'
    assert len(preview(bytes(1000))) < 60
