"""TLS for a server of many small messages: between asyncio's TCP transport and a protocol.

It does what `asyncio.sslproto` does for servers, in fewer steps for each message, with one read buffer for
all connections in place of one each, and with a context that depends on the host name that the client asks
for. Closing sends close_notify and the end of the TCP stream at once, and then reads on for a moment, so that
what was sent is not lost to a reset.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable, Mapping
from typing import Any, cast

from iothub_emulator.net import client_hello

log = logging.getLogger("iothub_emulator.tls")

HANDSHAKE_TIMEOUT = 60.0
"""Seconds, as asyncio has it."""
LINGER = 5.0
"""Seconds that a closed connection waits for the client to read the rest and to close its side."""

_RECORD = 16 * 1024


class TlsStream(asyncio.BufferedProtocol):
    """The server's side of one TLS connection; `factory` makes the protocol once the handshake is done.

    `context_of` returns the context for the host name that a client asks for. `describe_peer` says what the
    transport's `get_extra_info` then knows beside the TLS object.
    """

    # Filled by the loop and emptied before it goes on to another connection: one is enough.
    _buffer = memoryview(bytearray(4 * _RECORD))

    _transport: asyncio.Transport

    def __init__(
        self,
        factory: Callable[[], asyncio.Protocol],
        context_of: Callable[[str | None], ssl.SSLContext],
        describe_peer: Callable[[ssl.SSLObject], Mapping[str, Any]] = lambda _: {},
    ) -> None:
        self._factory = factory
        self._describe_peer = describe_peer
        self._context_of = context_of
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._hello = b""
        """What came of the first message; empty once TLS has it."""
        self._tls: ssl.SSLObject | None = None
        self._protocol: asyncio.Protocol | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._failed = False
        """There will be no TLS, and the log says so."""
        self.is_closing = False

    # From the network

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the handshake."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("TLS needs a stream")
        self._transport = transport
        self._set_timer(HANDSHAKE_TIMEOUT)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return the buffer that all connections share."""
        del sizehint
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Decrypt what came and hand it on."""
        if self.is_closing:
            return  # lingering: read and forgotten
        data: bytes | memoryview = self._buffer[:nbytes]
        tls = self._tls
        if tls is None:
            self._hello += data
            try:
                tls = self._tls = self._begin()
            except client_hello.Incomplete:
                return
            data, self._hello = self._hello, b""
        self._incoming.write(data)
        try:
            if self._protocol is None and not self._handshake(tls):
                return
            self._read(tls)
        except ssl.SSLError as error:
            if self._protocol is None:
                why = getattr(error, "verify_message", "")  # of a certificate that TLS did not take
                self._log_failure(f"{error.reason or 'no TLS'} {why}".rstrip())
            # An alert may be waiting to tell the client why.
            self._send()
            self._transport.close()
            self._set_timer(LINGER)

    def eof_received(self) -> bool:
        """Close: the client has, and TLS has no use for half of a connection."""
        self._set_timer(LINGER)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the protocol, if the handshake came so far that there is one."""
        self.is_closing = True
        self._set_timer(None)
        if self._protocol is not None:
            self._protocol.connection_lost(exc)
        elif not self._failed:
            self._log_failure("the client went, or took too long")

    def pause_writing(self) -> None:
        """Tell the protocol that the client reads too slowly."""
        if self._protocol is not None:
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Tell the protocol that the client has caught up."""
        if self._protocol is not None:
            self._protocol.resume_writing()

    def _begin(self) -> ssl.SSLObject:
        """Return TLS for the name in the first message; raises `Incomplete` while that is on its way."""
        context = self._context_of(client_hello.server_name(self._hello))
        return context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def _handshake(self, tls: ssl.SSLObject) -> bool:
        """Take the handshake as far as it goes; tell whether it is done."""
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            self._send()
            return False
        self._set_timer(None)
        self._send()
        self._protocol = self._factory()
        extra = {"ssl_object": tls, **self._describe_peer(tls)}
        self._protocol.connection_made(TlsTransport(self, self._transport, extra))
        return True

    def _log_failure(self, why: str) -> None:
        self._failed = True
        peer = self._transport.get_extra_info("peername")
        log.info("TLS handshake with %s failed: %s", peer, why)

    def _read(self, tls: ssl.SSLObject) -> None:
        with contextlib.suppress(ssl.SSLWantReadError):
            while not self.is_closing and self._protocol is not None:
                if not (self._incoming.pending or tls.pending()):
                    break
                data = tls.read(_RECORD)
                if not data:  # close_notify
                    self._protocol.eof_received()
                    self.close()
                    return
                self._protocol.data_received(data)
        if self._outgoing.pending:  # what TLS itself has to say, a key update for example
            self._send()

    # From the protocol, by way of `TlsTransport`

    def write(self, data: bytes) -> None:
        """Encrypt and send."""
        if data and self._tls is not None and not self.is_closing:
            self._tls.write(data)
            self._transport.write(self._outgoing.read())

    def hand_over(self, protocol: asyncio.Protocol) -> None:
        """Let another protocol have what comes from now on."""
        self._protocol = protocol

    def close(self) -> None:
        """Say goodbye and end the stream; the rest of the client's is read and forgotten."""
        if self.is_closing:
            return
        self.is_closing = True
        with contextlib.suppress(ssl.SSLError):
            if self._tls is not None:
                self._tls.unwrap()
        self._send()
        self._set_timer(LINGER)
        if self._transport.is_closing():
            return
        try:
            self._transport.write_eof()
        except OSError:  # the client has gone meanwhile: there is nobody left to say it to
            self._transport.abort()
            return
        # The protocol may have asked for silence; lingering needs the rest to be read.
        self._transport.resume_reading()

    def _send(self) -> None:
        if self._outgoing.pending and not self._transport.is_closing():
            self._transport.write(self._outgoing.read())

    def _set_timer(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = None if seconds is None else loop.call_later(seconds, self._transport.abort)


class TlsTransport(asyncio.Transport):
    """What a protocol sees of its TLS connection."""

    def __init__(self, stream: TlsStream, transport: asyncio.Transport, extra: dict[str, Any]) -> None:
        super().__init__(extra)
        self._stream = stream
        self._transport = transport
        self.write = stream.write  # type: ignore[assignment]  # one step less for each message

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what TLS or TCP knows."""
        found = super().get_extra_info(name)
        return self._transport.get_extra_info(name, default) if found is None else found

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Let another protocol have what comes from now on, as a request for WebSocket wants it."""
        self._stream.hand_over(cast("asyncio.Protocol", protocol))

    def close(self) -> None:
        """Close once what was written is out."""
        self._stream.close()

    def is_closing(self) -> bool:
        """Tell whether writing has an effect."""
        return self._stream.is_closing or self._transport.is_closing()

    def abort(self) -> None:
        """Close at once."""
        self._stream.is_closing = True
        self._transport.abort()

    def pause_reading(self) -> None:
        """Let TCP hold the client back."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self._transport.resume_reading()

    def get_write_buffer_size(self) -> int:
        """Return the bytes that TCP has not taken."""
        return self._transport.get_write_buffer_size()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set when the protocol is asked to pause."""
        self._transport.set_write_buffer_limits(high, low)
