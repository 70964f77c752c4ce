"""Client certificates of any issuer: TLS takes them all, so that the registered thumbprint decides.

OpenSSL wants to verify what a client presents, and the standard library has no callback to overrule it. But
`SSLContext._msg_callback`, a private name, sees the client's Certificate message before it is verified. There
the leaf is put as trusted into a context made for this one connection, and the connection is moved to it.
That the client owns the private key is checked by OpenSSL as ever, from the CertificateVerify message.

Once there is nothing more to see, a connection is moved to a context without callback: one without
certificate costs no memory of its own, and no record of application data passes through Python twice.
"""

import contextlib
import functools
import ssl
from typing import Any

# X509_V_FLAG_NO_CHECK_TIME: a thumbprint has no expiry; `ssl.VerifyFlags` has no name for it.
_NO_CHECK_TIME = 0x200000


THUMBPRINTS = "peer_certificate_thumbprints"
"""What an endpoint asks its transport's `get_extra_info` for: a tuple of text, empty without certificate."""


def is_possible() -> bool:
    """Tell whether this Python has the private name; without it a hub needs `--client-ca`."""
    return hasattr(ssl.SSLContext, "_msg_callback")


def accept_any(context: ssl.SSLContext) -> None:
    """Have `context` ask its clients for a certificate and take whatever one they present, or none."""
    context.verify_mode = ssl.CERT_OPTIONAL
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VerifyFlags(_NO_CHECK_TIME)
    # The contexts that a connection is moved to hold no server certificate for a second handshake.
    context.options |= ssl.OP_NO_RENEGOTIATION
    quiet = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context._msg_callback = functools.partial(_on_message, quiet)  # type: ignore[attr-defined] # noqa: SLF001


def accept_issued_by(context: ssl.SSLContext, authority: str) -> None:
    """Have `context` take certificates of one authority (a PEM file's text); `ssl.SSLError` if it is none."""
    context.load_verify_locations(cadata=authority)
    context.verify_mode = ssl.CERT_OPTIONAL


def leaf(connection: ssl.SSLObject | None) -> bytes | None:
    """Return the certificate that a client presented, in DER; None without one."""
    return connection.getpeercert(binary_form=True) if connection is not None else None


def chain(connection: ssl.SSLObject | None) -> tuple[bytes, ...]:
    """Return all certificates that a client presented, in DER, its own first; none of them is checked.

    A session that goes on has the client's own alone. The method is public from Python 3.13 on.
    """
    if connection is None:
        return ()
    if hasattr(connection, "get_unverified_chain"):
        return tuple(connection.get_unverified_chain())
    inner = connection._sslobj  # type: ignore[attr-defined] # noqa: SLF001 - until 3.12 the method is here
    return tuple(ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in inner.get_unverified_chain() or ())


def _on_message(
    quiet: ssl.SSLContext,
    connection: ssl.SSLObject,
    direction: str,
    version: Any,
    content_type: Any,  # noqa: ARG001 - OpenSSL passes it
    message_type: Any,
    data: bytes,
) -> None:
    """Look at a message of a handshake; OpenSSL acts on it only afterwards."""
    if direction != "read":
        return
    match getattr(message_type, "name", ""):
        case "CERTIFICATE":
            connection.context = _trusting(_first_certificate(data, version), quiet)
        case "FINISHED" if connection.context.verify_mode is ssl.CERT_OPTIONAL:
            # A session that goes on: its certificate was seen when it began.
            connection.context = quiet


def _trusting(certificate: bytes, quiet: ssl.SSLContext) -> ssl.SSLContext:
    """Return a context in whose store this certificate is alone. It vouches for no other connection's."""
    if not certificate:
        return quiet
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with contextlib.suppress(ssl.SSLError, ValueError):  # no certificate: OpenSSL refuses it by itself
        context.load_verify_locations(cadata=certificate)
    return context


def _first_certificate(message: bytes, version: Any) -> bytes:
    """Return the leaf in a Certificate message, empty without one (RFC 5246 7.4.2, RFC 8446 4.4.2)."""
    body = message[4:]  # type, and length in three bytes
    if version == ssl.TLSVersion.TLSv1_3:
        body = body[1 + int.from_bytes(body[:1]) :]  # certificate_request_context
    size = int.from_bytes(body[3:6])  # behind the length of the whole list
    return bytes(body[6 : 6 + size])
