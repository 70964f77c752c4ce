"""PUBLISH to `$iothub/…`: requests to a twin, and responses to direct methods."""

from iothub_emulator.hub import json_text
from iothub_emulator.hub.effects import Answer, AnswerOther, Effect, Notify, Reported, Send
from iothub_emulator.hub.method_rules import MethodResponse
from iothub_emulator.hub.outbox import Outbox
from iothub_emulator.hub.packets import Publish
from iothub_emulator.hub.refusals import error_body, invalid
from iothub_emulator.hub.rulebook import Rulebook
from iothub_emulator.hub.state import HubState
from iothub_emulator.hub.throttle import Kind
from iothub_emulator.hub.twin_requests import TwinAnswer, answer
from iothub_emulator.hub.twin_rules import ANY_ANSWER, TwinRequest


class Breach(Exception):  # noqa: N818 - an answer, not a malfunction
    """A packet that ends the connection. Its text is a clause id."""


class DeviceRequests:
    """Those of one connection: each is carried out as its packet comes."""

    def __init__(
        self,
        state: HubState,
        rules: Rulebook,
        identity_key: str,
        outbox: Outbox,
        api_version: str | None,
    ) -> None:
        self._api_version = api_version
        self._state = state
        self._rules = rules
        self._identity_key = identity_key
        self._outbox = outbox
        self._count = 0

    def receive(self, packet: Publish, now: float) -> list[Effect] | None:
        """Return what a packet leads to, None if its topic is none of these; raise `Breach` if it closes."""
        request = self._rules.twins.parse_request(packet.topic)
        if request is not None:
            return self._twin(request, packet, now)
        response = self._rules.methods.parse_response(packet.topic)
        if response is not None:
            return self._response(response, packet)
        return None

    def _twin(self, request: TwinRequest, packet: Publish, now: float) -> list[Effect]:
        twins = self._rules.twins
        acknowledgement = self._acknowledgement(packet)
        if not twins.is_request_id(request.request_id):
            match twins.on_missing_request_id():
                case "close":
                    raise Breach("twin.no-request-id")
                case "ignore":
                    return acknowledgement
                case "refuse":
                    missing = invalid("$rid is missing in the topic.")
                    refusal = error_body(missing, now, self._tracking_id(now))
                    topic = twins.answer_topic(missing.code.status, "", None)
                    return [*acknowledgement, *self._outbox.answered(topic, json_text.dump(refusal))]
        if not twins.serves(subscribed=self._outbox.hears(ANY_ANSWER)):
            return acknowledgement
        owner = twins.twin_of(self._identity_key)
        before = self._state.twin(owner, now)
        answered = answer(
            request,
            packet.payload,
            before,
            twins,
            now=now,
            tracking_id=self._tracking_id(now),
            throttled=not self._is_admitted(request, now),
            has_api_version=self._api_version is not None,
        )
        self._state.twins[owner] = answered.twin
        effects = [*acknowledgement, *self._answers(request, answered)]
        if answered.twin is not before and self._rules.events.tells_of("twin"):
            effects.append(Reported(owner, answered.change))
        if answered.change.notification is not None:
            effects.append(Notify(owner, answered.change.notification))
        return effects

    def _answers(self, request: TwinRequest, answered: TwinAnswer) -> list[Effect]:
        effects: list[Effect] = []
        for recipient in self._rules.twins.answer_recipients(self._identity_key, request.request_id or ""):
            if recipient == self._identity_key:
                effects += self._outbox.answered(answered.topic, answered.payload)
            else:
                effects.append(AnswerOther(recipient, answered.topic, answered.payload))
        return effects

    def _is_admitted(self, request: TwinRequest, now: float) -> bool:
        """twin.throttled: reads and updates have throttles of their own."""
        kind: Kind = "twin-reads" if request.operation == "get" else "twin-updates"
        return self._state.throttles.admits(kind, self._identity_key, self._rules.throttle, now)

    def _response(self, response: MethodResponse, packet: Publish) -> list[Effect]:
        methods = self._rules.methods
        acknowledgement = self._acknowledgement(packet)
        if not methods.accepts_payload(len(packet.payload)):
            if methods.on_large_response() == "close":
                raise Breach("methods.response-body")
            return acknowledgement
        if methods.status(response.status) is None and methods.on_bad_status() == "close":
            raise Breach("methods.status-integer")
        calls = self._state.method_calls(self._identity_key)
        if methods.on_unwanted_response() == "close" and not calls.awaits(response):
            raise Breach("methods.late-answer")
        answered = calls.responded(response, packet.payload)
        return acknowledgement if answered is None else [*acknowledgement, Answer(answered)]

    def _acknowledgement(self, packet: Publish) -> list[Effect]:
        """twin.request-qos, methods.response-qos: QoS 1 has its PUBACK besides."""
        return [Send(puback) for puback in self._rules.publish.acknowledge(packet)]

    def _tracking_id(self, now: float) -> str:
        self._count += 1
        return f"{int(now * 1_000_000):x}-{self._count:x}"
