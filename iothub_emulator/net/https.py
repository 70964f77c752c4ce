"""The HTTPS port: REST and WebSocket. aiohttp is imported here and no earlier: it is most of the start."""

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping

from iothub_emulator.net.rules import BACKLOG
from iothub_emulator.runtime import Runtime


@contextlib.asynccontextmanager
async def serve_https(
    runtime: Runtime,
    sock: socket.socket,
    context: ssl.SSLContext,
    endpoints: Mapping[str, Callable[[], asyncio.Protocol]],
) -> AsyncIterator[None]:
    """Serve REST, and `endpoints` by WebSocket subprotocol, on a bound socket until the block ends."""
    with _without_system_certificates():
        from aiohttp import web  # noqa: PLC0415 - what the block is for

        from iothub_emulator.net.websocket_upgrade import WebSockets  # noqa: PLC0415 - likewise
        from iothub_emulator.rest.application import runner  # noqa: PLC0415 - likewise

    served = runner(runtime, WebSockets(runtime.rules.listeners, endpoints).answer)
    await served.setup()
    try:
        await web.SockSite(served, sock, ssl_context=context, backlog=BACKLOG).start()
        yield
    finally:
        await served.cleanup()


@contextlib.contextmanager
def _without_system_certificates() -> Iterator[None]:
    """Spare the import of aiohttp a fifth of its time.

    It makes a client's TLS context while it is imported and reads all of the system's certificates for it.
    This hub is nobody's client.
    """
    name = "SSL_CERT_FILE"
    before = os.environ.get(name)
    os.environ[name] = os.devnull
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
