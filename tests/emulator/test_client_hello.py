"""The name in a ClientHello, wherever records and segments cut it."""

import contextlib
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iothub_emulator.net.client_hello import Incomplete, server_name

NAME = "hub.device.example"


def client_hello(name=NAME):
    """What OpenSSL sends first."""
    context = ssl.create_default_context()
    context.check_hostname = name is not None
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


HELLO = client_hello()
END_OF_NAME = HELLO.index(NAME.encode()) + len(NAME)


def in_records_of(size):
    """The same message in records of so many bytes."""
    message = HELLO[5:]
    pieces = [message[at : at + size] for at in range(0, len(message), size)]
    return b"".join(b"\x16\x03\x01" + len(piece).to_bytes(2) + piece for piece in pieces)


def test_the_name_is_found():
    assert server_name(HELLO) == NAME


@pytest.mark.parametrize("size", [1, 3, 100])
def test_records_may_cut_the_message(size):
    assert server_name(in_records_of(size)) == NAME


@pytest.mark.parametrize("length", range(0, END_OF_NAME, 7))
def test_a_part_before_the_end_of_the_name_is_not_enough(length):
    with pytest.raises(Incomplete):
        server_name(HELLO[:length])


@pytest.mark.parametrize("length", range(END_OF_NAME, len(HELLO), 97))
def test_what_is_behind_the_name_is_not_waited_for(length):
    assert server_name(HELLO[:length]) == NAME


def test_a_message_may_be_longer_than_what_is_looked_at():
    """A resumed session of a client with a large certificate, a list of a thousand protocols."""
    body = HELLO[9:]
    message = b"\x01" + (len(body) + 40_000).to_bytes(3) + body + bytes(40_000)
    pieces = [message[at : at + 16_000] for at in range(0, len(message), 16_000)]
    data = b"".join(b"\x16\x03\x01" + len(piece).to_bytes(2) + piece for piece in pieces)
    assert server_name(data) == NAME


def test_what_follows_is_not_looked_at():
    assert server_name(HELLO + b"more") == NAME


@pytest.mark.parametrize("name", [None, "127.0.0.1"])
def test_a_client_may_ask_for_no_name(name):
    """An address is none (RFC 6066 section 3)."""
    assert server_name(client_hello(name)) is None


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="HTTP"),
        pytest.param(b"\x10\x0c\x00\x04MQTT", id="MQTT"),
        pytest.param(b"\x16\x03\x01\x00\x00", id="empty-record"),
        pytest.param(b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", id="another-message"),
        pytest.param(b"\x16\x03\x01\x00\x04\x01\x00\x00\x00", id="empty-hello"),
        pytest.param(b"\x16\x03\x01\x40\x00\x01\x00\xff\xff" + bytes(100) * 200, id="without-end"),
    ],
)
def test_what_is_no_client_hello_has_no_name(data):
    assert server_name(data) is None


@given(st.binary(max_size=200), st.integers(0, len(HELLO) - 1))
def test_no_bytes_break_it(noise, at):
    """A damaged one has a name, none, or is waited for."""
    damaged = HELLO[:at] + noise + HELLO[at + len(noise) :]
    with contextlib.suppress(Incomplete):
        assert server_name(damaged) is None or isinstance(server_name(damaged), str)
