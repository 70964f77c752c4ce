"""From packets to bytes, for what a hub sends."""

from iothub_emulator.hub.packets import (
    Connack,
    FromServer,
    PacketType,
    Pingresp,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Unsuback,
)


def encode(packet: FromServer) -> bytes:  # noqa: PLR0911 - one line for each packet type
    """Return the bytes of a packet."""
    match packet:
        case Puback(packet_id):
            return b"\x40\x02" + packet_id.to_bytes(2)
        case Pingresp():
            return b"\xd0\x00"
        case Publish():
            return _publish(packet)
        case Connack(session_present, code):
            return bytes((0x20, 0x02, session_present, code))
        case Suback(packet_id, codes):
            return frame(PacketType.SUBACK, 0, packet_id.to_bytes(2) + bytes(codes))
        case Unsuback(packet_id):
            return b"\xb0\x02" + packet_id.to_bytes(2)
        case Pubrec(packet_id):
            return b"\x50\x02" + packet_id.to_bytes(2)
        case Pubrel(packet_id):
            return b"\x62\x02" + packet_id.to_bytes(2)
        case Pubcomp(packet_id):
            return b"\x70\x02" + packet_id.to_bytes(2)


def frame(packet_type: int, flags: int, body: bytes) -> bytes:
    """Return a packet of any type around `body`."""
    return bytes((packet_type << 4 | flags,)) + remaining_length(len(body)) + body


def remaining_length(length: int) -> bytes:
    """Encode a remaining length, seven bits a byte, the lowest first (MQTT 3.1.1, 2.2.3)."""
    encoded = bytearray()
    while True:
        length, seven = divmod(length, 128)
        encoded.append(seven | 0x80 if length else seven)
        if not length:
            return bytes(encoded)


def _publish(packet: Publish) -> bytes:
    topic = packet.topic.encode()
    body = len(topic).to_bytes(2) + topic
    if packet.qos:
        body += packet.packet_id.to_bytes(2)
    return frame(PacketType.PUBLISH, packet.dup << 3 | packet.qos << 1 | packet.retain, body + packet.payload)
