"""The CONNECT port: where it leads, what it refuses, and how a tunnel ends."""

import asyncio
import contextlib
import gc
import socket
import ssl

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live_hub import PATIENCE, Client, live_hub
from mqtt_bytes import PINGREQ, PINGRESP
from test_mqtt_any_bytes import chunked

from iothub_emulator.hub.packets import Publish, Will
from iothub_emulator.net import connect_port
from iothub_emulator.net.connect_port import ProxyConnection, Tunnels
from iothub_emulator.net.rules import ListenerRules
from iothub_emulator.net.sockets import reachable

NAME = "emulator.azure-devices.net"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
EVENTS = "devices/device-1/messages/events/"


@pytest.fixture(scope="module")
def hub():
    with live_hub(connect_port=0) as hub:
        yield hub


def proxy(hub):
    plain = socket.create_connection(("127.0.0.1", hub.ports.connect), timeout=PATIENCE)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return plain


def tunnel(hub, port, name=NAME):
    """Return a TCP stream that leads through the proxy; the client's request is PySocks's."""
    plain = proxy(hub)
    plain.sendall(f"CONNECT {name}:{port} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += plain.recv(1)
    assert answer == ESTABLISHED
    return plain


@contextlib.contextmanager
def device(hub, name=NAME, **changes):
    """A device that connected through the proxy under one of the hub's names."""
    stream = hub.context.wrap_socket(tunnel(hub, 8883, name), server_hostname=name)
    with contextlib.closing(Client(stream)) as client:
        client.send(hub.connect_packet(**changes))
        assert client.read(4) == b"\x20\x02\x00\x00"
        yield client


def answer(hub, *sent):
    """Return all that the proxy says to these bytes."""
    data = b""
    with proxy(hub) as plain, contextlib.suppress(ConnectionError):
        for piece in sent:
            plain.sendall(piece)
        while piece := plain.recv(65_536):
            data += piece
    return data


def still_served(client):
    client.send(PINGREQ)
    assert client.read(2) == PINGRESP


def alive():
    """Count the proxy's connections; to be called on the hub's loop."""
    gc.collect()
    return sum(isinstance(thing, ProxyConnection) for thing in gc.get_objects())


def wait_until_nothing_is_left(hub):
    with hub.connected("device-2") as other:
        while hub.call(alive):
            still_served(other)


# Where it leads


@pytest.mark.parametrize("name", [NAME, "localhost", "127.0.0.1", "EMULATOR.Azure-Devices.NET"])
def test_a_device_reaches_the_hub_under_its_names(hub, name):
    with device(hub, name) as client:
        client.send(Publish(EVENTS, name.encode(), qos=1, packet_id=1))
        assert client.read(4) == b"\x40\x02\x00\x01"


def test_a_service_reaches_rest(hub):
    """By httpx's own proxy option, at the port that a hub has."""
    proxied = f"http://127.0.0.1:{hub.ports.connect}"
    with httpx.Client(proxy=proxied, verify=hub.context, timeout=PATIENCE, trust_env=False) as client:
        response = client.get(f"https://{NAME}/devices/device-1?api-version=2021-04-12")
    assert response.status_code == 401


def test_a_service_reaches_amqp(hub):
    with hub.context.wrap_socket(tunnel(hub, 5671), server_hostname=NAME) as stream:
        stream.sendall(b"AMQP\0\1\0\0")
        assert stream.recv(8) == b"AMQP\0\1\0\0"


def test_without_being_asked_for_there_is_none():
    with live_hub() as hub:
        assert hub.ports.connect is None


REFUSED = {
    "another hub": (b"CONNECT other.azure-devices.net:8883 HTTP/1.1", 403),
    "another port": (b"CONNECT localhost:22 HTTP/1.1", 403),
    "clear-text MQTT": (b"CONNECT localhost:1883 HTTP/1.1", 403),
    "name inside a name": (b"CONNECT notlocalhost:443 HTTP/1.1", 403),
    "address of IPv6": (b"CONNECT [::1]:443 HTTP/1.1", 403),
    "port beyond all": (b"CONNECT localhost:99999 HTTP/1.1", 403),
    "GET": (b"GET http://localhost/ HTTP/1.1", 405),
    "small letters": (b"connect localhost:443 HTTP/1.1", 405),
    "two ports": (b"CONNECT localhost:22:443 HTTP/1.1", 400),
    "no port": (b"CONNECT localhost HTTP/1.1", 400),
    "path": (b"CONNECT localhost:443/ HTTP/1.1", 400),
    "user": (b"CONNECT user@localhost:443 HTTP/1.1", 400),
    "HTTP/2": (b"CONNECT localhost:443 HTTP/2", 400),
    "no HTTP": (b"hello", 400),
    "bytes": (b"\x16\x03\x01\xff", 400),
}


@pytest.mark.parametrize(("request_line", "status"), REFUSED.values(), ids=REFUSED)
def test_everything_else_is_refused(hub, request_line, status):
    with device(hub) as bystander:
        said = answer(hub, request_line + b"\r\nHost: x\r\n\r\nCONNECT localhost:443 HTTP/1.1\r\n\r\n")
        head, end, behind = said.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert (end, behind) == (b"\r\n\r\n", b"")
        assert (b"\r\nAllow: CONNECT\r\n" in said) == (status == 405)
        still_served(bystander)


def test_a_head_without_end_is_refused(hub):
    said = answer(hub, b"CONNECT localhost:443 HTTP/1.1\r\n", b"X: " + b"x" * connect_port.LARGEST_HEAD)
    assert said.startswith(b"HTTP/1.1 431 ") or said == b""  # a reset may overtake the answer


def test_a_head_is_due_in_time(hub):
    with proxy(hub) as plain:
        plain.sendall(b"CONNECT localhost:443 HTTP/1.1\r\n")
        assert answer(hub, b"GET / HTTP/1.1\r\n\r\n")  # what came before is known by now
        hub.let_pass(connect_port.HEAD_TIMEOUT)
        assert plain.recv(1000).startswith(b"HTTP/1.1 408 ")


def test_a_listener_that_is_gone_is_a_bad_gateway():
    """Its port refuses; the client is told."""

    async def ask():
        with socket.socket() as nobody:  # bound and not listening
            nobody.bind(("127.0.0.1", 0))
            tunnels = Tunnels(ListenerRules(), ["localhost"], {"mqtt": reachable(nobody)})
            server = await asyncio.get_running_loop().create_server(tunnels, "127.0.0.1", 0)
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"CONNECT localhost:8883 HTTP/1.1\r\n\r\n")
            said = await asyncio.wait_for(reader.read(), PATIENCE)
            writer.close()
            server.close()
        return said

    assert asyncio.run(ask()).startswith(b"HTTP/1.1 502 ")


# The tunnel


def test_what_follows_the_request_at_once_is_led_too(hub):
    """A client that does not wait for the answer: its ClientHello comes in the same segment."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = hub.context.wrap_bio(incoming, outgoing, server_hostname=NAME)
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    with proxy(hub) as plain:
        plain.sendall(f"CONNECT {NAME}:8883 HTTP/1.1\r\n\r\n".encode() + outgoing.read())
        said = b""
        while len(said) <= len(ESTABLISHED):
            said += plain.recv(65_536)
    assert said.startswith(ESTABLISHED + b"\x16\x03")  # a TLS handshake record


def test_a_large_message_passes_whole(hub):
    body = bytes(range(256)) * 1000
    with device(hub) as client:
        client.send(Publish(EVENTS, body, qos=1, packet_id=9))
        assert client.read(4) == b"\x40\x02\x00\x09"


def test_the_hub_s_close_reaches_the_client(hub):
    with device(hub) as first, device(hub) as second:
        assert first.read_to_the_end() == b""
        still_served(second)


@pytest.mark.parametrize("leave", ["reset", "close"])
def test_the_client_s_end_reaches_the_hub(hub, leave):
    """The hub sends the Will, and the proxy keeps nothing."""
    words = Will(EVENTS, f"through the proxy: {leave}".encode(), 1, retain=False)
    with device(hub, will=words) as client:
        getattr(client, leave)()
    wait_until_nothing_is_left(hub)
    with hub.connected("device-2") as other:
        while hub.call(hub.runtime.is_connected, "device-1"):
            still_served(other)


def test_a_client_that_leaves_early_leaves_nothing(hub):
    for sent in (b"", b"CONN", b"CONNECT localhost:8883 HTTP/1.1\r\n\r\n"):
        plain = proxy(hub)
        plain.sendall(sent)
        plain.close()
    wait_until_nothing_is_left(hub)


def test_a_half_close_passes_and_the_answer_still_comes(hub):
    """Down to TCP: the hub answers a broken handshake with an alert, after the client ended its half."""
    with tunnel(hub, 8883) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        plain.shutdown(socket.SHUT_WR)
        said = b""
        with contextlib.suppress(ConnectionError):
            while piece := plain.recv(65_536):
                said += piece
    assert said == b"" or said[0] == 0x15
    wait_until_nothing_is_left(hub)


def test_a_client_that_does_not_read_holds_up_nobody(hub):
    with device(hub) as deaf, hub.connected("device-2") as other:
        deaf.be_patient_for(0.5)
        with pytest.raises(TimeoutError):
            deaf.send(PINGREQ * 15_000_000)
        still_served(other)
    wait_until_nothing_is_left(hub)


def test_a_hub_that_stops_cuts_its_tunnels():
    with live_hub(connect_port=0) as hub:
        client = Client(hub.context.wrap_socket(tunnel(hub, 8883), server_hostname=NAME))
        waiting = proxy(hub)
        waiting.sendall(b"CONNECT ")
        assert answer(hub, b"GET / HTTP/1.1\r\n\r\n")  # whoever came before is known by now
    assert client.read_to_the_end() == b""
    with contextlib.suppress(ConnectionError):
        assert waiting.recv(100) == b""
    client.close()
    waiting.close()


def test_a_replaced_rule_leads_elsewhere():
    class Anywhere(ListenerRules):
        def connect_target(self, host, port, accepted):
            return "mqtt"

    def load(rules):
        rules.listeners = Anywhere()

    with live_hub(load, connect_port=0) as hub, tunnel(hub, 1, "elsewhere.example") as plain:
        stream = hub.context.wrap_socket(plain, server_hostname="localhost")
        with contextlib.closing(Client(stream)) as client:
            client.send(hub.connect_packet())
            assert client.read(4) == b"\x20\x02\x00\x00"


# Any bytes

live = settings(max_examples=60)
words = st.sampled_from(
    [
        b"CONNECT",
        b"GET",
        b" ",
        b"localhost",
        b":8883",
        b":443",
        b" HTTP/1.1",
        b"\r\n",
        b"\r\n\r\n",
        b"\0",
        b"[",
    ]
)


@pytest.fixture(scope="module")
def bystander(hub):
    with hub.connected("device-2") as client:
        yield client


@live
@given(
    st.binary(max_size=200) | st.lists(words, max_size=10).map(b"".join),
    st.lists(st.integers(0, 300), max_size=3),
)
def test_any_bytes(hub, bystander, data, cuts):
    """A status, a tunnel or a close: and whoever is connected stays served."""
    said = b""
    with proxy(hub) as plain, contextlib.suppress(OSError):  # it may have answered and gone already
        for chunk in chunked(data, cuts):
            plain.sendall(chunk)
        plain.shutdown(socket.SHUT_WR)
        while piece := plain.recv(65_536):
            said += piece
    assert said == b"" or said.startswith(b"HTTP/1.1 ")
    still_served(bystander)
