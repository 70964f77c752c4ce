"""A WebSocket connection once it is one: a transport for an endpoint, on top of a transport of the network.

The endpoint cannot tell it from TLS. Each of its writes leaves as one binary frame; what comes in binary
frames is handed to it as it arrives. Closing takes the handshake of RFC 6455 section 7, with a deadline to
each step.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from iothub_emulator.net.rules import ListenerRules
from iothub_emulator.net.websocket_frames import (
    NORMAL,
    Close,
    Data,
    FrameError,
    FrameReader,
    Opcode,
    Ping,
    close_frame,
    frame,
)

log = logging.getLogger("iothub_emulator.websocket")

CLOSE_TIMEOUT = 0.5
"""Seconds in which the peer's own Close frame must come; then the stream is closed without it."""
FAREWELL = 2.0
"""Seconds in which the last bytes must leave a closing stream; then it is cut."""


class WebSocketConnection(asyncio.Protocol):
    """The network's side: takes the place of HTTP on the transport that it was upgraded on."""

    def __init__(
        self,
        network: asyncio.Transport,
        endpoint: asyncio.Protocol,
        rules: ListenerRules,
        peer: Mapping[str, tuple[str, ...]],
    ) -> None:
        self._network = network
        self._endpoint = endpoint
        self._rules = rules
        self._reader = FrameReader(rules)
        self._data = Opcode.BINARY if rules.sends_binary() else Opcode.TEXT
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._is_writable = True
        self._unanswered: bytes | None = None
        self._is_deaf = False
        self._stream = WebSocketStream(self, network, peer)
        self.is_closing = False
        """Close was sent: nothing the peer still says reaches the endpoint."""
        self.lost = self._loop.create_future()
        """Done when the network connection is gone."""

    def begin(self, tail: bytes) -> None:
        """Take over; `tail` came behind the request for the upgrade."""
        self._network.set_protocol(self)
        self._endpoint.connection_made(self._stream)
        if tail:
            self.data_received(tail)

    # What the network does

    def data_received(self, data: bytes) -> None:
        """Carry out frames, in their order."""
        if self._is_deaf:
            return
        try:
            for event in self._reader.feed(data):
                match event:
                    case Data(payload) if payload and not self.is_closing:
                        self._endpoint.data_received(payload)
                    case Ping(payload):
                        self._pong(payload)
                    case Close(status):
                        self._on_close(status)
                        return
        except FrameError as error:
            log.info("closed by the hub: %s", error)
            self._send_close(error.status)
            self._end()

    def eof_received(self) -> None:
        """Tell the endpoint that nothing more comes; the transport closes behind it."""
        if not self._is_deaf:
            self._is_deaf = True
            self._endpoint.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let everything go."""
        self.is_closing = self._is_deaf = True
        if self._timer is not None:
            self._timer.cancel()
        self._endpoint.connection_lost(exc)
        if not self.lost.done():
            self.lost.set_result(None)

    def pause_writing(self) -> None:
        """Pass on that the peer is slow to read."""
        self._is_writable = False
        self._endpoint.pause_writing()

    def resume_writing(self) -> None:
        """Pass on that it has caught up, and answer its last Ping."""
        self._is_writable = True
        if self._unanswered is not None:
            self._pong(self._unanswered)
        self._endpoint.resume_writing()

    # What the endpoint's stream asks for

    def send(self, payload: bytes) -> None:
        """Send bytes in a frame of their own; none once Close was sent (section 5.5.1)."""
        payload = self._rules.websocket_outgoing(payload)
        if payload and not self.is_closing:
            self._network.write(frame(self._data, payload))

    def close(self, status: int = NORMAL) -> None:
        """Send Close; the stream ends with the peer's answer, or without it a moment later."""
        if not self.is_closing:
            self._send_close(status)
            self._network.resume_reading()
            self._after(CLOSE_TIMEOUT, self._end)

    # Closing

    def _on_close(self, status: int | None) -> None:
        if not self.is_closing:
            farewell = self._rules.meaning_of_close()
            if farewell:
                self._endpoint.data_received(farewell)
            self._endpoint.eof_received()
            # The endpoint may have closed by itself now.
            if self._rules.answers_close():
                self._send_close(self._rules.status_of_answer(status))
        if self._rules.ends_after_close():
            self._end()

    def _send_close(self, status: int | None) -> None:
        if not self.is_closing:
            self.is_closing = True
            if not self._network.is_closing():
                self._network.write(close_frame(status))

    def _end(self) -> None:
        """Close the network connection; whatever does not leave in time is lost."""
        self._is_deaf = True
        self._network.resume_reading()
        self._network.close()
        self._after(FAREWELL, self._network.abort)

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if self.lost.done() else self._loop.call_later(seconds, action)

    def _pong(self, payload: bytes) -> None:
        """Answer a Ping; of many that a peer sends without reading, the last alone (section 5.5.3)."""
        self._unanswered = None if self._is_writable else payload
        answer = self._rules.pong(payload) if self._is_writable and not self.is_closing else None
        if answer is not None:
            self._network.write(frame(Opcode.PONG, answer))


class WebSocketStream(asyncio.Transport):
    """What the endpoint has for a transport: its bytes leave in binary frames, and it sees no others."""

    def __init__(
        self,
        connection: WebSocketConnection,
        network: asyncio.Transport,
        peer: Mapping[str, tuple[str, ...]],
    ) -> None:
        super().__init__()
        self._connection = connection
        self._network = network
        self._own = {**peer, "way": "websocket"}

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what the client's certificate says, how bytes come, or what the stream below knows."""
        return self._own[name] if name in self._own else self._network.get_extra_info(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send in one binary frame."""
        self._connection.send(bytes(data))

    def close(self) -> None:
        """Close once everything is out."""
        self._connection.close()

    def abort(self) -> None:
        """Close at once."""
        self._network.abort()

    def is_closing(self) -> bool:
        """Tell whether it is closed or about to be."""
        return self._connection.is_closing or self._network.is_closing()

    def pause_reading(self) -> None:
        """Read no more from the network; a connection that is closing reads on, for the client's Close."""
        if not self._connection.is_closing:
            self._network.pause_reading()

    def resume_reading(self) -> None:
        """Read from the network again."""
        self._network.resume_reading()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Say how much may wait to be sent before the endpoint is told to pause."""
        self._network.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        """Return how many bytes wait to be sent."""
        return self._network.get_write_buffer_size()

    def can_write_eof(self) -> bool:
        """Tell that a WebSocket has no half-close."""
        return False
