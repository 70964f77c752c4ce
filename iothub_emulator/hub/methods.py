"""The direct methods of one device or module: calls that wait for it, calls that it works on.

A call is answered once: by the device's response, or by `Refused` when its time is over. Nothing here reads a
clock: `now`, unix seconds, comes with each call of this object, and its owner calls `advance` at
`next_deadline()`. `Caller` is whatever the owner knows a caller by.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from iothub_emulator.hub.method_rules import MethodCall, MethodResponse, MethodResult, MethodRules
from iothub_emulator.hub.service_errors import Refused

Caller = TypeVar("Caller")

Reach = Callable[[str], int | None]
"""Returns the QoS of the subscription for the topic of a request; None: the device takes none there."""


def _nobody(_topic: str) -> int | None:
    return None


@dataclass(frozen=True, slots=True)
class MethodRequest:
    """A message to be sent to the device."""

    topic: str
    payload: bytes
    qos: int


@dataclass(frozen=True, slots=True)
class Answered(Generic[Caller]):
    """A call has come to its end."""

    caller: Caller
    outcome: MethodResult | Refused


@dataclass(frozen=True, slots=True)
class _Call(Generic[Caller]):
    call: MethodCall
    caller: Caller
    deadline: float


class MethodCalls(Generic[Caller]):
    """All calls of one device or module that are not answered yet."""

    def __init__(self, rules: Callable[[], MethodRules]) -> None:
        self._rules_now = rules
        self._reach: Reach = _nobody
        """Of the present connection."""
        self._is_connected = False
        self._count = 0
        self._waiting: list[_Call[Caller]] = []
        """For the device to come."""
        self._pending: dict[str, _Call[Caller]] = {}
        """By request id, on the present connection."""
        self._orphaned: list[_Call[Caller]] = []
        """Sent on a connection that is gone."""
        self._kept: list[MethodCall] = []
        """Ended unsent; only a replaced rule puts any here."""

    @property
    def _rules(self) -> MethodRules:
        """Looked up at each decision, so that a replaced object takes effect."""
        return self._rules_now()

    def call(self, call: MethodCall, caller: Caller, now: float) -> MethodRequest | Answered[Caller] | None:
        """Begin a call: the message to send, or an answer at once; None: it waits for the device."""
        request = self._sent(call, caller, now)
        if request is not None:
            return request
        if call.connect_timeout <= 0:
            return self._not_reached(call, caller, 0.0)
        self._waiting.append(_Call(call, caller, now + call.connect_timeout))
        return None

    # The device

    def connected(self) -> None:
        """Take note of a new connection: request ids begin anew, what was sent before stays unanswered."""
        self._is_connected = True
        self._count = 0

    def subscribed(self, reach: Reach, now: float) -> list[MethodRequest]:
        """Take note of what a connection subscribed to, by now and from now on; return what waited for it."""
        self._reach = reach
        requests = []
        for call in tuple(self._kept):
            kept = self._request(call)
            if kept is not None:
                self._kept.remove(call)
                requests.append(kept[1])
        for held in tuple(self._waiting):
            request = self._sent(held.call, held.caller, now) if now < held.deadline else None
            if request is not None:
                self._waiting.remove(held)
                requests.append(request)
        return requests

    def disconnected(self) -> list[Answered[Caller]]:
        """Take note that the connection is gone, and return the calls that end by it."""
        self._is_connected = False
        self._reach = _nobody
        lost, self._pending = list(self._pending.values()), {}
        if self._rules.on_connection_lost() == "fail":
            return [Answered(held.caller, self._rules.not_online(0.0)) for held in lost]
        self._orphaned += lost
        return []

    def responded(self, response: MethodResponse, payload: bytes) -> Answered[Caller] | None:
        """Return the answer to the call that a response belongs to; None: to none, it is ignored.

        The owner settles first what is too large, or closes the connection (`MethodRules`).
        """
        rules = self._rules
        request_id = rules.answered_call(response.request_id, self._pending.keys())
        if request_id is None:
            return None
        status = rules.status(response.status)
        if status is None:
            if rules.on_bad_status() != "status 400":
                return None
            status, payload = 400, b""
        return Answered(self._pending.pop(request_id).caller, MethodResult(status, payload))

    def awaits(self, response: MethodResponse) -> bool:
        """Tell whether a response belongs to a call."""
        return self._rules.answered_call(response.request_id, self._pending.keys()) is not None

    # Time

    def give_up(self, caller: Caller) -> None:
        """Forget the calls of a caller that no longer waits."""
        self._waiting = [held for held in self._waiting if held.caller != caller]
        self._orphaned = [held for held in self._orphaned if held.caller != caller]
        self._pending = {key: held for key, held in self._pending.items() if held.caller != caller}

    def advance(self, now: float) -> list[Answered[Caller]]:
        """Return the calls whose time is over."""
        rules = self._rules
        over = [
            self._not_reached(held.call, held.caller, held.call.connect_timeout)
            for held in self._waiting
            if held.deadline <= now
        ]
        late = [held for held in (*self._orphaned, *self._pending.values()) if held.deadline <= now]
        over += [Answered(held.caller, rules.timed_out()) for held in late]
        self._orphaned = [held for held in self._orphaned if now < held.deadline]
        self._pending = {key: held for key, held in self._pending.items() if now < held.deadline}
        self._waiting = [held for held in self._waiting if now < held.deadline]
        return over

    def next_deadline(self) -> float | None:
        """Return when `advance` has something to do; None: not before something else happens."""
        held = (*self._waiting, *self._orphaned, *self._pending.values())
        return min((call.deadline for call in held), default=None)

    def _not_reached(self, call: MethodCall, caller: Caller, waited: float) -> Answered[Caller]:
        if self._rules.keeps_for_later():
            self._kept.append(call)
        rules = self._rules
        refusal = rules.not_subscribed(waited) if self._is_connected else rules.not_online(waited)
        return Answered(caller, refusal)

    def _sent(self, call: MethodCall, caller: Caller, now: float) -> MethodRequest | None:
        """Return the request of a call that waits for its answer from now on; None: the device takes none."""
        made = self._request(call)
        if made is None:
            return None
        request_id, request = made
        self._pending[request_id] = _Call(call, caller, now + call.response_timeout)
        return request

    def _request(self, call: MethodCall) -> tuple[str, MethodRequest] | None:
        """Return the next request id and the request, if the device subscribed to it."""
        rules = self._rules
        request_id = rules.request_id(self._count + 1)
        topic = rules.request_topic(call.name, request_id)
        granted = self._reach(topic)
        if granted is None:
            return None
        self._count += 1
        return request_id, MethodRequest(topic, call.payload, rules.request_qos(granted))
