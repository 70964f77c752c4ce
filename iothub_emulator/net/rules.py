"""Each decision about transport."""

import asyncio
import socket
import ssl
from collections.abc import Callable

from iothub_emulator.net.tls_stream import TlsStream


class ListenerRules:
    """What the ports speak, and how TLS is spoken on them."""

    def minimum_version(self) -> ssl.TLSVersion:
        """transport.tls-1-2, transport.legacy-tls: hubs retired TLS 1.0 and 1.1 on 2025-08-31."""
        return ssl.TLSVersion.TLSv1_2

    def maximum_version(self) -> ssl.TLSVersion:
        """transport.tls-1-2: the newest that the client offers."""
        return ssl.TLSVersion.MAXIMUM_SUPPORTED

    def certificate_names(self, host_names: tuple[str, ...]) -> tuple[str, ...]:
        """transport.server-certificate: the names in the certificate are the hub's own."""
        return host_names

    def answers_in_clear(self) -> bool:
        """transport.no-plaintext: the port kept for clear text is bound and nothing listens there."""
        return False

    async def listen(
        self,
        name: str,  # noqa: ARG002 - lets a replacement tell the ports apart
        factory: Callable[[], asyncio.Protocol],
        sock: socket.socket,
        context: ssl.SSLContext,
    ) -> asyncio.AbstractServer:
        """transport.mqtt, transport.plaintext-refused: a port (mqtt, amqp) speaks TLS and nothing else."""
        return await asyncio.get_running_loop().create_server(
            lambda: TlsStream(factory, context), sock=sock, backlog=BACKLOG
        )


BACKLOG = 1024
"""A thousand devices may arrive at once."""
