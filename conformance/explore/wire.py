"""Between a scenario's words and the bytes of MQTT: packets to send, and what packets that came say. Pure."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from conformance.backend.telemetry import Telemetry
from conformance.explore.corpus import BAGS
from conformance.explore.expectations import BACK_END, Event
from conformance.explore.model_twins import nulls_in
from conformance.explore.state import ANSWERS, DESIRED, DEVICEBOUND, METHODS
from conformance.mqtt.bag import bag_of
from conformance.mqtt.packets import Packet, Pingresp, Puback, Publish, Suback, Unsuback
from conformance.mqtt.raw_packets import packet, text
from conformance.mqtt.topics import Devicebound, TwinAnswer, parse

FILTERS: Final = {
    ANSWERS: "$iothub/twin/res/#",
    DESIRED: "$iothub/twin/PATCH/properties/desired/#",
    METHODS: "$iothub/methods/POST/#",
}
GET: Final = "$iothub/twin/GET/?$rid="
REPORT: Final = "$iothub/twin/PATCH/properties/reported/?$rid="
RESPONSES: Final = "$iothub/methods/res/"
PINGREQ: Final = b"\xc0\x00"
DISCONNECT: Final = b"\xe0\x00"
# A body is its action's number, a bar, and every byte there is, again and again.
_BAR: Final = b"|"
_FILLING: Final = bytes(range(256))
RETAINED: Final = ("mqtt-retain", "x-opt-retain")
MARK: Final = "iothub-MessageType"
# In which annotations the hub names the model and the component of a sender.
MODEL: Final = "dt-dataschema"
SUBJECT: Final = "dt-subject"


def body_of(number: str, size: int) -> bytes:
    """Return the body that an action's number names, of so many bytes, or as few as the number takes."""
    beginning = number.encode() + _BAR
    left = max(size - len(beginning), 0)
    return beginning + (_FILLING * (left // len(_FILLING) + 1))[:left]


def number_in(body: bytes) -> str:
    """Return the number that a body begins with, or nothing."""
    number, bar, _ = body[:16].partition(_BAR)
    return number.decode("ascii", "replace") if bar else ""


def publish(
    topic: str, body: bytes, *, qos: int = 0, packet_id: int = 0, retain: bool = False, dup: bool = False
) -> bytes:
    """Return a PUBLISH. MQTT 3.1.1, 3.3."""
    flags = 0x30 | (8 if dup else 0) | qos << 1 | (1 if retain else 0)
    return packet(flags, text(topic), packet_id.to_bytes(2, "big") if qos else b"", body)


def subscribe(packet_id: int, filters: Sequence[tuple[str, int]]) -> bytes:
    """Return a SUBSCRIBE. MQTT 3.1.1, 3.8."""
    wanted = b"".join(text(name) + bytes([qos]) for name, qos in filters)
    return packet(0x82, packet_id.to_bytes(2, "big"), wanted)


def unsubscribe(packet_id: int, filters: Sequence[str]) -> bytes:
    """Return an UNSUBSCRIBE. MQTT 3.1.1, 3.10."""
    return packet(0xA2, packet_id.to_bytes(2, "big"), *map(text, filters))


def puback(packet_id: int) -> bytes:
    """Return a PUBACK. MQTT 3.1.1, 3.4."""
    return packet(0x40, packet_id.to_bytes(2, "big"))


def cut(data: bytes, how: str) -> list[bytes]:
    """Cut bytes into the pieces in which they are sent."""
    match how:
        case "bytes" if len(data) <= MOST_PIECES:
            return [data[place : place + 1] for place in range(len(data))]
        case "bytes":
            head = [data[place : place + 1] for place in range(MOST_PIECES)]
            return [*head, data[MOST_PIECES:]]
        case "halves":
            return [data[: len(data) // 2], data[len(data) // 2 :]]
        case "thirds":
            third = max(len(data) // 3, 1)
            return [data[:third], data[third : 2 * third], data[2 * third :]]
        case "header":
            return [data[:1], data[1:2], data[2:]]
        case _:
            return [data]


# A write each is slow, and says nothing more behind the first so many.
MOST_PIECES: Final = 300


@dataclass
class Heard:
    """What one connection's packets say. `names` maps ids of this run to the scenario's names."""

    label: str
    names: Mapping[str, str]
    awaited: dict[int, str] = field(default_factory=dict)
    """Which action's number an acknowledgement with this packet id answers."""
    pings: int = 0
    held: dict[str, int] = field(default_factory=dict)
    """The packet id with which a message came last."""
    _last_id: int = 0

    def next_id(self, number: str) -> int:
        """Return a packet id for an action's packet."""
        self._last_id += 1
        self.awaited[self._last_id] = number
        return self._last_id

    def events(self, packets: Sequence[Packet]) -> list[Event]:
        """Return what these packets say."""
        return [event for each in packets for event in self._said(each)]

    def _said(self, came: Packet) -> list[Event]:
        match came:
            case Puback(packet_id):
                return [Event(self.label, "puback", self.awaited.get(packet_id, f"id {packet_id}"))]
            case Suback(packet_id, codes):
                values: dict[str, object] = {f"code {n}": code for n, code in enumerate(codes, 1)}
                number = self.awaited.get(packet_id, f"id {packet_id}")
                return [Event(self.label, "suback", number, {"count": len(codes), **values})]
            case Unsuback(packet_id):
                return [Event(self.label, "unsuback", self.awaited.get(packet_id, f"id {packet_id}"))]
            case Pingresp():
                self.pings += 1
                return [Event(self.label, "pingresp", str(self.pings))]
            case Publish():
                return self._message(came)
            case _:
                return []

    def _message(self, came: Publish) -> list[Event]:
        match parse(came.topic):
            case Devicebound(device=device):
                return [self._devicebound(came, device)]
            case TwinAnswer(status=status, request_id=request_id):
                return [Event(self.label, "answer", request_id, _answer(came, status, request_id))]
            case _ if came.topic.startswith("$iothub/twin/PATCH/properties/desired/"):
                return [_change(self.label, came)]
            case _ if came.topic.startswith("$iothub/methods/POST/"):
                return [_request(self.label, came)]
            case _:
                # The watch knows what to make of it; a body of ours tells whose it is.
                number = number_in(came.payload)
                return [Event(self.label, "message", number)] if number else []

    def _devicebound(self, came: Publish, device: str) -> Event:
        number = number_in(came.payload)
        if came.qos:
            self.held[number] = came.packet_id
        bag = bag_of(came)
        properties = {name: self._named(value) for name, value in {**bag.application, **bag.system}.items()}
        right = came.payload == body_of(number, len(came.payload))
        values = {
            "addressee": self.names.get(unquote(device), unquote(device)),
            "body": number if right else "other bytes",
            "size": len(came.payload),
            "retain": came.retain,
            "qos": came.qos,
            "properties": properties,
            "names": dict.fromkeys(properties, True),
        }
        return Event(self.label, "message", number or "?", values)

    def _named(self, value: str | None) -> str | None:
        """Return a value in which a scenario's name stands for this run's, as in the id of a message."""
        for own, name in self.names.items():
            if value is not None and value.startswith(f"{own}-"):
                return f"{name}{value.removeprefix(own)}"
        return value


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _members(section: object) -> dict[str, Any]:
    """Return the members of a section that are a user's own."""
    if not isinstance(section, dict):
        return {}
    return {name: value for name, value in section.items() if not name.startswith("$")}


def _answer(came: Publish, status: str, request_id: str) -> dict[str, object]:
    values: dict[str, object] = {"status": status, "request id": request_id}
    _, version, number = came.topic.rpartition("&$version=")
    if version and number.isdecimal():
        values["version"] = int(number)
    document = _json(came.payload)
    for name in ("desired", "reported"):
        if isinstance(document, dict) and isinstance(document.get(name), dict):
            values[name] = _members(document[name])
            values[f"{name} version"] = document[name].get("$version")
    return values


def _change(label: str, came: Publish) -> Event:
    number = came.topic.rpartition("$version=")[2]
    document = _json(came.payload)
    members = _members(document)
    values = {
        "members": members,
        "nulls": nulls_in(members),
        "version": int(number) if number.isdecimal() else number,
        "version in body": document.get("$version") if isinstance(document, dict) else None,
    }
    return Event(label, "desired", number, values)


def _request(label: str, came: Publish) -> Event:
    method, _, rest = came.topic.removeprefix("$iothub/methods/POST/").partition("/")
    body: dict[str, object] = {"json": _json(came.payload)} if came.payload else {}
    values = {"request id": rest.rpartition("$rid=")[2], "body": body, "name": method}
    number = _LAST_NUMBER.search(method)
    return Event(label, "request", number[0] if number else method, values)


# A method's name ends with the number of the action that calls it.
_LAST_NUMBER: Final = re.compile(r"[0-9]+\Z", re.ASCII)


def telemetry_event(message: Telemetry, names: Mapping[str, str]) -> Event:
    """Return what a message says that reached the back end."""
    number = number_in(message.body)
    properties = dict(message.properties)
    retain = [name for name in RETAINED if name in properties]
    right = message.body == body_of(number, len(message.body))
    values: dict[str, object] = {
        "sender": names.get(message.sender, message.sender),
        "body": number if right else "other bytes",
        "size": len(message.body),
        "properties": properties,
        "system": dict(message.system),
        "source": message.source,
        "scope": message.auth.get("scope"),
        "type": message.auth.get("type"),
        "model": message.annotations.get(MODEL),
        "component": message.annotations.get(SUBJECT),
    }
    if retain:
        values["retain"] = " and ".join(retain)
    if MARK in properties:
        values["mark"] = properties[MARK]
    return Event(BACK_END, "telemetry", number or "?", values)


def events_topic(topic: str, bag: str) -> str:
    """Return the topic of telemetry with a property bag."""
    return topic + BAGS[bag].text


Writer = Callable[[bytes], None]
__all__ = ["DEVICEBOUND", "FILTERS", "Heard", "body_of", "cut", "publish", "telemetry_event"]
