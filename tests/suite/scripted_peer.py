"""A peer that plays a script in literal bytes and keeps what it was sent: unrelated to hub and suite."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import trustme
from patience import PATIENCE

from conformance.evidence.case import Evidence
from conformance.mqtt.device import Device
from conformance.mqtt.endpoint import Endpoint
from conformance.mqtt.reactor import Reactor
from conformance.target.credentials import Identity, Secret

KEY = Secret("a2V5IG9mIGEgZGV2aWNlIHRoYXQgaXMgbm9ib2R5J3M=")

CONNACK = b"\x20\x02\x00\x00"
PINGRESP = b"\xd0\x00"


HURRY = 0.3
"""Seconds that are waited for what never comes; nothing that has to come may be waited for so briefly."""


@dataclass
class Timeouts:
    """The table [timeouts] of a profile, for a test to change as it goes."""

    connect: float = PATIENCE
    reaction: float = PATIENCE
    silence: float = 0.0


def publish(topic: str, body: bytes = b"") -> bytes:
    """Return a PUBLISH with QoS 0 and fewer than 128 bytes behind its length."""
    content = len(topic).to_bytes(2, "big") + topic.encode() + body
    return b"\x30" + bytes([len(content)]) + content


@dataclass
class Line:
    """The peer's end of one connection."""

    sock: socket.socket
    received: list[bytes] = field(default_factory=list)

    def read_packet(self) -> bytes:
        """One whole packet; raises EOFError at the end of the stream."""
        header = self._exactly(1)
        length, shift = 0, 0
        while True:
            byte = self._exactly(1)
            header += byte
            length |= (byte[0] & 0x7F) << shift
            shift += 7
            if byte[0] < 0x80:
                break
        packet = header + self._exactly(length)
        self.received.append(packet)
        return packet

    def send(self, *chunks: bytes) -> None:
        for chunk in chunks:
            self.sock.sendall(chunk)

    def answer_connect(self, answer: bytes = CONNACK) -> bytes:
        connect = self.read_packet()
        self.send(answer)
        return connect

    def answer_pings(self) -> None:
        """Answer PINGREQ until the other side ends the stream; keep all else unanswered."""
        with contextlib.suppress(EOFError, OSError):
            while True:
                if self.read_packet() == b"\xc0\x00":
                    self.send(PINGRESP)

    def read_to_end(self) -> None:
        with contextlib.suppress(OSError):
            while self.sock.recv(65536):
                pass

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self.sock.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data


Script = Callable[[Line], None]


class ScriptedPeer:
    """A server on a free loopback port that plays `script` on each connection, then closes it.

    `key_type` is that of its certificate, `host` what it names beside this machine. Without a script nothing
    listens on the port, and nobody else is given it.
    """

    def __init__(
        self,
        script: Script | None,
        *,
        tls: bool = True,
        context: ssl.SSLContext | None = None,
        key_type: trustme.KeyType = trustme.KeyType.ECDSA,
        host: str = "localhost",
    ) -> None:
        self.host = host
        self.lines: list[Line] = []
        self.ended = threading.Semaphore(0)
        self.authority = trustme.CA()
        self._context = context or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        names = dict.fromkeys((host, "localhost", "127.0.0.1"))
        certificate = self.authority.issue_cert(*names, key_type=key_type)
        certificate.configure_cert(self._context)
        self._tls = tls
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        if script is not None:
            self._listener.listen(2048)
            threading.Thread(target=self._accept, args=(script,), daemon=True).start()

    def endpoint(self, folder, timeouts: Timeouts) -> Endpoint:
        trust = folder / f"root-{self.port}.pem"
        self.authority.cert_pem.write_to_path(str(trust))
        return Endpoint(
            host=self.host,
            port=self.port,
            trust=str(trust),
            timeouts=timeouts,
            websocket_port=self.port,
        )

    def close(self) -> None:
        # Wakes accept(), which closing alone does not.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self, script: Script) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._play, args=(sock, script), daemon=True).start()

    def _play(self, sock: socket.socket, script: Script) -> None:
        with contextlib.suppress(EOFError, OSError):
            if self._tls:
                sock = self._context.wrap_socket(sock, server_side=True)
            line = Line(sock)
            self.lines.append(line)
            script(line)
        with contextlib.suppress(OSError):
            sock.close()
        self.ended.release()


class Stage:
    """Peers, devices and one reactor for a test, with `timeouts` for all devices; `close` ends all."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.reactor = Reactor()
        self.evidence = Evidence()
        self.timeouts = Timeouts()
        self.peer: ScriptedPeer | None = None
        self._ends: list[Callable[[], None]] = [self.reactor.stop]

    def device(self, script: Script | None, **peer) -> Device:
        """A device whose hub plays this script; without one, nothing listens."""
        self.peer = ScriptedPeer(script, **peer)
        identity = Identity(device_id="d1", primary_key=KEY, secondary_key=KEY)
        device = Device(identity, self.peer.endpoint(self.folder, self.timeouts), self.reactor, self.evidence)
        self._ends += [self.peer.close, device.close]
        return device

    @property
    def published(self) -> list[bytes]:
        """Topic and body of each PUBLISH on the one connection; with QoS 1 the packet id is between."""
        (line,) = self.peer.lines
        return [packet[4:] for packet in line.received if packet[0] >> 4 == 3]

    @contextlib.contextmanager
    def hurry(self):
        """Within this block wait for nothing that has to come: only for what never does."""
        patient = self.timeouts.connect, self.timeouts.reaction
        self.timeouts.connect = self.timeouts.reaction = HURRY
        yield
        self.timeouts.connect, self.timeouts.reaction = patient

    def close(self) -> None:
        for end in reversed(self._ends):
            end()
