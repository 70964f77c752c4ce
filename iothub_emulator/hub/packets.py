"""MQTT 3.1.1 control packets as values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Will:
    """The message that CONNECT leaves with the hub."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


@dataclass(frozen=True, slots=True)
class Connect:
    """CONNECT. For a protocol other than MQTT 3.1 and 3.1.1 only name and level are known."""

    protocol_name: str
    protocol_level: int
    clean_session: bool = True
    keep_alive: int = 0
    """Seconds; 0 turns it off."""
    client_id: str = ""
    will: Will | None = None
    username: str | None = None
    password: bytes | None = None


@dataclass(frozen=True, slots=True)
class Connack:
    """CONNACK; code 0 is acceptance."""

    session_present: int
    code: int


@dataclass(frozen=True, slots=True)
class Publish:
    """PUBLISH; `packet_id` is 0 where QoS is 0."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    dup: bool = False
    packet_id: int = 0


@dataclass(frozen=True, slots=True)
class Puback:
    """PUBACK."""

    packet_id: int


@dataclass(frozen=True, slots=True)
class Pubrec:
    """PUBREC."""

    packet_id: int


@dataclass(frozen=True, slots=True)
class Pubrel:
    """PUBREL."""

    packet_id: int


@dataclass(frozen=True, slots=True)
class Pubcomp:
    """PUBCOMP."""

    packet_id: int


@dataclass(frozen=True, slots=True)
class Subscribe:
    """SUBSCRIBE: filters with the QoS asked for, in the packet's order."""

    packet_id: int
    filters: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Suback:
    """SUBACK: granted QoS or 0x80, in the order of the filters."""

    packet_id: int
    codes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """UNSUBSCRIBE."""

    packet_id: int
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unsuback:
    """UNSUBACK."""

    packet_id: int


@dataclass(frozen=True, slots=True)
class Pingreq:
    """PINGREQ."""


@dataclass(frozen=True, slots=True)
class Pingresp:
    """PINGRESP."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """DISCONNECT."""


FromClient = (
    Connect | Publish | Puback | Pubrec | Pubrel | Pubcomp | Subscribe | Unsubscribe | Pingreq | Disconnect
)
"""What a client may send."""

FromServer = Connack | Publish | Puback | Pubrec | Pubrel | Pubcomp | Suback | Unsuback | Pingresp
"""What a server may send. This hub takes no part in QoS 2, unless a replaced rule makes it."""


class PacketType:
    """The four bits that open a packet (MQTT 3.1.1, table 2.1)."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
