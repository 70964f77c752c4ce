"""Servers on an MQTT port, and on one of WebSocket, that are no hub: none of them may pass for one."""

import asyncio
import base64
import contextlib
import hashlib
import re
import ssl
import threading

import trustme


class Silent(asyncio.Protocol):
    """Accepts and says nothing."""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        pass


class Closing(Silent):
    """Closes at once."""

    def connection_made(self, transport):
        transport.close()


class Echoing(Silent):
    """Sends back whatever comes."""

    def data_received(self, data):
        self.transport.write(data)


# Type of a packet -> its success packet; `id` stands for the packet id.
SUCCESS = {
    0x10: b"\x20\x02\x00\x00",
    0x30: b"\x40\x02id",
    0x80: b"\x90\x03id\x00",
    0xA0: b"\xb0\x02id",
    0xC0: b"\xd0\x00",
}


class Agreeing(Silent):
    """Answers every packet with its success packet, and forgets everything."""

    def connection_made(self, transport):
        super().connection_made(transport)
        self.buffer = b""

    def data_received(self, data):
        self.buffer += data
        while (packet := self.next_packet()) is not None:
            first, body = packet
            if first & 0xF0 == 0x30:
                if first & 0x06:
                    at = 2 + int.from_bytes(body[:2])
                    self.answer(first, body[at : at + 2])
            else:
                self.answer(first, body[:2])

    def answer(self, first, packet_id):
        self.transport.write(SUCCESS.get(first & 0xF0, b"").replace(b"id", packet_id.ljust(2, b"\0")))

    def next_packet(self):
        length, shift = 0, 0
        for index in range(1, min(len(self.buffer), 5)):
            length |= (self.buffer[index] & 0x7F) << shift
            shift += 7
            if self.buffer[index] < 0x80:
                end = index + 1 + length
                if len(self.buffer) < end:
                    return None
                first, body = self.buffer[0], self.buffer[index + 1 : end]
                self.buffer = self.buffer[end:]
                return first, body
        return None


class OverWebSocket(Silent):
    """Opens a WebSocket for whoever asks, with the subprotocol mqtt, and lets another one speak there."""

    def __init__(self, protocol):
        self.inner = protocol()
        self.buffer = b""
        self.is_open = False

    def data_received(self, data):
        self.buffer += data
        if not self.is_open and b"\r\n\r\n" in self.buffer:
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            self.is_open = True
            self.transport.write(upgrade(head))
            self.inner.connection_made(Frames(self.transport))
        while self.is_open and (payload := self.next_payload()) is not None:
            self.inner.data_received(payload)

    def next_payload(self):
        """What the next frame carries, of whatever kind it is."""
        if len(self.buffer) < 2:
            return None
        extended = {126: 2, 127: 8}.get(self.buffer[1] & 0x7F, 0)
        size = int.from_bytes(self.buffer[2 : 2 + extended]) if extended else self.buffer[1] & 0x7F
        start = 2 + extended + 4
        if len(self.buffer) < start + size:
            return None
        key, masked = self.buffer[start - 4 : start], self.buffer[start : start + size]
        self.buffer = self.buffer[start + size :]
        return bytes(byte ^ key[at % 4] for at, byte in enumerate(masked))


class Frames:
    """The transport of the one who speaks: a binary frame for each write."""

    def __init__(self, transport):
        self.transport = transport
        self.close = transport.close

    def write(self, data):
        if data:
            size = len(data)
            head = bytes((0x82, size)) if size < 126 else b"\x82\x7e" + size.to_bytes(2)
            self.transport.write((head if size < 1 << 16 else b"\x82\x7f" + size.to_bytes(8)) + data)


def upgrade(head):
    key = re.search(rb"Sec-WebSocket-Key: (\S+)", head)
    digest = hashlib.sha1((key[1] if key else b"") + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
    )


@contextlib.contextmanager
def serving(protocol, authority: trustme.CA):
    """Serve the protocol over TLS on a free loopback port, in a thread; yield the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(protocol, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
