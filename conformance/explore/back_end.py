"""The back end's part of a play: what it sends, changes, calls and reads, and what it is told."""

import contextlib
import json
import time
from collections.abc import Sequence
from typing import Any, Final

from conformance.backend import Service
from conformance.backend.methods import NOTHING, MethodCall, MethodResult
from conformance.backend.twins import Twin
from conformance.errors import Violation
from conformance.explore.actions import Action
from conformance.explore.corpus import BAD_CHANGES, PROPERTIES
from conformance.explore.expectations import BACK_END, Event
from conformance.explore.model_methods import NOTHING as NO_PAYLOAD
from conformance.explore.model_methods import method_of
from conformance.explore.stage import IN_TIME, Stage, Wire
from conformance.explore.state import State
from conformance.explore.wire import body_of, publish, telemetry_event
from conformance.mqtt.device import Device
from conformance.target.credentials import Identity

_DEVICE_ANSWERED: Final = "status "
# A call that is answered later in its scenario waits for so many reactions of the hub.
PATIENCE: Final = 4


class BackEnd:
    """Does what actions of the back end say. Raises ServiceError where the hub does not serve it."""

    def __init__(self, stage: Stage, service: Service, state: State) -> None:
        self._stage = stage
        self._service = service
        self._state = state
        self._calls: dict[str, MethodCall] = {}
        self._called: dict[str, float] = {}
        self._allowed = PATIENCE * stage.target.timeouts.reaction

    def perform(self, action: Action) -> list[Event]:
        """Do it; return what the back end was told."""
        return {
            "send": self._send,
            "send-asking": self._send_asking,
            "send-stale": self._send_stale,
            "purge": self._purge,
            "desire": self._change,
            "replace": self._change,
            "tag": self._change,
            "misdesire": self._misdesire,
            "read": lambda each: [self.read(each.who, each.id)],
            "call": self._call,
            "lapse": self._call,
            "disable": self._set_status,
            "enable": self._set_status,
            "rekey": self._rekey,
            "delete": self._delete,
            "create": self._create,
        }[action.verb](action)

    # -- messages

    def _send(self, action: Action) -> list[Event]:
        properties = PROPERTIES[action["properties"]]
        fields: dict[str, Any] = dict(properties.system)
        if properties.application:
            fields["properties"] = dict(properties.application)
        body = body_of(action.id, int(action["size"]))
        outcome = self._service.c2d.attempt_to_send(self._device(action), body, **fields)
        return [Event(BACK_END, "sent", action.id, {"outcome": outcome})]

    def _send_asking(self, action: Action) -> list[Event]:
        device, body = self._device(action), body_of(action.id, int(action["size"]))
        outcome = self._service.c2d.attempt_to_send(
            device,
            body,
            message_id=f"{device.id}-{action.id}",
            ack=action["ack"],  # type: ignore[arg-type] # one of its words
        )
        return [Event(BACK_END, "sent", action.id, {"outcome": outcome})]

    def _send_stale(self, action: Action) -> list[Event]:
        self._service.c2d.send_and_outlive(self._device(action), body_of(action.id, int(action["size"])))
        return [Event(BACK_END, "sent", action.id, {"outcome": "accepted"})]

    def feedback(self, due: Sequence[str]) -> list[Event]:
        """Return what senders have heard of their messages, once it has come of these numbers, or in time."""
        asked = {
            f"{self._stage.devices[person.name].id}-{message.number}": message.number
            for person in self._state.people.values()
            for message in person.queue
            if message.ack
        }
        for message_id, number in asked.items():
            if number in due:
                with contextlib.suppress(Violation):  # what is missing is told by the comparison
                    self._service.feedback.expect(message_id)
        return [
            Event(BACK_END, "feedback", asked[record.message_id], {"status": record.status})
            for record in self._service.feedback.received
            if record.message_id in asked
        ]

    def _purge(self, action: Action) -> list[Event]:
        self._service.c2d.purge(self._device(action))
        return [Event(BACK_END, "purged", action.id)]

    # -- twins

    def _change(self, action: Action) -> list[Event]:
        device, twins = self._device(action), self._service.twins
        if action.verb == "replace":
            # A replacement takes the tags away that it does not name.
            tags = self._state.people[action.who].twin.tags
            twin = twins.replace(device, desired=json.loads(action["document"]), tags=tags)
        elif action.verb == "tag":
            twin = twins.patch(device, tags=json.loads(action["patch"]))
        else:
            twin = twins.patch(device, desired=json.loads(action["patch"]))
        return [Event(BACK_END, "changed", action.id, _values(twin))]

    def _misdesire(self, action: Action) -> list[Event]:
        change = BAD_CHANGES[action["what"]]
        status = self._service.twins.attempt_to_patch(self._device(action), desired=change)
        return [Event(BACK_END, "refused", action.id, {"status": status})]

    def read(self, who: str, key: str) -> Event:
        """Read a twin."""
        return Event(BACK_END, "twin", key, _values(self._service.twins.get(self._stage.devices[who])))

    # -- methods

    def _call(self, action: Action) -> list[Event]:
        lapses = action.verb == "lapse"
        payload = NO_PAYLOAD if lapses else action["payload"]
        self._calls[action.id] = self._service.methods.begin(
            self._device(action),
            method_of(action.id, "plain" if lapses else action["name"]),
            NOTHING if payload == NO_PAYLOAD else json.loads(payload),
            response_timeout=self._stage.target.timing["method-timeout"] if lapses else self._allowed,
        )
        self._called[action.id] = time.monotonic()
        return []

    def overdue(self) -> list[str]:
        """Return the calls that may time out before more is done: where a hub is far away, or slow."""
        now = time.monotonic()
        return [number for number, began in self._called.items() if now - began > IN_TIME * self._allowed]

    def results(self, wait_for: str = "", within: float = 0.0) -> list[Event]:
        """Return what callers were told since the last time; wait for one of them for so many seconds."""
        if wait_for in self._calls and not self._calls[wait_for].is_over():
            self._calls[wait_for].outcome_within(within)
        over = {number: call for number, call in self._calls.items() if call.is_over()}
        for number in over:
            del self._calls[number]
        return [_result(number, call) for number, call in over.items()]

    # -- identities

    def _set_status(self, action: Action) -> list[Event]:
        device = self._device(action)
        status = "disabled" if action.verb == "disable" else "enabled"
        if self._state.people[action.who].cast.credential == "authority":
            self._service.registry.use_authority(device.id, status=status)  # type: ignore[arg-type] # one of two words
        elif device.certificate is None or device.spare_certificate is None:
            self._service.registry.set_status(device.id, status)  # type: ignore[arg-type] # likewise
        else:
            prints = device.certificate.thumbprint(), device.spare_certificate.thumbprint()
            self._service.registry.use_certificates(device.id, *prints, status=status)  # type: ignore[arg-type] # likewise
        return []

    def _rekey(self, action: Action) -> list[Event]:
        self._give_keys(action.who, self._service.registry.replace_keys(self._device(action).id))
        return []

    def _delete(self, action: Action) -> list[Event]:
        self._service.registry.delete([self._device(action).id])
        return []

    def _create(self, action: Action) -> list[Event]:
        (identity,) = self._service.registry.create([self._device(action).id])
        self._give_keys(action.who, identity)
        return []

    def _give_keys(self, who: str, identity: Identity) -> None:
        device = self._stage.devices[who]
        self._stage.old_keys[who] = device.primary_key
        device.primary_key, device.secondary_key = identity.primary_key, identity.secondary_key

    def _device(self, action: Action) -> Device:
        return self._stage.devices[action.who]

    # -- telemetry

    def arrived(self, who: str, within: float = 0.0) -> list[Event]:
        """Return the next message of somebody that reached the back end, if there is one in time."""
        message = self._stage.bench.telemetry.poll(self._stage.devices[who], within)
        return [] if message is None else [telemetry_event(message, self._stage.names)]

    def until_fence(self, who: str, over: Wire | None) -> list[Event]:
        """Return all of somebody's messages that reached the back end before one that is sent now.

        It is sent over this connection, or a new one. Raises StageFailed if it does not get through itself.
        """
        device = self._stage.devices[who]
        publisher = None if over is None else _Publisher(device, over)
        came = self._stage.bench.telemetry.until_fence(device, over=publisher)
        return [telemetry_event(message, self._stage.names) for message in came]


class _Publisher:
    """A connection of literal bytes, as one that publishes."""

    def __init__(self, device: Device, wire: Wire) -> None:
        self._device = device
        self._wire = wire

    @property
    def device(self) -> Device:
        """Who publishes."""
        return self._device

    def send(self, topic: str, payload: bytes = b"", *, qos: int = 0) -> None:
        """Send a PUBLISH with QoS 0, the only one that is asked for."""
        self._wire.raw.send(publish(topic, payload, qos=qos))

    def disconnect(self) -> None:
        """Leave the connection as it is: a fence ends none that it was given."""


def _values(twin: Twin) -> dict[str, object]:
    return {
        "desired": dict(twin.desired.values),
        "desired version": twin.desired.version,
        "reported": dict(twin.reported.values),
        "reported version": twin.reported.version,
        "tags": dict(twin.tags),
        "model": twin.model_id or "",
    }


def _result(number: str, call: MethodCall) -> Event:
    try:
        outcome = call.outcome()
    except Violation as violation:
        return Event(BACK_END, "result", number, {"outcome": violation.observed})
    values: dict[str, object] = {"outcome": outcome}
    if outcome.startswith(_DEVICE_ANSWERED):
        result: MethodResult = call.result()
        values["payload"] = {"json": result.payload} if result.payload_in_words != "absent" else {}
    return Event(BACK_END, "result", number, values)
