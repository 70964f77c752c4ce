"""Packets in words: a line for the transcript, and the short stable word of an outcome."""

from typing import Final

from conformance.mqtt.decoder import BEHIND
from conformance.mqtt.packets import (
    Connack,
    Connect,
    Disconnect,
    Packet,
    Publish,
    Suback,
    Subscribe,
    Unreadable,
    Unsubscribe,
)

REDACTED: Final = "(redacted)"

PREVIEW_CHARACTERS: Final = 200
PREVIEW_BYTES: Final = 16

# A SUBSCRIBE of the suite has fewer filters.
MOST_CODES: Final = 100

# First byte and at most four bytes of length: what may be shown of a CONNECT that cannot be read.
FIXED_HEADER: Final = 5
CONNECT_TYPE: Final = 1


def cut(text: str, longest: int) -> str:
    """Return a text, or the beginning of one that is longer, with a word about how long it is."""
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text)} characters)"


def word(packet: Packet) -> str:
    """Return the outcome that this packet is: ``puback``, ``connack 5``, ``suback 0 128``, ``unreadable``."""
    match packet:
        case Connack(code=code):
            return f"connack {code}"
        case Suback(codes=codes):
            more = [f"… ({len(codes)} codes)"] if len(codes) > MOST_CODES else []
            return " ".join(["suback", *map(str, codes[:MOST_CODES]), *more])
        case Disconnect(reason=int(reason)):
            return f"disconnect {reason}"
        case _:
            return type(packet).__name__.lower()


def word_with_id(packet: Packet) -> str:
    """Return the word with the packet id behind the name: ``puback 7``, ``suback 4660 1 0``."""
    if not hasattr(packet, "packet_id"):
        return word(packet)
    name, *rest = word(packet).split(" ")
    return " ".join([name, str(packet.packet_id), *rest])


def describe(packet: Packet) -> str:
    """Return the packet as one line: its name, then its fields, then a look at its payload."""
    name = type(packet).__name__.upper()
    match packet:
        case Connect():
            fields = _connect(packet)
        case Connack(session_present, code, properties):
            outcome = "accepted" if code == 0 else f"refused with code {code}"
            more = "" if properties is None else f", {len(properties)} bytes of properties"
            fields = f"{outcome}, session_present={session_present}{more}"
        case Publish():
            fields = _publish(packet)
        case Subscribe(packet_id, pairs):
            fields = f"packet={packet_id} " + ", ".join(f"{_text(item)} qos={qos}" for item, qos in pairs)
        case Suback(packet_id, codes):
            fields = f"packet={packet_id} codes={' '.join(map(str, codes))}"
        case Unsubscribe(packet_id, filters):
            fields = f"packet={packet_id} " + ", ".join(map(_text, filters))
        case Disconnect(reason):
            fields = "" if reason is None else f"reason={reason}"
        case Unreadable(reason, data):
            fields = f"({reason}; {_size(data)}){_glimpse(packet)}"
        case _:
            fields = f"packet={packet.packet_id}" if hasattr(packet, "packet_id") else ""
    return f"{name:<8} {fields}".rstrip()


def open_bytes(packet: Packet, data: bytes) -> bytes:
    """Return the bytes of a packet that may be shown as such: none behind which a password can be.

    Of a CONNECT they end with the client id. What is unreadable has its first bytes in its line.
    """
    if isinstance(packet, Unreadable):
        return b""
    if isinstance(packet, Connect):
        name = packet.client_id.encode()
        return data[: max(data.find(name) + len(name), FIXED_HEADER)]
    return data


def preview(payload: bytes) -> str:
    """Return the beginning of a payload, quoted where it is text, in hexadecimal where it is not."""
    text = payload[: 4 * PREVIEW_CHARACTERS].decode(errors="replace")
    if text.isprintable() and "\N{REPLACEMENT CHARACTER}" not in text[:PREVIEW_CHARACTERS]:
        shown, more = text[:PREVIEW_CHARACTERS], len(text) > PREVIEW_CHARACTERS
        return f'"{shown}…"' if more else f'"{shown}"'
    return payload[:PREVIEW_BYTES].hex(" ") + (" …" if len(payload) > PREVIEW_BYTES else "")


def _connect(packet: Connect) -> str:
    fields = [f"client={_text(packet.client_id)}", f"clean={int(packet.clean_session)}"]
    if (packet.protocol, packet.level) != ("MQTT", 4):
        fields.insert(0, f"protocol={_text(packet.protocol)} level={packet.level}")
    fields.append(f"keep-alive={packet.keep_alive}")
    if packet.username is not None:
        fields.append(f"user={_text(packet.username)}")
    if packet.has_password:
        fields.append(f"password={REDACTED}")
    if packet.will is not None:
        will = packet.will
        fields.append(f"will=({_flags(will.qos, will.retain)} {_text(will.topic)} {_size(will.payload)})")
    return " ".join(fields)


def _publish(packet: Publish) -> str:
    fields = _flags(packet.qos, packet.retain, dup=packet.dup)
    if packet.qos:
        fields += f" packet={packet.packet_id}"
    payload = f" {preview(packet.payload)}" if packet.payload else ""
    return f"{fields} {_text(packet.topic)} ({_size(packet.payload)}){payload}"


def _flags(qos: int, retain: bool, *, dup: bool = False) -> str:
    return f"qos={qos}" + (" retain=1" if retain else "") + (" dup=1" if dup else "")


def _size(data: bytes) -> str:
    return "1 byte" if len(data) == 1 else f"{len(data)} bytes"


def _text(text: str) -> str:
    return text if text.isprintable() and text else repr(text)


def _glimpse(packet: Unreadable) -> str:
    """Show the first bytes, but never of a place where a password can be."""
    if packet.reason == BEHIND or not packet.data:
        return ""
    shown = FIXED_HEADER if packet.data[0] >> 4 == CONNECT_TYPE else PREVIEW_BYTES
    return " " + packet.data[:shown].hex(" ") + (" …" if len(packet.data) > shown else "")
