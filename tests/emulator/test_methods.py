"""Direct methods of one device: calls in, requests and answers out."""

import itertools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from iothub_emulator.hub.method_rules import MethodCall, MethodResponse, MethodResult, MethodRules
from iothub_emulator.hub.methods import Answered, MethodCalls, MethodRequest
from iothub_emulator.hub.service_errors import ErrorCode, Refused

NOW = 1_600_000_000.0
CALL = MethodCall("reboot", b'{"a":1}', 30.0, 0.0)
PATIENT = MethodCall("reboot", b"", 30.0, 20.0)


def at_qos_0(topic):
    return 0


def at_qos_1(topic):
    return 1


def to_nothing(topic):
    return None


class Replaced:
    """Calls whose rules object can be exchanged."""

    def __init__(self, rules=None):
        self.rules = rules or MethodRules()
        self.calls = MethodCalls(lambda: self.rules)


@pytest.fixture
def calls():
    return Replaced().calls


@pytest.fixture
def ready(calls):
    calls.connected()
    calls.subscribed(at_qos_1, NOW)
    return calls


def code_of(answered):
    assert isinstance(answered.outcome, Refused)
    return answered.outcome.code


def test_a_call_becomes_a_request(ready):
    assert ready.call(CALL, "A", NOW) == MethodRequest("$iothub/methods/POST/reboot/?$rid=1", b'{"a":1}', 0)


def test_a_response_answers_its_call(ready):
    ready.call(CALL, "A", NOW)

    answered = ready.responded(MethodResponse("200", "1"), b'{"b":2}')
    assert answered == Answered("A", MethodResult(200, b'{"b":2}'))
    assert ready.next_deadline() is None


def test_request_ids_count_in_hexadecimal_on_each_connection(ready):
    topics = [ready.call(CALL, number, NOW).topic for number in range(17)]

    assert [topic.rpartition("=")[2] for topic in topics[8:]] == ["9", *"abcdef", "10", "11"]
    ready.disconnected()
    ready.connected()
    ready.subscribed(at_qos_1, NOW)
    assert ready.call(CALL, "A", NOW).topic.endswith("$rid=1")


def test_answers_out_of_order_find_their_callers(ready):
    for caller in "ABC":
        ready.call(CALL, caller, NOW)

    answered = [ready.responded(MethodResponse("200", rid), rid.encode()) for rid in "312"]
    assert [(each.caller, each.outcome.payload) for each in answered] == [
        ("C", b"3"),
        ("A", b"1"),
        ("B", b"2"),
    ]


@pytest.mark.parametrize("request_id", ["2", "01", "", None])
def test_other_ids_are_ignored_and_the_caller_times_out(ready, request_id):
    ready.call(CALL, "A", NOW)

    assert ready.responded(MethodResponse("200", request_id), b"") is None
    assert ready.advance(NOW + 29.9) == []
    assert ready.next_deadline() == NOW + 30
    (over,) = ready.advance(NOW + 30)
    assert (over.caller, code_of(over)) == ("A", ErrorCode.GatewayTimeout)
    assert code_of(over).status == 504


def test_a_late_answer_harms_nobody(ready):
    ready.call(CALL, "A", NOW)
    ready.advance(NOW + 30)
    ready.call(CALL, "B", NOW + 31)

    assert ready.responded(MethodResponse("200", "1"), b"late") is None
    assert ready.responded(MethodResponse("200", "2"), b"").caller == "B"


def test_a_second_answer_is_ignored(ready):
    ready.call(CALL, "A", NOW)
    ready.responded(MethodResponse("200", "1"), b"")

    assert ready.responded(MethodResponse("200", "1"), b"") is None


@pytest.mark.parametrize("status", ["abc", "", "1.5", "99999999999"])
def test_a_status_that_is_no_integer(ready, status):
    ready.call(CALL, "A", NOW)

    assert ready.responded(MethodResponse(status, "1"), b"{}") == Answered("A", MethodResult(400, b""))


def test_nobody_there(calls):
    answered = calls.call(CALL, "A", NOW)

    assert (answered.caller, code_of(answered)) == ("A", ErrorCode.DeviceNotOnline)
    assert answered.outcome.info == {"timeout": "00:00:00"}
    assert calls.subscribed(at_qos_1, NOW) == []


def reason_of(answered):
    return answered.outcome.code, answered.outcome.message, answered.outcome.info


def test_the_refusal_says_whether_the_device_is_away_or_deaf(calls):
    away = calls.call(CALL, "A", NOW)
    calls.connected()
    deaf = calls.call(CALL, "B", NOW)
    calls.disconnected()
    away_again = calls.call(CALL, "C", NOW)

    to_connect = (
        ErrorCode.DeviceNotOnline,
        "Timed out waiting for device to connect.",
        {"timeout": "00:00:00"},
    )
    assert reason_of(away) == reason_of(away_again) == to_connect
    assert reason_of(deaf) == (
        ErrorCode.DeviceNotOnline,
        "Timed out waiting for device to subscribe.",
        {"timeout": "00:00:00"},
    )


def test_whoever_waited_for_a_device_that_came_and_did_not_subscribe_is_told_so(calls):
    calls.call(PATIENT, "A", NOW)
    calls.connected()

    (over,) = calls.advance(NOW + 20)
    assert reason_of(over) == (
        ErrorCode.DeviceNotOnline,
        "Timed out waiting for device to subscribe.",
        {"timeout": "00:00:20"},
    )


def test_after_unsubscribing_there_are_no_calls_but_answers(ready):
    ready.call(CALL, "A", NOW)
    ready.subscribed(to_nothing, NOW)

    assert code_of(ready.call(CALL, "B", NOW)) is ErrorCode.DeviceNotOnline
    assert ready.responded(MethodResponse("200", "1"), b"").caller == "A"


def test_a_patient_call_waits_for_the_device(calls):
    assert calls.call(PATIENT, "A", NOW) is None
    assert calls.next_deadline() == NOW + 20
    calls.connected()

    (request,) = calls.subscribed(at_qos_0, NOW + 19)
    assert request.topic == "$iothub/methods/POST/reboot/?$rid=1"
    assert calls.next_deadline() == NOW + 49
    assert calls.responded(MethodResponse("200", "1"), b"").caller == "A"


def test_patience_ends(calls):
    calls.call(PATIENT, "A", NOW)

    (over,) = calls.advance(NOW + 20)
    assert code_of(over) is ErrorCode.DeviceNotOnline
    assert over.outcome.info == {"timeout": "00:00:20"}
    assert calls.subscribed(at_qos_1, NOW + 21) == []


def test_a_device_that_comes_too_late_gets_no_request_but_the_caller_an_answer(calls):
    calls.call(PATIENT, "A", NOW)

    assert calls.subscribed(at_qos_1, NOW + 20) == []
    assert [code_of(over) for over in calls.advance(NOW + 20)] == [ErrorCode.DeviceNotOnline]


def test_a_connection_that_is_lost_leaves_the_caller_to_its_time(ready):
    ready.call(CALL, "A", NOW)
    assert ready.disconnected() == []
    ready.connected()
    ready.subscribed(at_qos_1, NOW)

    assert ready.responded(MethodResponse("200", "1"), b"") is None
    assert [code_of(over) for over in ready.advance(NOW + 30)] == [ErrorCode.GatewayTimeout]


def test_a_rule_may_end_such_calls_at_once():
    class Fails(MethodRules):
        def on_connection_lost(self):
            return "fail"

    calls = Replaced(Fails()).calls
    calls.subscribed(at_qos_1, NOW)
    calls.call(CALL, "A", NOW)

    assert [(over.caller, code_of(over)) for over in calls.disconnected()] == [
        ("A", ErrorCode.DeviceNotOnline)
    ]


def test_a_rule_may_keep_calls_for_later():
    class Keeps(MethodRules):
        def keeps_for_later(self):
            return True

    calls = Replaced(Keeps()).calls
    calls.call(CALL, "A", NOW)

    assert [request.payload for request in calls.subscribed(at_qos_1, NOW + 1)] == [b'{"a":1}']
    assert calls.subscribed(at_qos_1, NOW + 2) == []
    assert calls.responded(MethodResponse("200", "1"), b"") is None


def test_a_rule_may_ignore_a_bad_status():
    class Ignores(MethodRules):
        def on_bad_status(self):
            return "ignore"

    calls = Replaced(Ignores()).calls
    calls.subscribed(at_qos_1, NOW)
    calls.call(CALL, "A", NOW)

    assert calls.responded(MethodResponse("abc", "1"), b"") is None
    assert len(calls.advance(NOW + 30)) == 1


def test_a_caller_that_gives_up_is_forgotten(ready):
    ready.call(CALL, "A", NOW)
    ready.call(CALL, "B", NOW)
    ready.give_up("A")

    assert ready.responded(MethodResponse("200", "1"), b"") is None
    assert ready.responded(MethodResponse("200", "2"), b"").caller == "B"
    ready.subscribed(to_nothing, NOW)
    ready.call(PATIENT, "C", NOW)
    ready.give_up("C")
    assert ready.next_deadline() is None


class Life(RuleBasedStateMachine):
    """Whatever happens, each caller is answered at most once, and at its deadline at the latest."""

    def __init__(self):
        super().__init__()
        self.now = NOW
        self.calls = Replaced().calls
        self.callers = itertools.count()
        self.open = {}
        self.subscribed = False

    def settle(self, answers):
        for answered in answers:
            if answered is not None:
                del self.open[answered.caller]

    @rule(connect=st.sampled_from([0.0, 5.0]), response=st.sampled_from([5.0, 12.0]))
    def call(self, connect, response):
        caller = next(self.callers)
        self.open[caller] = self.now + connect + response
        outcome = self.calls.call(MethodCall("m", b"", response, connect), caller, self.now)
        assert isinstance(outcome, MethodRequest) == self.subscribed
        if isinstance(outcome, Answered):
            self.settle([outcome])

    @rule()
    def subscribe(self):
        self.settle(self.calls.advance(self.now))
        self.calls.subscribed(at_qos_1, self.now)
        self.subscribed = True

    @rule()
    def unsubscribe(self):
        self.calls.subscribed(to_nothing, self.now)
        self.subscribed = False

    @rule()
    def reconnect(self):
        self.settle(self.calls.disconnected())
        self.calls.connected()
        self.subscribed = False

    @precondition(lambda self: self.open)
    @rule(number=st.integers(1, 5), status=st.sampled_from(["200", "x"]))
    def respond(self, number, status):
        self.settle([self.calls.responded(MethodResponse(status, f"{number:x}"), b"")])

    @rule(seconds=st.sampled_from([1, 5, 12]))
    def wait(self, seconds):
        self.now += seconds
        self.settle(self.calls.advance(self.now))

    @invariant()
    def nobody_waits_too_long(self):
        assert all(self.now < deadline for deadline in self.open.values())
        assert (self.calls.next_deadline() is None) == (not self.open)


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestLife = Life.TestCase
