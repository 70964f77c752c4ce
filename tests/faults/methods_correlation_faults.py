"""Hubs that give an answer to the wrong call."""

from fault import fault, wrapped

from iothub_emulator.hub.device_requests import DeviceRequests
from iothub_emulator.hub.method_rules import MethodRules
from iothub_emulator.hub.methods import MethodCalls


def method_rules(rules, wrong):
    rules.methods = wrong(rules.methods.shortest_timeout)


@fault("methods.request-id", "methods.concurrent", "methods.late-answer")
def any_answer_ends_the_oldest_call(rules):
    """The request id of an answer is not looked at."""

    class Wrong(MethodRules):
        def answered_call(self, request_id, pending):
            return next(iter(pending), None)

    method_rules(rules, Wrong)


@fault("methods.request-id")
def answer_without_request_id_is_taken(rules):
    """An answer that names no request ends the oldest call."""

    class Wrong(MethodRules):
        def answered_call(self, request_id, pending):
            if request_id is None:
                return next(iter(pending), None)
            return super().answered_call(request_id, pending)

    method_rules(rules, Wrong)


@fault("methods.request-id")
def beginning_of_a_request_id_is_enough(rules):
    """A request id is compared as far as the call's own goes."""

    class Wrong(MethodRules):
        def answered_call(self, request_id, pending):
            return next((own for own in pending if (request_id or "").startswith(own)), None)

    method_rules(rules, Wrong)


@fault("methods.request-id")
def answered_call_is_remembered_for_the_next(rules):
    """A second answer to one call ends the next."""

    class Wrong(MethodRules):
        last = None

        def answered_call(self, request_id, pending):
            if request_id is not None and request_id == self.last:
                return next(iter(pending), None)
            self.last = super().answered_call(request_id, pending) or self.last
            return super().answered_call(request_id, pending)

    method_rules(rules, Wrong)


@fault("methods.request-ids-differ")
def request_ids_have_three_bits(rules):
    """The counter of request ids begins anew after the eighth call."""

    class Wrong(MethodRules):
        def request_id(self, count):
            return super().request_id(count % 8)

    method_rules(rules, Wrong)


@fault("methods.request-ids-differ")
def calls_at_one_moment_share_a_request_id(rules):
    """The request id is taken from a clock that is too coarse."""

    class Wrong(MethodRules):
        def request_id(self, count):
            return super().request_id(count // 2 + 1)

    method_rules(rules, Wrong)


@fault("methods.concurrent")
def answers_are_handed_out_in_the_order_of_calls(rules):
    """Whichever call an answer is for, the oldest caller gets it."""

    class Wrong(MethodRules):
        def answered_call(self, request_id, pending):
            return next(iter(pending)) if super().answered_call(request_id, pending) else None

    method_rules(rules, Wrong)


@fault("methods.late-answer")
def late_answer_ends_the_connection(rules):
    """An answer that nobody waits for is treated as an error."""

    class Wrong(MethodRules):
        def on_unwanted_response(self):
            return "close"

    method_rules(rules, Wrong)


@fault("methods.concurrent")
def any_known_request_id_ends_the_newest_call(rules):
    """The latest call gets each answer, so long as somebody waits for the request id in it."""

    class Wrong(MethodRules):
        def answered_call(self, request_id, pending):
            return list(pending)[-1] if request_id in pending else None

    method_rules(rules, Wrong)


@fault("methods.request-id")
def answer_ends_all_calls_of_its_number(rules):
    """Behind an answer the calls of other devices with that request id are forgotten, and end with 504."""

    def wrap(response):
        def ended(self, answer, packet):
            effects = response(self, answer, packet)
            for calls in self._state.calls.values():
                call = calls._pending.pop(answer.request_id, None)
                calls._orphaned += [call] if call is not None else []
            return effects

        return ended

    wrapped(DeviceRequests, "_response", wrap)


@fault("methods.request-id")
def request_id_of_a_twin_request_is_used_up(rules):
    """A connection has one set of request ids: what a twin request had is no call's any more."""

    def wrap_twin(twin):
        def noted(self, request, packet, now):
            vars(self).setdefault("used", set()).add(request.request_id)
            return twin(self, request, packet, now)

        return noted

    def wrap_response(response):
        def looked_up(self, answer, packet):
            is_used = answer.request_id in vars(self).get("used", ())
            return self._acknowledgement(packet) if is_used else response(self, answer, packet)

        return looked_up

    wrapped(DeviceRequests, "_twin", wrap_twin)
    wrapped(DeviceRequests, "_response", wrap_response)


@fault("methods.concurrent")
def answers_owed_by_the_connection_before_are_awaited(rules):
    """Of the answers on a connection as many are passed over as the one before it left calls unanswered."""

    def wrap_disconnected(disconnected):
        def counted(self):
            self.owed = getattr(self, "owed", 0) + len(self._pending)
            return disconnected(self)

        return counted

    def wrap_responded(responded):
        def passed_over(self, response, payload):
            self.owed = getattr(self, "owed", 0) - 1
            return responded(self, response, payload) if self.owed < 0 else None

        return passed_over

    wrapped(MethodCalls, "disconnected", wrap_disconnected)
    wrapped(MethodCalls, "responded", wrap_responded)
