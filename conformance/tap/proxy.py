"""The tap itself: where devices connect, and what passes between them and the hub.

Bytes are passed on as they come, and nothing is held back; where a case lets something go wrong, packets are
held until they are whole, and then passed on as they were. Bytes that no decoder can read pass all the same.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from conformance.evidence.case import LONGEST_PACKET
from conformance.mqtt.decoder import Decoder
from conformance.mqtt.packets import Connect, Packet
from conformance.tap.certificates import TapAuthority
from conformance.tap.happenings import Fate
from conformance.tap.line import Entrance, Line, Origin
from conformance.tap.password import token_in
from conformance.tap.record import Record

T = TypeVar("T")

LOOPBACK: Final = "127.0.0.1"
READ: Final = 64 * 1024
# A head of HTTP CONNECT has two or three lines.
LONGEST_HEAD: Final = 8 * 1024
# A device that begins TLS and does not go on, and a hub that does not answer, in seconds.
HANDSHAKE: Final = 20.0
# How long the other side may take to end TLS where the tap does, in seconds.
GOODBYE: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class HubAddress:
    """Where the hub behind is: the name that its certificate bears there, its ports, whom to trust for it."""

    host: str
    mqtt_port: int
    websocket_port: int
    ca_file: str | None


@dataclass(frozen=True, kw_only=True)
class TapPorts:
    """Where devices connect: MQTT over TLS, and HTTP CONNECT, which leads to it."""

    mqtt: int
    connect: int


FREE: Final = TapPorts(mqtt=0, connect=0)


class Tap:
    """A proxy in a thread of its own. `names` are those that its certificate bears.

    It listens on `address`, on free ports where `ports` names none; without an `authority` it makes one.
    """

    def __init__(
        self,
        hub: HubAddress,
        names: Sequence[str],
        *,
        address: str = LOOPBACK,
        ports: TapPorts = FREE,
        authority: TapAuthority | None = None,
    ) -> None:
        self.hub = hub
        self.names = tuple(names)
        self.authority = authority or TapAuthority()
        self._context = self.authority.context(self.names)
        self._context.sni_callback = _remember_server_name
        self._record: Record | None = None
        self._passages: set[_Passage] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tap", daemon=True)
        self._thread.start()
        self.ports = self._do(self._listen(address, ports))

    # -- a case

    def begin(self, record: Record) -> None:
        """Let all lines that open from now on belong to a case; those of an earlier one end."""

        async def begin() -> None:
            self._record = record
            for passage in tuple(self._passages):
                passage.end("tap", "the case is over")

        self._do(begin())

    def rest(self) -> None:
        """Let nobody in between two cases, and end what is open."""

        async def rest() -> None:
            self._record = None
            for passage in tuple(self._passages):
                passage.end("tap", "the case is over")

        self._do(rest())

    def drop(self, line: Line, *, reset: bool = False) -> None:
        """End a line towards both sides: by the end of the stream, or by a reset of TCP."""
        self._loop.call_soon_threadsafe(self._end, line, reset)

    def send(self, line: Line, data: bytes) -> None:
        """Let the device get a packet that no hub sent."""
        self._loop.call_soon_threadsafe(self._send, line, data)

    def use_certificate(self, context: ssl.SSLContext | None) -> None:
        """Show devices another certificate from now on, None for the tap's own."""
        if context is not None:
            context.sni_callback = _remember_server_name
        self._shown = context

    _shown: ssl.SSLContext | None = None

    def close(self) -> None:
        """End all lines, the listeners and the thread."""

        async def close() -> None:
            self._record = None
            for server in self._servers:
                server.close()
            for passage in tuple(self._passages):
                passage.end("tap", "the run is over")
                passage.cut()
            # Each ends by itself once its line has; those that do not are ended with the loop.
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            if tasks:
                await asyncio.wait(tasks, timeout=GOODBYE)

        self._do(close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # -- in the tap's thread

    def _do(self, what: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(HANDSHAKE)

    async def _listen(self, address: str, ports: TapPorts) -> TapPorts:
        mqtt = await asyncio.start_server(self._direct, address, ports.mqtt, limit=READ)
        connect = await asyncio.start_server(self._by_proxy, address, ports.connect, limit=LONGEST_HEAD)
        self._servers = (mqtt, connect)
        taken = [server.sockets[0].getsockname()[1] for server in self._servers]
        return TapPorts(mqtt=taken[0], connect=taken[1])

    async def _direct(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._serve(reader, writer, "mqtt", by_proxy=False)

    async def _by_proxy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), HANDSHAKE)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, OSError):
            _abort(writer, reset=False)
            return
        method, _, rest = head.decode("latin-1").partition(" ")
        host, _, port = rest.partition(" ")[0].rpartition(":")
        # A client asks for the hub by its own name, or for the tap, at a hub's usual port.
        if method != "CONNECT" or host.lower() not in self.names or port != "8883":
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            with contextlib.suppress(OSError):
                await writer.drain()
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await self._serve(reader, writer, "mqtt", by_proxy=True)

    async def _serve(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        entrance: Entrance,
        *,
        by_proxy: bool,
    ) -> None:
        record = self._record
        if record is None:
            _abort(writer, reset=False)
            return
        passage = _Passage(self, record, record.opened(entrance, by_proxy=by_proxy), reader, writer)
        self._passages.add(passage)
        try:
            await passage.run(self._shown or self._context)
        finally:
            self._passages.discard(passage)

    def _end(self, line: Line, reset: bool) -> None:
        for passage in tuple(self._passages):
            if passage.line is line:
                passage.end("tap", "reset" if reset else "end of stream", reset=reset)

    def _send(self, line: Line, data: bytes) -> None:
        for passage in self._passages:
            if passage.line is line:
                passage.to_device(data, "tap")


class _Passage:
    """What passes on one line."""

    def __init__(
        self,
        tap: Tap,
        record: Record,
        line: Line,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._tap = tap
        self._record = record
        self.line = line
        self._reader = reader
        self._writer = writer
        self._hub_writer: asyncio.StreamWriter | None = None
        self._hub_task: asyncio.Task[None] | None = None
        self._from_device = _Direction()
        self._from_hub = _Direction()
        self._made_up = Decoder()
        self._bytes = 0

    async def run(self, context: ssl.SSLContext) -> None:
        """Shake hands, then pass on until one side ends."""
        try:
            await self._writer.start_tls(context, ssl_handshake_timeout=HANDSHAKE)
        except (ssl.SSLError, OSError, TimeoutError) as error:
            self.line.tls_failure = _why(error)
            self.end("device", f"no TLS: {self.line.tls_failure}")
            return
        tls: ssl.SSLObject = self._writer.get_extra_info("ssl_object")
        self.line.tls = tls.version() or ""
        self.line.server_name = getattr(tls, "server_name_sent", None)
        self._record.came_up(self.line)
        try:
            await self._read_device()
        finally:
            if self._hub_task is not None:
                self._hub_task.cancel()

    async def _read_device(self) -> None:
        while self.line.is_open:
            try:
                data = await self._reader.read(READ)
            except (OSError, ssl.SSLError) as error:
                self.end("device", _why(error))
                return
            if not data:
                self.end("device", "end of stream")
                return
            for piece in self._from_device.feed(data, holding=bool(self._record.happenings)):
                if self._is_flood(len(piece.data)):
                    return
                await self._pass_to_hub(piece)

    def _is_flood(self, size: int) -> bool:
        """End a line on which a device sends more than any case asks for."""
        self._bytes += size
        flood = self._record.flood(self.line, self._bytes)
        if flood:
            self.end("tap", flood)
        return bool(flood)

    def _note_of_device(self, packet: Packet, whole: bytes) -> None:
        if isinstance(packet, Connect) and self.line.connect is None:
            self.line.token = token_in(packet, whole, self._record.keys)
        self._record.passed(self.line, packet, "device")

    async def _pass_to_hub(self, piece: "_Piece") -> None:
        happenings = self._record.happenings if piece.packet is not None and piece.is_whole else ()
        # Written down behind being passed on, which is all that the device waits for; before the next await.
        if self._hub_writer is not None and not happenings:
            self._hub_writer.write(piece.data)
        if piece.packet is not None:
            self._note_of_device(piece.packet, piece.whole)
            for happening in happenings:
                fate = happening.device_sent(self.line, piece.packet, piece.whole)
                if fate is not None:
                    self._record.kept(self.line, piece.packet, "hub")
                    await self._meet(fate)
                    return
        if self._hub_writer is not None and not happenings:
            with contextlib.suppress(OSError):
                await self._hub_writer.drain()
        elif piece.data and self.line.is_open:
            await self._to_hub(piece.data)

    async def _to_hub(self, data: bytes) -> None:
        if self._hub_writer is None and not await self._reach_hub():
            return
        assert self._hub_writer is not None  # noqa: S101 - the line above
        with contextlib.suppress(OSError):
            self._hub_writer.write(data)
            await self._hub_writer.drain()

    async def _reach_hub(self) -> bool:
        hub = self._tap.hub
        try:
            async with asyncio.timeout(HANDSHAKE):
                reader, self._hub_writer = await asyncio.open_connection(
                    hub.host, hub.mqtt_port, ssl=_to_hub(hub.ca_file), server_hostname=hub.host, limit=READ
                )
        except (OSError, ssl.SSLError, TimeoutError) as error:
            self.end("hub", f"the tap cannot reach it: {_why(error)}")
            return False
        _no_delay(self._hub_writer)
        _no_delay(self._writer)
        self._hub_task = asyncio.create_task(self._read_hub(reader))
        return True

    async def _read_hub(self, reader: asyncio.StreamReader) -> None:
        while self.line.is_open:
            try:
                data = await reader.read(READ)
            except (OSError, ssl.SSLError) as error:
                self.end("hub", _why(error), reset=isinstance(error, ConnectionResetError))
                return
            if not data:
                self.end("hub", "end of stream")
                return
            for piece in self._from_hub.feed(data, holding=bool(self._record.happenings)):
                await self._pass_to_device(piece)

    async def _pass_to_device(self, piece: "_Piece") -> None:
        if piece.packet is not None and piece.is_whole:
            for happening in self._record.happenings:
                fate = happening.hub_sent(self.line, piece.packet, piece.whole)
                if fate is not None:
                    self._record.kept(self.line, piece.packet, "device")
                    await self._meet(fate)
                    return
        if not self.line.is_open:
            return
        self._writer.write(piece.data)
        if piece.packet is not None:
            self._record.passed(self.line, piece.packet, "hub")
        with contextlib.suppress(OSError):
            await self._writer.drain()

    async def _meet(self, fate: Fate) -> None:
        if fate.to_device:
            self.to_device(fate.to_device, "tap")
        if fate.to_hub:
            await self._to_hub(fate.to_hub)
        if fate.end:
            with contextlib.suppress(OSError):
                await self._writer.drain()
            self.end("tap", "reset" if fate.end == "reset" else "end of stream", reset=fate.end == "reset")

    def to_device(self, data: bytes, origin: Origin) -> None:
        """Send bytes that are whole packets to the device."""
        if not self.line.is_open:
            return
        for packet in self._made_up.feed(data):
            self._record.passed(self.line, packet, origin)
        self._writer.write(data)

    def cut(self) -> None:
        """Wait for no goodbye of either side any more."""
        for writer in (self._writer, self._hub_writer):
            if writer is not None:
                _cut(writer)

    def end(self, by: Origin, how: str, *, reset: bool = False) -> None:
        """End the line towards both sides: abruptly where a network was lost, else with what TLS says."""
        self._record.ended(self.line, by, how)
        _abort(self._writer, reset=reset)
        if self._hub_writer is not None:
            _abort(self._hub_writer, reset=reset or how == "reset")


@dataclass(frozen=True, slots=True)
class _Piece:
    """Bytes to pass on. `packet` is what they complete, `whole` all its bytes.

    `is_whole`: nothing of it was passed on before, so that it can still be kept.
    """

    data: bytes
    packet: Packet | None = None
    whole: bytes = b""
    is_whole: bool = False


class _Direction:
    """Cuts one direction into what is passed on: the bytes as they come, or packets once they are whole."""

    def __init__(self) -> None:
        self._decoder = Decoder(LONGEST_PACKET)
        # How much of the packet that is under way was passed on already.
        self._passed = 0

    def feed(self, data: bytes, *, holding: bool) -> list[_Piece]:
        """Return what these bytes let pass; `holding` keeps a packet back until it is whole."""
        pieces: list[_Piece] = []
        for packet, whole in self._decoder.feed_with_bytes(data):
            pieces.append(_Piece(whole[self._passed :], packet, whole, is_whole=self._passed == 0))
            self._passed = 0
        left = self._decoder.unfinished
        is_kept = self._passed == 0 and (holding or left > len(data))
        if left > self._passed and not is_kept:
            pieces.append(_Piece(data[len(data) - (left - self._passed) :]))
            self._passed = left
        return pieces


def _remember_server_name(tls: Any, name: str | None, _context: ssl.SSLContext) -> None:
    tls.server_name_sent = name


def _to_hub(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _why(error: BaseException) -> str:
    match error:
        case TimeoutError():
            return "no answer"
        case ConnectionResetError() | BrokenPipeError():
            return "reset"
        case ssl.SSLError():
            return (error.reason or str(error)).replace("_", " ").lower()
        case OSError():
            return error.strerror or str(error) or type(error).__name__
        case _:
            return str(error)


def _no_delay(writer: asyncio.StreamWriter) -> None:
    sock: socket.socket | None = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _abort(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    """End a stream: with a reset of TCP if asked for, else behind what was written."""
    # A TLS stream that both sides have ended knows no socket any more, and says so by AttributeError.
    with contextlib.suppress(OSError, AttributeError):
        if reset:
            sock: socket.socket | None = writer.get_extra_info("socket")
            if sock is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        else:
            writer.close()
            # A peer that does not say goodbye in TLS is not waited for.
            asyncio.get_running_loop().call_later(GOODBYE, _cut, writer)


def _cut(writer: asyncio.StreamWriter) -> None:
    """Wait for no goodbye any more."""
    with contextlib.suppress(AttributeError):  # of a stream that has ended, see above
        writer.transport.abort()
