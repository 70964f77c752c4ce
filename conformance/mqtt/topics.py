"""The topics of a hub's own messages, and the requests that some of them answer. Pure.

Document: #receiving-cloud-to-device-messages and the sections on twins and direct methods behind it.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

_DEVICEBOUND: Final = re.compile(r"devices/(?P<device>[^/]+)/messages/devicebound/(?P<bag>.*)", re.DOTALL)
# A request id may hold "&", so the version is looked for at the end.
_ANSWER: Final = re.compile(
    r"\$iothub/twin/res/(?P<status>[^/]*)/\?\$rid=(?P<id>.*?)(&\$version=[0-9]+)?", re.DOTALL
)
_DESIRED: Final = re.compile(r"\$iothub/twin/PATCH/properties/desired/\?\$version=[0-9]+")
_METHOD: Final = re.compile(r"\$iothub/methods/POST/[^/]+/\?\$rid=.+", re.DOTALL)
_REQUEST: Final = re.compile(r"\$iothub/twin/(GET|PATCH/properties/reported)/(\?(?P<rest>.*))?", re.DOTALL)

_ADDRESS: Final = re.compile(r"/?devices/(?P<device>[^/]+)/messages/devicebound/?", re.IGNORECASE)

# The statuses of the document's two tables and of its example; of the 500s it says "5**".
_STATUSES: Final = frozenset({200, 204, 400, 429, *range(500, 600)})


@dataclass(frozen=True, slots=True)
class Devicebound:
    """``devices/{device}/messages/devicebound/{bag}``."""

    device: str
    bag: str

    @property
    def addressees(self) -> tuple[str, ...]:
        """Each device that the topic names: in its own level, and in the property ``$.to`` if that is there.

        Percent escapes are undone. A ``$.to`` that is no address of a device names nobody.
        """
        named = [unquote(self.device)]
        for pair in self.bag.removeprefix("?").split("&"):
            name, _, value = pair.partition("=")
            address = _ADDRESS.fullmatch(unquote(value)) if unquote(name) == "$.to" else None
            if address is not None:
                named.append(unquote(address["device"]))
        return tuple(named)


@dataclass(frozen=True, slots=True)
class TwinAnswer:
    """``$iothub/twin/res/{status}/?$rid={request_id}``, perhaps with ``&$version={number}`` behind."""

    status: str
    request_id: str

    @property
    def is_whole_number(self) -> bool:
        """Whether the status is one."""
        return re.fullmatch(r"[0-9]+", self.status) is not None

    @property
    def is_known(self) -> bool:
        """Whether the document names the status."""
        return self.is_whole_number and int(self.status) in _STATUSES


@dataclass(frozen=True, slots=True)
class DesiredChange:
    """``$iothub/twin/PATCH/properties/desired/?$version={number}``."""


@dataclass(frozen=True, slots=True)
class MethodRequest:
    """``$iothub/methods/POST/{name}/?$rid={request id}``."""


HubTopic = Devicebound | TwinAnswer | DesiredChange | MethodRequest


def parse(topic: str) -> HubTopic | None:
    """Return what the topic of a message from the hub says; None: the document knows no such topic."""
    # [MQTT-3.3.2-2]: a topic name holds no wildcard, wherever it stands.
    if "#" in topic or "+" in topic:
        return None
    if found := _DEVICEBOUND.fullmatch(topic):
        return Devicebound(found["device"], found["bag"])
    if found := _ANSWER.fullmatch(topic):
        return TwinAnswer(found["status"], found["id"])
    if _DESIRED.fullmatch(topic):
        return DesiredChange()
    return MethodRequest() if _METHOD.fullmatch(topic) else None


def echoes(topic: str) -> frozenset[str] | None:
    """Return every request id that an answer to this twin request may bear; None: it is no twin request.

    Verbatim or with its percent escapes undone (twin.request-id-forms); one that holds an ampersand may also
    end there. A request without an id can only be answered with an empty one.
    """
    found = _REQUEST.fullmatch(topic)
    if found is None:
        return None
    _, _, written = (found["rest"] or "").partition("$rid=")
    forms = {written, written.partition("&")[0]}
    return frozenset(forms | {unquote(form) for form in forms})


def matches(topic_filter: str, topic: str) -> bool:
    """Tell whether a topic falls under a filter. MQTT 3.1.1, 4.7."""
    levels, names = topic_filter.split("/"), topic.split("/")
    # [MQTT-4.7.2-1]: a wildcard in front does not match a topic that begins with $.
    if topic.startswith("$") and levels[0] in {"#", "+"}:
        return False
    for position, level in enumerate(levels):
        if level == "#":
            return True
        if position >= len(names) or level not in {"+", names[position]}:
            return False
    return len(levels) == len(names)
