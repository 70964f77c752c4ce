"""How a device reaches its hub: over TLS to the MQTT port, or over WebSocket to the HTTPS port.

Whatever comes of it is written to the evidence, and so is everything that passes afterwards.
"""

import dataclasses
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from conformance.evidence.case import Evidence
from conformance.mqtt.channel import Channel
from conformance.mqtt.endpoint import Endpoint, open_tcp, open_tls
from conformance.mqtt.reactor import Reactor
from conformance.mqtt.tap import Tap
from conformance.mqtt.tls import HandshakeFailed
from conformance.mqtt.websocket import WebSocket, WebSocketTap, upgrade
from conformance.target.certificates import ClientCertificate


@dataclass(frozen=True, kw_only=True)
class Line:
    """An open stream. `subprotocol` is what the hub chose; `tap` is there to say how frames are cut."""

    channel: Channel
    tls_version: str | None
    tap: WebSocketTap | None = None
    subprotocol: str | None = None


class Dialer:
    """Opens streams for one identity, `name` in the evidence."""

    def __init__(self, name: str, endpoint: Endpoint, reactor: Reactor, evidence: Evidence) -> None:
        self._name = name
        self._endpoint = endpoint
        self._reactor = reactor
        self._evidence = evidence

    def open(
        self,
        *,
        tls_version: str | None = None,
        ciphers: Sequence[str] | None = None,
        certificate: ClientCertificate | None = None,
        over: WebSocket | None = None,
    ) -> Line:
        """Open a stream that carries MQTT; raises HandshakeFailed with the hub's answer, TargetUnreachable.

        `tls_version` is the only one to offer, `ciphers` the only suites, of TLS 1.2, `certificate` what to
        present; `over` a WebSocket, or TLS alone.
        """
        if over is not None:
            return self._websocket(over, tls_version, ciphers, certificate)
        sock = self.handshake(self._endpoint.port, tls_version, ciphers, certificate)
        # Asked before the reactor reads: OpenSSL does not know it while it takes in a session ticket.
        version = sock.version()
        recorder = self._evidence.connection(self._name)
        recorder.state(f"opened for {self._name}, {_spoken(sock)}{_presenting(certificate)}")
        return Line(channel=Channel(Tap(sock), recorder, self._reactor), tls_version=version)

    def open_in_clear(self, port: int) -> Channel:
        """Open a stream without TLS; raises TargetUnreachable. What answers need not speak MQTT at all."""
        sock: socket.socket = open_tcp(self._endpoint, port)
        recorder = self._evidence.connection(self._name, watched=False)
        recorder.state(f"opened for {self._name}, without TLS")
        return Channel(Tap(sock), recorder, self._reactor)

    def handshake(
        self,
        port: int,
        version: str | None = None,
        ciphers: Sequence[str] | None = None,
        certificate: ClientCertificate | None = None,
        *,
        named: bool = True,
    ) -> ssl.SSLSocket:
        """Return a socket with TLS up; raises HandshakeFailed, TargetUnreachable.

        Unless `named`, the hub is not told in TLS which host is meant.
        """
        endpoint = dataclasses.replace(self._endpoint, port=port)
        try:
            return open_tls(endpoint, version=version, ciphers=ciphers, certificate=certificate, named=named)
        except HandshakeFailed as failure:
            self._evidence.transcript.add(self._name, "=", f"no TLS: {failure}")
            raise

    def _websocket(
        self,
        wanted: WebSocket,
        version: str | None,
        ciphers: Sequence[str] | None,
        certificate: ClientCertificate | None,
    ) -> Line:
        port = self._endpoint.websocket_port
        sock = self.handshake(port, version, ciphers, certificate)
        spoken = sock.version()
        recorder = self._evidence.connection(self._name)
        recorder.state(f"opened for {self._name}, HTTPS port, {_spoken(sock)}{_presenting(certificate)}")
        try:
            chosen, rest = upgrade(
                sock,
                wanted,
                host=self._endpoint.host,
                port=port,
                seconds=self._endpoint.timeouts.connect,
                report=recorder.frame,
            )
        except HandshakeFailed as failure:
            recorder.state(f"no WebSocket: {failure}")
            raise
        tap = WebSocketTap(sock, rest=rest, report=recorder.frame)
        channel = Channel(tap, recorder, self._reactor)
        return Line(channel=channel, tls_version=spoken, tap=tap, subprotocol=chosen)


def _spoken(sock: ssl.SSLSocket) -> str:
    """Return version and cipher suite: what firmware and a hub have in common is looked for here."""
    suite = sock.cipher()
    return f"{sock.version()}{f' {suite[0]}' if suite else ''}"


def _presenting(certificate: ClientCertificate | None) -> str:
    return "" if certificate is None else f", presenting the certificate {certificate.name}"
