"""A network that takes its time: `--latency` and `--jitter`, between TCP and what speaks on a port.

Each direction of a connection is a line of its own. What is put in comes out after its delay and in its
order; the next piece does not wait until the one before is out, so that nothing is slower but later.
TCP's own handshake is the kernel's and takes no time.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any, Literal, cast

from iothub_emulator.keys import derived_key
from iothub_emulator.settings import Settings

Direction = Literal["to the hub", "to the client"]


def delays(settings: Settings, port: str, connection: int, direction: Direction) -> Iterator[float]:
    """Yield without end, in seconds, how long one piece after the other takes: the latency, and some jitter.

    The n-th piece of a connection has the same delay at each start: the draw follows from `--seed`, without
    one from nothing. `port` is mqtt, https, amqp or amqp-plain, `connection` counts those of one port.
    """
    purpose = f"jitter:{port}:{connection}:{direction}"
    draw = random.Random(derived_key(settings.seed or "", purpose))  # noqa: S311 - a delay is no secret
    while True:
        yield settings.latency + settings.jitter * draw.random()


def far_away(
    settings: Settings, port: str, near: Callable[[], asyncio.BaseProtocol]
) -> Callable[[], asyncio.BaseProtocol]:
    """Return a factory of protocols that hear and are heard later than those of `near`; that one, without."""
    if not settings.latency and not settings.jitter:
        return near
    numbers = count(1)

    def make() -> asyncio.BaseProtocol:
        number = next(numbers)
        return FarProtocol(
            near(),
            DelayLine(delays(settings, port, number, "to the hub")),
            DelayLine(delays(settings, port, number, "to the client")),
        )

    return make


class DelayLine:
    """One direction of one connection; `times` are the delays of what is put in, in seconds."""

    def __init__(self, times: Iterator[float]) -> None:
        self._times = times
        self._loop = asyncio.get_running_loop()
        self._under_way: deque[tuple[float, Callable[[], object]]] = deque()
        self._last = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._is_held = False

    def put(self, arrive: Callable[[], object]) -> None:
        """Call `arrive` after the next delay, and after all that was put in before."""
        self._last = max(self._last, self._loop.time() + next(self._times))
        self._under_way.append((self._last, arrive))
        self._arm()

    def hold(self) -> None:
        """Let nothing out until `release`: who is there does not want to hear."""
        self._is_held = True

    def release(self) -> None:
        """Let out what has come meanwhile, in a turn of its own."""
        self._is_held = False
        self._arm()

    def clear(self) -> None:
        """Lose what is under way."""
        self._under_way.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        if self._timer is None and self._under_way and not self._is_held:
            self._timer = self._loop.call_at(self._under_way[0][0], self._let_out)

    def _let_out(self) -> None:
        self._timer = None
        try:
            while self._under_way and not self._is_held and self._under_way[0][0] <= self._loop.time():
                self._under_way.popleft()[1]()
        finally:
            self._arm()


class FarProtocol(asyncio.Protocol):
    """Stands between TCP and a protocol that hears later what came, and whose writes leave later."""

    _far: "FarTransport"

    def __init__(self, protocol: asyncio.BaseProtocol, arriving: DelayLine, leaving: DelayLine) -> None:
        self.protocol = protocol
        self._arriving = arriving
        self._leaving = leaving

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin at once: TCP has made the connection already."""
        self._far = FarTransport(self, cast("asyncio.Transport", transport), self._arriving, self._leaving)
        self.protocol.connection_made(self._far)

    def data_received(self, data: bytes) -> None:
        """Hand it on later."""
        if not self._far.has_closed:
            self._arriving.put(partial(self._hand_on, data))

    def eof_received(self) -> bool:
        """Tell of it later; until then the connection stays."""
        if not self._far.has_closed:
            self._arriving.put(self._end)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell of it behind what came before; at once where the hub itself has closed."""
        self._leaving.clear()
        if self._far.has_closed:
            self._arriving.clear()
            self.protocol.connection_lost(exc)
        else:
            self._arriving.release()
            self._arriving.put(partial(self._lose, exc))

    def pause_writing(self) -> None:
        """Pass on that the client reads too slowly."""
        self.protocol.pause_writing()

    def resume_writing(self) -> None:
        """Pass on that it has caught up."""
        self.protocol.resume_writing()

    def _hand_on(self, data: bytes) -> None:
        if not isinstance(self.protocol, asyncio.BufferedProtocol):
            cast("asyncio.Protocol", self.protocol).data_received(data)
            return
        while data:
            buffer = cast("memoryview", self.protocol.get_buffer(len(data)))
            size = min(len(buffer), len(data))
            buffer[:size] = data[:size]
            self.protocol.buffer_updated(size)
            data = data[size:]

    def _end(self) -> None:
        if not cast("asyncio.Protocol", self.protocol).eof_received():
            self._far.close()

    def _lose(self, exc: Exception | None) -> None:
        self._arriving.clear()
        self.protocol.connection_lost(exc)


class FarTransport(asyncio.Transport):
    """What a protocol far away sees of its TCP connection."""

    def __init__(
        self, stream: FarProtocol, near: asyncio.Transport, arriving: DelayLine, leaving: DelayLine
    ) -> None:
        super().__init__()
        self._stream = stream
        self._near = near
        self._arriving = arriving
        self._leaving = leaving
        self._bytes_under_way = 0
        self.has_closed = False
        """The protocol hears no more, as after `close` of any transport."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what TCP knows."""
        return self._near.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Let another protocol have what comes from now on."""
        self._stream.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return who has what comes."""
        return self._stream.protocol

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send later."""
        self._bytes_under_way += len(data)
        self._leaving.put(partial(self._write, bytes(data)))

    def can_write_eof(self) -> bool:
        """Tell whether the stream can end in one direction alone."""
        return self._near.can_write_eof()

    def write_eof(self) -> None:
        """End the stream in this direction, behind what was written."""
        self._leaving.put(self._write_eof)

    def close(self) -> None:
        """Close once what was written is out; what is still under way to here is lost."""
        if not self.has_closed:
            self.has_closed = True
            self._arriving.clear()
            self._leaving.put(self._near.close)

    def abort(self) -> None:
        """Close; what was written has left, though it has not arrived."""
        self.has_closed = True
        self._arriving.clear()
        self._leaving.put(self._near.abort)

    def is_closing(self) -> bool:
        """Tell whether writing has an effect."""
        return self.has_closed or self._near.is_closing()

    def is_reading(self) -> bool:
        """Tell whether the protocol hears what comes."""
        return not self.has_closed and self._near.is_reading()

    def pause_reading(self) -> None:
        """Keep back what is under way, and let TCP hold the client back."""
        self._arriving.hold()
        self._near.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self._arriving.release()
        self._near.resume_reading()

    def get_write_buffer_size(self) -> int:
        """Return the bytes that the client's side has not taken."""
        return self._bytes_under_way + self._near.get_write_buffer_size()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set when the protocol is asked to pause."""
        self._near.set_write_buffer_limits(high, low)

    def _write(self, data: bytes) -> None:
        self._bytes_under_way -= len(data)
        if not self._near.is_closing():
            self._near.write(data)

    def _write_eof(self) -> None:
        if self._near.is_closing():
            return
        try:
            self._near.write_eof()
        except OSError:  # the client has gone meanwhile: there is nobody left to say it to
            self._near.abort()
