"""Direct methods in a session."""

import pytest
from hub_values import DEVICE, NOW, Hub

from iothub_emulator.hub.effects import Answer, Close, Send
from iothub_emulator.hub.method_rules import REQUESTS_FILTER, MethodCall, MethodResult, MethodRules
from iothub_emulator.hub.methods import Answered, MethodRequest
from iothub_emulator.hub.packets import Puback, Publish, Subscribe, Unsubscribe

CALL = MethodCall("reboot", b"5", 30.0, 0.0)
PATIENT = MethodCall("reboot", b"5", 30.0, 10.0)
REQUEST = Publish("$iothub/methods/POST/reboot/?$rid=1", b"5")
RESPONSE = "$iothub/methods/res/200/?$rid=1"


@pytest.fixture
def hub():
    return Hub()


@pytest.fixture
def session(hub):
    return subscribed(hub.session())


def subscribed(session):
    session.receive(Subscribe(1, ((REQUESTS_FILTER, 1),)), NOW)
    session.serve(NOW)
    return session


def call(hub, asked=CALL, key=DEVICE):
    return hub.state.method_calls(key).call(asked, "caller", NOW)


def test_a_subscription_makes_a_device_reachable_and_its_end_unreachable(hub):
    session = hub.session()
    session.serve(NOW)
    assert isinstance(call(hub), Answered)
    subscribed(session)
    assert call(hub) == MethodRequest(REQUEST.topic, b"5", 0)
    session.receive(Unsubscribe(2, (REQUESTS_FILTER,)), NOW)
    session.serve(NOW)
    assert isinstance(call(hub), Answered)


def test_a_call_that_waits_is_sent_when_the_session_is_served(hub):
    assert call(hub, PATIENT) is None
    session = hub.session()
    assert session.serve(NOW) == []
    session.receive(Subscribe(1, ((REQUESTS_FILTER, 0),)), NOW)
    assert session.serve(NOW) == [Send(REQUEST)]
    assert session.serve(NOW) == []


def test_a_request_is_a_packet_without_flags(session):
    assert session.request(MethodRequest("t", b"x", 0)) == [Send(Publish("t", b"x"))]


def test_the_response_reaches_the_caller_once(hub, session):
    call(hub)
    answered = Answer(Answered("caller", MethodResult(200, b"{}")))
    packet = Publish(RESPONSE, b"{}", 1, packet_id=3)
    assert session.receive(packet, NOW) == [Send(Puback(3)), answered]
    assert session.receive(packet, NOW) == [Send(Puback(3))]


def test_a_response_of_another_identity_is_nobodys(hub, session):
    call(hub)
    assert subscribed(hub.session("other")).receive(Publish(RESPONSE, b""), NOW) == []
    assert subscribed(hub.session(hub.module())).receive(Publish(RESPONSE, b""), NOW) == []


def test_a_status_that_is_no_number_is_400(hub, session):
    call(hub)
    (effect,) = session.receive(Publish("$iothub/methods/res/abc/?$rid=1", b"x"), NOW)
    assert effect.answered.outcome == MethodResult(400, b"")


def test_a_response_that_is_too_large_ends_the_connection(hub, session):
    call(hub)
    assert session.receive(Publish(RESPONSE, bytes(131_073)), NOW) == [Close("methods.response-body")]


@pytest.mark.parametrize(
    ("rule", "value", "topic", "payload", "effects"),
    [
        ("on_large_response", "ignore", RESPONSE, bytes(131_073), []),
        ("on_bad_status", "ignore", "$iothub/methods/res/x/?$rid=1", b"", []),
        ("on_bad_status", "close", "$iothub/methods/res/x/?$rid=1", b"", [Close("methods.status-integer")]),
        ("on_unwanted_response", "close", RESPONSE[:-1] + "9", b"", [Close("methods.late-answer")]),
    ],
)
def test_what_becomes_of_such_responses_is_one_decision(hub, session, rule, value, topic, payload, effects):
    hub.rules.methods = type("Other", (MethodRules,), {rule: lambda _self: value})()
    call(hub)
    assert session.receive(Publish(topic, payload), NOW) == effects


def test_a_wanted_response_is_taken_however_others_are(hub, session):
    hub.rules.methods = type("Strict", (MethodRules,), {"on_unwanted_response": lambda _self: "close"})()
    call(hub)
    (effect,) = session.receive(Publish(RESPONSE, b"{}"), NOW)
    assert effect.answered.outcome == MethodResult(200, b"{}")


def test_a_connection_that_is_gone_leaves_its_calls_to_the_clock(hub, session):
    call(hub)
    assert hub.state.disconnected(DEVICE) == []
    calls = hub.state.method_calls(DEVICE)
    calls.connected()
    again = subscribed(hub.session())
    assert again.receive(Publish(RESPONSE, b""), NOW) == []
    (late,) = calls.advance(NOW + 30)
    assert late.outcome.code.name == "GatewayTimeout"


def test_a_replaced_rule_sends_calls_to_where_nobody_is(hub):
    class Blind(MethodRules):
        def is_reachable(self, *, connected, subscribed):
            return True

    hub.rules.methods = Blind()
    assert isinstance(call(hub), MethodRequest)
    hub.state.disconnected(DEVICE)
    assert isinstance(call(hub), MethodRequest)
