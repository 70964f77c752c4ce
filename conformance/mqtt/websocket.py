"""MQTT over WebSocket: the handshake by HTTP, and the stream that it leaves, as a tap.

Sources: RFC 6455 section 4.1 (what a client sends, and what it must not accept), MQTT 3.1.1 section 6. The
server's refusals are outcomes like those of a TLS handshake: a `HandshakeFailed` with its word.
"""

import base64
import hashlib
import os
import socket
import ssl
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from conformance.evidence.transcript import Glyph
from conformance.mqtt import hearing
from conformance.mqtt.frames import EVIDENCE, NORMAL, Broken, Control, Frame, FrameReader, Head, Opcode
from conformance.mqtt.tap import READ, Ending, Tap
from conformance.mqtt.tls import HandshakeFailed

PATH: Final = "/$iothub/websocket"
SUBPROTOCOL: Final = "mqtt"
# For a device that has no client certificate, where TLS stacks stumble over being asked for one.
NO_CLIENT_CERTIFICATE: Final = "iothub-no-client-cert=true"

HTTPS_PORT: Final = 443
SWITCHING: Final = 101
# What is appended to the client's key before it is hashed (RFC 6455, section 1.3).
SUFFIX: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
END_OF_HEAD: Final = b"\r\n\r\n"
LONGEST_HEAD: Final = 16 * 1024

Report = Callable[[Glyph, str], None]


@dataclass(frozen=True, kw_only=True)
class WebSocket:
    """What a client asks for: path, query (without its question mark) and subprotocols, in that order.

    The request is one of RFC 6455, but for `fields`.
    """

    path: str = PATH
    query: str = ""
    subprotocols: tuple[str, ...] = (SUBPROTOCOL,)
    fields: tuple[tuple[str, str | None], ...] = ()
    """Header fields that are sent otherwise than they should be; None: not at all."""

    @property
    def target(self) -> str:
        """Path and query as the request line has them."""
        return f"{self.path}?{self.query}" if self.query else self.path


def upgrade(
    sock: ssl.SSLSocket, wanted: WebSocket, *, host: str, port: int, seconds: float, report: Report
) -> tuple[str | None, bytes]:
    """Turn an HTTP connection into a WebSocket; return the subprotocol the hub chose, and what came behind.

    Raises HandshakeFailed: "http 400" and the like, "closed", "silence", "tls refused", or "no websocket" for
    an answer that is none. Closes the socket then.
    """
    key = base64.b64encode(os.urandom(16)).decode("ascii")
    try:
        offered = ", ".join(wanted.subprotocols) or "none"
        report("→", f"HTTP     GET {wanted.target}, Upgrade: websocket, subprotocol: {offered}")
        head, rest = exchange(sock, request(wanted, host=host, port=port, key=key), seconds)
        report("←", f"HTTP     {_first_line(head)}")
        chosen = read_answer(head, wanted.subprotocols, key)
    except HandshakeFailed:
        sock.close()
        raise
    report("=", f"WebSocket open, subprotocol: {chosen or 'none'}")
    return chosen, rest


def request(wanted: WebSocket, *, host: str, port: int, key: str) -> bytes:
    """Return the request for the upgrade."""
    fields: dict[str, str | None] = {
        "Host": host if port == HTTPS_PORT else f"{host}:{port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": ", ".join(wanted.subprotocols) or None,
        **dict(wanted.fields),
    }
    lines = [
        f"GET {wanted.target} HTTP/1.1",
        *(f"{name}: {value}" for name, value in fields.items() if value is not None),
    ]
    return "\r\n".join(lines).encode("ascii") + END_OF_HEAD


def read_answer(head: bytes, offered: Sequence[str], key: str) -> str | None:
    """Return the subprotocol that the server chose, None for none; raises HandshakeFailed.

    Whether it chose rightly is a clause's business, unless it chose what nobody offered.
    """
    lines = head.decode("latin-1").split("\r\n")
    version, _, rest = lines[0].partition(" ")
    status, _, reason = rest.partition(" ")
    if not version.startswith("HTTP/1.") or not (status.isdecimal() and len(status) == len("101")):
        raise HandshakeFailed("no websocket", f"no answer of HTTP/1.1: {lines[0][:40]!r}")
    fields = header_fields(lines[1:])
    if int(status) != SWITCHING:
        versions = fields.get("sec-websocket-version", "")
        raise HandshakeFailed(f"http {status}", f"HTTP {status} {reason}".strip(), versions=versions)
    accept = base64.b64encode(hashlib.sha1(key.encode() + SUFFIX, usedforsecurity=False).digest()).decode()
    chosen = fields.get("sec-websocket-protocol")
    objections = {
        "its Upgrade is not websocket": fields.get("upgrade", "").lower() != "websocket",
        "its Connection is not Upgrade": "upgrade" not in _tokens(fields.get("connection", "")),
        "its Sec-WebSocket-Accept does not belong to the key": fields.get("sec-websocket-accept") != accept,
        "it agrees to extensions that nobody offered": bool(fields.get("sec-websocket-extensions")),
        f"it chooses {chosen!r}, which was not offered": chosen is not None and chosen not in offered,
    }
    for objection, holds in objections.items():
        if holds:
            raise HandshakeFailed("no websocket", f"a 101 that opens nothing: {objection}")
    return chosen


class WebSocketTap(Tap):
    """A stream in binary frames. Pings are answered; a Close frame is the end, and is answered too.

    What a server must not send is no end, or a hub that talks nonsense passed for one that closes: nothing
    more is understood, and the tap waits for how the hub ends it.
    """

    waits_for_the_end = False
    """A Close frame of the hub is not taken for the end, but the end of the TCP connection alone."""

    def __init__(self, sock: socket.socket, *, rest: bytes, report: Report) -> None:
        super().__init__(sock)
        self._rest = rest
        self._report = report
        self._reader = FrameReader()
        self._broken: Broken | None = None
        self._deaf = False
        self._closing = False
        self.heard: list[Control] = []
        """Every control frame that has come."""

    def read(self) -> bytes | None:
        """Return what binary frames carried, which may be nothing, or None where none came."""
        data = self._take_rest() or super().read()
        return None if data is None else self._understand(data)

    def garbage(self) -> tuple[str, bytes] | None:
        """Return, once, the frame that no server may send."""
        broken, self._broken = self._broken, None
        return None if broken is None else (f"WebSocket: {broken.reason}", broken.data)

    def queue(self, data: bytes) -> None:
        """Take these bytes as the next binary frame."""
        self.queue_frame(Frame(data))

    def queue_frame(self, frame: Frame) -> None:
        """Take this frame as the next to be sent; none once a Close frame was sent (section 5.5.1)."""
        if self._closing:
            return
        self._closing = frame.opcode == Opcode.CLOSE
        self._report("→", f"FRAME    {frame.describe()}")
        super().queue(frame.encode())

    def queue_literal(self, data: bytes) -> None:
        """Take these bytes as they are, which need be no frame."""
        self._report("→", f"BYTES    {data[:EVIDENCE].hex(' ')}{' …' if len(data) > EVIDENCE else ''}")
        super().queue(data)

    def half_close(self) -> None:
        """Tell the hub, by a Close frame, that nothing more will come, and go on reading what it has sent."""
        self.queue_frame(Frame(struct.pack(">H", NORMAL), Opcode.CLOSE))
        self.flush()

    def _take_rest(self) -> bytes:
        rest, self._rest = self._rest, b""
        return rest

    def _understand(self, data: bytes) -> bytes:
        payload = bytearray()
        for event in [] if self._deaf else self._reader.feed(data):
            match event:
                case Head(text, size):
                    self.empty += not size
                    self._report("←", f"FRAME    {text}")
                case Control():
                    self.empty += 1
                    self.heard.append(event)
                    self._report("←", f"FRAME    {event.text}")
                    if self._obey(event):
                        break
                case Broken():
                    self._broken, self._deaf = event, True
                case piece:
                    payload += piece.payload
        return bytes(payload)

    def _obey(self, control: Control) -> bool:
        """Answer a control frame; tell whether it was the last."""
        if control.opcode == Opcode.PING:
            self.queue_frame(Frame(control.payload, Opcode.PONG))
        if control.opcode == Opcode.CLOSE:
            self.queue_frame(Frame(control.payload[:2], Opcode.CLOSE))
        self.flush()
        if control.opcode != Opcode.CLOSE:
            return False
        if self.waits_for_the_end:
            self._deaf = True
        else:
            self.ending = Ending("hub", f"WebSocket {control.text}")
        return True


def exchange(sock: ssl.SSLSocket, data: bytes, seconds: float) -> tuple[bytes, bytes]:
    """Send a request; return the head of its answer, without its end, and what came behind.

    Raises HandshakeFailed where none comes within so many seconds, or one that is too long.
    """
    deadline = time.monotonic() + seconds
    received = b""
    try:
        sock.settimeout(seconds)
        sock.sendall(data)
        while END_OF_HEAD not in received and len(received) <= LONGEST_HEAD:
            # A timeout of 0 would mean not to wait at all.
            sock.settimeout(max(deadline - time.monotonic(), 0.001))
            piece = sock.recv(READ)
            if not piece:
                raise HandshakeFailed("closed", "the connection ended before HTTP answered")
            hearing.heard()
            received += piece
    except TimeoutError:
        raise HandshakeFailed("silence", "no answer of HTTP") from None
    except (ssl.SSLEOFError, ConnectionError):
        raise HandshakeFailed("closed", "the connection was lost before HTTP answered") from None
    except ssl.SSLError as error:
        # TLS 1.3 tells a client only now that its certificate is refused.
        raise HandshakeFailed("tls refused", error.reason or str(error)) from None
    head, _, rest = received.partition(END_OF_HEAD)
    if len(head) > LONGEST_HEAD:
        raise HandshakeFailed("no websocket", f"a head of more than {LONGEST_HEAD} bytes")
    return head, rest


def _first_line(head: bytes) -> str:
    line = head.partition(b"\r\n")[0].decode("latin-1")[:80]
    return line if line.isprintable() else repr(line)


def header_fields(lines: Sequence[str]) -> dict[str, str]:
    """Return header fields by their names in small letters; of a repeated one, all values with commas."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields


def _tokens(value: str) -> list[str]:
    return [token.strip().lower() for token in value.split(",")]
