"""Packets as literal bytes, for what a well-behaved client would not send.

A test writes the first byte and the fields of a packet; only lengths are computed here. Nothing is checked:
a wrong packet is the point. MQTT 3.1.1, sections 2.2 (fixed header), 1.5.3 (strings), 3.1 (CONNECT).
"""

from typing import Protocol

from conformance.mqtt.fields import Absent, Will
from conformance.target.credentials import Secret


class Speaker(Protocol):
    """Who a CONNECT speaks for."""

    @property
    def id(self) -> str:
        """The device id."""

    @property
    def username(self) -> str:
        """The Username with which the device is let in."""

    def token(self) -> Secret:
        """Return a Password with which the device is let in."""


def packet(first_byte: int, *fields: bytes) -> bytes:
    """Return a packet: its first byte (type and flags), the remaining length, and the fields."""
    body = b"".join(fields)
    return bytes([first_byte]) + remaining_length(len(body)) + body


def remaining_length(length: int) -> bytes:
    """Return the length in the seven-bit groups of section 2.2.3, lowest group first."""
    groups = bytearray()
    while True:
        length, group = divmod(length, 0x80)
        groups.append(group | (0x80 if length else 0))
        if not length:
            return bytes(groups)


def text(value: str | bytes) -> bytes:
    """Return a string field: two bytes of length, then UTF-8, or the very bytes given."""
    data = value.encode() if isinstance(value, str) else value
    return len(data).to_bytes(2, "big") + data


def connect(
    device: Speaker,
    *,
    protocol: str = "MQTT",
    level: int = 4,
    flags: int | None = None,
    clean_session: bool = True,
    keep_alive: int = 60,
    properties: bytes = b"",
    client_id: str | None = None,
    username: bool = True,
    password: Secret | Absent | None = None,
    will: Will | None = None,
) -> bytes:
    """Return the CONNECT of a device, let in as it stands; each argument changes one thing in it.

    `flags` replaces the connect flags, whatever the fields behind them are; `properties` stand where MQTT 5
    has them; `username=False` leaves that field out, as an absent `password` does.
    """
    right_password = device.token() if password is None else password
    right_flags = (0x80 if username else 0) | (0x02 if clean_session else 0)
    right_flags |= 0 if isinstance(right_password, Absent) else 0x40
    if will is not None:
        right_flags |= 0x04 | will.qos << 3 | (0x20 if will.retain else 0)
    return packet(
        0x10,
        text(protocol),
        bytes([level, right_flags if flags is None else flags]),
        keep_alive.to_bytes(2, "big"),
        properties,
        text(device.id if client_id is None else client_id),
        b"" if will is None else text(will.topic) + text(will.payload),
        text(device.username) if username else b"",
        b"" if isinstance(right_password, Absent) else text(right_password.reveal()),
    )
