"""TLS towards a hub: what a client may offer, and the word for what becomes of it. Both sides reach a hub so.

What happens once TLS has begun is the hub's answer, a `HandshakeFailed` with its word.
"""

import functools
import socket
import ssl
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from conformance.errors import NotTested, UsageError
from conformance.target.certificates import ClientCertificate

SYSTEM: Final = "system"

# As ssl.SSLSocket.version() spells them.
VERSIONS: Final = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}

# What a hub negotiates with TLS 1.2 (Microsoft, "Transport Layer Security (TLS) support in IoT Hub", edition
# of 2025), by OpenSSL's names.
CIPHER_SUITES: Final = (
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-SHA256",
    "ECDHE-RSA-AES256-SHA384",
)

CANNOT_OFFER: Final = "client cannot offer it"


class HandshakeFailed(Exception):  # noqa: N818 - an outcome, which its catcher turns into a word or a verdict
    """TLS or WebSocket did not come up.

    `word` is "tls refused", "closed", "silence" or "client cannot offer it"; of WebSocket also "http 400" and
    the like, and "no websocket" for an answer that is none; `versions` are those that such a refusal names.
    """

    def __init__(self, word: str, detail: str, *, versions: str = "") -> None:
        super().__init__(f"{word}: {detail}")
        self.word = word
        self.detail = detail
        self.versions = versions

    def require_offer(self) -> None:
        """Raise NotTested where it was the local OpenSSL that did not come to ask the hub."""
        if self.word == CANNOT_OFFER:
            raise NotTested(f"{CANNOT_OFFER}: {self.detail}") from None


def handshake(
    sock: socket.socket,
    *,
    host: str,
    trust: str,
    version: str | None = None,
    ciphers: Sequence[str] | None = None,
    certificate: ClientCertificate | None = None,
    named: bool = True,
) -> ssl.SSLSocket:
    """Return a socket with TLS up and the certificate of `host` verified; closes it where that fails.

    `trust` is "system" or the path of a PEM file, `version` ("TLSv1.2") the only one to offer, `certificate`
    what to present. `ciphers` are the only suites to offer, by OpenSSL's names: they belong to TLS 1.2, which
    is then the only version. Unless `named`, the hub is not told which host is meant, and the chain of its
    certificate is verified alone. Raises HandshakeFailed, or ssl.SSLCertVerificationError.
    """
    try:
        offer = None if ciphers is None else tuple(ciphers)
        context = _context(trust, version, offer, certificate, named)
        return context.wrap_socket(sock, server_hostname=host if named else None, suppress_ragged_eofs=False)
    except (ssl.SSLCertVerificationError, HandshakeFailed, UsageError):
        sock.close()
        raise
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


# A device connects several times with one certificate: reading it takes longer than the handshake.
@functools.lru_cache(maxsize=64)
def _context(
    trust: str,
    version: str | None,
    ciphers: tuple[str, ...] | None,
    certificate: ClientCertificate | None,
    named: bool,
) -> ssl.SSLContext:
    context = _offering(trust, version, ciphers)
    context.check_hostname = named
    if certificate is not None:
        certificate.load_into(context)
    return context


def _offering(trust: str, version: str | None, ciphers: tuple[str, ...] | None) -> ssl.SSLContext:
    if version is not None and version not in VERSIONS:
        raise UsageError(f"no TLS version {version!r}: one of {', '.join(VERSIONS)}")
    context = ssl.create_default_context(cafile=None if trust == SYSTEM else str(Path(trust)))
    if ciphers is not None:
        version = "TLSv1.2"
        try:
            context.set_ciphers(":".join(ciphers))
        except ssl.SSLError:
            raise HandshakeFailed(
                CANNOT_OFFER, f"the local OpenSSL has none of {', '.join(ciphers)}"
            ) from None
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
