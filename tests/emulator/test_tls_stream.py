"""TLS on the MQTT port: every way a handshake, a message or an end can come."""

import asyncio
import contextlib
import socket
import ssl
from random import Random

import pytest
import trustme
from live_hub import NEW_NAME, PATIENCE, live_hub
from mqtt_bytes import DISCONNECT, PINGREQ, PINGRESP, client_bytes

from iothub_emulator.hub.packets import Publish
from iothub_emulator.net import tls_stream

EVENTS = "devices/device-1/messages/events/"
PUBACK = b"\x40\x02\x00\x01"


@pytest.fixture(scope="module")
def hub():
    with live_hub() as hub:
        yield hub


def tcp(hub):
    return socket.create_connection(("127.0.0.1", hub.ports.mqtt), timeout=PATIENCE)


def still_served(hub):
    with hub.connected("device-2") as client:
        client.send(PINGREQ)
        assert client.read(2) == PINGRESP


class MemoryClient:
    """TLS in memory over a TCP socket: what is sent when is up to the test."""

    def __init__(self, hub, sock, name="localhost"):
        self.sock = sock
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = hub.context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)

    def step(self, function, *arguments):
        """Call until TLS has what it needs; what it sends goes out at once."""
        while True:
            try:
                result = function(*arguments)
            except ssl.SSLWantReadError:
                self.sock.sendall(self.outgoing.read())
                self.incoming.write(self.sock.recv(65_536))
            else:
                self.sock.sendall(self.outgoing.read())
                return result


@pytest.mark.parametrize(
    "data", [b"\x16\x03\x01", b"", Random(0).randbytes(300), b"\x16\x03\x01\xff\xff" + bytes(100)], ids=len
)
def test_a_handshake_that_is_none_disturbs_nobody(hub, data):
    with tcp(hub) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while sock.recv(1000):
                pass
    still_served(hub)


def test_a_handshake_may_come_one_byte_at_a_time(hub):
    with tcp(hub) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = MemoryClient(hub, sock)
        with contextlib.suppress(ssl.SSLWantReadError):
            client.tls.do_handshake()
        for byte in client.outgoing.read():
            sock.sendall(bytes((byte,)))
        client.step(client.tls.do_handshake)
        client.step(client.tls.write, client_bytes(hub.connect_packet()))
        assert client.step(client.tls.read, 4) == b"\x20\x02\x00\x00"


def test_packets_may_come_with_the_end_of_the_handshake(hub):
    """A client of TLS 1.3 sends its first packet in the same segment as its Finished."""
    with tcp(hub) as sock:
        client = MemoryClient(hub, sock, NEW_NAME)
        with contextlib.suppress(ssl.SSLWantReadError):
            client.tls.do_handshake()
        sock.sendall(client.outgoing.read())
        client.incoming.write(sock.recv(65_536))
        client.tls.do_handshake()
        client.tls.write(client_bytes(hub.connect_packet()) + PINGREQ)
        sock.sendall(client.outgoing.read())
        assert (
            client.step(client.tls.read, 4) + client.step(client.tls.read, 2)
            == b"\x20\x02\x00\x00" + PINGRESP
        )


def test_a_message_of_many_records(hub):
    with hub.connected() as client:
        client.send(Publish(EVENTS, bytes(255 * 1024), qos=1, packet_id=1), PINGREQ)
        assert client.read(6) == PUBACK + PINGRESP


def test_a_thousand_messages_in_one_write(hub):
    publish = client_bytes(Publish(EVENTS, b"x" * 100, qos=1, packet_id=1))
    with hub.connected() as client:
        client.send(publish * 1000)
        assert client.read(4000) == PUBACK * 1000


def test_an_answer_is_not_lost_to_what_the_client_still_sends(hub):
    """The refusal arrives whole although the client had more to say: the hub reads on before it lets go."""
    for _ in range(20):
        with hub.client(hub.connect_packet(password=b"wrong"), bytes(50_000)) as client:
            assert client.read_to_the_end() == b"\x20\x02\x00\x05"


def test_a_close_ends_tls_and_tcp(hub):
    """close_notify, then FIN, without waiting for the client to do the same."""
    with tcp(hub) as sock:
        client = MemoryClient(hub, sock)
        client.step(client.tls.do_handshake)
        client.step(client.tls.write, client_bytes(hub.connect_packet()) + DISCONNECT)
        assert client.step(client.tls.read, 4) == b"\x20\x02\x00\x00"
        assert client.step(client.tls.read, 100) == b""
        assert sock.recv(100) == b""


@pytest.mark.parametrize("polite", [True, False])
def test_a_client_that_ends_its_side_is_let_go(hub, polite):
    """By close_notify, and by the end of TCP alone."""
    with tcp(hub) as sock:
        client = MemoryClient(hub, sock)
        client.step(client.tls.do_handshake)
        client.step(client.tls.write, client_bytes(hub.connect_packet()))
        client.step(client.tls.read, 4)
        if polite:
            with contextlib.suppress(ssl.SSLWantReadError):
                client.tls.unwrap()
            sock.sendall(client.outgoing.read())
        else:
            sock.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while sock.recv(1000):
                pass
    with hub.connected("device-2") as other:
        while hub.call(hub.runtime.is_connected, "device-1"):
            other.send(PINGREQ)
            other.read(2)


def test_damaged_records_end_the_connection(hub):
    with tcp(hub) as sock:
        client = MemoryClient(hub, sock)
        client.step(client.tls.do_handshake)
        client.step(client.tls.write, client_bytes(hub.connect_packet()))
        client.step(client.tls.read, 4)
        client.tls.write(PINGREQ)
        record = bytearray(client.outgoing.read())
        record[-1] ^= 1
        sock.sendall(record)
        with contextlib.suppress(ConnectionError):
            while sock.recv(1000):
                pass
    still_served(hub)


class Unread(asyncio.Transport):
    """TCP to a client that reads nothing: closing it waits for ever, only aborting ends it."""

    def __init__(self):
        super().__init__()
        self.sent, self.is_aborted = [], asyncio.Event()

    def write(self, data):
        self.sent.append(data)

    def is_closing(self):
        return False

    def close(self):
        pass

    def abort(self):
        self.is_aborted.set()


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda stream, feed: feed(b"\x17\x03\x03\x00\x20" + bytes(32)), id="damaged-record"),
        pytest.param(lambda stream, feed: stream.eof_received(), id="end-of-stream"),
    ],
)
def test_a_client_that_neither_reads_nor_is_to_be_heard_is_let_go(monkeypatch, end):
    """What it has not read would hold the connection, and its Will, until its keep-alive."""
    monkeypatch.setattr(tls_stream, "LINGER", 0)
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(client)

    async def scene():
        transport = Unread()
        stream = tls_stream.TlsStream(asyncio.Protocol, lambda name: server)
        stream.connection_made(transport)

        def feed(data):
            stream.get_buffer(-1)[: len(data)] = data
            stream.buffer_updated(len(data))

        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = client.wrap_bio(incoming, outgoing, server_hostname="localhost")
        with contextlib.suppress(ssl.SSLWantReadError):
            tls.do_handshake()
        feed(outgoing.read())
        incoming.write(b"".join(transport.sent))
        tls.do_handshake()
        feed(outgoing.read())
        end(stream, feed)
        await asyncio.wait_for(transport.is_aborted.wait(), PATIENCE)

    asyncio.run(scene())
