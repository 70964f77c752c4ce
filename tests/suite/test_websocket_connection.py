"""Connections over WebSocket, against peers that speak it rightly, wrongly and not at all."""

import time

import pytest
from patience import PATIENCE
from scripted_peer import CONNACK, HURRY, PINGRESP
from scripted_websocket import BINARY, CLOSE, PING, PONG, TEXT, Socket, admitting, frame, opened, read_request
from violations import violation

from conformance.errors import HarnessError
from conformance.mqtt.frames import Frame, Opcode, literal
from conformance.mqtt.raw_packets import packet, text
from conformance.mqtt.websocket import WebSocket
from conformance.report.redaction import all_secrets

OVER = WebSocket()
PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"


@pytest.fixture
def sockets():
    """The peer's ends of all WebSockets of the test."""
    return []


def lines(scene):
    return [f"{entry.glyph} {entry.text}" for entry in scene.evidence.transcript.entries]


# A connection that paho speaks on


def test_paho_speaks_over_websocket_with_a_packet_in_each_frame(scene, sockets):
    device = scene.device(opened(admitting(), sockets=sockets))

    connection = device.connect(over=OVER)
    connection.ping()
    connection.publish("topic", b"body", qos=1)
    connection.disconnect()

    assert scene.peer.ended.acquire(timeout=PATIENCE)
    (socket,) = sockets
    assert socket.request.startswith("GET /$iothub/websocket HTTP/1.1\r\nHost: localhost:")
    assert [first for first, _ in socket.frames] == [BINARY] * 4 + [CLOSE]
    assert [payload for _, payload in socket.frames][1:] == [
        PINGREQ,
        b"\x32\x0d\x00\x05topic\x00\x01body",
        DISCONNECT,
        b"\x03\xe8",
    ]


def test_handshake_and_frames_are_told_in_words_and_no_secret_is(scene):
    device = scene.device(opened(admitting()))

    device.connect(over=OVER).disconnect()

    told = lines(scene)
    assert told[0].startswith("= opened for d1, HTTPS port, TLSv1.")
    assert told[1:4] == [
        "→ HTTP     GET /$iothub/websocket, Upgrade: websocket, subprotocol: mqtt",
        "← HTTP     HTTP/1.1 101 Switching Protocols",
        "= WebSocket open, subprotocol: mqtt",
    ]
    assert told[4].startswith("→ CONNECT ")
    assert told[5].startswith("→ FRAME    binary, ")
    assert told[6:] == [
        "← FRAME    binary, 4 bytes",
        "← CONNACK  accepted, session_present=0",
        "→ DISCONNECT",
        "→ FRAME    binary, 2 bytes",
        "→ FRAME    close 1000",
        "= we will send no more",
        "← FRAME    close 1000",
        "= closed by the hub (WebSocket close 1000)",
    ]
    assert not [secret for secret in all_secrets() if any(secret in line for line in told)]


def test_a_packet_may_come_in_pieces_with_a_ping_between(scene, sockets):
    def play(socket):
        socket.read_frame()
        socket.send(frame(0x02, CONNACK[:1]), frame(PING, b"still there?"))
        socket.send(frame(0x00, CONNACK[1:2]), frame(0x80, CONNACK[2:]))
        socket.serve()

    device = scene.device(opened(play, sockets=sockets))

    device.connect(over=OVER).ping()

    assert sockets[0].frames[1] == (PONG, b"still there?")


def test_packets_may_come_together_in_one_frame(scene):
    both = frame(BINARY, b"\x40\x02\x00\x07" + PINGRESP)
    raw = scene.device(opened(admitting(both))).websocket_connected()

    raw.send(PINGREQ)

    assert raw.take(2) == ("puback 7", "pingresp")


def test_what_comes_right_behind_the_handshake_is_heard(scene, sockets):
    device = scene.device(opened(admitting(), behind=frame(PING, b"at once"), sockets=sockets))

    def play(socket):
        socket.read_frame()
        socket.answer_connect()
        socket.serve()

    device = scene.device(opened(play, behind=frame(PING, b"at once"), sockets=sockets))
    raw = device.websocket()
    raw.connect()

    assert sockets[0].frames[0] == (PONG, b"at once")


def test_a_large_packet_leaves_whole_although_the_peer_is_slow_to_read(scene, sockets):
    body = bytes(range(256)) * 4096
    device = scene.device(opened(admitting(), sockets=sockets))
    raw = device.websocket_connected()

    raw.send(packet(0x30, text("t"), body))
    raw.ping()

    assert sockets[0].frames[1] == (BINARY, packet(0x30, text("t"), body))


# How it ends


@pytest.mark.parametrize(
    ("payload", "how", "echo"),
    [
        (b"\x03\xebno text here", "WebSocket close 1003 'no text here'", b"\x03\xeb"),
        (b"", "WebSocket close without status", b""),
    ],
    ids=["with-status", "without"],
)
def test_a_close_frame_is_the_end_and_is_answered(scene, sockets, payload, how, echo):
    def play(socket):
        socket.answer_connect()
        socket.send(frame(CLOSE, payload))
        socket.read_frame()

    raw = scene.device(opened(play, sockets=sockets)).websocket_connected()

    raw.expect_silent_close()

    assert scene.peer.ended.acquire(timeout=PATIENCE)
    assert sockets[0].frames[-1] == (CLOSE, echo)
    assert f"= closed by the hub ({how})" in lines(scene)


def test_what_comes_behind_a_close_frame_is_not_read(scene):
    def play(socket):
        socket.answer_connect()
        socket.send(frame(CLOSE, b"\x03\xe8") + frame(BINARY, b"\x40\x02\x00\x07"))

    raw = scene.device(opened(play)).websocket_connected()

    assert raw.take(1) == ("closed",)


@pytest.mark.parametrize(
    "end", [lambda socket: None, lambda socket: socket.line.reset()], ids=["end", "reset"]
)
def test_the_end_of_the_stream_without_a_close_frame_is_an_end_too(scene, end):
    def play(socket):
        socket.answer_connect()
        end(socket)

    raw = scene.device(opened(play)).websocket_connected()

    raw.expect_silent_close()


def test_nothing_is_sent_behind_our_own_close_frame(scene, sockets):
    def play(socket):
        socket.answer_connect()
        while socket.read_frame()[0] != CLOSE:
            pass
        socket.send(frame(PING, b"?"), frame(CLOSE, b"\x03\xe8"))
        socket.line.read_to_end()

    raw = scene.device(opened(play, sockets=sockets)).websocket_connected()
    raw.half_close()

    raw.expect_silent_close()

    assert sockets[0].frames[1:] == [(CLOSE, b"\x03\xe8")]


def test_a_drop_is_abrupt(scene, sockets):
    raw = scene.device(opened(admitting(), sockets=sockets)).websocket_connected()

    raw.drop()

    assert scene.peer.ended.acquire(timeout=PATIENCE)
    assert len(sockets[0].frames) == 1


# Control frames, as RFC 6455 asks for them


def test_a_pong_is_waited_for_and_its_payload_compared(scene):
    def play(socket):
        socket.answer_connect()
        socket.read_frame()
        socket.send(frame(PONG, b"another"), frame(PONG, b"mine"))
        socket.read_frame()
        socket.send(frame(PONG, b"another"))
        socket.serve()

    raw = scene.device(opened(play)).websocket_connected()

    raw.send_frames(Frame(b"mine", Opcode.PING))
    raw.expect_pong(b"mine")
    raw.send_frames(Frame(b"yours", Opcode.PING))
    with scene.hurry():
        refusal = violation(raw.expect_pong, b"yours")
    assert (refusal.observed, refusal.actual) == ("another pong", "a Pong with b'another'")


def test_no_pong_is_no_pong(scene):
    raw = scene.device(opened(admitting())).websocket_connected()

    raw.send_frames(Frame(b"", Opcode.PING))

    with scene.hurry():
        assert violation(raw.expect_pong, b"").observed == "no pong"


@pytest.mark.parametrize(
    ("answer", "then", "words"),
    [
        pytest.param(frame(CLOSE, b"\x03\xe8"), lambda _: None, ("close 1000", "closed"), id="as-it-should"),
        pytest.param(frame(CLOSE), lambda _: None, ("close without status", "closed"), id="without-status"),
        pytest.param(b"", lambda _: None, ("no close", "closed"), id="not-answered"),
        pytest.param(
            frame(CLOSE, b"\x03\xea"),
            lambda socket: socket.line.read_to_end(),
            ("close 1002", "still open"),
            id="stays-open",
        ),
    ],
)
def test_behind_a_close_frame_the_end_of_tcp_is_looked_for(scene, answer, then, words):
    def play(socket):
        socket.answer_connect()
        socket.read_frame()
        socket.send(answer)
        then(socket)

    raw = scene.device(opened(play)).websocket_connected()

    with scene.hurry():
        assert raw.close_handshake(b"\x03\xe8") == words


def test_literal_bytes_go_out_as_they_are(scene, sockets):
    raw = scene.device(opened(admitting(then=Socket.serve), sockets=sockets)).websocket_connected()

    raw.send_literal(literal(0x83, b"what?"))
    raw.ping()

    assert (0x83, b"what?") in sockets[0].frames
    assert any(line.startswith("→ BYTES    83 85 ") for line in lines(scene))


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13, 8", "http 426, versions 13, 8"),
        ("HTTP/1.1 400 Bad Request", "http 400, no versions"),
    ],
)
def test_a_refusal_may_name_the_versions_that_are_spoken(scene, head, words):
    requests = []

    def play(line):
        requests.append(read_request(line))
        line.send(f"{head}\r\n\r\n".encode())

    wanted = WebSocket(fields=(("Sec-WebSocket-Version", "8"), ("Host", None)))

    assert scene.device(play).websocket_versions(wanted) == words
    assert "\r\nSec-WebSocket-Version: 8\r\n" in requests[0]
    assert "Host:" not in requests[0]


# Peers that send what no server may


NONSENSE = [
    pytest.param(frame(TEXT, b"hello"), id="text"),
    pytest.param(b"\x82\x82\x00\x00\x00\x00\xd0\x00", id="masked"),
    pytest.param(b"\x89\x7e\x00\x7e" + bytes(126), id="oversized-ping"),
    pytest.param(b"\x82\x7f" + b"\x00\x00\x7f" + bytes(5), id="oversized-frame"),
    pytest.param(b"\xc2\x02\xd0\x00", id="reserved-bit"),
    pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="http"),
]


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_nonsense_is_no_packet_and_no_close(scene, nonsense):
    """A hub that talks nonsense and stays open has not closed the connection."""
    raw = scene.device(opened(admitting(nonsense))).websocket_connected()
    raw.send(PINGREQ)

    assert raw.take(1) == ("unreadable",)
    with scene.hurry():
        assert violation(raw.expect_closed).observed == "still open"
        assert raw.outcome() == "silence"


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_nonsense_before_a_close_is_not_a_silent_close(scene, nonsense):
    raw = scene.device(opened(admitting(nonsense, then=lambda _: None))).websocket_connected()
    raw.send(PINGREQ)

    assert violation(raw.expect_silent_close).observed == "unreadable"
    raw.expect_closed()


def test_nonsense_in_place_of_a_connack_is_no_session(scene):
    def play(socket):
        socket.read_frame()
        socket.send(frame(TEXT, CONNACK))
        socket.serve()

    device = scene.device(opened(play))

    assert device.attempt(over=OVER) == "unreadable"
    assert violation(device.connect, over=OVER).observed == "unreadable"


def test_the_watch_sees_nonsense(scene):
    raw = scene.device(opened(admitting(frame(TEXT, b"hello")))).websocket_connected()
    raw.send(PINGREQ)

    assert raw.take(1) == ("unreadable",)
    assert [breach.clause for breach in scene.evidence.breaches] == ["watch.server-only"]


# What a test says in frames of its own


def test_each_chunk_is_a_frame(scene, sockets):
    raw = scene.device(opened(admitting(), sockets=sockets)).websocket_connected()

    raw.send(b"\xc0", b"\x00" + b"\xc0")
    raw.send_slowly(b"\x00\xd0")
    raw.send(PINGREQ)

    assert raw.take(1) == ("pingresp",)
    assert sockets[0].frames[1:] == [
        (BINARY, payload) for payload in (b"\xc0", b"\x00\xc0", b"\x00", b"\xd0", PINGREQ)
    ]


def test_fragments_are_one_message(scene, sockets):
    raw = scene.device(opened(admitting(), sockets=sockets)).websocket_connected()

    raw.send_fragments(b"\x30", b"\x03\x00\x01", b"t")
    raw.ping()

    assert sockets[0].frames[1:4] == [(0x02, b"\x30"), (0x00, b"\x03\x00\x01"), (0x80, b"t")]


def test_text_and_any_other_frame_go_out_as_they_are(scene, sockets):
    raw = scene.device(opened(admitting(), sockets=sockets)).websocket_connected()

    raw.send_text("olá")
    raw.send_frames(Frame(b"?", Opcode.PING), Frame(PINGREQ))

    assert raw.take(1) == ("pingresp",)
    assert sockets[0].frames[1:] == [(TEXT, "olá".encode()), (PING, b"?"), (BINARY, PINGREQ)]
    told = lines(scene)
    assert "→ FRAME    text, 4 bytes" in told
    assert told.count("→ PINGREQ") == 1


def test_a_connection_of_our_own_ending_takes_no_more(scene):
    raw = scene.device(opened(admitting())).websocket_connected()
    raw.close()

    with pytest.raises(HarnessError, match="ended by the suite itself"):
        raw.send_text("late")


# Handshakes


def http(*rows):
    def play(line):
        read_request(line)
        line.send("\r\n".join([*rows, "", ""]).encode())

    return play


def silent(line):
    line.read_to_end()


def dripping(line):
    """Never done: one byte of the answer for each twentieth of a second."""
    while True:
        line.send(b"H")
        time.sleep(0.05)


def reset(line):
    read_request(line)
    line.reset()


@pytest.mark.parametrize(
    ("script", "word"),
    [
        (http("HTTP/1.1 400 Bad Request"), "http 400"),
        (http("HTTP/1.1 404 Not Found"), "http 404"),
        (http("HTTP/1.1 101 Switching Protocols"), "no websocket"),
        (http("+OK ready"), "no websocket"),
        (http("HTTP/1.1 400 Bad Request", "X: " + "x" * 20_000), "no websocket"),
        (read_request, "closed"),
        (lambda line: None, "closed"),
        (reset, "closed"),
        (opened(lambda socket: socket.read_frame()), "closed"),
        (opened(lambda socket: socket.line.read_to_end(), subprotocol="chat"), "no websocket"),
        (opened(lambda socket: socket.answer_connect(b"\x20\x02\x00\x05")), "connack 5"),
        (opened(Socket.answer_connect), "accepted"),
    ],
    ids=[
        "400", "404", "bare-101", "no-http", "endless-head", "closes", "closes-at-once", "resets",
        "closes-later", "another-subprotocol", "refuses", "accepts",
    ],
)  # fmt: skip
def test_the_outcome_of_a_handshake_is_a_word(scene, script, word):
    assert scene.device(script).websocket_outcome(OVER) == word


@pytest.mark.parametrize("script", [silent, dripping])
def test_a_handshake_that_is_never_answered_whole_is_silence(scene, script):
    device = scene.device(script)

    with scene.hurry():
        assert device.websocket_outcome(OVER) == "silence"


@pytest.mark.parametrize("subprotocol", ["mqtt", None])
def test_a_websocket_that_serves_no_mqtt_gives_no_connack(scene, subprotocol):
    """There is time for the handshake, and none for what does not come behind it."""
    device = scene.device(
        opened(
            lambda socket: socket.line.read_to_end(),
            subprotocol=subprotocol,
            once_asked=lambda: setattr(scene.timeouts, "connect", HURRY),
        )
    )

    assert device.websocket_outcome(OVER) == "no connack"


CAPITALS = WebSocket(subprotocols=("chat", "MQTT"))


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (opened(admitting(), subprotocol="MQTT"), "subprotocol as offered; accepted"),
        (opened(admitting(), subprotocol="chat"), "subprotocol chat; accepted"),
        (opened(admitting(), subprotocol=None), "no subprotocol; accepted"),
        (opened(admitting(), subprotocol="mqtt"), "no websocket"),
        (
            opened(admitting(then=lambda _: None), subprotocol="MQTT"),
            "subprotocol as offered; accepted, closed",
        ),
        (opened(lambda _: None, subprotocol=None), "no subprotocol; closed"),
        (http("HTTP/1.1 400 Bad Request"), "http 400"),
    ],
    ids=["as-offered", "the-other", "none", "not-offered", "left", "closed", "refused"],
)
def test_what_becomes_of_a_subprotocol_in_another_spelling_is_told_with_its_session(scene, script, words):
    assert scene.device(script).websocket_choice(CAPITALS) == words


def test_a_subprotocol_in_another_spelling_may_lead_to_no_session(scene):
    device = scene.device(
        opened(
            lambda socket: socket.line.read_to_end(),
            subprotocol=None,
            once_asked=lambda: setattr(scene.timeouts, "connect", HURRY),
        )
    )

    assert device.websocket_choice(CAPITALS) == "no subprotocol; no connack"


def test_a_handshake_that_fails_is_a_violation_for_who_needs_one(scene):
    device = scene.device(http("HTTP/1.1 400 Bad Request"))

    refusal = violation(device.connect, over=OVER)
    assert (refusal.observed, refusal.actual) == ("http 400", "HTTP 400 Bad Request")
    assert violation(device.websocket).observed == "http 400"
    assert device.expect_refused(over=OVER) == "http 400"
    assert "= no WebSocket: http 400: HTTP 400 Bad Request" in lines(scene)


def test_the_subprotocol_that_the_hub_chose_is_known(scene):
    assert scene.device(opened(admitting())).websocket().subprotocol == "mqtt"
    assert scene.device(opened(admitting(), subprotocol=None)).websocket().subprotocol is None
