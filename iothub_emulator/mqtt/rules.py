"""Each check on a packet, and what leaves for each packet sent.

A check returns nothing or raises `Malformed` with the rule's number; without the check the decoder reads on
as well as it can. MQTT 3.1.1 [MQTT-4.8.0-1]: whatever is malformed closes the connection.
"""

from iothub_emulator.hub.packets import FromServer, PacketType
from iothub_emulator.mqtt import encoder
from iothub_emulator.settings import Settings

# MQTT 3.1.1, table 2.2: the only flags a packet other than PUBLISH may carry, with the rule that says so.
_FLAGS = {
    PacketType.CONNECT: (0, "[MQTT-2.2.2-2]"),
    PacketType.PUBACK: (0, "[MQTT-2.2.2-2]"),
    PacketType.PUBREC: (0, "[MQTT-2.2.2-2]"),
    PacketType.PUBREL: (2, "[MQTT-3.6.1-1]"),
    PacketType.PUBCOMP: (0, "[MQTT-2.2.2-2]"),
    PacketType.SUBSCRIBE: (2, "[MQTT-3.8.1-1]"),
    PacketType.UNSUBSCRIBE: (2, "[MQTT-3.10.1-1]"),
    PacketType.PINGREQ: (0, "[MQTT-2.2.2-2]"),
    PacketType.DISCONNECT: (0, "[MQTT-3.14.1-1]"),
}

_SERVER_ONLY = {PacketType.CONNACK, PacketType.SUBACK, PacketType.UNSUBACK, PacketType.PINGRESP}

_HIGHEST_QOS = 2
_LONGEST_REMAINING_LENGTH = 4

# Above the largest message there is room for a topic of 65,535 bytes, or for a SUBSCRIBE of many filters.
_OVERHEAD = 6 * 65_537
# A Will's topic and payload of 65,535 bytes each; ClientId, Username and Password are far shorter.
_LARGEST_CONNECT = 2 * 65_537 + 16_384


class Malformed(Exception):  # noqa: N818 - a fact about the bytes
    """Bytes that are no MQTT 3.1.1 packet from a client. The text opens with the rule's number."""


class CodecRules:
    """Each check of the decoder, and the way out."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    # Fixed header

    def packet_type(self, packet_type: int) -> None:
        """packets.malformed: types 0 and 15 are reserved."""
        if not PacketType.CONNECT <= packet_type <= PacketType.DISCONNECT:
            raise Malformed(f"[MQTT-4.8.0-1] packet type {packet_type} is reserved")

    def client_packet(self, packet_type: int) -> None:
        """packets.malformed: CONNACK, SUBACK, UNSUBACK and PINGRESP are a server's."""
        if packet_type in _SERVER_ONLY:
            raise Malformed(f"[MQTT-4.8.0-1] packet type {packet_type} is sent by servers only")

    def flags(self, packet_type: int, flags: int) -> None:
        """packets.malformed: the flags of every packet but PUBLISH are fixed."""
        wanted, rule = _FLAGS[packet_type]
        if flags != wanted:
            raise Malformed(f"{rule} packet type {packet_type} with flags {flags:#x}")

    def remaining_length(self, data: bytes | bytearray, start: int) -> tuple[int, int] | None:
        """packets.lengths: return the length and where the body begins, or None while bytes are missing."""
        if start < len(data) and (byte := data[start]) < 0x80:  # noqa: PLR2004 - no continuation bit
            return byte, start + 1
        length = 0
        for index in range(_LONGEST_REMAINING_LENGTH):
            if start + index >= len(data):
                return None
            byte = data[start + index]
            length |= (byte & 0x7F) << 7 * index
            if byte < 0x80:  # noqa: PLR2004 - the continuation bit
                return length, start + index + 1
        return self.fifth_length_byte(length, start + _LONGEST_REMAINING_LENGTH)

    def fifth_length_byte(self, length: int, end: int) -> tuple[int, int]:
        """packets.malformed: a remaining length has at most four bytes."""
        raise Malformed(f"[MQTT-4.8.0-1] remaining length of more than four bytes ({length} up to {end})")

    def packet_size(self, length: int, *, is_first: bool) -> None:
        """d2c.too-large: a packet that no message of legal size needs is not even read.

        Nor is a first packet that no CONNECT of a hub's needs: until then nobody knows who sends it.
        """
        if length > (_LARGEST_CONNECT if is_first else self.settings.max_message_bytes + _OVERHEAD):
            raise Malformed(f"[MQTT-4.8.0-1] packet of {length} bytes, larger than any message may be")

    def waits_for_rest(self) -> bool:
        """packets.split: the bytes of an incomplete packet are kept until the rest comes."""
        return True

    # Bodies

    def overrun(self, wanted: int, left: int) -> None:
        """packets.malformed: a field's length stays inside the packet."""
        raise Malformed(f"[MQTT-4.8.0-1] a field of {wanted} bytes in a packet with {left} left")

    def underrun(self, left: int) -> None:
        """packets.malformed: a packet ends where its fields end."""
        if left:
            raise Malformed(f"[MQTT-4.8.0-1] {left} bytes behind the last field")

    def text(self, data: bytes) -> str:
        """packets.utf-8, packets.malformed-soft: text is well-formed UTF-8."""
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise Malformed("[MQTT-1.5.3-1] ill-formed UTF-8") from None

    def no_null(self, text: str) -> None:
        """packets.utf-8, packets.malformed-soft: text holds no U+0000."""
        if "\0" in text:
            raise Malformed("[MQTT-1.5.3-2] U+0000 in text")

    def packet_id(self, packet_id: int) -> None:
        """packets.malformed-soft: a packet id is not 0."""
        if packet_id == 0:
            raise Malformed("[MQTT-2.3.1-1] packet id 0")

    # PUBLISH

    def publish_qos(self, qos: int) -> None:
        """packets.malformed: QoS is 0, 1 or 2."""
        if qos > _HIGHEST_QOS:
            raise Malformed("[MQTT-3.3.1-4] PUBLISH with QoS 3")

    def publish_dup(self, qos: int, *, dup: bool) -> None:
        """packets.malformed-soft: DUP is 0 where QoS is 0."""
        if dup and qos == 0:
            raise Malformed("[MQTT-3.3.1-2] DUP with QoS 0")

    def topic_wildcard(self, topic: str) -> None:
        """connection.errors-close: a topic name holds no wildcard."""
        if "+" in topic or "#" in topic:
            raise Malformed("[MQTT-3.3.2-2] wildcard in a topic name")

    def topic_empty(self, topic: str) -> None:
        """packets.malformed-soft: a topic name or filter has at least one character."""
        if not topic:
            raise Malformed("[MQTT-4.7.3-1] empty topic")

    # CONNECT

    def connect_reserved(self, flag: int) -> None:
        """packets.malformed: the lowest of the connect flags is 0."""
        if flag:
            raise Malformed("[MQTT-3.1.2-3] reserved connect flag set")

    def will_qos(self, qos: int) -> None:
        """packets.malformed: Will QoS is 0, 1 or 2."""
        if qos > _HIGHEST_QOS:
            raise Malformed("[MQTT-3.1.2-14] Will QoS 3")

    def will_bits(self, qos: int, *, retain: bool) -> None:
        """packets.malformed: without the Will flag, Will QoS and Will RETAIN are 0."""
        if qos:
            raise Malformed("[MQTT-3.1.2-13] Will QoS without Will flag")
        if retain:
            raise Malformed("[MQTT-3.1.2-15] Will RETAIN without Will flag")

    def password_needs_username(self, *, username: bool, password: bool) -> None:
        """packets.malformed: without a Username there is no Password."""
        if password and not username:
            raise Malformed("[MQTT-3.1.2-22] Password without Username")

    # SUBSCRIBE and UNSUBSCRIBE

    def subscribe_filters(self, count: int) -> None:
        """packets.malformed: SUBSCRIBE has at least one filter."""
        if not count:
            raise Malformed("[MQTT-3.8.3-3] SUBSCRIBE without a filter")

    def unsubscribe_filters(self, count: int) -> None:
        """packets.malformed: UNSUBSCRIBE has at least one filter."""
        if not count:
            raise Malformed("[MQTT-3.10.3-2] UNSUBSCRIBE without a filter")

    def requested_qos(self, options: int) -> None:
        """packets.malformed: a requested QoS is 0, 1 or 2, and the six bits above it are 0."""
        if options > _HIGHEST_QOS:
            raise Malformed(f"[MQTT-3-8.3-4] requested QoS {options:#x}")

    def filter_wildcards(self, topic_filter: str) -> None:
        """topics.ill-formed-filters: `#` stands alone in the last level, `+` alone in its level."""
        levels = topic_filter.split("/")
        for number, level in enumerate(levels, 1):
            if "#" in level and (level != "#" or number != len(levels)):
                raise Malformed("[MQTT-4.7.1-2] # inside a topic filter")
            if "+" in level and level != "+":
                raise Malformed("[MQTT-4.7.1-3] + beside other characters")

    # The way out

    def outgoing(self, packet: FromServer) -> bytes:
        """watch.ids, .connack, .flags, .qos, .server-only; connection.ping: each packet as decided, once."""
        return encoder.encode(packet)
