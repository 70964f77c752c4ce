"""Certificates and TLS contexts: a new certificate authority for each start."""

import asyncio.sslproto
import ssl

import trustme

from iothub_emulator.net.client_certificates import accept_any, accept_issued_by, is_possible
from iothub_emulator.net.errors import StartError
from iothub_emulator.net.rules import ListenerRules


class Authority:
    """A certificate authority and one server certificate, in memory only."""

    def __init__(self, rules: ListenerRules, host_names: tuple[str, ...]) -> None:
        self._rules = rules
        authority = trustme.CA(organization_name="iothub-emulator")
        self._leaf = authority.issue_cert(*rules.certificate_names(host_names))
        self.ca_pem = authority.cert_pem.bytes()

    def server_context(self) -> ssl.SSLContext:
        """Return a context for a listening port."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = self._rules.minimum_version()
        context.maximum_version = self._rules.maximum_version()
        # Session tickets stay on although nobody resumes: they bring the acknowledgement that a client
        # without TCP_NODELAY waits for before it sends CONNECT. Without them that takes 40 ms.
        self._leaf.configure_cert(context)
        return context

    def device_context(self, client_ca: str | None) -> ssl.SSLContext:
        """Return a context for a port that devices use: it asks for their certificate.

        `client_ca` is the PEM text of the one authority to trust for them; None: any, even the device itself.
        """
        context = self.server_context()
        if not self._rules.asks_for_certificate():
            return context
        if client_ca is not None:
            try:
                accept_issued_by(context, client_ca)
            except (ssl.SSLError, ValueError):
                raise StartError("--client-ca holds no certificate in PEM: name a file that does") from None
        elif is_possible():
            accept_any(context)
        return context


def use_small_buffers() -> None:
    """Give each HTTPS connection a read buffer of 16 KiB, one record, in place of asyncio's 256 KiB.

    MQTT and AMQP have `tls_stream`, which needs none. `max_size` is no public name; where it is missing
    nothing changes but memory.
    """
    if hasattr(asyncio.sslproto.SSLProtocol, "max_size"):
        asyncio.sslproto.SSLProtocol.max_size = 16 * 1024
