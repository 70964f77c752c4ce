"""Topic filters by MQTT's own rules: what a filter matches, and if it can match what the hub sends somebody.

`+` stands for one level and `#` for all that are left, none included [MQTT-4.7.1-2, -3]; neither stands for a
first level that begins with `$` [MQTT-4.7.2-1].
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from iothub_emulator.hub.method_rules import METHOD_NAME

Level = str | re.Pattern[str] | Callable[[str], bool]
"""What one level of a topic can be: this text, whatever matches whole, or whatever is accepted."""

_ANY = re.compile(r"[^+#]*", re.DOTALL)
_STATUS = re.compile(r"[245][0-9]{2}", re.ASCII)
_REQUEST_ID = re.compile(r"\?\$rid=[^+#]*", re.DOTALL)
_VERSION = re.compile(r"\?\$version=[0-9]+", re.ASCII)
# Every message says whom it is to, and its slashes are percent-encoded: a bag is one level.
_BAG = re.compile(r"(?:[^+#]*&)?%24\.to=[^+#]*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Form:
    """The topics of one kind of message, level by level."""

    levels: tuple[Level, ...]
    is_open: bool = False
    """More levels may follow the last one: a request id may hold slashes."""


def forms(identity_key: str) -> tuple[Form, ...]:
    """Return all kinds of topic that the hub sends to an identity, `{device}` or `{device}/{module}`."""
    device_id, slash, module_id = identity_key.partition("/")
    device = _named(device_id)
    messages = (
        # Messages come there on an Edge hub only; the page of today documents the filter for every hub.
        Form(("devices", device, "modules", _named(module_id), "inputs", _ANY, _ANY))
        if slash
        else Form(("devices", device, "messages", "devicebound", _BAG))
    )
    return (
        messages,
        Form(("$iothub", "twin", "res", _STATUS, _REQUEST_ID), is_open=True),
        Form(("$iothub", "twin", "PATCH", "properties", "desired", _VERSION)),
        Form(("$iothub", "methods", "POST", METHOD_NAME, _REQUEST_ID)),
    )


def can_match(topic_filter: str, form: Form) -> bool:
    """Tell whether a filter matches any topic of this form."""
    wanted = topic_filter.split("/")
    if form.levels[0] == "$iothub" and wanted[0] in {"#", "+"}:
        return False
    for number, level in enumerate(wanted):
        if level == "#" and number == len(wanted) - 1:
            # `a/#` matches `a` as well: one level fewer than there are is enough.
            return number <= len(form.levels) or form.is_open
        if number >= len(form.levels):
            if not form.is_open:
                return False
            continue
        if level != "+" and not _is(level, form.levels[number]):
            return False
    return len(wanted) >= len(form.levels)


def matches(topic_filter: str, topic: str) -> bool:
    """Tell whether a filter matches a topic name."""
    if topic[:1] == "$" and topic_filter[:1] in {"#", "+"}:
        return False
    wanted, given = topic_filter.split("/"), topic.split("/")
    for number, level in enumerate(wanted):
        if level == "#" and number == len(wanted) - 1:
            return len(given) >= number
        if number >= len(given) or level not in {"+", given[number]}:
            return False
    return len(wanted) == len(given)


def names(segment: str, name: str) -> bool:
    """Tell whether a level names a device or module: as it is, to the letter.

    d2c.encoded-id, c2d.encoded-id: percent-encoded it is another's (azure-iot-sdk-python issue 693,
    azure-docs issue 16302; a header of azure-sdk-for-c says otherwise). unspecified: an id with `+` or
    `#`, which no topic name can hold as they are, is named by its encoded form.
    """
    return segment == name or (printed(name) != name and unquote(segment) == name)


def printed(name: str) -> str:
    """Return a device's or module's id as a level of a topic name: as it is, but for `+` and `#`.

    [MQTT-3.3.2-2] No topic name holds them; ids may. unspecified: how a hub writes such an id.
    """
    return name.replace("+", "%2B").replace("#", "%23")


def plain(topic_filter: str, identity_key: str) -> str:
    """Return a filter with the subscriber's own ids as the hub writes them, where they hold `+` or `#`."""
    if printed(identity_key) == identity_key:
        return topic_filter
    levels = topic_filter.split("/")
    device_id, _, module_id = identity_key.partition("/")
    for number, name in ((1, device_id), (3, module_id)):
        if levels[0] == "devices" and number < len(levels) and name and names(levels[number], name):
            levels[number] = printed(name)
    return "/".join(levels)


def _named(name: str) -> Level:
    return lambda segment: names(segment, name)


def _is(text: str, level: Level) -> bool:
    if isinstance(level, str):
        return text == level
    return level.fullmatch(text) is not None if isinstance(level, re.Pattern) else level(text)
