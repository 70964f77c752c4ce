"""TLS contexts of the listening ports: one for each version range that a host name may have."""

import ssl
import tempfile
from collections.abc import Callable

from iothub_emulator.net.authority import HubCertificate
from iothub_emulator.net.client_certificates import accept_any, accept_issued_by, is_possible
from iothub_emulator.net.errors import StartError
from iothub_emulator.net.rules import ListenerRules

ContextOf = Callable[[str | None], ssl.SSLContext]
"""Returns the context for a client that calls the hub by a name; None: by none."""


class ServerContexts:
    """The contexts under one certificate, each made when the first client needs it."""

    def __init__(self, certificate: HubCertificate, rules: ListenerRules) -> None:
        self._certificate = certificate
        self._rules = rules

    def for_back_ends(self) -> ContextOf:
        """Return the contexts of a port that only back ends use."""
        return self._by_version(self._context)

    def for_devices(self, client_ca: str | None) -> ContextOf:
        """Return the contexts of a port that devices use: it asks for their certificate.

        `client_ca` is the PEM text of the one authority to trust for them; None: any, even the device itself.
        """
        return self._by_version(lambda newest: self._device_context(newest, client_ca))

    def _by_version(self, make: Callable[[ssl.TLSVersion], ssl.SSLContext]) -> ContextOf:
        made: dict[ssl.TLSVersion, ssl.SSLContext] = {}

        def context_of(server_name: str | None) -> ssl.SSLContext:
            newest = self._rules.maximum_version(server_name)
            if newest not in made:
                made[newest] = make(newest)
            return made[newest]

        context_of(None)  # a mistake in the settings shows at the start
        return context_of

    def _context(self, newest: ssl.TLSVersion) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = self._rules.minimum_version()
        context.maximum_version = newest
        context.set_ciphers(":".join(self._rules.cipher_suites()))
        # Session tickets stay on although nobody resumes: they bring the acknowledgement that a client
        # without TCP_NODELAY waits for before it sends CONNECT. Without them that takes 40 ms.
        with tempfile.NamedTemporaryFile() as file:  # OpenSSL reads a server's key from a file alone
            file.write(self._certificate.key_pem + self._certificate.certificate_pem)
            file.flush()
            context.load_cert_chain(file.name)
        return context

    def _device_context(self, newest: ssl.TLSVersion, client_ca: str | None) -> ssl.SSLContext:
        context = self._context(newest)
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
