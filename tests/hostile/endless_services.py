"""Service sides whose answers never end: over HTTPS, and over AMQP in one frame.

Each is a way to answer for ever without ever being silent for long. A server offers one of them to every
connection; a TLS handshake alone gets its answer, as on a hub's port of MQTT.
"""

import contextlib
import itertools
import socket
import ssl
import struct
import threading
import zlib

import trustme

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
# Shorter than any timeout of a read.
PAUSE = 0.05

SASL_HEADER, AMQP_HEADER = b"AMQP\x03\x01\x00\x00", b"AMQP\x00\x01\x00\x00"
# Literal frames [AMQP 1.0, 5.3.3]: sasl-mechanisms with ANONYMOUS, sasl-outcome with code 0.
MECHANISMS = b"\x00\x00\x00\x19\x02\x01\x00\x00\x00\x53\x40\xc0\x0c\x01\xa3\x09ANONYMOUS"
WELCOME = b"\x00\x00\x00\x10\x02\x01\x00\x00\x00\x53\x44\xc0\x03\x01\x50\x00"
EMPTY_FRAME = b"\x00\x00\x00\x08\x02\x00\x00\x00"


def head_of_a_frame(size):
    """The eight bytes that announce a frame of so many."""
    return struct.pack(">IBBH", size, 2, 0, 0)


def dripping(data):
    """A byte now and then."""
    for byte in data:
        yield bytes([byte])
        yield PAUSE


def endless_chunks():
    """A body in chunks, the next of them always about to come."""
    yield CHUNKED
    for _ in itertools.count():
        yield b"1\r\n \r\n"
        yield PAUSE


def a_flood_of_chunks():
    """The same, as fast as the network takes it."""
    yield CHUNKED
    yield from itertools.repeat(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


def interim_answers():
    """``100 Continue`` for ever."""
    for _ in itertools.count():
        yield b"HTTP/1.1 100 Continue\r\n\r\n"
        yield PAUSE


def a_head_byte_by_byte():
    """A head of which a byte comes now and then."""
    yield from dripping(itertools.chain(HEAD, itertools.cycle(b"X-More: 1\r\n")))


def a_body_byte_by_byte():
    """A long body of which a byte comes now and then."""
    yield HEAD + b"Content-Length: 1000000\r\n\r\n"
    yield from dripping(itertools.repeat(0x20))


def a_packed_body():
    """A quarter of a megabyte that unpacks to a quarter of a gigabyte."""
    packer = zlib.compressobj(wbits=31)
    packed = b"".join([*map(packer.compress, itertools.repeat(b" " * 2**20, 256)), packer.flush()])
    yield HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed


def a_frame_byte_by_byte():
    """AMQP: a frame of which a byte comes now and then."""
    yield SASL_HEADER + MECHANISMS + WELCOME + AMQP_HEADER
    yield head_of_a_frame(60_000)
    yield from dripping(itertools.repeat(0))


def a_frame_of_two_gigabytes():
    """AMQP: a frame that would not fit anywhere, and its bytes as fast as the network takes them."""
    yield SASL_HEADER + MECHANISMS + WELCOME + AMQP_HEADER
    yield head_of_a_frame(2**31 - 1)
    yield from itertools.repeat(b"\0" * 0x10000)


def empty_frames():
    """AMQP: signs of life, and nothing else."""
    yield SASL_HEADER + MECHANISMS + WELCOME + AMQP_HEADER
    for _ in itertools.count():
        yield EMPTY_FRAME
        yield PAUSE


class EndlessService:
    """Answers the first bytes on each connection in one of these ways, until the client leaves."""

    def __init__(self, folder, answer):
        authority = trustme.CA()
        self.ca_file = str(folder / "ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(self._context)
        self._answer = answer
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self):
        self._closing.set()
        # A thread that accepts keeps a listener alive that is only closed.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _listen(self):
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, accepted):
        with contextlib.suppress(OSError), self._context.wrap_socket(accepted, server_side=True) as sock:
            if not sock.recv(65536):
                return
            for piece in self._answer():
                if self._closing.is_set():
                    return
                if isinstance(piece, float):
                    self._closing.wait(piece)
                else:
                    sock.sendall(piece)
            self._closing.wait()
