"""Topic names and filters as the document has them."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

_EVENTS = re.compile(r"devices/([^/]+)/messages/events(?:/(.*))?", re.DOTALL)

# The document's filters besides the device's own devicebound filter.
_COMMON_FILTERS = frozenset(
    {"$iothub/twin/res/#", "$iothub/twin/PATCH/properties/desired/#", "$iothub/methods/POST/#"}
)


@dataclass(frozen=True, slots=True)
class Events:
    """`devices/{device}/messages/events/{bag}`; the device as written, the bag as sent."""

    device: str
    bag: str


def parse_name(topic: str) -> Events | None:
    """Return what a topic name says, or None where the document has no such name.

    d2c.no-slash, unspecified: `.../messages/events` without its slash is taken as the same topic, as the
    EdgeHub templates do.
    """
    found = _EVENTS.fullmatch(topic)
    return Events(found[1], found[2] or "") if found else None


def is_documented_filter(topic_filter: str, device_id: str) -> bool:
    """Tell whether the document names this filter for this device."""
    if topic_filter in _COMMON_FILTERS:
        return True
    prefix, device, rest = topic_filter[:8], *_split_device(topic_filter[8:])
    return prefix == "devices/" and names(device, device_id) and rest == "messages/devicebound/#"


def names(segment: str, device_id: str) -> bool:
    """Tell whether a topic segment names the device, plainly or percent-encoded as SDKs write it."""
    return segment == device_id or ("%" in segment and unquote(segment) == device_id)


def _split_device(text: str) -> tuple[str, str]:
    device, _, rest = text.partition("/")
    return device, rest
