"""Where a hub's MQTT port is, and the way to it: TCP, then TLS.

What TCP or DNS refuses says nothing about the hub's MQTT: it is a TargetUnreachable. What happens once TLS
has begun is the hub's answer, a `HandshakeFailed` with its word.
"""

import functools
import socket
import ssl
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from conformance.certificates import ClientCertificate
from conformance.errors import TargetUnreachable, UsageError

SYSTEM: Final = "system"

# As ssl.SSLSocket.version() spells them.
VERSIONS: Final = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}

CANNOT_OFFER: Final = "client cannot offer it"


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

    `trust` is "system" or the path of a PEM file with the roots to trust.
    """

    host: str
    port: int
    trust: str
    timeouts: Timeouts
    websocket_port: int = 443


class HandshakeFailed(Exception):  # noqa: N818 - an outcome, which its catcher turns into a word or a verdict
    """TLS or WebSocket did not come up.

    `word` is "tls refused", "closed", "silence" or "client cannot offer it"; of WebSocket also "http 400" and
    the like, and "no websocket" for an answer that is none.
    """

    def __init__(self, word: str, detail: str) -> None:
        super().__init__(f"{word}: {detail}")
        self.word = word
        self.detail = detail


def open_tcp(endpoint: Endpoint, port: int | None = None) -> socket.socket:
    """Return a connected socket without Nagle's delay, which costs 43 ms an exchange with paho.

    `port` stands in for the endpoint's own. Raises TargetUnreachable.
    """
    address = (endpoint.host, endpoint.port if port is None else port)
    try:
        sock = socket.create_connection(address, timeout=endpoint.timeouts.connect)
    except OSError as error:
        reason = "no answer" if isinstance(error, TimeoutError) else error.strerror or error
        raise TargetUnreachable(
            f"{address[0]}:{address[1]}: {reason}. Is the hub up, and are host and port right?"
        ) from None
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def open_tls(
    endpoint: Endpoint, *, version: str | None = None, certificate: ClientCertificate | None = None
) -> ssl.SSLSocket:
    """Return a socket with TLS up and the hub's certificate verified.

    `version` ("TLSv1.2") is the only version to offer, `certificate` what to present. Raises HandshakeFailed;
    and TargetUnreachable, which a certificate that the trusted roots do not cover is, too.
    """
    if version is not None and version not in VERSIONS:
        raise UsageError(f"no TLS version {version!r}: one of {', '.join(VERSIONS)}")
    context = _context(endpoint.trust, version)
    if certificate is not None:
        # One of its own: the others must not present it.
        context = _new_context(endpoint.trust, version)
        certificate.load_into(context)
    sock = open_tcp(endpoint)
    try:
        return context.wrap_socket(sock, server_hostname=endpoint.host, suppress_ragged_eofs=False)
    except ssl.SSLCertVerificationError as error:
        sock.close()
        raise TargetUnreachable(
            f"{endpoint.host}:{endpoint.port}: its certificate is not trusted ({error.verify_message}). "
            "Name the file with its root as `trust` in [target]."
        ) from None
    except (OSError, ValueError) as error:
        sock.close()
        raise HandshakeFailed(*_outcome(error)) from None


def _outcome(error: Exception) -> tuple[str, str]:
    match error:
        case TimeoutError():
            return "silence", "no answer to the TLS handshake"
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError() | ConnectionError():
            return "closed", "the connection ended during the TLS handshake"
        case ssl.SSLError(reason=reason) if reason in {"NO_PROTOCOLS_AVAILABLE", "NO_CIPHERS_AVAILABLE"}:
            return CANNOT_OFFER, "the local OpenSSL has this version switched off"
        case ssl.SSLError():
            return "tls refused", error.reason or str(error)
        case _:
            return "closed", str(error)


@functools.lru_cache(maxsize=32)
def _context(trust: str, version: str | None) -> ssl.SSLContext:
    return _new_context(trust, version)


def _new_context(trust: str, version: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=None if trust == SYSTEM else str(Path(trust)))
    if version is None:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context
    with warnings.catch_warnings():
        # Offering a retired version is the point, and only one case does it.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = VERSIONS[version]
        context.maximum_version = VERSIONS[version]
    if version in {"TLSv1", "TLSv1.1"}:
        # Their signatures lie below OpenSSL's default security level.
        context.set_ciphers("ALL:@SECLEVEL=0")
    return context
