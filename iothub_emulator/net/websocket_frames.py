"""WebSocket frames, RFC 6455 section 5, the server's end: bytes to events and back. No network.

What binary frames carry is handed on as it arrives, in pieces of any size: MQTT and AMQP are streams, for
which neither frames nor messages mean anything. So nothing but control frames, 125 bytes at most, is kept.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from iothub_emulator.net import frame_rules
from iothub_emulator.net.frame_rules import PROTOCOL_ERROR, FrameRules

NORMAL = 1000
_STATUS_BYTES = 2
_TWO_BYTES, _EIGHT_BYTES = 126, 127


class Opcode(enum.IntEnum):
    """What a frame is; 8 and above are control frames."""

    CONTINUATION = frame_rules.CONTINUATION
    TEXT = frame_rules.TEXT
    BINARY = frame_rules.BINARY
    CLOSE = frame_rules.CLOSE
    PING = frame_rules.PING
    PONG = frame_rules.PONG


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

    def __init__(self, rules: FrameRules) -> None:
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
        opcode = self._check(first, size, is_masked=is_masked)
        head = 2 + extended + (4 if is_masked else 0)
        if len(buffer) < head:
            return False
        if extended:
            size = self._long_size(bytes(buffer[2 : 2 + extended]))
        self._is_final = bool(first & 0x80)
        if opcode < Opcode.CLOSE:
            self._is_in_message = not self._is_final
        self._mask = bytes(buffer[head - 4 : head]) if is_masked else b""
        del buffer[:head]
        self._opcode, self._left, self._phase = opcode, size, 0
        return True

    def _check(self, first: int, size: int, *, is_masked: bool) -> Opcode:
        """Return what the frame counts as; raise for a head that section 5.2 to 5.5 do not allow."""
        number, rules = self._rules.opcode(first & 0x0F), self._rules
        if first & 0x70 and not rules.accepts_reserved_bits():
            raise FrameError(PROTOCOL_ERROR, "a reserved bit is set: no extension was agreed on")
        if number is None:
            raise FrameError(PROTOCOL_ERROR, f"opcode {first & 0x0F} is reserved")
        if not is_masked and not rules.accepts_unmasked():
            raise FrameError(PROTOCOL_ERROR, "the frame is not masked")
        opcode = Opcode(number)
        if opcode >= Opcode.CLOSE:
            if not rules.accepts_control(is_final=bool(first & 0x80), size=size):
                raise FrameError(PROTOCOL_ERROR, "a control frame is fragmented or too long")
            return opcode
        if not rules.accepts_place(goes_on=opcode == Opcode.CONTINUATION, in_message=self._is_in_message):
            raise FrameError(PROTOCOL_ERROR, "a message does not begin or go on where it should")
        if opcode == Opcode.TEXT:
            status = rules.on_text_frame()
            if status is not None:
                raise FrameError(status, "a text frame")
        return opcode

    def _long_size(self, field: bytes) -> int:
        size = int.from_bytes(field)
        if not self._rules.accepts_length(size, len(field)):
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
                return Close(self._status(payload))
            case _:  # a Pong, asked for or not
                return None

    def _status(self, payload: bytes) -> int | None:
        """Return the status in a Close frame's payload; behind it is a reason in UTF-8 (section 5.5.1)."""
        if not payload:
            return None
        is_whole = len(payload) >= _STATUS_BYTES
        status = int.from_bytes(payload[:_STATUS_BYTES]) if is_whole else -1
        problem = self._rules.problem_with_close(status, payload[_STATUS_BYTES:])
        if problem is not None:
            raise FrameError(problem, "a Close frame whose status may not be sent, or whose reason is none")
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
