"""Arguments of an attempt that are more than a text: a Will, and what is left out."""

import enum
from dataclasses import dataclass
from typing import Final


class Absent(enum.Enum):
    """What an attempt goes without, where None would mean the device's own."""

    USERNAME = enum.auto()
    PASSWORD = enum.auto()
    CERTIFICATE = enum.auto()


NO_USERNAME: Final = Absent.USERNAME
NO_PASSWORD: Final = Absent.PASSWORD
NO_CERTIFICATE: Final = Absent.CERTIFICATE


@dataclass(frozen=True, kw_only=True)
class Will:
    """The message that the hub shall send if the connection ends without DISCONNECT."""

    topic: str
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
