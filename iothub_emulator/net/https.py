"""The HTTPS port: REST and WebSocket. aiohttp is imported here and no earlier: it is most of the start."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping

from iothub_emulator.net.tls import ContextOf
from iothub_emulator.runtime import Runtime


def load() -> None:
    """Import what serving takes, if that has not been done: most of a start, best done while it waits."""
    with _without_system_certificates():
        import iothub_emulator.net.websocket_upgrade  # noqa: PLC0415 - what the function is for
        import iothub_emulator.rest.application  # noqa: F401, PLC0415 - likewise


@contextlib.asynccontextmanager
async def serve_https(
    runtime: Runtime,
    sock: socket.socket,
    context_of: ContextOf,
    endpoints: Mapping[str, Callable[[], asyncio.Protocol]],
) -> AsyncIterator[None]:
    """Serve REST, and `endpoints` by WebSocket subprotocol, on a bound socket until the block ends."""
    load()
    from iothub_emulator.net.websocket_upgrade import WebSockets  # noqa: PLC0415 - loaded just now
    from iothub_emulator.rest.application import runner  # noqa: PLC0415 - likewise

    served = runner(runtime, WebSockets(runtime.rules.listeners, endpoints).answer)
    await served.setup()
    if served.server is None:
        raise TypeError("a runner that is set up has a server")
    listening = await runtime.rules.listeners.listen("https", served.server, sock, context_of)
    try:
        yield
    finally:
        listening.close()
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
