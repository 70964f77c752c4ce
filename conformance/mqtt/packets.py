"""MQTT packets as values: those of MQTT 3.1.1, and what a server of MQTT 5 adds to CONNACK and DISCONNECT.

A password never enters a value: `Connect` says only whether there was one.
"""

from dataclasses import dataclass
from typing import Final

PINGREQ: Final = b"\xc0\x00"
DISCONNECT: Final = b"\xe0\x00"


@dataclass(frozen=True, slots=True)
class Will:
    """The message that a CONNECT leaves with the server."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


@dataclass(frozen=True, slots=True)
class Connect:
    """CONNECT; `keep_alive` in seconds, `level` 4 is MQTT 3.1.1."""

    protocol: str
    level: int
    clean_session: bool
    keep_alive: int
    client_id: str
    will: Will | None
    username: str | None
    has_password: bool


@dataclass(frozen=True, slots=True)
class Connack:
    """CONNACK; `session_present` is the whole byte of flags, `code` 0 is accepted.

    `properties` are the bytes behind the code, which only MQTT 5 has; None where there are none.
    """

    session_present: int
    code: int
    properties: bytes | None = None


@dataclass(frozen=True, slots=True)
class Publish:
    """PUBLISH; `packet_id` is 0 with QoS 0, which carries none."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    dup: bool = False
    packet_id: int = 0


@dataclass(frozen=True, slots=True)
class Puback:
    """PUBACK: the answer to QoS 1."""

    packet_id: int


@dataclass(frozen=True, slots=True)
class Pubrec:
    """PUBREC: the first answer to QoS 2."""

    packet_id: int


@dataclass(frozen=True, slots=True)
class Pubrel:
    """PUBREL: the sender's second packet of QoS 2."""

    packet_id: int


@dataclass(frozen=True, slots=True)
class Pubcomp:
    """PUBCOMP: the last packet of QoS 2."""

    packet_id: int


@dataclass(frozen=True, slots=True)
class Subscribe:
    """SUBSCRIBE; pairs of filter and requested QoS."""

    packet_id: int
    filters: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Suback:
    """SUBACK; one code for each filter: the granted QoS, or 128 for a failure."""

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
    """DISCONNECT; `reason` only where MQTT 5 gives one."""

    reason: int | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Bytes that are no MQTT packet, and why. `data` is all of them, from the first byte of the packet."""

    reason: str
    data: bytes


Packet = (
    Connect
    | Connack
    | Publish
    | Puback
    | Pubrec
    | Pubrel
    | Pubcomp
    | Subscribe
    | Suback
    | Unsubscribe
    | Unsuback
    | Pingreq
    | Pingresp
    | Disconnect
    | Unreadable
)
