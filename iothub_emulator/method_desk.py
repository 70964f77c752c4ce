"""Direct methods while the hub runs: each call is a future, answered by the device or by the clock."""

import asyncio
import math
from collections.abc import Callable, Iterable

from iothub_emulator.alarms import Alarm
from iothub_emulator.hub.method_rules import MethodCall, MethodResult
from iothub_emulator.hub.methods import Answered, MethodRequest
from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.hub.state import Caller, HubState

Outcome = MethodResult | Refused


class MethodDesk:
    """All calls. `send` hands a request to the connection of an identity key, if it has one."""

    def __init__(
        self, state: HubState, now: Callable[[], float], send: Callable[[str, MethodRequest], None]
    ) -> None:
        self._state = state
        self._now = now
        self._send = send
        self._alarms: dict[str, Alarm] = {}

    async def call(self, identity_key: str, call: MethodCall) -> Outcome:
        """Call a method and wait for its end; cancelled: nobody waits for the answer any more."""
        calls = self._state.method_calls(identity_key)
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        match calls.call(call, answer, self._now()):
            case Answered(_, outcome):
                return outcome
            case MethodRequest() as request:
                self.keep_time(identity_key)
                for recipient in self._state.rules.methods.recipients(identity_key):
                    self._send(recipient, request)
            case None:
                self.keep_time(identity_key)
        try:
            return await answer
        finally:
            calls.give_up(answer)

    def settle(self, answers: Iterable[Answered[Caller]]) -> None:
        """Give callers what they wait for."""
        for answered in answers:
            caller = answered.caller
            if isinstance(caller, asyncio.Future) and not caller.done():
                caller.set_result(answered.outcome)

    def disconnected(self, identity_key: str) -> None:
        """Take note that an identity's connection is gone."""
        self.settle(self._state.disconnected(identity_key))
        self.keep_time(identity_key)

    def keep_time(self, identity_key: str) -> None:
        """See to it that the next deadline is not missed; to be called after each use of the calls."""
        calls = self._state.calls.get(identity_key)
        deadline = None if calls is None else calls.next_deadline()
        if deadline is None:
            return
        alarm = self._alarms.get(identity_key)
        if alarm is None:
            alarm = self._alarms[identity_key] = Alarm(self._now, lambda: self._rings(identity_key))
        alarm.set(deadline)

    def forget(self, identity_key: str) -> None:
        """End the calls of an identity that is gone."""
        alarm = self._alarms.pop(identity_key, None)
        if alarm is not None:
            alarm.cancel()
        calls = self._state.calls.get(identity_key)
        if calls is not None:
            is_module = "/" in identity_key
            code = ErrorCode.ModuleNotFound if is_module else ErrorCode.DeviceNotFound
            gone = Refused(code, identity_key)
            self.settle(Answered(late.caller, gone) for late in calls.advance(math.inf))

    def stop(self) -> None:
        """Keep time no longer: the hub stops."""
        for alarm in self._alarms.values():
            alarm.cancel()

    def _rings(self, identity_key: str) -> None:
        calls = self._state.calls.get(identity_key)
        if calls is not None:
            self.settle(calls.advance(self._now()))
            self.keep_time(identity_key)
