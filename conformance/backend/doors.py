"""The ports that back ends use, as a client meets them that offers certain cipher suites and no others."""

import ssl
from collections.abc import Sequence
from typing import Final

from conformance.errors import ServiceError
from conformance.mqtt import tls
from conformance.mqtt.route import PLAIN, Route

# The header that every AMQP 1.0 client may begin with, and a server answers in kind (part 5.3.2: SASL first).
AMQP_HEADER: Final = b"AMQP\x03\x01\x00\x00"
ANSWERED: Final = "answered"


class Doors:
    """Where a hub serves REST (`https`) and AMQP (`amqp`); `timeout` is for TLS and an answer, in seconds.

    Each look returns "answered", or the word for why not: "tls refused", "closed", "silence", "another
    protocol". Nothing secret is sent. Raises ServiceError where nothing listens, NotTested where the local
    OpenSSL has none of the suites.
    """

    def __init__(
        self, host: str, *, https: int, amqp: int, trust: str, timeout: float, route: Route = PLAIN
    ) -> None:
        self._host = host
        self._route = route
        self._https = https
        self._amqp = amqp
        self._trust = trust
        self._timeout = timeout

    def rest(self, ciphers: Sequence[str]) -> str:
        """Ask for something by HTTP, without credentials: any answer of HTTP counts."""
        request = f"GET / HTTP/1.1\r\nHost: {self._host}\r\nConnection: close\r\n\r\n"
        return self._look(self._https, ciphers, request.encode("ascii"), b"HTTP/1.")

    def amqp(self, ciphers: Sequence[str]) -> str:
        """Begin as AMQP does: the answer is a header of AMQP's."""
        return self._look(self._amqp, ciphers, AMQP_HEADER, b"AMQP")

    def _look(self, port: int, ciphers: Sequence[str], hello: bytes, answer: bytes) -> str:
        try:
            with self._handshake(port, ciphers) as sock:
                sock.sendall(hello)
                received = b""
                while len(received) < len(answer):
                    piece = sock.recv(len(answer) - len(received))
                    if not piece:
                        return "closed"
                    received += piece
        except tls.HandshakeFailed as failure:
            failure.require_offer()
            return failure.word
        except TimeoutError:
            return "silence"
        except OSError:
            return "closed"
        return ANSWERED if received == answer else "another protocol"

    def _handshake(self, port: int, ciphers: Sequence[str]) -> ssl.SSLSocket:
        where = f"{self._host}:{port}{self._route.said}"
        try:
            sock = self._route.open(self._host, port, self._timeout)
        except OSError as error:
            raise ServiceError(
                f"{where}: {error.strerror or error}. Is that port of the hub right?"
            ) from None
        try:
            return tls.handshake(sock, host=self._host, trust=self._trust, ciphers=ciphers)
        except ssl.SSLCertVerificationError as error:
            raise ServiceError(
                f"{where}: its certificate is not trusted ({error.verify_message}). "
                "Name the file with its root as `trust` in [target]."
            ) from None
