"""The property bag of a message to a device, as its topic carries it.

Document: #receiving-cloud-to-device-messages. Names and values are URL-encoded; the names of system
properties begin with a dollar sign, which may itself be encoded, all but ``iothub-ack``. Pure.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

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


def _after_path(topic: str) -> str:
    return topic.partition(_END_OF_PATH)[2].removeprefix("/")
