"""What a client sends, as bytes: the tests have an encoder of their own for it."""

from iothub_emulator.hub.packets import (
    Connect,
    Disconnect,
    Pingreq,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Subscribe,
    Unsubscribe,
)
from iothub_emulator.mqtt.encoder import frame

PINGREQ = b"\xc0\x00"
PINGRESP = b"\xd0\x00"
DISCONNECT = b"\xe0\x00"


def field(data):
    """Two bytes of length, then text or bytes."""
    data = data.encode() if isinstance(data, str) else data
    return len(data).to_bytes(2) + data


def client_bytes(packet):  # noqa: C901, PLR0911 - one line for each packet type
    """Return a client's packet as MQTT 3.1.1 writes it."""
    match packet:
        case Connect():
            return frame(1, 0, _connect_body(packet))
        case Publish(topic, payload, qos, retain, dup, packet_id):
            packet_id = packet_id.to_bytes(2) if qos else b""
            return frame(3, dup << 3 | qos << 1 | retain, field(topic) + packet_id + payload)
        case Puback(packet_id):
            return frame(4, 0, packet_id.to_bytes(2))
        case Pubrec(packet_id):
            return frame(5, 0, packet_id.to_bytes(2))
        case Pubrel(packet_id):
            return frame(6, 2, packet_id.to_bytes(2))
        case Pubcomp(packet_id):
            return frame(7, 0, packet_id.to_bytes(2))
        case Subscribe(packet_id, filters):
            wanted = b"".join(field(name) + bytes((qos,)) for name, qos in filters)
            return frame(8, 2, packet_id.to_bytes(2) + wanted)
        case Unsubscribe(packet_id, filters):
            return frame(10, 2, packet_id.to_bytes(2) + b"".join(field(name) for name in filters))
        case Pingreq():
            return PINGREQ
        case Disconnect():
            return DISCONNECT


def published(flags, body):
    """Return the PUBLISH of a server that has these flags and this body."""
    length = int.from_bytes(body[:2])
    topic, rest = body[2 : 2 + length].decode(), body[2 + length :]
    qos = flags >> 1 & 3
    packet_id = int.from_bytes(rest[:2]) if qos else 0
    return Publish(topic, rest[2:] if qos else rest, qos, bool(flags & 1), bool(flags & 8), packet_id)


def _connect_body(packet):
    flags = packet.clean_session << 1
    payload = field(packet.client_id)
    if packet.will:
        flags |= 0x04 | packet.will.qos << 3 | packet.will.retain << 5
        payload += field(packet.will.topic) + field(packet.will.payload)
    if packet.username is not None:
        flags |= 0x80
        payload += field(packet.username)
    if packet.password is not None:
        flags |= 0x40
        payload += field(packet.password)
    head = field(packet.protocol_name) + bytes((packet.protocol_level, flags))
    return head + packet.keep_alive.to_bytes(2) + payload
