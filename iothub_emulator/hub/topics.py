"""Topic names and filters as the document has them."""

import re
from dataclasses import dataclass

from iothub_emulator.hub.filters import names
from iothub_emulator.hub.method_rules import REQUESTS_FILTER
from iothub_emulator.hub.twin_rules import ANSWERS_FILTER, DESIRED_FILTER

_EVENTS = re.compile(r"devices/([^/]+)/(?:modules/([^/]+)/)?messages/events(?:/(.*))?", re.DOTALL)

_DEVICEBOUND_FILTER = re.compile(r"devices/([^/]+)/messages/devicebound/#", re.DOTALL)
_MODULE_FILTER = re.compile(r"devices/([^/]+)/modules/([^/]+)/(?:inputs/)?#", re.DOTALL)

# The document's filters besides the device's own devicebound filter.
_COMMON_FILTERS = frozenset({ANSWERS_FILTER, DESIRED_FILTER, REQUESTS_FILTER})


@dataclass(frozen=True, slots=True)
class Events:
    """`devices/{device}[/modules/{module}]/messages/events/{bag}`; ids as written, the bag as sent."""

    device: str
    bag: str
    module: str | None = None


def parse_name(topic: str) -> Events | None:
    """Return what a topic name says, or None where the document has no such name.

    d2c.no-slash, unspecified: `.../messages/events` without its slash is taken as the same topic, as the
    EdgeHub templates do.
    """
    found = _EVENTS.fullmatch(topic)
    return Events(found[1], found[3] or "", found[2]) if found else None


def is_documented_filter(topic_filter: str, identity_key: str) -> bool:
    """Tell whether the documents name this filter for this identity, `{device}` or `{device}/{module}`.

    Microsoft's newer page has `devices/{device}/modules/{module}/#`, SDKs its `inputs/#`; messages come there
    on an Edge hub only.
    """
    if topic_filter in _COMMON_FILTERS:
        return True
    device_id, slash, module_id = identity_key.partition("/")
    if not slash:
        found = _DEVICEBOUND_FILTER.fullmatch(topic_filter)
        return found is not None and names(found[1], device_id)
    found = _MODULE_FILTER.fullmatch(topic_filter)
    return found is not None and names(found[1], device_id) and names(found[2], module_id)
