"""Arguments of a CONNECT that are more than a text: a Will, and fields that are left out."""

import enum
from dataclasses import dataclass
from typing import Final


class Absent(enum.Enum):
    """A field that is left out of CONNECT, where None would mean the device's own."""

    USERNAME = enum.auto()
    PASSWORD = enum.auto()


NO_USERNAME: Final = Absent.USERNAME
NO_PASSWORD: Final = Absent.PASSWORD


@dataclass(frozen=True, kw_only=True)
class Will:
    """The message that the hub shall send if the connection ends without DISCONNECT."""

    topic: str
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
