"""WebSocket frames, RFC 6455 section 5, the server's end: bytes to events and back. No network.

What binary frames carry is handed on as it arrives, in pieces of any size: MQTT and AMQP are streams, for
which neither frames nor messages mean anything. So nothing but control frames, 125 bytes at most, is kept.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from iothub_emulator.net.rules import ListenerRules

NORMAL = 1000
PROTOCOL_ERROR = 1002
INVALID_TEXT = 1007

_SENDABLE = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})
"""Statuses that a Close frame may carry (section 7.4.1 and its registry), beside 3000 to 4999."""
_FIRST_PRIVATE, _LAST_PRIVATE = 3000, 4999
_STATUS_BYTES = 2

_LARGEST_CONTROL = 125
_TWO_BYTES, _EIGHT_BYTES = 126, 127


class Opcode(enum.IntEnum):
    """What a frame is; 8 and above are control frames."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class FrameError(Exception):
    """Frames after which nothing can be understood. `status` is what a Close frame says of it."""

    def __init__(self, status: int, what: str) -> None:
        super().__init__(what)
        self.status = status


@dataclass(frozen=True, slots=True)
class Data:
    """A piece of what binary messages carry."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Ping:
    """To be answered with the same payload."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """The peer ends the connection; None: it gave no status."""

    status: int | None


Event = Data | Ping | Close


class FrameReader:
    """Takes a client's bytes, in pieces of any size."""

    def __init__(self, rules: ListenerRules) -> None:
        self._rules = rules
        self._buffer = bytearray()
        self._is_in_message = False
        # Of the frame whose payload is awaited:
        self._opcode: Opcode | None = None
        self._is_final = True
        self._mask = b""
        self._left = 0
        self._phase = 0

    def feed(self, data: bytes) -> Iterator[Event]:
        """Yield what `data` completes; raise `FrameError` behind what came before the mistake."""
        self._buffer += data
        while True:
            if self._opcode is None and not self._begin():
                return
            if self._opcode is None:
                continue
            if self._opcode < Opcode.CLOSE:
                yield Data(self._piece())
                if self._opcode is not None:
                    return
            elif len(self._buffer) < self._left:
                return
            else:
                event = self._control(self._opcode)
                if event is not None:
                    yield event

    def _begin(self) -> bool:
        """Read a frame's head; return whether there was a whole one."""
        buffer = self._buffer
        if len(buffer) < 2:  # noqa: PLR2004 - first byte and length
            return False
        first, second = buffer[0], buffer[1]
        is_masked, size = bool(second & 0x80), second & 0x7F
        extended = {_TWO_BYTES: 2, _EIGHT_BYTES: 8}.get(size, 0)
        self._check(first, size, is_masked=is_masked)
        head = 2 + extended + (4 if is_masked else 0)
        if len(buffer) < head:
            return False
        if extended:
            size = self._long_size(bytes(buffer[2 : 2 + extended]))
        opcode = Opcode(first & 0x0F)
        self._is_final = bool(first & 0x80)
        if opcode < Opcode.CLOSE:
            self._is_in_message = not self._is_final
        self._mask = bytes(buffer[head - 4 : head]) if is_masked else b""
        del buffer[:head]
        self._opcode, self._left, self._phase = opcode, size, 0
        return True

    def _check(self, first: int, size: int, *, is_masked: bool) -> None:
        """Raise for a head that section 5.2 to 5.5 do not allow."""
        number = first & 0x0F
        if first & 0x70:
            raise FrameError(PROTOCOL_ERROR, "a reserved bit is set: no extension was agreed on")
        if number not in Opcode.__members__.values():
            raise FrameError(PROTOCOL_ERROR, f"opcode {number} is reserved")
        if not is_masked and not self._rules.accepts_unmasked():
            raise FrameError(PROTOCOL_ERROR, "the frame is not masked")
        if number >= Opcode.CLOSE:
            if not first & 0x80 or size > _LARGEST_CONTROL:
                raise FrameError(PROTOCOL_ERROR, "a control frame is fragmented or too long")
            return
        if (number == Opcode.CONTINUATION) != self._is_in_message:
            raise FrameError(PROTOCOL_ERROR, "a message does not begin or go on where it should")
        if number == Opcode.TEXT:
            status = self._rules.on_text_frame()
            if status is not None:
                raise FrameError(status, "a text frame")

    def _long_size(self, field: bytes) -> int:
        size = int.from_bytes(field)
        smallest = _TWO_BYTES if len(field) == 2 else 0x1_0000  # noqa: PLR2004 - the field's width
        if not smallest <= size < 1 << 63:
            raise FrameError(PROTOCOL_ERROR, "the length is not in its shortest form, or too large")
        return size

    def _piece(self) -> bytes:
        """Return what is there of a data frame's payload."""
        piece = bytes(self._buffer[: self._left])
        del self._buffer[: self._left]
        payload = masked(piece, self._mask, self._phase)
        self._left -= len(piece)
        self._phase = (self._phase + len(piece)) % 4
        is_last = not self._left
        if is_last:
            self._opcode = None
        return self._rules.websocket_payload(payload, ends_message=is_last and self._is_final)

    def _control(self, opcode: Opcode) -> Ping | Close | None:
        payload = masked(bytes(self._buffer[: self._left]), self._mask)
        del self._buffer[: self._left]
        self._opcode = None
        match opcode:
            case Opcode.PING:
                return Ping(payload)
            case Opcode.CLOSE:
                return Close(_status(payload))
            case _:  # a Pong, asked for or not
                return None


def _status(payload: bytes) -> int | None:
    """Return the status in a Close frame's payload; behind it is a reason in UTF-8 (section 5.5.1)."""
    if not payload:
        return None
    status = int.from_bytes(payload[:_STATUS_BYTES])
    may_be_sent = status in _SENDABLE or _FIRST_PRIVATE <= status <= _LAST_PRIVATE
    if len(payload) < _STATUS_BYTES or not may_be_sent:
        raise FrameError(PROTOCOL_ERROR, "a Close frame without a status that may be sent")
    try:
        payload[_STATUS_BYTES:].decode()
    except UnicodeDecodeError:
        raise FrameError(INVALID_TEXT, "the reason in a Close frame is not UTF-8") from None
    return status


def masked(data: bytes, mask: bytes, phase: int = 0) -> bytes:
    """Return `data` combined with a mask of four bytes, begun at `phase`; done again, the data itself."""
    if not mask or not data:
        return data
    size = len(data)
    repeated = (mask * (size // 4 + 2))[phase : phase + size]
    # As two large numbers: a loop over bytes would take a hundred times as long.
    return (int.from_bytes(data, "little") ^ int.from_bytes(repeated, "little")).to_bytes(size, "little")


def frame(opcode: Opcode, payload: bytes) -> bytes:
    """Return a whole, unmasked frame, as a server sends it."""
    size = len(payload)
    if size < _TWO_BYTES:
        return bytes((0x80 | opcode, size)) + payload
    if size < 0x1_0000:  # noqa: PLR2004 - two bytes of length
        return bytes((0x80 | opcode, _TWO_BYTES)) + size.to_bytes(2) + payload
    return bytes((0x80 | opcode, _EIGHT_BYTES)) + size.to_bytes(8) + payload


def close_frame(status: int | None) -> bytes:
    """Return a Close frame; None: without a status."""
    return frame(Opcode.CLOSE, b"" if status is None else status.to_bytes(2))
