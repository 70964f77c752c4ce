"""A WebSocket client for tests: literal frames over TLS, written with none of the hub's code."""

import base64
import contextlib
import os
import socket

from live_hub import PATIENCE, Client, name_for
from mqtt_bytes import client_bytes

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
DEVICE_PATH = "/$iothub/websocket"


def frame(opcode, payload=b"", *, final=True, mask=b"\x11\x22\x33\x44", reserved=0):
    """Return a frame; `mask=None` leaves it unmasked."""
    head = bytes([final << 7 | reserved << 4 | opcode])
    bit = 0x80 if mask is not None else 0
    size = len(payload)
    if size < 126:
        head += bytes([bit | size])
    elif size < 65_536:
        head += bytes([bit | 126]) + size.to_bytes(2)
    else:
        head += bytes([bit | 127]) + size.to_bytes(8)
    if mask is None:
        return head + payload
    return head + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))


def binary(*packets):
    """Return one binary frame that holds these packets, or bytes."""
    return frame(BINARY, b"".join(p if isinstance(p, bytes) else client_bytes(p) for p in packets))


def server_frame(opcode, payload=b""):
    """Return a frame as a server sends it."""
    return frame(opcode, payload, mask=None)


def request(path=DEVICE_PATH, *, method="GET", version="1.1", **changes):
    """Return the request for a connection; a header whose value is None is left out."""
    headers = {
        "Host": "localhost",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "mqtt",
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    lines = [f"{method} {path} HTTP/{version}"]
    lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join([*lines, "", ""]).encode()


class WebSocketClient(Client):
    """A TLS stream that speaks WebSocket once it was upgraded."""

    stream = b""
    """What binary frames brought beyond what `read_stream` was asked for."""

    def read_head(self):
        """Return the answer's status and its headers, the names in small letters."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            piece = self.read(1)
            assert piece, head
            head += piece
        first, *lines = head.decode().split("\r\n")[:-2]
        pairs = (line.split(": ", 1) for line in lines)
        return int(first.split()[1]), {name.lower(): value for name, value in pairs}

    def read_frame(self):
        """Return opcode and payload of the next frame; no server's frame is masked or split."""
        first, size = self.read(2)
        assert first & 0xF0 == 0x80
        assert size < 0x80
        if size >= 126:
            size = int.from_bytes(self.read(2 if size == 126 else 8))
        return first & 0x0F, self.read(size)

    def read_stream(self, count):
        """Return the next bytes of the stream that the binary frames carry."""
        while len(self.stream) < count:
            opcode, payload = self.read_frame()
            assert opcode == BINARY
            self.stream += payload
        data, self.stream = self.stream[:count], self.stream[count:]
        return data


def open_tls(hub, port="https", context=None):
    """Return a client whose TLS is up on a port of the hub."""
    plain = socket.create_connection(("127.0.0.1", getattr(hub.ports, port)), timeout=PATIENCE)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    context = context or hub.context
    return WebSocketClient(context.wrap_socket(plain, server_hostname=name_for(context)))


@contextlib.contextmanager
def websocket(hub, path=DEVICE_PATH, *, behind=b"", context=None, **changes):
    """A client that was upgraded; `behind` was sent together with its request."""
    with contextlib.closing(open_tls(hub, context=context)) as client:
        client.send(request(path, **changes) + behind)
        status, _ = client.read_head()
        assert status == 101
        yield client


@contextlib.contextmanager
def connected(hub, device_id="device-1", *, context=None, path=DEVICE_PATH, **changes):
    """A client whose CONNECT was accepted over WebSocket."""
    with websocket(hub, path, context=context) as client:
        client.send(binary(hub.connect_packet(device_id, **changes)))
        opcode, answer = client.read_frame()
        assert (opcode, answer[:2], answer[3:]) == (BINARY, b"\x20\x02", b"\x00")
        yield client
