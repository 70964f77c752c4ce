"""Direct methods: which answer belongs to which call.

Document: #respond-to-a-direct-method. Clauses: clauses/methods.toml.

The request id of an answer is that of the request. An answer with another one, or one that comes
when the call is over, is nobody's.
"""

import uuid

import pytest

from conformance.hub.fixtures.twins import twin_of
from conformance.mqtt.connection import Connection

clause = pytest.mark.clause


@clause("methods.request-id")
@pytest.mark.parametrize(
    "other_id",
    [
        pytest.param(lambda own: str(uuid.uuid4()), id="made-up"),
        pytest.param(lambda own: f"{own}0", id="one-digit-more"),
    ],
)
def test_an_answer_with_another_request_id_is_not_taken(reachable, open_exchange, hub, other_id):
    """The caller does not get it, and ends with 504."""
    exchange = open_exchange(reachable, response_timeout=hub.timing["method-timeout"])

    exchange.answer(200, "not yours", request_id=other_id(exchange.request.request_id))

    assert exchange.outcome() == "504"


@clause("methods.request-id-forms")
@pytest.mark.parametrize(
    "other_form",
    [
        pytest.param(lambda own: f"0{own}", id="zero-in-front"),
        pytest.param(lambda own: f"%{ord(own[0]):02X}{own[1:]}", id="percent-encoded"),
    ],
)
def test_an_answer_with_another_form_of_the_request_id(reachable, open_exchange, observed, hub, other_form):
    """A hub counts its request ids; whether it compares numbers, texts or decoded texts is not stated."""
    exchange = open_exchange(reachable, response_timeout=hub.timing["method-timeout"])

    exchange.answer(200, "mine?", request_id=other_form(exchange.request.request_id))

    observed(exchange.outcome())


@clause("methods.request-id-forms")
def test_an_answer_with_its_letters_in_the_other_case(reachable, exchange_with_a_letter, observed):
    """A client of nanoFramework answers in capitals."""
    exchange = exchange_with_a_letter(reachable)

    exchange.answer(200, "mine?", request_id=exchange.request.request_id.swapcase())

    observed(exchange.outcome())


@clause("methods.request-id")
def test_an_answer_without_request_id_is_not_taken(reachable, open_exchange, hub):
    """Its topic is none of the documented: whatever the hub makes of it, it is not the caller's result."""
    exchange = open_exchange(reachable, response_timeout=hub.timing["method-timeout"])

    exchange.answer(200, "not yours", request_id="")

    assert exchange.outcome() != "status 200"


@clause("methods.request-id")
def test_an_answer_with_the_request_id_of_an_answered_call_is_not_taken(reachable, open_exchange, hub):
    """A second answer to one call is none to the next."""
    answered = open_exchange(reachable).complete()
    exchange = open_exchange(reachable, response_timeout=hub.timing["method-timeout"])

    exchange.answer(200, "not yours", request_id=answered)

    assert exchange.outcome() == "504"


@clause("methods.request-id")
def test_the_answer_of_another_device_is_not_taken(callee, other_callee, open_exchange):
    """It has the request id, and is not who was called: the caller waits for its own device."""
    exchange = open_exchange(callee)

    other_callee.answer(exchange.request, 200, "not yours")
    other_callee.connection.outcome()
    exchange.answer(201, "yours")

    result = exchange.result()
    assert (result.status, result.payload) == (201, "yours")


@clause("methods.request-id")
@pytest.mark.needs("twin")
def test_a_twin_request_with_the_id_of_a_call_is_not_its_answer(callee, open_exchange, stage):
    """Requests of a device have ids of its own choice, and calls have the hub's: they may be the same."""
    exchange = open_exchange(callee)
    twin = stage(twin_of(callee.connection).subscribe, needs="twin.get")

    answer = twin.get(request_id=exchange.request.request_id)
    exchange.answer(201, "yours")

    result = exchange.result()
    assert (answer.request_id, result.status, result.payload) == (exchange.request.request_id, 201, "yours")


@clause("methods.concurrent")
@pytest.mark.parametrize(
    "leave",
    [
        pytest.param(Connection.drop, id="drop"),
        pytest.param(Connection.disconnect, id="disconnect"),
        pytest.param(lambda connection: None, id="taken-over"),
    ],
)
def test_a_call_on_a_later_connection_has_an_answer_of_its_own(callee, callee_of, open_exchange, leave):
    """Two callers wait when the device connects anew, where request ids may begin anew, and go on waiting."""
    open_exchange(callee)
    open_exchange(callee)
    leave(callee.connection)
    returned = callee_of(callee.device)
    first, second = open_exchange(returned), open_exchange(returned)

    second.answer(202, "the second")
    first.answer(201, "the first")

    assert [each.result().payload for each in (first, second)] == ["the first", "the second"]


@clause("methods.concurrent")
@pytest.mark.parametrize(
    "order",
    [
        pytest.param(lambda requests: requests[::-1], id="reversed"),
        pytest.param(lambda requests: requests[1:] + requests[:1], id="first-last"),
        pytest.param(lambda requests: requests, id="as-they-came"),
    ],
)
def test_each_caller_gets_the_answer_to_its_own_call(callee, methods, stage, order):
    """Five calls of one method are under way; the device answers each with its own payload."""
    payloads = ["first", "second", "third", "fourth", "fifth"]
    calls = methods.begin_each(callee.device, "echo", payloads)
    requests = stage(callee.next_requests, 5, needs="methods.request")

    callee.echo_each(order(requests))

    assert [call.result().payload for call in calls] == payloads


@clause("methods.concurrent")
def test_calls_of_two_devices_are_kept_apart(callee, other_callee, open_exchange):
    """Both devices have a call under way, each the first of its connection."""
    one, other = open_exchange(callee), open_exchange(other_callee)

    other.answer(201, "other device")
    one.answer(200, "one device")

    assert (one.result().payload, other.result().payload) == ("one device", "other device")


@clause("methods.late-answer")
def test_a_late_answer_is_no_answer_to_the_next_call(reachable, open_exchange, hub):
    """The device answers after the caller has given up, and before it is called again."""
    missed = open_exchange(reachable, "slow", response_timeout=hub.timing["method-timeout"])
    missed.outcome()

    missed.answer(200, "late")

    reachable.connection.ping()
    following = open_exchange(reachable, "quick")
    following.answer(201, "in time")

    result = following.result()
    assert (result.status, result.payload) == (201, "in time")


@clause("methods.late-answer")
def test_a_late_answer_does_not_end_a_call_under_way(reachable, open_exchange, hub):
    """The device answers after the caller has given up, while the next call waits."""
    missed = open_exchange(reachable, "slow", response_timeout=hub.timing["method-timeout"])
    missed.outcome()
    following = open_exchange(reachable, "quick")

    missed.answer(200, "late")
    following.answer(201, "in time")

    result = following.result()
    assert (result.status, result.payload) == (201, "in time")
