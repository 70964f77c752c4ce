"""What RFC 6455 asks of a server: frames that it must refuse, Ping, and how a connection is closed.

Document: #communicate-with-your-iot-hub-using-the-mqtt-protocol, which gives MQTT over WebSocket; RFC 6455,
whose sections are cited. Clauses: clauses/websocket.toml.

Below MQTT there are frames. A frame that a client must not send ends the connection; which status the hub
gives as the reason is recorded.
"""

import pytest

from conformance.mqtt.frames import Frame, Opcode, literal
from conformance.mqtt.raw_packets import packet, text

clause = pytest.mark.clause

PINGREQ = b"\xc0\x00"


@clause("websocket.unmasked")
def test_a_frame_without_mask_closes_the_connection(websocket_connected, observed, untouched):
    """Section 5.1: the packet in it is a right one, and all else is right too."""
    websocket_connected.send_literal(literal(0x82, PINGREQ, masked=False))

    websocket_connected.expect_closed()
    observed(websocket_connected.farewell())
    untouched.confirm()


@clause("websocket.unmasked")
def test_a_frame_without_mask_closes_the_connection_before_connect(websocket, observed, untouched):
    """Section 5.1: session or not."""
    websocket.send_literal(literal(0x82, websocket.device.connect_packet()[:100], masked=False))

    websocket.expect_closed()
    observed(websocket.farewell())
    untouched.confirm()


@clause("websocket.mqtt")
@pytest.mark.parametrize(
    "mask", [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\x01"], ids=["of-zeros", "of-ones", "of-one-bit"]
)
def test_a_frame_may_have_any_mask(websocket_connected, mask):
    """Section 5.3: each frame has four bytes of the client's choice, whatever they are."""
    topic = text(websocket_connected.device.topics.events)
    publish = packet(0x32, topic, b"\x00\x01", b"masked")

    websocket_connected.send_frames(Frame(publish, mask=mask))

    assert websocket_connected.take(1) == ("puback 1",)


@clause("websocket.reserved")
@pytest.mark.parametrize(
    "first",
    [
        pytest.param(0xC2, id="first-bit-of-a-binary-frame"),
        pytest.param(0xA2, id="second-bit-of-a-binary-frame"),
        pytest.param(0x92, id="third-bit-of-a-binary-frame"),
        pytest.param(0xC9, id="first-bit-of-a-Ping"),
        pytest.param(0x83, id="opcode-3"),
        pytest.param(0x87, id="opcode-7"),
        pytest.param(0x8B, id="opcode-11"),
        pytest.param(0x8F, id="opcode-15"),
    ],
)
def test_what_is_reserved_closes_the_connection(websocket_connected, observed, first, untouched):
    """Section 5.2: bits for extensions of which none was agreed on, and opcodes that mean nothing."""
    websocket_connected.send_literal(literal(first, PINGREQ))

    websocket_connected.expect_closed()
    observed(websocket_connected.farewell())
    untouched.confirm()


@clause("websocket.ping")
@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"still there?", id="words"),
        pytest.param(bytes(range(125)), id="125-bytes"),
    ],
)
def test_a_ping_is_answered_by_a_pong_with_the_same_payload(websocket_connected, payload):
    """Sections 5.5.2 and 5.5.3."""
    websocket_connected.send_frames(Frame(payload, Opcode.PING))

    websocket_connected.expect_pong(payload)


@clause("websocket.ping")
def test_a_ping_before_connect_is_answered(websocket):
    """Section 5.5.2: it needs no session."""
    websocket.send_frames(Frame(b"who is there?", Opcode.PING))

    websocket.expect_pong(b"who is there?")


@clause("websocket.ping")
def test_a_ping_between_the_fragments_of_a_message_is_answered(websocket_connected):
    """Section 5.4: control frames may come in the middle of a message, which goes on behind them."""
    topic = text(websocket_connected.device.topics.events)
    publish = packet(0x32, topic, b"\x00\x01", b"in fragments")

    websocket_connected.send_frames(
        Frame(publish[:9], final=False),
        Frame(b"between", Opcode.PING),
        Frame(publish[9:], Opcode.CONTINUATION),
    )

    websocket_connected.expect_pong(b"between")
    assert websocket_connected.take(1) == ("puback 1",)


@clause("websocket.pong")
@pytest.mark.parametrize("payload", [b"", b"nobody asked"], ids=["empty", "words"])
def test_a_pong_that_nobody_asked_for_is_no_mistake(websocket_connected, payload):
    """Section 5.5.3: it may be sent as a sign of life, and no answer to it is expected."""
    websocket_connected.send_frames(Frame(payload, Opcode.PONG), Frame(payload, Opcode.PONG))

    websocket_connected.ping()


@clause("websocket.close-answered")
@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"\x03\xe8", id="1000"),
        pytest.param(b"", id="without-status"),
        pytest.param(b"\x03\xe9" + "vou já".encode(), id="1001-with-a-reason"),
        pytest.param(b"\x0b\xb8", id="3000"),
        pytest.param(b"\x13\x87", id="4999"),
    ],
)
def test_a_close_frame_is_answered_and_ends_the_connection(websocket_connected, observed, payload, untouched):
    """Sections 5.5.1 and 7.1.1: a Close frame comes back, and then the server ends the TCP connection."""
    answer, end = websocket_connected.close_handshake(payload)

    observed(answer)
    assert (answer.startswith("close"), end) == (True, "closed")
    untouched.confirm()


@clause("websocket.close-payload")
@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"\x03", id="half-a-status"),
        pytest.param(b"\x03\xe8\xc3\x28", id="reason-that-is-no-UTF-8"),
        pytest.param(b"\x03\xe8\xed\xa0\x80", id="reason-with-a-surrogate"),
    ],
)
def test_a_close_frame_that_is_none_ends_the_connection_too(
    websocket_connected, observed, payload, untouched
):
    """Sections 5.5.1, 7.1.1 and 8.1: whatever is in it, nothing comes behind it."""
    answer, end = websocket_connected.close_handshake(payload)

    observed(answer)
    assert end == "closed"
    untouched.confirm()


@clause("websocket.close-status")
@pytest.mark.parametrize("status", [1005, 1006, 1015])
def test_a_status_that_no_frame_may_carry_does_not_come_back(
    websocket_connected, observed, status, untouched
):
    """Section 7.4.1: these stand for what happened where no Close frame came."""
    answer, end = websocket_connected.close_handshake(status.to_bytes(2))

    observed(answer)
    assert (answer != f"close {status}", end) == (True, "closed")
    untouched.confirm()


@clause("websocket.control-frames")
@pytest.mark.parametrize(
    "frames",
    [
        pytest.param([literal(0x89, bytes(126))], id="Ping-of-126-bytes"),
        pytest.param([literal(0x88, b"\x03\xe8" + b"x" * 124)], id="Close-of-126-bytes"),
        pytest.param([literal(0x09, b"in "), literal(0x80, b"two")], id="Ping-in-two-frames"),
    ],
)
def test_a_control_frame_that_is_too_long_or_in_pieces(websocket_connected, observed, frames):
    """Section 5.5 forbids both to who sends, and does not say what follows."""
    websocket_connected.send_literal(*frames)

    observed(f"{websocket_connected.outcome()}, {websocket_connected.farewell()}")


@clause("websocket.continuation")
@pytest.mark.parametrize(
    "frames",
    [
        pytest.param([literal(0x80, PINGREQ)], id="goes-on-where-none-began"),
        pytest.param([literal(0x02, PINGREQ[:1]), literal(0x82, PINGREQ)], id="begins-inside-another"),
    ],
)
def test_a_message_that_begins_or_goes_on_where_it_cannot(websocket_connected, observed, frames):
    """Section 5.4 forbids both to who sends, and does not say what follows."""
    websocket_connected.send_literal(*frames)

    observed(f"{websocket_connected.outcome()}, {websocket_connected.farewell()}")


@clause("websocket.length-forms")
@pytest.mark.parametrize(
    "size",
    [
        pytest.param(b"\x7e\x00\x02", id="2-in-two-bytes"),
        pytest.param(b"\x7f\x00\x00\x00\x00\x00\x00\x00\x02", id="2-in-eight-bytes"),
        pytest.param(b"\x7f\x80\x00\x00\x00\x00\x00\x00\x02", id="first-bit-of-eight-bytes"),
    ],
)
def test_a_length_in_more_bytes_than_it_needs(websocket_connected, observed, size):
    """Section 5.2 forbids it to who sends, and does not say what follows."""
    websocket_connected.send_literal(literal(0x82, PINGREQ, size=size))

    observed(f"{websocket_connected.outcome()}, {websocket_connected.farewell()}")
