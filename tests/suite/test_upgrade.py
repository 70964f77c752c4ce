"""The handshake of a WebSocket: what is asked, which answers open one, and the word for any other."""

import base64
import hashlib

import pytest

from conformance.mqtt.tls import HandshakeFailed
from conformance.mqtt.websocket import WebSocket, read_answer, request

# RFC 6455, section 1.3.
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
OPENING = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    f"Sec-WebSocket-Accept: {ACCEPT}",
]


def answer(*lines):
    return "\r\n".join(lines).encode("latin-1")


def refusal(head, offered=("mqtt",)):
    with pytest.raises(HandshakeFailed) as caught:
        read_answer(head, offered, KEY)
    return caught.value


def test_the_request_asks_for_path_and_subprotocol():
    asked = request(WebSocket(), host="hub.example", port=443, key=KEY)

    assert asked.decode().split("\r\n") == [
        "GET /$iothub/websocket HTTP/1.1",
        "Host: hub.example",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {KEY}",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: mqtt",
        "",
        "",
    ]


def test_the_request_is_what_a_test_makes_of_it():
    wanted = WebSocket(path="/mqtt", query="a=1", subprotocols=("chat", "mqtt"))

    asked = request(wanted, host="localhost", port=8443, key=KEY).decode()

    assert asked.startswith("GET /mqtt?a=1 HTTP/1.1\r\nHost: localhost:8443\r\n")
    assert "Sec-WebSocket-Protocol: chat, mqtt\r\n" in asked
    assert (
        "Sec-WebSocket-Protocol"
        not in request(WebSocket(subprotocols=()), host="localhost", port=8443, key=KEY).decode()
    )


@pytest.mark.parametrize(
    ("lines", "chosen"),
    [
        ([], None),
        (["Sec-WebSocket-Protocol: mqtt"], "mqtt"),
        (["sec-websocket-protocol:mqtt  "], "mqtt"),
        (["Server: anything", "Date: today", "Sec-WebSocket-Protocol: mqtt"], "mqtt"),
    ],
)
def test_an_answer_that_keeps_to_the_rfc_opens_a_websocket(lines, chosen):
    assert read_answer(answer(*OPENING, *lines), ["mqtt"], KEY) == chosen


def test_names_of_fields_and_tokens_are_compared_without_case():
    opening = [
        OPENING[0],
        "UPGRADE: WebSocket",
        "connection: keep-alive, upgrade",
        f"SEC-WEBSOCKET-ACCEPT: {ACCEPT}",
    ]

    assert read_answer(answer(*opening), ["mqtt"], KEY) is None


@pytest.mark.parametrize(
    ("first", "word", "detail"),
    [
        ("HTTP/1.1 400 Bad Request", "http 400", "HTTP 400 Bad Request"),
        ("HTTP/1.1 404", "http 404", "HTTP 404"),
        ("HTTP/1.0 503 Busy", "http 503", "HTTP 503 Busy"),
        ("HTTP/1.1 200 OK", "http 200", "HTTP 200 OK"),
        ("HTTP/1.1 301 Moved", "http 301", "HTTP 301 Moved"),
        ("GET / HTTP/1.1", "no websocket", "no answer of HTTP/1.1: 'GET / HTTP/1.1'"),
        ("HTTP/2 101 Switching", "no websocket", "no answer of HTTP/1.1: 'HTTP/2 101 Switching'"),
        ("HTTP/1.1 1o1 x", "no websocket", "no answer of HTTP/1.1: 'HTTP/1.1 1o1 x'"),
        ("\x00\xff", "no websocket", "no answer of HTTP/1.1: '\\x00ÿ'"),
        ("", "no websocket", "no answer of HTTP/1.1: ''"),
    ],
)
def test_any_other_answer_has_its_word(first, word, detail):
    failure = refusal(answer(first, *OPENING[1:]))

    assert (failure.word, failure.detail) == (word, detail)


STRANGER = base64.b64encode(hashlib.sha1(b"another key").digest()).decode()


@pytest.mark.parametrize(
    ("lines", "objection"),
    [
        ([OPENING[0], *OPENING[2:]], "its Upgrade is not websocket"),
        ([*OPENING[:2], *OPENING[3:]], "its Connection is not Upgrade"),
        (OPENING[:3], "its Sec-WebSocket-Accept does not belong to the key"),
        (
            [*OPENING[:3], f"Sec-WebSocket-Accept: {STRANGER}"],
            "its Sec-WebSocket-Accept does not belong to the key",
        ),
        (
            [*OPENING, "Sec-WebSocket-Extensions: permessage-deflate"],
            "it agrees to extensions that nobody offered",
        ),
        ([*OPENING, "Sec-WebSocket-Protocol: chat"], "it chooses 'chat', which was not offered"),
        (
            [*OPENING, "Sec-WebSocket-Protocol: mqtt", "Sec-WebSocket-Protocol: mqtt"],
            "it chooses 'mqtt, mqtt', which was not offered",
        ),
    ],
)
def test_a_101_that_a_client_must_not_accept_opens_nothing(lines, objection):
    """Section 4.1: the client must fail the connection."""
    failure = refusal(answer(*lines))

    assert failure.word == "no websocket"
    assert failure.detail.endswith(objection)
