"""From bytes to packets, for what a client sends.

`Decoder.feed` takes bytes as they come, `Decoder.packets` yields what is complete. Nothing but `Malformed` is
ever raised, and after it the decoder yields nothing more.
"""

from collections.abc import Callable, Iterator

from iothub_emulator.hub.packets import (
    Connect,
    Disconnect,
    FromClient,
    PacketType,
    Pingreq,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Subscribe,
    Unsubscribe,
    Will,
)
from iothub_emulator.mqtt.rules import CodecRules, Malformed

# Their CONNECT packets share one layout; those of other levels are unknown here.
_READABLE = {("MQTT", 4), ("MQIsdp", 3)}


class Decoder:
    """The bytes of one connection."""

    def __init__(self, rules: CodecRules) -> None:
        self._rules = rules
        # Bytes as they came where they are whole packets, which is the usual case and costs no copy; a
        # growing array where a packet comes in pieces.
        self._buffer: bytes | bytearray = b""
        self._position = 0
        self._broken = False
        self._is_first = True

    def feed(self, data: bytes) -> None:
        """Take bytes of any number, split anywhere. Then ask for `packets`."""
        if self._broken:
            return
        if self._buffer:
            if isinstance(self._buffer, bytes):
                self._buffer = bytearray(self._buffer)
            self._buffer += data
        else:
            self._buffer = data

    def packets(self) -> Iterator[FromClient]:
        """Yield each complete packet; raise `Malformed` at the first that is none.

        A caller that closes its connection stops iterating: what lies behind has no effect.
        """
        try:
            while self._position < len(self._buffer):
                packet = self._next()
                if packet is None:
                    break
                yield packet
        except Malformed:
            self._broken = True
            self._buffer = b""
            raise
        self._buffer = self._buffer[self._position :]
        self._position = 0

    def _next(self) -> FromClient | None:
        buffer, rules, position = self._buffer, self._rules, self._position
        first = buffer[position]
        packet_type = first >> 4
        if packet_type not in _FROM_CLIENT:
            rules.packet_type(packet_type)
            rules.client_packet(packet_type)
        header = rules.remaining_length(buffer, position + 1)
        if header is not None:
            length, start = header
            rules.packet_size(length, is_first=self._is_first)
            end = start + length
            if end <= len(buffer):
                self._is_first = False
                self._position = end
                body = bytes(buffer[start:end])
                if packet_type == PacketType.PUBLISH:
                    return _publish(first & 0x0F, body, rules)
                return _decode(packet_type, first & 0x0F, _Body(body, rules), rules)
        if not rules.waits_for_rest():
            self._position = len(buffer)
        return None


class _Body:
    """The fields of one packet, read from front to back.

    Reading is by slices, which end where the data ends: only the rules decide what is an error.
    """

    __slots__ = ("_data", "_end", "_position", "_rules")

    def __init__(self, data: bytes, rules: CodecRules) -> None:
        self._data = data
        self._end = len(data)
        self._position = 0
        self._rules = rules

    @property
    def left(self) -> int:
        return self._end - self._position

    def take(self, count: int) -> bytes:
        start = self._position
        end = start + count
        if end > self._end:
            self._rules.overrun(count, self._end - start)
            end = self._end
        self._position = end
        return self._data[start:end]

    def byte(self) -> int:
        return int.from_bytes(self.take(1))

    def integer(self) -> int:
        return int.from_bytes(self.take(2))

    def packet_id(self) -> int:
        packet_id = int.from_bytes(self.take(2))
        self._rules.packet_id(packet_id)
        return packet_id

    def binary(self) -> bytes:
        return self.take(int.from_bytes(self.take(2)))

    def text(self) -> str:
        text = self._rules.text(self.take(int.from_bytes(self.take(2))))
        self._rules.no_null(text)
        return text

    def rest(self) -> bytes:
        rest = self._data[self._position :]
        self._position = self._end
        return rest

    def end(self) -> None:
        self._rules.underrun(self.left)


def _decode(packet_type: int, flags: int, body: _Body, rules: CodecRules) -> FromClient:
    packet = _without_flags(packet_type, flags, body, rules)
    body.end()
    return packet


def _without_flags(packet_type: int, flags: int, body: _Body, rules: CodecRules) -> FromClient:
    if packet_type in _BY_ID or packet_type in _BARE or packet_type in _BODIES:
        rules.flags(packet_type, flags)
    if packet_type in _BY_ID:
        return _BY_ID[packet_type](body.packet_id())
    if packet_type in _BODIES:
        return _BODIES[packet_type](body, rules)
    # Unknown and server-only types get here only where a rule that refuses them was replaced.
    return _BARE.get(packet_type, Pingreq)()


def _connect(body: _Body, rules: CodecRules) -> Connect:
    name, level = body.text(), body.byte()
    if (name, level) not in _READABLE:
        body.rest()
        return Connect(name, level)
    flags, keep_alive = body.byte(), body.integer()
    rules.connect_reserved(flags & 0x01)
    will_qos, will_retain = flags >> 3 & 0x03, bool(flags & 0x20)
    has_username, has_password = bool(flags & 0x80), bool(flags & 0x40)
    if flags & 0x04:
        rules.will_qos(will_qos)
    else:
        rules.will_bits(will_qos, retain=will_retain)
    rules.password_needs_username(username=has_username, password=has_password)
    client_id = body.text()
    will = None
    if flags & 0x04:
        topic = body.text()
        # The Will is published in the end: its topic is a topic name.
        rules.topic_empty(topic)
        rules.topic_wildcard(topic)
        will = Will(topic, body.binary(), will_qos, will_retain)
    return Connect(
        name,
        level,
        clean_session=bool(flags & 0x02),
        keep_alive=keep_alive,
        client_id=client_id,
        will=will,
        username=body.text() if has_username else None,
        password=body.binary() if has_password else None,
    )


def _publish(flags: int, data: bytes, rules: CodecRules) -> Publish:
    """Read the one packet that comes by the thousand without the help of `_Body`."""
    qos, dup = flags >> 1 & 0x03, bool(flags & 0x08)
    rules.publish_qos(qos)
    rules.publish_dup(qos, dup=dup)
    position = 2 + int.from_bytes(data[:2])
    topic = rules.text(data[2:position])
    rules.no_null(topic)
    rules.topic_empty(topic)
    rules.topic_wildcard(topic)
    packet_id = 0
    if qos:
        packet_id = int.from_bytes(data[position : position + 2])
        position += 2
    if position > len(data):
        rules.overrun(position, len(data))
    if qos:
        rules.packet_id(packet_id)
    return Publish(topic, data[position:], qos, bool(flags & 0x01), dup, packet_id)


def _subscribe(body: _Body, rules: CodecRules) -> Subscribe:
    packet_id = body.packet_id()
    filters = []
    while body.left:
        topic_filter = _filter(body, rules)
        qos = body.byte()
        rules.requested_qos(qos)
        filters.append((topic_filter, qos))
    rules.subscribe_filters(len(filters))
    return Subscribe(packet_id, tuple(filters))


def _unsubscribe(body: _Body, rules: CodecRules) -> Unsubscribe:
    packet_id = body.packet_id()
    filters = []
    while body.left:
        filters.append(_filter(body, rules))
    rules.unsubscribe_filters(len(filters))
    return Unsubscribe(packet_id, tuple(filters))


def _filter(body: _Body, rules: CodecRules) -> str:
    topic_filter = body.text()
    rules.topic_empty(topic_filter)
    rules.filter_wildcards(topic_filter)
    return topic_filter


_BODIES: dict[int, Callable[[_Body, CodecRules], FromClient]] = {
    PacketType.CONNECT: _connect,
    PacketType.SUBSCRIBE: _subscribe,
    PacketType.UNSUBSCRIBE: _unsubscribe,
}
_BY_ID: dict[int, type[Puback | Pubrec | Pubrel | Pubcomp]] = {
    PacketType.PUBACK: Puback,
    PacketType.PUBREC: Pubrec,
    PacketType.PUBREL: Pubrel,
    PacketType.PUBCOMP: Pubcomp,
}
_FROM_CLIENT = {PacketType.PUBLISH, PacketType.PINGREQ, PacketType.DISCONNECT, *_BODIES, *_BY_ID}
_BARE: dict[int, type[Pingreq | Disconnect]] = {
    PacketType.PINGREQ: Pingreq,
    PacketType.DISCONNECT: Disconnect,
}
