"""The CONNECT port: a proxy that leads to this hub alone, under any of its names (RFC 9110 section 9.3.6).

A client that knows no port but 8883, 443 and 5671, and checks the certificate's name, reaches the hub by its
own proxy option: without privileges, without a hosts file, and however many hubs run at the same time.
"""

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from typing import cast

from iothub_emulator.net.rules import ListenerRules

log = logging.getLogger("iothub_emulator.connect")

LARGEST_HEAD = 16_384
"""Bytes that request line and headers may take together."""
HEAD_TIMEOUT = 10.0
"""Seconds in which they must come."""
FAREWELL = 2.0
"""Seconds in which the last bytes must leave once the other side is gone; then the stream is cut."""

Address = tuple[str, int]

_REQUEST_LINE = re.compile(rb"([!-~]+) ([!-~]+) HTTP/1\.[01]")
_AUTHORITY = re.compile(rb"([0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")

_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_REASONS = {
    400: "Bad Request",
    403: "Forbidden",
    405: "Method Not Allowed",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    502: "Bad Gateway",
}


class Tunnels:
    """Makes a protocol for each connection; `targets` are the hub's own listeners, `names` its host names."""

    def __init__(self, rules: ListenerRules, names: Sequence[str], targets: Mapping[str, Address]) -> None:
        self._rules = rules
        self._names = names
        self._targets = targets
        self._open: set[ProxyConnection] = set()

    def __call__(self) -> asyncio.Protocol:
        """Return the protocol of a new connection."""
        connection = ProxyConnection(self)
        self._open.add(connection)
        return connection

    def target(self, host: str, port: int) -> Address | None:
        """Return where `host:port` leads; None: nowhere."""
        name = self._rules.connect_target(host, port, self._names)
        return self._targets.get(name) if name is not None else None

    def forget(self, connection: "ProxyConnection") -> None:
        """Let go of a connection that is gone."""
        self._open.discard(connection)

    async def close(self) -> None:
        """Cut what the hub's own end has left open: the hub stops."""
        for connection in tuple(self._open):
            connection.abort()
        # One turn for the streams to be lost, one for those that were about to be led to the hub.
        await asyncio.sleep(0)
        await asyncio.sleep(0)


class _Side(asyncio.Protocol):
    """One end of a tunnel: what it hears, the other end says."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: _Side | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._has_ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the stream; asyncio has set TCP_NODELAY on it."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Pass on what came, if the tunnel leads anywhere yet."""
        if self.other is not None:
            self.other.write(data)

    def eof_received(self) -> bool:
        """Pass on that this side sends no more; the tunnel ends when neither does."""
        self._has_ended = True
        other = self.other
        if other is None or other.transport is None or other.has_ended:
            for side in (self, other):
                if side is not None:
                    side.close()
        elif not other.transport.is_closing():
            other.transport.write_eof()
        return True  # asyncio would close without a deadline

    def connection_lost(self, exc: Exception | None) -> None:
        """End the other side: what is on its way to it still gets there, after a failure nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        if self.other is not None:
            if exc is None:
                self.other.close()
            else:
                self.other.abort()

    def pause_writing(self) -> None:
        """Hear no more of the other side until this one has read what is on its way."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """Hear the other side again."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    @property
    def has_ended(self) -> bool:
        """Tell whether the peer of this side sends no more."""
        return self._has_ended

    def write(self, data: bytes) -> None:
        """Send to this side's peer."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def close(self) -> None:
        """Close once everything is out, and in any case soon."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.close()
            self._after(FAREWELL)

    def abort(self) -> None:
        """Close at once."""
        if self.transport is not None:
            self.transport.abort()

    def _after(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.abort)


class ProxyConnection(_Side):
    """A client's connection: first its request, then its side of the tunnel."""

    def __init__(self, tunnels: Tunnels) -> None:
        super().__init__()
        self._tunnels = tunnels
        self._head: bytearray | None = bytearray()
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the request."""
        super().connection_made(transport)
        self._timer = asyncio.get_running_loop().call_later(HEAD_TIMEOUT, self._answer, 408)

    def data_received(self, data: bytes) -> None:
        """Collect the request's head; afterwards pass on."""
        if self._head is None:
            super().data_received(data)
            return
        self._head += data
        head, end, behind = bytes(self._head).partition(b"\r\n\r\n")
        if end:
            self._head = None
            self._carry_out(head.partition(b"\r\n")[0], behind)
        elif len(self._head) > LARGEST_HEAD:
            self._answer(431)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the tunnel go."""
        self._tunnels.forget(self)
        if self._connecting is not None:
            self._connecting.cancel()
        super().connection_lost(exc)

    def _carry_out(self, request_line: bytes, behind: bytes) -> None:
        request = _REQUEST_LINE.fullmatch(request_line)
        if request is None:
            self._answer(400)
            return
        if request[1] != b"CONNECT":
            self._answer(405)
            return
        authority = _AUTHORITY.fullmatch(request[2])
        if authority is None:
            self._answer(400)
            return
        host, port = authority[1].decode(), int(authority[2])
        target = self._tunnels.target(host, port)
        if target is None:
            log.info("CONNECT to %s:%d refused: not this hub's", host, port)
            self._answer(403)
            return
        if self._timer is not None:
            self._timer.cancel()
        if self.transport is not None:
            # Until the tunnel is there, nothing more is heard.
            self.transport.pause_reading()
        self._connecting = asyncio.get_running_loop().create_task(self._lead(target, behind))

    async def _lead(self, target: Address, behind: bytes) -> None:
        hub = _Side()
        hub.other = self
        try:
            await asyncio.get_running_loop().create_connection(lambda: hub, *target)
        except OSError:
            self._connecting = None
            self._answer(502)
            return
        self._connecting = None
        self.other = hub
        self.write(_ESTABLISHED)
        if behind:
            hub.write(behind)
        if self.transport is not None:
            self.transport.resume_reading()

    def _answer(self, status: int) -> None:
        """Refuse, and close."""
        self._head = None
        allow = "Allow: CONNECT\r\n" if status == 405 else ""  # noqa: PLR2004 - HTTP
        text = (
            f"HTTP/1.1 {status} {_REASONS[status]}\r\n{allow}Content-Length: 0\r\nConnection: close\r\n\r\n"
        )
        self.write(text.encode())
        self.close()
