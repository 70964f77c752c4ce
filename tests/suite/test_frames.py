"""WebSocket frames of the device side: RFC 6455, section 5, as bytes."""

import pytest

from conformance.mqtt.frames import (
    LONGEST,
    Broken,
    Control,
    Frame,
    FrameReader,
    Head,
    Opcode,
    Piece,
    literal,
    mask_over,
)

MASK = b"\x37\xfa\x21\x3d"


def read(*chunks):
    reader = FrameReader()
    return [event for chunk in chunks for event in reader.feed(chunk)]


def test_a_frame_is_masked_as_in_the_examples_of_the_rfc():
    """Section 5.7: a single-frame masked text message."""
    assert Frame(b"Hello", Opcode.TEXT, mask=MASK).encode().hex(" ") == "81 85 37 fa 21 3d 7f 9f 4d 51 58"


def test_each_frame_has_a_mask_of_its_own():
    frames = {Frame(b"").encode() for _ in range(20)}

    assert len(frames) > 10
    assert {frame[:2] for frame in frames} == {b"\x82\x80"}


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 1000])
def test_a_mask_laid_over_twice_is_none(size):
    data = bytes(range(256)) * 4
    assert mask_over(mask_over(data[:size], MASK), MASK) == data[:size]


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (125, "82 fd"),
        (126, "82 fe 00 7e"),
        (65535, "82 fe ff ff"),
        (65536, "82 ff 00 00 00 00 00 01 00 00"),
    ],
)
def test_a_length_is_written_in_its_shortest_form(size, head):
    encoded = Frame(bytes(size), mask=bytes(4)).encode()

    assert encoded[: len(bytes.fromhex(head))].hex(" ") == head
    assert len(encoded) == len(bytes.fromhex(head)) + 4 + size


@pytest.mark.parametrize(
    ("made", "head", "size"),
    [
        (literal(0xC3, b"ab"), "c3 82", 8),
        (literal(0x82, b"ab", masked=False), "82 02", 4),
        (literal(0x89, bytes(126), masked=False), "89 7e 00 7e", 130),
        (literal(0x82, b"ab", size=b"\x7e\x00\x02"), "82 fe 00 02", 10),
        (literal(0x82, b"ab", size=b"\x7f\x80" + bytes(7), masked=False), "82 7f 80 00", 12),
    ],
)
def test_a_literal_frame_is_what_no_client_should_send(made, head, size):
    assert (made[: len(bytes.fromhex(head))].hex(" "), len(made)) == (head, size)


def test_a_fragment_leaves_its_message_open():
    assert Frame(b"a", final=False, mask=bytes(4)).encode()[0] == 0x02
    assert Frame(b"b", Opcode.CONTINUATION, mask=bytes(4)).encode()[0] == 0x80


def test_frames_are_told_in_words():
    assert Frame(b"").describe() == "binary, 0 bytes"
    assert Frame(b"x", final=False).describe() == "binary, 1 byte, more to come"
    assert Frame(b"\x03\xe8", Opcode.CLOSE).describe() == "close 1000"


@pytest.mark.parametrize("step", [1, 2, 3, 1000])
def test_frames_are_read_wherever_the_network_cuts(step):
    """Two fragments with a Ping in between (section 5.4), and a long one behind."""
    data = (
        b"\x02\x02ab" + b"\x89\x01!" + b"\x80\x01c" + b"\x82\x7e\x00\x80" + bytes(128) + b"\x88\x02\x03\xe8"
    )

    events = read(*(data[at : at + step] for at in range(0, len(data), step)))

    assert b"".join(event.payload for event in events if isinstance(event, Piece)) == b"abc" + bytes(128)
    assert [event.text for event in events if not isinstance(event, Piece)] == [
        "binary, 2 bytes, more to come",
        "ping, 1 byte",
        "continuation, 1 byte",
        "binary, 128 bytes",
        "close 1000",
    ]


def test_a_control_frame_comes_whole():
    assert read(b"\x88\x07\x03", b"\xe9going") == [
        Control(Opcode.CLOSE, b"\x03\xe9going", "close 1001 'going'")
    ]
    assert read(b"\x88\x00") == [Control(Opcode.CLOSE, b"", "close without status")]


def test_an_empty_data_frame_is_a_frame():
    assert read(b"\x82\x00\x82\x01x") == [Head("binary, 0 bytes", 0), Head("binary, 1 byte", 1), Piece(b"x")]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x81\x02hi", "a text frame, where MQTT takes binary ones"),
        (b"\xc2\x00", "a reserved bit is set though no extension was agreed on"),
        (b"\x83\x00", "opcode 3 means nothing"),
        (b"\x8f\x00", "opcode 15 means nothing"),
        (b"\x09\x00", "a control frame in fragments"),
        (b"\x80\x00", "a continuation of nothing"),
        (b"\x02\x00\x82\x00", "a new message inside another"),
        (b"\x82\x81\x00\x00\x00\x00x", "a masked frame from a server"),
        (b"\x89\x7e\x00\x7e", "a control frame of more than 125 bytes"),
        (b"\x82\x7e\x00\x7d", "a length of 125 in more bytes than it needs"),
        (b"\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", "a length of 65535 in more bytes than it needs"),
        (b"\x82\x7f" + (LONGEST + 1).to_bytes(8), f"a frame of {LONGEST + 1} bytes, longer than any packet"),
        (b"\x82\x7f" + b"\xff" * 8, f"a frame of {2**64 - 1} bytes, longer than any packet"),
    ],
)
def test_what_a_server_must_not_send_ends_the_reading(data, reason):
    """Whatever comes behind, of it nothing is read."""
    reader = FrameReader()

    events = reader.feed(data)

    assert isinstance(events[-1], Broken)
    assert events[-1].reason == reason
    assert data.endswith(events[-1].data)
    assert reader.feed(b"\x82\x01x") == []


def test_what_came_before_the_mistake_counts():
    assert read(b"\x82\x01x\x81\x00") == [
        Head("binary, 1 byte", 1),
        Piece(b"x"),
        Broken("a text frame, where MQTT takes binary ones", b"\x81\x00"),
    ]


def test_no_more_of_a_mistake_is_kept_than_tells_it():
    (broken,) = read(b"\x81" + bytes(100_000))

    assert len(broken.data) == 16
