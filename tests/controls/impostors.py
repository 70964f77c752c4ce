"""Servers on an MQTT port that are no hub: none of them may pass for one."""

import asyncio
import contextlib
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
