"""Where a hub's MQTT port is, and the way to it: TCP, then TLS.

What TCP or DNS refuses says nothing about the hub's MQTT: it is a TargetUnreachable. What happens once TLS
has begun is the hub's answer, a `HandshakeFailed` with its word.
"""

import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from conformance.errors import TargetUnreachable
from conformance.mqtt import tls
from conformance.mqtt.route import PLAIN, Route
from conformance.target.certificates import ClientCertificate


class Timeouts(Protocol):
    """How long to wait, in seconds: the table [timeouts] of a profile, scaled."""

    @property
    def connect(self) -> float:
        """For TCP, TLS and CONNACK, each."""

    @property
    def reaction(self) -> float:
        """For a documented answer."""

    @property
    def silence(self) -> float:
        """How long "nothing comes" is observed behind a fence; 0 where the fence proves it."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A hub's MQTT port, and that of WebSocket beside it.

    `trust` is "system" or the path of a PEM file with the roots to trust. The hub's clock is `clock_ahead`
    seconds ahead of ours. `host` is its name; `route` is how to come there.
    """

    host: str
    port: int
    trust: str
    timeouts: Timeouts
    websocket_port: int = 443
    clock_ahead: float = 0.0
    route: Route = PLAIN


def open_tcp(endpoint: Endpoint, port: int | None = None) -> socket.socket:
    """Return a connected socket without Nagle's delay, which costs 43 ms an exchange with paho.

    `port` stands in for the endpoint's own. Raises TargetUnreachable.
    """
    number, route = endpoint.port if port is None else port, endpoint.route
    try:
        sock = route.open(endpoint.host, number, endpoint.timeouts.connect)
    except OSError as error:
        reason = "no answer" if isinstance(error, TimeoutError) else error.strerror or error
        raise TargetUnreachable(
            f"{endpoint.host}:{number}{route.said}: {reason}. Is the hub up, and are host and port right?"
        ) from None
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def open_tls(
    endpoint: Endpoint,
    *,
    version: str | None = None,
    ciphers: Sequence[str] | None = None,
    certificate: ClientCertificate | None = None,
    named: bool = True,
) -> ssl.SSLSocket:
    """Return a socket with TLS up and the hub's certificate verified; what to offer is `tls.handshake`'s.

    Raises HandshakeFailed; and TargetUnreachable, which a certificate that the trusted roots do not cover is,
    too.
    """
    try:
        return tls.handshake(
            open_tcp(endpoint),
            host=endpoint.host,
            trust=endpoint.trust,
            version=version,
            ciphers=ciphers,
            certificate=certificate,
            named=named,
        )
    except ssl.SSLCertVerificationError as error:
        raise TargetUnreachable(
            f"{endpoint.host}:{endpoint.port}: its certificate is not trusted ({error.verify_message}). "
            "Name the file with its root as `trust` in [target]."
        ) from None
