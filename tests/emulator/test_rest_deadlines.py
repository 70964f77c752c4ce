"""HTTPS clients that are slow, or leave: none is waited for without end, and none is worth an ERROR."""

import logging

import pytest
from live_hub import live_hub
from rest_hub import token
from websocket_client import open_tls

from iothub_emulator.rest.application import BODY_TIMEOUT, HEAD_TIMEOUT


@pytest.fixture
def hub():
    with live_hub() as hub:
        yield hub


def head(hub, length, *more):
    lines = (
        "PUT /devices/new?api-version=2021-04-12 HTTP/1.1",
        "Host: localhost",
        f"Authorization: {token(hub.runtime)}",
        f"Content-Length: {length}",
        *more,
    )
    return "\r\n".join((*lines, "", "")).encode()


def serves(hub):
    client = open_tls(hub)
    client.send(head(hub, 18) + b'{"deviceId":"new"}')
    status, _ = client.read_head()
    client.close()
    return status


@pytest.mark.parametrize("sent", [b"", b"GET /devices HTTP/1.1\r\nHost: loc"], ids=["nothing", "half-a-head"])
def test_a_head_that_does_not_come_ends_the_connection(hub, sent):
    client = open_tls(hub)
    client.send(sent)
    hub.call(lambda: None)
    hub.let_pass(HEAD_TIMEOUT + 1)
    assert client.read_to_the_end() == b""
    client.close()


def test_a_body_that_does_not_come_is_answered_and_ends_the_connection(hub):
    """100 Continue tells that the head was read: from then on the body is waited for."""
    client = open_tls(hub)
    client.send(head(hub, 100, "Expect: 100-continue"))
    assert client.read_head()[0] == 100
    client.send(b'{"deviceId":')
    hub.let_pass(BODY_TIMEOUT + 1)
    status, headers = client.read_head()
    assert (status, headers["iothub-errorcode"]) == (400, "IotHubFormatError")
    assert client.read_to_the_end().endswith(b"}")
    client.close()
    assert serves(hub) == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_client_that_leaves_within_its_body_is_no_error_of_the_hub_s(hub, caplog, chunked):
    caplog.set_level(logging.INFO)
    client = open_tls(hub)
    more = ("Expect: 100-continue",)
    text = head(hub, 100, *more)
    if chunked:
        text = text.replace(b"Content-Length: 100", b"Transfer-Encoding: chunked")
    client.send(text)
    assert client.read_head()[0] == 100
    client.send(b"ff\r\n{" if chunked else b"{")
    client.reset()
    assert serves(hub) == 200
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
