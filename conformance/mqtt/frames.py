"""WebSocket frames as a client makes and reads them: RFC 6455, section 5. Bytes to values and back.

MQTT is a stream to which neither frames nor messages mean anything [MQTT-6.0.0-2], so what binary frames
carry is handed on as it comes. What a server must not send ends the reading: `Broken` says why.
"""

import enum
import os
import struct
from dataclasses import dataclass
from typing import Final

FINAL: Final = 0x80
MASKED: Final = 0x80
RESERVED_BITS: Final = 0x70
# The longest payload whose length stands in the second byte, and the marks of two and of eight bytes more.
SHORT: Final = 125
TWO_BYTES: Final = 126
EIGHT_BYTES: Final = 127

# No MQTT packet is longer than its five bytes of header and 256 MB (section 2.2.3).
LONGEST: Final = 5 + 268_435_455

NORMAL: Final = 1000

# Of frames that a test writes down before it runs, the same each time.
LITERAL_MASK: Final = b"\x0f\x1e\x2d\x3c"

# How many bytes of a frame that broke the rules are kept as evidence.
EVIDENCE: Final = 16


class Opcode(enum.IntEnum):
    """What a frame is; from 8 on it controls the connection."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame to send; `final=False` leaves its message open for continuation frames.

    `mask` is four bytes, random ones if None.
    """

    payload: bytes
    opcode: Opcode = Opcode.BINARY
    final: bool = True
    mask: bytes | None = None

    def encode(self) -> bytes:
        """Return its bytes, masked as a client has to (section 5.3)."""
        key = os.urandom(4) if self.mask is None else self.mask
        size = len(self.payload)
        first = (FINAL if self.final else 0) | self.opcode
        if size <= SHORT:
            head = struct.pack(">BB", first, MASKED | size)
        elif size < 1 << 16:
            head = struct.pack(">BBH", first, MASKED | TWO_BYTES, size)
        else:
            head = struct.pack(">BBQ", first, MASKED | EIGHT_BYTES, size)
        return head + key + mask_over(self.payload, key)

    def describe(self) -> str:
        """Return the frame as words: "binary, 24 bytes", "ping, 0 bytes", "close 1000"."""
        return describe(self.opcode, len(self.payload), self.payload, final=self.final)


def literal(first: int, payload: bytes = b"", *, masked: bool = True, size: bytes | None = None) -> bytes:
    """Return a frame that says what no client should: any first byte, no mask, or a size in other bytes.

    `size` is what stands for the length, without the mask's bit: the second byte and those behind it.
    """
    key = LITERAL_MASK if masked else b""
    length = bytes([len(payload)]) if size is None else size
    if size is None and len(payload) > SHORT:
        length = bytes([TWO_BYTES]) + struct.pack(">H", len(payload))
    head = bytes([first, length[0] | (MASKED if masked else 0)]) + length[1:]
    return head + key + (mask_over(payload, key) if masked else payload)


@dataclass(frozen=True, slots=True)
class Head:
    """A data frame of this size begins; its payload follows as `Piece`s. In words: "binary, 24 bytes"."""

    text: str
    size: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of what a binary frame carries."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Control:
    """A whole control frame. In words: "close 1000"."""

    opcode: Opcode
    payload: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Broken:
    """What a server must not send; nothing behind it can be understood. `data` is how it begins."""

    reason: str
    data: bytes


Event = Head | Piece | Control | Broken


class FrameReader:
    """Reads what a server sends, wherever the network cuts it; after `Broken` it reads nothing."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._left = 0
        self._unfinished = False
        self._lost = False

    def feed(self, data: bytes) -> list[Event]:
        """Return what these bytes complete, in order."""
        events: list[Event] = []
        self._buffer += data
        while self._buffer and not self._lost:
            if self._left:
                piece = bytes(self._buffer[: self._left])
                del self._buffer[: len(piece)]
                self._left -= len(piece)
                events.append(Piece(piece))
                continue
            event = self._next()
            if event is None:
                break
            events.append(event)
        return events

    def _next(self) -> Event | None:
        """Take the next head, with its payload if it is a control frame's; None: more has to come."""
        data = bytes(self._buffer[:10])
        reason = self._objection(data)
        if reason is None and len(data) >= 2:  # noqa: PLR2004 - the two bytes that every frame has
            extra = {TWO_BYTES: 2, EIGHT_BYTES: 8}.get(data[1], 0)
            if len(data) < 2 + extra:
                return None
            size = int.from_bytes(data[2 : 2 + extra]) if extra else data[1]
            reason = _objection_to_length(extra, size)
            if reason is None:
                return self._take(data[0], 2 + extra, size)
        if reason is None:
            return None
        self._lost = True
        return Broken(reason, bytes(self._buffer[:EVIDENCE]))

    def _take(self, first: int, head: int, size: int) -> Event | None:
        opcode, final = Opcode(first & 0x0F), bool(first & FINAL)
        if opcode < Opcode.CLOSE:
            del self._buffer[:head]
            self._left = size
            self._unfinished = not final
            return Head(describe(opcode, size, b"", final=final), size)
        if len(self._buffer) < head + size:
            return None
        payload = bytes(self._buffer[head : head + size])
        del self._buffer[: head + size]
        return Control(opcode, payload, describe(opcode, size, payload, final=True))

    def _objection(self, data: bytes) -> str | None:
        """Say what is wrong with the first two bytes of a frame, as far as they are there."""
        first, second = data[0], data[1] if len(data) > 1 else 0
        opcode = first & 0x0F
        controls = opcode >= Opcode.CLOSE
        objections = {
            "a reserved bit is set though no extension was agreed on": bool(first & RESERVED_BITS),
            f"opcode {opcode} means nothing": opcode not in set(Opcode),
            "a text frame, where MQTT takes binary ones": opcode == Opcode.TEXT,  # [MQTT-6.0.0-1]
            "a control frame in fragments": controls and not first & FINAL,
            "a continuation of nothing": opcode == Opcode.CONTINUATION and not self._unfinished,
            "a new message inside another": opcode == Opcode.BINARY and self._unfinished,
            "a masked frame from a server": bool(second & MASKED),
            "a control frame of more than 125 bytes": controls and second > SHORT,
        }
        return next((objection for objection, holds in objections.items() if holds), None)


def _objection_to_length(extra: int, size: int) -> str | None:
    smallest = {0: 0, 2: SHORT + 1, 8: 1 << 16}[extra]
    if size < smallest:
        return f"a length of {size} in more bytes than it needs"
    if size > LONGEST:
        return f"a frame of {size} bytes, longer than any packet"
    return None


def describe(opcode: Opcode, size: int, payload: bytes, *, final: bool) -> str:
    """Return a frame as words; of the payload only a Close frame's status and reason are told."""
    name = opcode.name.lower()
    if opcode == Opcode.CLOSE:
        reason = payload[2:].decode(errors="replace")
        status = str(int.from_bytes(payload[:2])) if len(payload) > 1 else "without status"
        return f"{name} {status}" + (f" {reason!r}" if reason else "")
    return f"{name}, {size} byte{'' if size == 1 else 's'}" + ("" if final else ", more to come")


def mask_over(data: bytes, key: bytes) -> bytes:
    """Return the data with the four bytes of the key laid over it again and again; twice is not at all."""
    repeated = key * (len(data) // 4 + 1)
    mixed = int.from_bytes(data) ^ int.from_bytes(repeated[: len(data)])
    return mixed.to_bytes(len(data))
