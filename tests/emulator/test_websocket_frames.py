"""WebSocket frames as RFC 6455 section 5 has them: what is understood and what is refused."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websocket_client import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame

from iothub_emulator.net import websocket_frames as frames
from iothub_emulator.net.rules import ListenerRules
from iothub_emulator.net.websocket_frames import Close, Data, FrameError, FrameReader, Opcode, Ping


class Lenient(ListenerRules):
    def on_text_frame(self):
        return None

    def accepts_unmasked(self):
        return True


def read(*pieces, rules=None):
    """Return the stream, and all events but data, that these bytes lead to."""
    reader = FrameReader(rules or ListenerRules())
    stream, events = b"", []
    for piece in pieces:
        for event in reader.feed(piece):
            if isinstance(event, Data):
                stream += event.payload
            else:
                events.append(event)
    return stream, events


def listen(heard, pieces):
    reader = FrameReader(ListenerRules())
    for piece in pieces:
        for event in reader.feed(piece):
            heard.append(event)


def chunks(data, cuts):
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[begin:end] for begin, end in itertools.pairwise(places)]


@given(
    st.lists(st.lists(st.binary(max_size=140), min_size=1, max_size=3), max_size=3),
    st.binary(min_size=4, max_size=4),
    st.lists(st.integers(0, 2000), max_size=5),
    st.booleans(),
)
def test_binary_frames_are_one_stream(messages, mask, cuts, pinged):
    """Whatever the messages, their fragments, the mask, and how TCP cuts all that."""
    data = b""
    for fragments in messages:
        for number, payload in enumerate(fragments):
            opcode = BINARY if number == 0 else CONTINUATION
            data += frame(opcode, payload, final=number == len(fragments) - 1, mask=mask)
            data += frame(PING, b"?", mask=mask) if pinged else b""
    stream, events = read(*chunks(data, cuts))
    assert stream == b"".join(payload for fragments in messages for payload in fragments)
    assert events == [Ping(b"?")] * (sum(map(len, messages)) if pinged else 0)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 300_000])
def test_each_form_of_the_length(size):
    payload = bytes(range(256)) * (size // 256 + 1)
    assert read(frame(BINARY, payload[:size])) == (payload[:size], [])
    assert frames.frame(Opcode.BINARY, payload[:size]) == frame(BINARY, payload[:size], mask=None)


def test_a_long_frame_is_handed_on_before_it_is_whole():
    """Nothing is kept until a frame ends: its length may be any."""
    whole = frame(BINARY, b"0123456789" * 100)  # eight bytes of head
    assert read(whole[:20]) == (b"012345678901", [])


@given(st.binary(max_size=50), st.binary(min_size=4, max_size=4), st.integers(0, 3))
def test_the_mask_is_exclusive_or(data, mask, phase):
    expected = bytes(byte ^ mask[(phase + place) % 4] for place, byte in enumerate(data))
    assert frames.masked(data, mask, phase) == expected
    assert frames.masked(expected, mask, phase) == data


NOT_SHORTEST = b"\x82\xfe\x00\x05\0\0\0\0hello"
FAR_TOO_LONG = b"\x82\xff\x80" + bytes(7) + b"\0\0\0\0"

MISTAKES = {
    "unmasked": (frame(BINARY, b"x", mask=None), 1002),
    "text": (frame(TEXT, b"x"), 1003),
    "first reserved bit": (frame(BINARY, b"x", reserved=4), 1002),
    "last reserved bit": (frame(PING, b"x", reserved=1), 1002),
    "reserved data opcode": (frame(3), 1002),
    "reserved control opcode": (frame(11), 1002),
    "continuation of nothing": (frame(CONTINUATION, b"x"), 1002),
    "message inside a message": (frame(BINARY, b"x", final=False) + frame(BINARY, b"x"), 1002),
    "text inside a message": (frame(BINARY, b"x", final=False) + frame(TEXT, b"x"), 1002),
    "fragmented ping": (frame(PING, b"x", final=False), 1002),
    "long ping": (frame(PING, bytes(126)), 1002),
    "long close": (frame(CLOSE, bytes(70_000)), 1002),
    "length in two bytes without need": (NOT_SHORTEST, 1002),
    "length of 2^63": (FAR_TOO_LONG, 1002),
    "close with one byte": (frame(CLOSE, b"\x03"), 1002),
    "close with no status": (frame(CLOSE, (1005).to_bytes(2)), 1002),
    "close with a status of nobody": (frame(CLOSE, (2999).to_bytes(2)), 1002),
    "close with a reason that is no text": (frame(CLOSE, b"\x03\xe8\xff"), 1007),
}


@pytest.mark.parametrize(("data", "status"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_by_its_status(data, status):
    """What came before it is heard, however the bytes are cut."""
    for pieces in ([frame(BINARY, b"a") + data], [bytes([byte]) for byte in frame(BINARY, b"a") + data]):
        heard = []
        with pytest.raises(FrameError) as raised:
            listen(heard, pieces)
        assert raised.value.status == status
        assert b"".join(event.payload for event in heard).startswith(b"a")


@pytest.mark.parametrize("status", [1000, 1001, 1003, 1011, 3000, 4999])
def test_a_close_frame_has_its_status(status):
    assert read(frame(CLOSE, status.to_bytes(2) + "Grüße".encode())) == (b"", [Close(status)])
    assert frames.close_frame(status) == frame(CLOSE, status.to_bytes(2), mask=None)


def test_a_close_frame_may_have_none():
    assert read(frame(CLOSE)) == (b"", [Close(None)])
    assert frames.close_frame(None) == b"\x88\x00"


def test_a_pong_is_no_event():
    assert read(frame(PONG, b"x")) == (b"", [])


def test_rules_may_be_more_lenient():
    assert read(frame(TEXT, b"x", mask=None), rules=Lenient()) == (b"x", [])


@given(st.lists(st.binary(max_size=60), max_size=4))
def test_any_bytes_are_frames_or_an_error(pieces):
    reader = FrameReader(Lenient())
    try:
        for piece in pieces:
            for event in reader.feed(piece):
                assert isinstance(event, Data | Ping | Close)
    except FrameError as error:
        assert error.status in {1002, 1007}  # noqa: PT017
