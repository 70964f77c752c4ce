"""The property bag of a message, as its topic carries it: read where the hub sent it, written where we do.

Document: #receiving-cloud-to-device-messages and #sending-device-to-cloud-messages. Names and values are
URL-encoded; the names of system properties begin with a dollar sign, which may itself be encoded, all but
``iothub-ack``. Pure.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from conformance.mqtt.packets import Publish

_END_OF_PATH: Final = "/messages/devicebound"
# The one system property whose name has no dollar sign: the wish for feedback, which hubs add unasked.
_ACK: Final = "iothub-ack"


@dataclass(frozen=True)
class Bag:
    """Properties by their decoded names, the sender's own apart from the system's.

    A value is None where there is no equals sign.
    """

    application: dict[str, str | None]
    system: dict[str, str | None]

    @property
    def names(self) -> set[str]:
        """All names."""
        return self.application.keys() | self.system.keys()


def path_of(message: Publish) -> str:
    """Return the topic without its bag: up to the slash behind ``devicebound``, that one included."""
    return message.topic.removesuffix(_after_path(message.topic))


def bag_of(message: Publish) -> Bag:
    """Return the properties in the topic.

    A question mark in front is passed over: newer examples print one. A plus sign is a plus sign.
    """
    bag = Bag({}, {})
    text = _after_path(message.topic).removeprefix("?")
    for pair in text.split("&") if text else ():
        name, equals, value = pair.partition("=")
        decoded = unquote(name)
        properties = bag.system if decoded.startswith("$") or decoded == _ACK else bag.application
        properties[decoded] = unquote(value) if equals else None
    return bag


def as_needed(text: str) -> str:
    """Percent-encode all but the unreserved characters, as SDKs do."""
    return quote(text, safe="")


def every_byte(text: str) -> str:
    """Percent-encode each byte of UTF-8, letters and digits too: they mean the same (RFC 3986, 2.3)."""
    return "".join(f"%{byte:02X}" for byte in text.encode())


def in_small_hexadecimal(text: str) -> str:
    """Percent-encode as needed, with hexadecimal digits in small letters."""
    return re.sub("%..", lambda found: found[0].lower(), as_needed(text))


def written(properties: Mapping[str, str], escape: Callable[[str], str] = as_needed) -> str:
    """Return a bag of these properties."""
    return "&".join(f"{escape(name)}={escape(value)}" for name, value in properties.items())


def _after_path(topic: str) -> str:
    return topic.partition(_END_OF_PATH)[2].removeprefix("/")
