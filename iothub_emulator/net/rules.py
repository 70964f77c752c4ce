"""Each decision about transport."""

import asyncio
import base64
import binascii
import datetime as dt
import hashlib
import socket
import ssl
from collections.abc import Callable, Sequence

from cryptography import x509

from iothub_emulator.editions import EDITIONS, Edition
from iothub_emulator.hub import host_names
from iothub_emulator.net import client_certificates, device_authorities
from iothub_emulator.net.client_certificates import THUMBPRINTS
from iothub_emulator.net.delay_line import far_away
from iothub_emulator.net.device_authorities import VOUCHED_NAMES
from iothub_emulator.net.frame_rules import FrameRules
from iothub_emulator.net.tls_stream import TlsStream
from iothub_emulator.settings import Settings

_AS_STARTED = Settings()


class ListenerRules(FrameRules):
    """What the ports speak, and how TLS and WebSocket are spoken on them."""

    def __init__(self, settings: Settings = _AS_STARTED, edition: Edition = EDITIONS["document"]) -> None:
        self.settings = settings
        self.edition = edition

    def minimum_version(self) -> ssl.TLSVersion:
        """transport.tls-1-2, transport.legacy-tls: hubs retired TLS 1.0 and 1.1 on 2025-08-31."""
        return ssl.TLSVersion.TLSv1_2

    def maximum_version(self, server_name: str | None) -> ssl.TLSVersion:
        """transport.tls-1-2, transport.tls-versions: TLS 1.2, and under an alias the newest that is offered.

        A client that names no host has called the classic one (Microsoft, "TLS support in IoT Hub").
        """
        if server_name is not None and server_name.lower() in host_names.aliases(self.settings.host_names):
            return ssl.TLSVersion.MAXIMUM_SUPPORTED
        return ssl.TLSVersion.TLSv1_2

    def cipher_suites(self) -> tuple[str, ...]:
        """transport.cipher-suites, transport.other-cipher-suites: the four of TLS 1.2, as OpenSSL names them.

        A hub with an ECC certificate has the same four with ECDSA. Those of TLS 1.3 are not in question.
        """
        signature = "ECDSA" if self.settings.certificate_key == "ecdsa" else "RSA"
        return tuple(f"ECDHE-{signature}-{cipher}" for cipher in _CIPHERS)

    def certificate_names(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """transport.server-certificate: the names in the certificate are the hub's own, aliases included."""
        return (*names, *host_names.aliases(names))

    # Client certificates

    def asks_for_certificate(self) -> bool:
        """x509.no-password, x509.no-certificate: clients are asked for a certificate; none is needed."""
        return True

    def thumbprints(self, certificate: bytes) -> tuple[str, ...]:
        """x509.no-password, x509.thumbprint-mismatch: what a registry keeps of a certificate (DER).

        SHA-1 and SHA-256 in upper-case hexadecimal; a device may be registered with either.
        """
        digests = hashlib.sha1(certificate, usedforsecurity=False), hashlib.sha256(certificate)
        return tuple(digest.hexdigest().upper() for digest in digests)

    def vouched_names(self, presented: Sequence[x509.Certificate]) -> tuple[str, ...]:
        """x509-ca.accepted, x509-ca.other-authority: the names of a certificate that an authority issued.

        `presented` is what the client showed, its own first. Without `--device-ca` there is no authority.
        """
        authorities = device_authorities.read_authorities(self.settings.device_cas)
        if not device_authorities.leads_to(presented, authorities, self.is_good_now):
            return ()
        return device_authorities.common_names(presented[0])

    def is_good_now(self, certificate: x509.Certificate) -> bool:
        """x509-ca.expired: a certificate opens nothing before it begins and after it has ended."""
        return device_authorities.is_good_at(certificate, dt.datetime.now(dt.UTC))

    def describe_peer(self, connection: ssl.SSLObject | None) -> dict[str, tuple[str, ...]]:
        """x509.no-password, x509-ca.accepted: what an endpoint's transport knows of its client."""
        certificate = client_certificates.leaf(connection)
        if not certificate:
            return {THUMBPRINTS: (), VOUCHED_NAMES: ()}
        chain = device_authorities.presented(client_certificates.chain(connection) or (certificate,))
        return {
            THUMBPRINTS: self.thumbprints(certificate),
            VOUCHED_NAMES: self.vouched_names(tuple(chain)),
        }

    # WebSocket

    def accepts_version(self, versions: Sequence[str]) -> bool:
        """websocket.version: 13, and no list of several (RFC 6455 section 4.2.1)."""
        return list(versions) == [WEBSOCKET_VERSION]

    def accepts_key(self, keys: Sequence[str]) -> bool:
        """websocket.handshake-refused: one key, the base64 text of 16 bytes (RFC 6455 section 4.2.1)."""
        try:
            (key,) = keys
            return len(base64.b64decode(key, validate=True)) == WEBSOCKET_KEY_BYTES
        except (ValueError, binascii.Error):
            return False

    def accepts_hosts(self, hosts: Sequence[str]) -> bool:
        """websocket.handshake-refused: one Host, whatever its name is (RFC 6455 section 4.2.1)."""
        return len(hosts) == 1

    def asks_for_websocket(self, upgrade: Sequence[str], connection: Sequence[str]) -> bool:
        """websocket.handshake-refused: what both headers must name (RFC 6455 section 4.2.1)."""
        names = {name.lower() for name in upgrade}, {name.lower() for name in connection}
        return "websocket" in names[0] and "upgrade" in names[1]

    def websocket_path(self, path: str, query: str) -> str:
        """websocket.no-client-cert: what is compared is the path, whatever stands in the query."""
        return path

    def subprotocol(self, path: str, offered: Sequence[str]) -> str | None:
        """websocket.mqtt, websocket.subprotocol [MQTT-6.0.0-3]: what is spoken; None: HTTP 400."""
        spoken = WEBSOCKET_PATHS.get(path, ())
        return next((name for name in spoken if self._as_offered(name, offered) is not None), None)

    def returned_subprotocol(self, spoken: str, offered: Sequence[str]) -> str | None:
        """websocket.subprotocol-chosen, websocket.subprotocol-case: what the answer names; None: nothing.

        [MQTT-6.0.0-4] The client's own spelling of it. A rule may let in who offers none, and no answer names
        what was not offered (RFC 6455 section 4.2.2).
        """
        return self._as_offered(spoken, offered)

    def _as_offered(self, spoken: str, offered: Sequence[str]) -> str | None:
        """Return how the client writes a subprotocol: exactly so or, per edition, in any letter case."""
        if spoken in offered:
            return spoken
        if self.edition.subprotocol_case == "exact":
            return None
        return next((name for name in offered if name.lower() == spoken.lower()), None)

    def websocket_certificate_counts(self, query: str) -> bool:
        """websocket.x509, websocket.no-client-cert: a certificate counts, unless the query denies it."""
        return "iothub-no-client-cert=true" not in query.split("&")

    # Ways in beside TLS

    def connect_target(self, host: str, port: int, accepted: Sequence[str]) -> str | None:
        """Return which port a proxy's CONNECT leads to ("mqtt", "https", "amqp"); None: refused."""
        is_own = any(host_names.is_accepted(host, accepted, side) for side in host_names.SIDES)
        return _BY_NUMBER.get(port) if is_own else None

    def answers_in_clear(self) -> bool:
        """transport.no-plaintext: the port kept for clear text is bound and nothing listens there."""
        return False

    async def listen(
        self,
        name: str,
        factory: Callable[[], asyncio.Protocol],
        sock: socket.socket,
        context_of: Callable[[str | None], ssl.SSLContext],
    ) -> asyncio.AbstractServer:
        """transport.mqtt, transport.plaintext-refused: each port (mqtt, https, amqp) speaks TLS alone."""

        def stream() -> asyncio.BaseProtocol:
            return TlsStream(factory, context_of, self.describe_peer)

        return await asyncio.get_running_loop().create_server(
            far_away(self.settings, name, stream), sock=sock, backlog=BACKLOG
        )


_CIPHERS = ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA256", "AES256-SHA384")

WEBSOCKET_VERSION = "13"
WEBSOCKET_KEY_BYTES = 16
WEBSOCKET_PATHS = {
    "/$iothub/websocket": ("mqtt", "AMQPWSB10"),
    "/$servicebus/websocket": ("AMQPWSB10",),
    "/$servicebus/websocket/": ("AMQPWSB10",),
}
"""Subprotocols by path: devices and Node's service client use the first, other service clients the rest."""

_BY_NUMBER = {8883: "mqtt", 443: "https", 5671: "amqp"}

BACKLOG = 1024
"""A thousand devices may arrive at once."""
