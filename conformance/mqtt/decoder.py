"""From bytes to packets: the suite's own reading of MQTT 3.1.1, for both directions of a connection.

It judges the form of a packet alone: whether a packet may come at this moment, or from this side, is the
watch's business. Nothing here raises on what a peer sends: bytes that are no packet become an `Unreadable`.
"""

from collections.abc import Callable
from typing import Final

from conformance.mqtt.packets import (
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    Unreadable,
    Unsuback,
    Unsubscribe,
    Will,
)

MQTT_5: Final = 5

# No packet can say that it is longer (MQTT 3.1.1, table 2.4).
LONGEST: Final = 268_435_455

# The reason of bytes that follow a length nobody can read: they may be the inside of any packet.
BEHIND: Final = "behind a remaining length that cannot be read"


class Decoder:
    """Turns the bytes of one direction into packets, wherever the network cut them.

    Once the length of a packet cannot be read, nobody can say where the next one begins: from there on each
    piece of input comes back as one `Unreadable`. A remaining length above `longest` is not read either: what
    it announces is never collected.
    """

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._buffer = bytearray()
        self._lost: str | None = None

    @property
    def is_lost(self) -> bool:
        """Whether nothing that still comes can be read."""
        return self._lost is not None

    def feed(self, data: bytes) -> list[Packet]:
        """Return the packets that these bytes complete, in order."""
        return [packet for packet, _ in self.feed_with_bytes(data)]

    def feed_with_bytes(self, data: bytes) -> list[tuple[Packet, bytes]]:
        """Return the packets that these bytes complete, in order, each with all bytes that it is made of."""
        self._buffer += data
        packets: list[tuple[Packet, bytes]] = []
        while self._buffer and self._lost is None:
            try:
                header, length = _fixed_header(self._buffer, self._longest)
            except _Malformed as malformed:
                self._lost = str(malformed)
                break
            if header == 0 or len(self._buffer) < header + length:
                return packets
            whole = bytes(self._buffer[: header + length])
            packets.append((decode(whole, header), whole))
            del self._buffer[: header + length]
        if self._buffer and self._lost is not None:
            rest = bytes(self._buffer)
            packets.append((Unreadable(self._lost, rest), rest))
            self._buffer.clear()
            self._lost = BEHIND
        return packets

    @property
    def unfinished(self) -> int:
        """How many bytes of a packet have come whose end has not."""
        return len(self._buffer)

    def finish(self) -> list[Packet]:
        """Return what is left when the stream has ended: nothing, or the beginning of a packet."""
        if not self._buffer:
            return []
        rest = Unreadable("the stream ended inside a packet", bytes(self._buffer))
        self._buffer.clear()
        return [rest]


class _Malformed(Exception):  # noqa: N818 - never leaves this module
    """Why these bytes are no packet."""


class _Body:
    """The bytes behind the fixed header, read from front to back."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def left(self) -> int:
        return len(self.data) - self.at

    def take(self, count: int, what: str) -> bytes:
        if count > self.left():
            raise _Malformed(f"{what} goes beyond the packet's end")
        self.at += count
        return self.data[self.at - count : self.at]

    def byte(self, what: str) -> int:
        return self.take(1, what)[0]

    def short(self, what: str) -> int:
        return int.from_bytes(self.take(2, what), "big")

    def binary(self, what: str) -> bytes:
        return self.take(self.short(f"length of {what}"), what)

    def text(self, what: str) -> str:
        # [MQTT-1.5.3-1], [MQTT-1.5.3-2]: well-formed UTF-8 without U+0000.
        try:
            text = self.binary(what).decode()
        except UnicodeDecodeError:
            raise _Malformed(f"{what} is not UTF-8") from None
        if "\0" in text:
            raise _Malformed(f"{what} holds U+0000")
        return text

    def rest(self) -> bytes:
        return self.take(self.left(), "rest")


def decode(data: bytes, header: int) -> Packet:
    """Decode one whole packet whose fixed header is `header` bytes long."""
    kind, flags = data[0] >> 4, data[0] & 0x0F
    if kind not in _READERS:
        return Unreadable(f"packet type {kind} is reserved", data)
    name, expected_flags, reader = _READERS[kind]
    # [MQTT-2.2.2-2]: reserved flags are as the table says, or the packet is malformed.
    if expected_flags is not None and flags != expected_flags:
        return Unreadable(f"{name} with flags {flags:04b} instead of {expected_flags:04b}", data)
    body = _Body(data[header:])
    try:
        packet = reader(body, flags)
    except _Malformed as malformed:
        return Unreadable(f"{name}: {malformed}", data)
    if body.left():
        return Unreadable(f"{name} is {body.left()} bytes longer than its fields", data)
    return packet


def _fixed_header(buffer: bytearray, longest: int) -> tuple[int, int]:
    """Return the lengths of fixed header and rest; a header length of 0 means that bytes are missing."""
    length = 0
    for position in range(4):
        if position + 1 >= len(buffer):
            return 0, 0
        byte = buffer[position + 1]
        length |= (byte & 0x7F) << (7 * position)
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            if length > longest:
                raise _Malformed(f"a packet of {length} bytes, where none has more than {longest}")
            return position + 2, length
    raise _Malformed("the remaining length has more than four bytes")


def _connect(body: _Body, _flags: int) -> Packet:
    protocol, level = body.text("protocol name"), body.byte("protocol level")
    flags, keep_alive = body.byte("connect flags"), body.short("keep-alive")
    if flags & 0x01:
        raise _Malformed("the reserved connect flag is set")
    has_will, has_password, has_username = bool(flags & 0x04), bool(flags & 0x40), bool(flags & 0x80)
    will_qos = flags >> 3 & 0x03
    if will_qos > 2 or (not has_will and flags & 0x38):  # noqa: PLR2004 - QoS 3 does not exist
        raise _Malformed("the Will's flags contradict each other")
    if has_password and not has_username and level < MQTT_5:
        raise _Malformed("Password without Username")
    if level >= MQTT_5:
        _properties(body)
    client_id = body.text("ClientId")
    will = None
    if has_will:
        if level >= MQTT_5:
            _properties(body)
        will = Will(body.text("Will topic"), body.binary("Will message"), will_qos, bool(flags & 0x20))
    username = body.text("Username") if has_username else None
    if has_password:
        body.binary("Password")
    return Connect(protocol, level, bool(flags & 0x02), keep_alive, client_id, will, username, has_password)


def _properties(body: _Body) -> bytes:
    length = 0
    for position in range(4):
        byte = body.byte("length of properties")
        length |= (byte & 0x7F) << (7 * position)
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return body.take(length, "properties")
    raise _Malformed("the length of properties has more than four bytes")


def _connack(body: _Body, _flags: int) -> Packet:
    session_present, code = body.byte("connect acknowledge flags"), body.byte("return code")
    return Connack(session_present, code, _properties(body) if body.left() else None)


def _publish(body: _Body, flags: int) -> Packet:
    qos = flags >> 1 & 0x03
    if qos > 2:  # noqa: PLR2004 - [MQTT-3.3.1-4]
        raise _Malformed("QoS 3 does not exist")
    topic = body.text("topic name")
    packet_id = body.short("packet id") if qos else 0
    return Publish(topic, body.rest(), qos, bool(flags & 0x01), bool(flags & 0x08), packet_id)


def _subscribe(body: _Body, _flags: int) -> Packet:
    packet_id = body.short("packet id")
    filters: list[tuple[str, int]] = []
    while body.left():
        topic_filter, qos = body.text("topic filter"), body.byte("requested QoS")
        if qos > 2:  # noqa: PLR2004 - [MQTT-3-8.3-4]
            raise _Malformed(f"requested QoS is {qos}")
        filters.append((topic_filter, qos))
    if not filters:
        raise _Malformed("no topic filter")
    return Subscribe(packet_id, tuple(filters))


def _unsubscribe(body: _Body, _flags: int) -> Packet:
    packet_id = body.short("packet id")
    filters: list[str] = []
    while body.left():
        filters.append(body.text("topic filter"))
    if not filters:
        raise _Malformed("no topic filter")
    return Unsubscribe(packet_id, tuple(filters))


def _suback(body: _Body, _flags: int) -> Packet:
    packet_id, codes = body.short("packet id"), body.rest()
    if not codes:
        raise _Malformed("no return code")
    return Suback(packet_id, tuple(codes))


def _disconnect(body: _Body, _flags: int) -> Packet:
    if not body.left():
        return Disconnect()
    reason = body.byte("reason code")
    if body.left():
        _properties(body)
    return Disconnect(reason)


def _only_an_id(make: Callable[[int], Packet]) -> Callable[[_Body, int], Packet]:
    return lambda body, _flags: make(body.short("packet id"))


# Packet type -> its name, its fixed flags (None: they mean something), its reader.
# MQTT 3.1.1, tables 2.1 and 2.2.
_READERS: Final[dict[int, tuple[str, int | None, Callable[[_Body, int], Packet]]]] = {
    1: ("CONNECT", 0, _connect),
    2: ("CONNACK", 0, _connack),
    3: ("PUBLISH", None, _publish),
    4: ("PUBACK", 0, _only_an_id(Puback)),
    5: ("PUBREC", 0, _only_an_id(Pubrec)),
    6: ("PUBREL", 2, _only_an_id(Pubrel)),
    7: ("PUBCOMP", 0, _only_an_id(Pubcomp)),
    8: ("SUBSCRIBE", 2, _subscribe),
    9: ("SUBACK", 0, _suback),
    10: ("UNSUBSCRIBE", 2, _unsubscribe),
    11: ("UNSUBACK", 0, _only_an_id(Unsuback)),
    12: ("PINGREQ", 0, lambda _body, _flags: Pingreq()),
    13: ("PINGRESP", 0, lambda _body, _flags: Pingresp()),
    14: ("DISCONNECT", 0, _disconnect),
}
