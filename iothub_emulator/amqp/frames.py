"""Frames and protocol headers (OASIS AMQP 1.0 part 2, sections 2.2 and 2.3).

A frame is its size (four bytes, itself included), where the body begins in words of four bytes, its type, and
its channel; then the body: a performative, then for a transfer the message's bytes. No body: a heartbeat.
"""

import struct
from dataclasses import dataclass

from iothub_emulator.amqp.composites import Composite, composite_from
from iothub_emulator.amqp.decoding import decode
from iothub_emulator.amqp.encoding import encode
from iothub_emulator.amqp.errors import DECODE_ERROR, FRAMING_ERROR, AmqpError
from iothub_emulator.amqp.performatives import PERFORMATIVES, SASL_PERFORMATIVES, Transfer
from iothub_emulator.amqp.values import Uint

AMQP_HEADER = b"AMQP\x00\x01\x00\x00"
SASL_HEADER = b"AMQP\x03\x01\x00\x00"
HEADER_SIZE = 8

AMQP_FRAME, SASL_FRAME = 0, 1
"""Frame types."""

MIN_MAX_FRAME_SIZE = 512
"""What every peer must take (2.7.1)."""

HEARTBEAT = b"\x00\x00\x00\x08\x02\x00\x00\x00"

_PREFIX = struct.Struct("!IBBH")
_PREFIX_WORDS = 2


@dataclass(frozen=True)
class Frame:
    """One frame as received. `performative` is None in a heartbeat."""

    channel: int
    performative: Composite | None
    payload: bytes = b""


def encode_frame(
    channel: int, performative: Composite, payload: bytes = b"", *, kind: int = AMQP_FRAME
) -> bytes:
    """Return a whole frame."""
    body = performative.encode()
    return _PREFIX.pack(8 + len(body) + len(payload), _PREFIX_WORDS, kind, channel) + body + payload


def decode_frame(data: bytes, kind: int) -> Frame:
    """Read one whole frame, which must be of the type that is due; `AmqpError` if it is not."""
    size, offset, found, channel = _PREFIX.unpack_from(data)
    start = offset * 4
    if offset < _PREFIX_WORDS or start > size:
        raise AmqpError(FRAMING_ERROR, "the data offset is outside the frame")
    if found != kind:
        raise AmqpError(FRAMING_ERROR, f"a frame of type {found} where {kind} was due")
    if start == size:
        return Frame(channel, None)
    value, end = decode(data, start)
    performative = composite_from(value, PERFORMATIVES if kind == AMQP_FRAME else SASL_PERFORMATIVES)
    if end != size and not isinstance(performative, Transfer):
        raise AmqpError(DECODE_ERROR, f"bytes follow {performative.symbol}")
    return Frame(channel, performative, data[end:])


class FrameBuffer:
    """Bytes as they arrive, cut into headers and frames. Holds at most a frame, and what one read brought."""

    def __init__(self, max_frame_size: int) -> None:
        self._max_frame_size = max_frame_size
        self._data = bytearray()

    def receive(self, data: bytes) -> None:
        """Add bytes; take out what they complete before adding more."""
        self._data += data

    def next_header(self) -> bytes | None:
        """Return the next eight bytes, or None if they are not all here."""
        return self._take(HEADER_SIZE) if len(self._data) >= HEADER_SIZE else None

    def next_frame(self) -> bytes | None:
        """Return the next whole frame, or None if it is not all here; `AmqpError` for an impossible size."""
        if len(self._data) < _PREFIX.size:
            return None
        size = int.from_bytes(self._data[:4], "big")
        if size < _PREFIX.size:
            raise AmqpError(FRAMING_ERROR, f"a frame of {size} bytes cannot be")
        if size > self._max_frame_size:
            raise AmqpError(FRAMING_ERROR, f"a frame of {size} bytes, agreed were {self._max_frame_size}")
        return self._take(size) if len(self._data) >= size else None

    def _take(self, size: int) -> bytes:
        taken = bytes(self._data[:size])
        del self._data[:size]
        return taken


LOCK_TOKEN_SIZE = 16
"""Bytes of a GUID."""

# A transfer's end: rcv-settle-mode and state null, and neither resumed nor aborted nor batchable.
_PLAIN_TAIL = b"\x40\x40\x42\x42\x42"
_TRUE, _FALSE, _NULL = b"\x41", b"\x42", b"\x40"


def encode_transfer(
    channel: int, handle: int, delivery_id: int | None, payload: bytes, *, settled: bool, more: bool
) -> bytes:
    """Return a transfer frame; without `delivery_id` it goes on with the delivery before it.

    The same bytes as `encode_frame(channel, Transfer(…), payload)`, an eighth of the time: each event is one.
    """
    if delivery_id is None:
        delivery = _NULL + _NULL + _NULL
    else:
        # The tag is the id. Where it is settled later, it is as long as a lock token, which the service SDK
        # for .NET reads from it. message-format is 0, AMQP's own.
        size = 4 if settled else LOCK_TOKEN_SIZE
        tag = bytes((0xA0, size)) + delivery_id.to_bytes(size, "big")
        delivery = encode(Uint(delivery_id)) + tag + b"\x43"
    fields = (
        encode(Uint(handle))
        + delivery
        + (_TRUE if settled else _FALSE)
        + (_TRUE if more else _FALSE)
        + _PLAIN_TAIL
    )
    body = b"\x00\x53\x14\xc0" + bytes((len(fields) + 1, 11)) + fields
    return _PREFIX.pack(8 + len(body) + len(payload), _PREFIX_WORDS, AMQP_FRAME, channel) + body + payload
