"""Direct methods: what the application gets of a call, and what the caller gets of its answer.

Document: "Responder a um método direto" (#respond-to-a-direct-method). Clauses: clauses/device-methods.toml.
"""

import json
import re

import pytest

from conformance.mqtt.packets import Publish, Subscribe

clause = pytest.mark.clause

PAYLOADS = [
    pytest.param({"a": 1, "b": [True, None, "x"]}, id="object"),
    pytest.param("São Paulo €", id="text"),
    pytest.param(4503599627370495, id="big-number"),
    pytest.param([], id="empty-list"),
    pytest.param({"a": {"b": {"c": {"d": 1.5}}}}, id="nested"),
]


@clause("device-methods.subscribes")
def test_the_device_subscribes_to_calls(listening_to_methods):
    """The filter is the documented one."""
    filters = [item for each in listening_to_methods.of_kind(Subscribe) for item, _ in each.filters]

    assert set(filters) == {"$iothub/methods/POST/#"}


@clause("device-methods.request")
@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_application_gets_a_call_as_it_was(device, listening_to_methods, methods, payload):
    """Name and payload are those of the caller."""
    methods.begin(device, "reboot", payload)
    told = device.adapter.next("method", device.seconds)

    assert (told.says["name"], told.says["payload"]) == ("reboot", payload)


@clause("device-methods.request-without-payload")
def test_the_application_gets_a_call_without_a_payload(device, listening_to_methods, methods):
    """The application hears of the call, and its answer reaches the caller."""
    call = methods.begin(device, "reboot")
    told = device.adapter.next("method", device.seconds)
    device.done("answer_method", request=told.says["request"], status=204, payload={})

    assert call.outcome() == "status 204"


@clause("device-methods.response")
@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_caller_gets_an_answer_as_it_was(device, listening_to_methods, methods, payload):
    """Status and payload are those of the application."""
    call = methods.begin(device, "reboot", {})
    device.answers_next_method(status=507, payload=payload)
    result = call.result()

    assert (result.status, result.payload) == (507, payload)


@clause("device-methods.response-without-payload")
def test_the_caller_gets_the_status_alone(device, listening_to_methods, methods):
    """An answer without a payload is one."""
    call = methods.begin(device, "reboot", {})
    device.answers_next_method(status=200, payload=None)

    assert call.outcome() == "status 200"


@clause("device-methods.response-topic")
def test_an_answer_has_the_id_of_its_request(device, listening_to_methods, methods):
    """The id behind $rid= is that of the request, to the letter, and the status a whole number."""
    call = methods.begin(device, "reboot", {})
    device.answers_next_method(status=200, payload={})
    call.result()
    device.wait(lambda: next(listening_to_methods.of_kind(Publish), None), "answer at the tap")

    (request,) = listening_to_methods.of_kind(Publish, sent=False)
    (answer,) = listening_to_methods.of_kind(Publish)
    assert answer.topic == f"$iothub/methods/res/200/?$rid={request.topic.partition('$rid=')[2]}"


@clause("device-methods.response-body")
@pytest.mark.parametrize("payload", [*PAYLOADS, pytest.param(None, id="none")])
def test_the_body_of_an_answer_is_json(device, listening_to_methods, methods, payload):
    """What the device publishes can be read as JSON, or is empty."""
    call = methods.begin(device, "reboot", {})
    device.answers_next_method(status=200, payload=payload)
    call.result()
    device.wait(lambda: next(listening_to_methods.of_kind(Publish), None), "answer at the tap")

    (answer,) = listening_to_methods.of_kind(Publish)
    assert as_json(answer.payload or b"null") == payload


@clause("device-methods.once")
def test_a_call_is_answered_once(device, listening_to_methods, methods):
    """Up to its goodbye the device has sent one answer."""
    call = methods.begin(device, "reboot", {})
    device.answers_next_method(status=200, payload={})
    call.result()
    device.done("disconnect")

    answers = [each.topic for each in listening_to_methods.of_kind(Publish)]
    assert [bool(re.match(r"\$iothub/methods/res/", topic)) for topic in answers] == [True]


@clause("device-methods.together")
def test_calls_at_the_same_time_are_not_mixed_up(device, listening_to_methods, methods):
    """Two calls wait; the application answers the second one first."""
    first = methods.begin(device, "first", 1)
    told_first = device.adapter.next("method", device.seconds)
    second = methods.begin(device, "second", 2)
    told_second = device.adapter.next("method", device.seconds)
    device.done("answer_method", request=told_second.says["request"], status=202, payload="second")
    device.done("answer_method", request=told_first.says["request"], status=201, payload="first")

    assert (first.result().payload, second.result().payload) == ("first", "second")


@clause("device-methods.served-again")
def test_calls_come_behind_a_lost_connection(device, listening_to_methods, tap, methods):
    """The connection is lost, and the device comes again; a call is answered then."""
    tap.drop(listening_to_methods)
    device.reconnects()
    device.wait_until_served("$iothub/methods/POST/#")
    call = methods.begin(device, "reboot", {})
    told = device.adapter.next("method", device.seconds)
    device.done("answer_method", request=told.says["request"], status=200, payload={})

    assert call.outcome() == "status 200"


def as_json(body):
    """Return what a body says, or words for one that is no JSON."""
    try:
        return json.loads(body)
    except ValueError:
        return f"no JSON: {body!r}"


@clause("device-methods.status")
@pytest.mark.parametrize("status", [200, 404, 599, 100_000])
def test_the_caller_gets_the_status_as_it_was(device, listening_to_methods, methods, status):
    """The status is that of the application."""
    call = methods.begin(device, "reboot", {})
    device.answers_next_method(status=status, payload={})

    assert call.outcome() == f"status {status}"


@clause("device-methods.large-payload")
def test_large_payloads_pass(device, listening_to_methods, methods):
    """Call and answer have 100 KB each."""
    call = methods.begin(device, "reboot", {"a": "x" * 100_000})
    told = device.answers_next_method(status=200, payload={"b": "y" * 100_000})

    assert told.says["payload"] == {"a": "x" * 100_000}
    assert call.result().payload == {"b": "y" * 100_000}


@clause("device-methods.again")
def test_calls_behind_each_other_are_answered(device, listening_to_methods, methods):
    """Three calls of one method, each behind the answer to the one before."""
    first = methods.begin(device, "reboot", 1)
    device.answers_next_method(status=201, payload=1)
    outcomes = [first.outcome()]
    second = methods.begin(device, "reboot", 2)
    device.answers_next_method(status=202, payload=2)
    outcomes += [second.outcome()]
    third = methods.begin(device, "reboot", 3)
    told = device.adapter.next("method", device.seconds)
    device.order_in_time("answer_method", request=told.says["request"], status=203, payload=3)

    assert [*outcomes, third.outcome()] == ["status 201", "status 202", "status 203"]


@clause("device-methods.subscribes-again")
def test_a_device_without_a_session_subscribes_to_calls_again(device, listening_to_methods, no_session):
    """CONNACK of the next connection says that there is no session; a SUBSCRIBE follows."""
    line = no_session(listening_to_methods)
    device.give_time(lambda: next(line.of_kind(Subscribe), None))

    filters = [item for each in line.of_kind(Subscribe) for item, _ in each.filters]
    assert "$iothub/methods/POST/#" in filters


@clause("device-methods.module")
def test_a_module_answers_calls(device_as_module, methods):
    """The application of the module hears of the call, and its answer reaches the caller."""
    device_as_module.connected()
    device_as_module.done("listen", to=["methods"])
    call = methods.begin(device_as_module, "reboot", {"a": 1})
    told = device_as_module.adapter.next("method", device_as_module.seconds)
    device_as_module.order_in_time("answer_method", request=told.says["request"], status=200, payload={})

    assert told.says["payload"] == {"a": 1}
    assert call.outcome() == "status 200"
