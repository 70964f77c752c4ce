"""What devices say in a play: the packets of each action, in the pieces in which they are sent."""

from collections.abc import Callable
from typing import Final

from conformance.explore import wire
from conformance.explore.actions import Action
from conformance.explore.corpus import BAD_PATCHES, BREAKS, STRAYS
from conformance.explore.model_messages import chosen
from conformance.explore.model_methods import NOTHING, wrong_id
from conformance.explore.model_twins import request_id
from conformance.explore.stage import Stage, Wire
from conformance.explore.state import DEVICEBOUND, State
from conformance.explore.subscribing import filters_of
from conformance.mqtt.device import Device
from conformance.mqtt.fields import Will

GET_BODIES: Final = {"empty": b"", "space": b" ", "object": b"{}"}
# What an answer says that no caller may get.
WRONG: Final = b'"wrong"'
WILL_SIZE: Final = 40

Saying = Callable[[Action, Device, Wire], bytes]


class Sayings:
    """Makes the packets of actions. The state is the model's, which has planned the action."""

    def __init__(self, stage: Stage, state: State) -> None:
        self._stage = stage
        self._state = state
        self._sayings: dict[str, Saying] = {
            "publish": self._publish,
            "burst": self._burst,
            "trespass": self._trespass,
            "publish-twice-over": lambda each, own, one: _plain(one, own.topics.events, each.id, qos=2),
            "ping": self._ping,
            "break": self._break,
            "subscribe": self._subscribe,
            "renew": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "stray": self._stray,
            "acknowledge": self._acknowledge,
            "await-again": lambda _each, _own, _one: b"",
            "get": self._get,
            "report": self._report,
            "misreport": self._misreport,
            "report-for": self._report_for,
            "answer": self._answer,
            "misanswer": lambda each, _own, _one: _respond(
                wrong_id(self._state.calls[each["call"]].request_id, each["how"])
            ),
            "meddle": self._answer_wrongly,
            "answer-late": self._answer_wrongly,
        }

    def pieces(self, action: Action, one: Wire) -> list[bytes]:
        """Return what is written, write by write."""
        data = self._sayings[action.verb](action, self._stage.devices[action.who], one)
        return [piece for piece in wire.cut(data, action.arguments.get("cut", "whole")) if piece]

    def will(self, action: Action) -> Will | None:
        """Return the Will that an action says."""
        if action["will"] == "none":
            return None
        return Will(
            topic=wire.events_topic(self._stage.devices[action.who].topics.events, action["bag"]),
            payload=wire.body_of(f"{action.id}w", WILL_SIZE),
            qos=int(action["will"][0]),
            retain=action["will"].endswith("r"),
        )

    # -- telemetry

    def _publish(self, action: Action, own: Device, one: Wire) -> bytes:
        qos = int(action["qos"])
        return wire.publish(
            wire.events_topic(own.topics.events, action["bag"]),
            wire.body_of(action.id, int(action["size"])),
            qos=qos,
            packet_id=one.heard.next_id(action.id) if qos else 0,
            retain=action.flag("retain"),
            dup=action.flag("dup"),
        )

    def _burst(self, action: Action, own: Device, one: Wire) -> bytes:
        one.heard.pings = 0
        data = b""
        for place, item in enumerate(action["items"].split(","), 1):
            number = f"{action.id}.{place}"
            if item == "ping":
                data += wire.PINGREQ
            elif item == "unsubscribe":
                data += wire.unsubscribe(one.heard.next_id(number), [wire.FILTERS["methods"]])
            elif item == "get":
                data += wire.publish(wire.GET + request_id(number, "dash"), b"")
            else:
                data += _plain(one, own.topics.events, number, qos=int(item[-1]))
        return data

    def _trespass(self, action: Action, _own: Device, one: Wire) -> bytes:
        topic = self._stage.devices[action["other"]].topics.events
        return _plain(one, topic, action.id, qos=int(action["qos"]))

    def _ping(self, action: Action, _own: Device, one: Wire) -> bytes:
        one.heard.pings = 0
        return wire.PINGREQ * int(action["count"])

    def _break(self, action: Action, own: Device, _one: Wire) -> bytes:
        events = own.topics.events
        of_its_own: dict[str, Callable[[], bytes]] = {
            "hash-in-topic": lambda: wire.publish(f"{events}k=#", wire.body_of(action.id, 0)),
            "plus-in-topic": lambda: wire.publish(f"{events}k=+", wire.body_of(action.id, 0)),
            "qos-3": lambda: wire.publish(events, wire.body_of(action.id, 0), qos=3, packet_id=1),
            "second-connect": own.connect_packet,
        }
        return BREAKS[action["what"]][0] or of_its_own[action["what"]]()

    # -- subscriptions and messages

    def _subscribe(self, action: Action, own: Device, one: Wire) -> bytes:
        filters = [(_filter(own, name), qos) for name, qos in filters_of(action["filters"])]
        return wire.subscribe(one.heard.next_id(action.id), filters)

    def _unsubscribe(self, action: Action, own: Device, one: Wire) -> bytes:
        filters = [_filter(own, name) for name in action["filters"].split(",")]
        return wire.unsubscribe(one.heard.next_id(action.id), filters)

    def _stray(self, action: Action, own: Device, one: Wire) -> bytes:
        other = self._stage.devices[action["other"]]
        text = STRAYS[action["filter"]][0].format(own=own.path, other=other.path)
        return wire.subscribe(one.heard.next_id(action.id), [(text, int(action["qos"]))])

    def _acknowledge(self, action: Action, _own: Device, one: Wire) -> bytes:
        # The model holds what is acknowledged until it has learned what came of it.
        link = self._state.people[action.who].link
        numbers = [] if link is None else chosen(link, action["which"])
        return b"".join(wire.puback(one.heard.held[number]) for number in numbers)

    # -- twins and methods

    def _get(self, action: Action, _own: Device, one: Wire) -> bytes:
        topic = wire.GET + request_id(action.id, action["form"])
        return _request(one, action, topic, GET_BODIES[action["payload"]], int(action["qos"]))

    def _report(self, action: Action, _own: Device, one: Wire) -> bytes:
        return _request(one, action, wire.REPORT + action.id, action["patch"].encode(), int(action["qos"]))

    def _misreport(self, action: Action, _own: Device, one: Wire) -> bytes:
        return _request(one, action, wire.REPORT + action.id, BAD_PATCHES[action["what"]].body.encode(), 0)

    def _report_for(self, action: Action, _own: Device, one: Wire) -> bytes:
        version = self._state.people[action.who].twin.reported_version or 0
        version -= action["version"] == "stale"
        topic = f"{wire.REPORT}{action.id}&$version={version}"
        return _request(one, action, topic, action["patch"].encode(), 0)

    def _answer(self, action: Action, _own: Device, one: Wire) -> bytes:
        rid = self._state.calls[action["call"]].request_id
        body = b"" if action["payload"] == NOTHING else action["payload"].encode()
        topic = f"{wire.RESPONSES}{action['status']}/?$rid={rid}"
        return _request(one, action, topic, body, int(action["qos"]))

    def _answer_wrongly(self, action: Action, _own: Device, _one: Wire) -> bytes:
        return _respond(self._state.calls[action["call"]].request_id)


def _filter(own: Device, name: str) -> str:
    return own.topics.devicebound if name == DEVICEBOUND else wire.FILTERS[name]


def _plain(one: Wire, topic: str, number: str, *, qos: int) -> bytes:
    packet_id = one.heard.next_id(number) if qos else 0
    return wire.publish(topic, wire.body_of(number, 0), qos=qos, packet_id=packet_id)


def _request(one: Wire, action: Action, topic: str, body: bytes, qos: int) -> bytes:
    packet_id = one.heard.next_id(action.id) if qos else 0
    return wire.publish(topic, body, qos=qos, packet_id=packet_id)


def _respond(rid: str) -> bytes:
    return wire.publish(f"{wire.RESPONSES}200/?$rid={rid}", WRONG)
