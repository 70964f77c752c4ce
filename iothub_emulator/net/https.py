"""The HTTPS port. aiohttp is imported here and nowhere earlier: it is most of the start."""

import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterator

from iothub_emulator.net.rules import BACKLOG
from iothub_emulator.runtime import Runtime


@contextlib.asynccontextmanager
async def serve_https(runtime: Runtime, sock: socket.socket, context: ssl.SSLContext) -> AsyncIterator[None]:
    """Serve REST on a bound socket until the block ends."""
    with _without_system_certificates():
        from aiohttp import web  # noqa: PLC0415

        from iothub_emulator.rest.application import runner  # noqa: PLC0415

    served = runner(runtime)
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
