"""The server's end of a WebSocket for a scripted peer, in literal bytes: unrelated to hub and suite."""

import base64
import hashlib
import struct
from dataclasses import dataclass, field

from scripted_peer import CONNACK, PINGRESP, Line

BINARY, TEXT, CLOSE, PING, PONG = 0x82, 0x81, 0x88, 0x89, 0x8A


def frame(first, payload=b""):
    """An unmasked frame: its first byte, its length, its payload."""
    size = len(payload)
    length = bytes([size]) if size < 126 else b"\x7e" + struct.pack(">H", size)
    return bytes([first]) + length + payload


@dataclass
class Socket:
    """A WebSocket that has been opened; `frames` are those it was sent, as first byte and payload."""

    line: Line
    request: str
    frames: list[tuple[int, bytes]] = field(default_factory=list)

    def send(self, *chunks):
        self.line.send(*chunks)

    def read_frame(self):
        """The next frame, unmasked; raises EOFError at the end of the stream."""
        first, second = self.line._exactly(2)
        assert second & 0x80, "a client masks its frames"
        size = second & 0x7F
        if size > 125:
            size = int.from_bytes(self.line._exactly(2 if size == 126 else 8))
        key = self.line._exactly(4)
        payload = bytes(byte ^ key[at % 4] for at, byte in enumerate(self.line._exactly(size)))
        self.frames.append((first, payload))
        return first, payload

    def answer_connect(self, answer=CONNACK):
        assert self.read_frame()[1][0] == 0x10
        self.send(frame(BINARY, answer))

    def serve(self):
        """Answer PINGREQ, QoS 1 of packet id 1 and Close, until the client ends the stream."""
        while True:
            first, payload = self.read_frame()
            if payload == b"\xc0\x00":
                self.send(frame(BINARY, PINGRESP))
            elif payload[:1] == b"\x32":
                self.send(frame(BINARY, b"\x40\x02\x00\x01"))
            elif first == CLOSE:
                self.send(frame(CLOSE, payload))
                return


def read_request(line):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += line._exactly(1)
    return head.decode()


def opening(request, *, subprotocol="mqtt"):
    """The answer that opens a WebSocket."""
    (key,) = (row.split(": ")[1] for row in request.split("\r\n") if row.startswith("Sec-WebSocket-Key"))
    digest = hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}",
    ]
    if subprotocol is not None:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    return "\r\n".join([*lines, "", ""]).encode()


def opened(then, *, behind=b"", subprotocol="mqtt", sockets=None, once_asked=lambda: None):
    """A script that opens a WebSocket, sends these bytes right behind, and goes on with `then(socket)`.

    `once_asked()` comes between the request and the answer.
    """

    def play(line):
        request = read_request(line)
        once_asked()
        line.send(opening(request, subprotocol=subprotocol) + behind)
        socket = Socket(line, request)
        if sockets is not None:
            sockets.append(socket)
        then(socket)

    return play


def admitting(*answers, then=Socket.serve):
    """Accept the CONNECT, answer each frame with the next of these bytes, go on with `then(socket)`."""

    def play(socket):
        socket.answer_connect()
        for answer in answers:
            socket.read_frame()
            socket.send(answer)
        then(socket)

    return play
