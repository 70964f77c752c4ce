"""AMQP on a stream of bytes: the one module here that knows asyncio."""

import asyncio
import logging
import math
import socket
from collections.abc import Callable

from iothub_emulator.amqp.connection import Connection
from iothub_emulator.runtime import Runtime

log = logging.getLogger("iothub_emulator.amqp")

WRITE_BUFFER = 131_072
"""Bytes that the transport may hold for a reader that is slow; then messages stay in the telemetry log."""
FAREWELL = 5.0
"""Seconds in which the last bytes must leave; then the stream is cut."""
MAX_UNSENT = 65_536
"""Bytes of answers that may wait for such a reader; then nothing more is read from it."""


def endpoint(runtime: Runtime) -> Callable[[], asyncio.Protocol]:
    """Return what makes a protocol for each connection."""
    return lambda: AmqpEndpoint(runtime)


class AmqpEndpoint(asyncio.Protocol):
    """One connection of a service client, over TLS or not."""

    _transport: asyncio.Transport
    _connection: Connection

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._is_writable = True
        self._is_lost = False
        self._is_reading = True
        self._flush_is_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; nothing is sent before the peer's header."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("AMQP needs a stream")
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        transport.set_write_buffer_limits(high=WRITE_BUFFER)
        stream = transport.get_extra_info("socket")
        if stream is not None and stream.family in {socket.AF_INET, socket.AF_INET6}:
            # An answer follows a frame of its own: Nagle's algorithm would hold it back for 40 ms.
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = Connection(self._runtime, self._wake)
        self._set_timer()

    def data_received(self, data: bytes) -> None:
        """Hand bytes on."""
        self._connection.receive(data)
        self._flush()

    def eof_received(self) -> None:
        """Take the peer's half-close for the end; the transport closes behind it."""
        self._connection.receive_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let everything go."""
        log.debug("= connection lost: %s", exc)
        self._is_lost = True
        self._connection.receive_eof()
        if self._timer is not None:
            self._timer.cancel()

    def pause_writing(self) -> None:
        """Stop sending: the reader is slow."""
        self._is_writable = False

    def resume_writing(self) -> None:
        """Go on sending."""
        self._is_writable = True
        self._wake()

    def _wake(self) -> None:
        """Send soon. Never at once: whoever wakes has its own answer to give first."""
        if not self._flush_is_due and not self._is_lost:
            self._flush_is_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Send what there is, a turn's worth, then let others have theirs."""
        self._flush_is_due = False
        if self._is_lost or self._transport.is_closing():
            return
        more = False
        if self._is_writable:
            self._write()
        if self._is_writable and not self._connection.is_finished:
            more = self._connection.pump()
            self._write()
        if self._connection.is_finished:
            self._write()
            self._transport.close()
            # `close` waits for a peer that never reads.
            self._replace_timer(FAREWELL, self._transport.abort)
            return
        self._read_if(self._connection.unsent_size < MAX_UNSENT)
        if more and self._is_writable:
            self._wake()
        self._set_timer()

    def _write(self) -> None:
        data = self._connection.bytes_to_send()
        if data:
            self._transport.write(data)

    def _read_if(self, wanted: bool) -> None:
        if wanted != self._is_reading:
            self._is_reading = wanted
            (self._transport.resume_reading if wanted else self._transport.pause_reading)()

    def _set_timer(self) -> None:
        """Have the timer end no later than the next deadline; one that ends too early sets itself again."""
        deadline = self._connection.next_deadline()
        if deadline is None or deadline >= self._timer_at:
            return
        self._timer_at = deadline
        self._replace_timer(max(deadline - self._runtime.now(), 0), self._on_timer)

    def _replace_timer(self, seconds: float, action: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, action)

    def _on_timer(self) -> None:
        self._timer = None
        self._timer_at = math.inf
        self._connection.on_time()
        self._flush()
        if not self._is_lost and not self._transport.is_closing():
            self._set_timer()
