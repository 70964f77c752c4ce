"""Direct methods: the answer of the device, as the caller gets it.

Document: #respond-to-a-direct-method. Clauses: clauses/methods.toml.

A device answers on $iothub/methods/res/{status}/?$rid={request id} with a body of JSON or an empty
one. The request id is that of the request, the status an integer. The caller gets both.
"""

import pytest

clause = pytest.mark.clause


@clause("methods.response")
@pytest.mark.parametrize("payload", [[], [{"delay": 5}]], ids=["called-without-payload", "with-payload"])
def test_the_caller_gets_status_and_payload(callee, open_exchange, payload):
    """What the device publishes is the result of the call."""
    exchange = open_exchange(callee, "reboot", *payload)

    exchange.answer(200, {"done": True})

    result = exchange.result()
    assert (result.status, result.payload) == (200, {"done": True})


@clause("methods.response-body")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"done": True, "after": 5}, id="object"),
        pytest.param({"log": [{"at": 1, "what": {"text": "start"}}, None]}, id="nested"),
        pytest.param([1, "two", None, [3]], id="array"),
        pytest.param("rebooting", id="string"),
        pytest.param(-21.5, id="number"),
        pytest.param("São Paulo, 东京, 🚀", id="Unicode"),
        pytest.param('said "no", 1\\2\n', id="quotes-and-backslashes"),
        pytest.param({}, id="empty-object"),
        pytest.param([], id="empty-array"),
        pytest.param("", id="empty-string"),
        pytest.param(0, id="zero"),
        pytest.param({"log": "0123456789" * 10240}, id="100-KB", marks=pytest.mark.large),
    ],
)
def test_the_body_is_the_payload(exchange, body):
    """Whatever JSON the device answers, the caller gets a payload of the same value."""
    exchange.answer(200, body)

    assert exchange.result().payload == body


@clause("methods.response-body")
@pytest.mark.parametrize("flag", [True, False])
def test_a_boolean_reaches_the_caller_as_one(exchange, flag):
    """Neither a number nor a text."""
    exchange.answer(200, flag)

    assert exchange.result().payload is flag


@clause("methods.empty-response")
@pytest.mark.parametrize("status", [200, 202, 404])
def test_an_answer_without_body(exchange, readings, status):
    """An empty body is an answer too: its status arrives, with a payload of which nothing is said."""
    exchange.answer(status, b"")

    assert exchange.outcome() == f"status {status}"
    readings.match(f"payload {exchange.result().payload_in_words}")


@clause("methods.status")
@pytest.mark.parametrize("status", [200, 201, 202, 299, 400, 404, 429, 500, 504, 599])
def test_the_status_is_the_devices(exchange, status):
    """A status of the device says nothing about the call itself, which succeeds, and is passed on."""
    exchange.answer(status, "as asked")

    result = exchange.result()
    assert (result.status, result.payload) == (status, "as asked")


@clause("methods.status-unusual")
@pytest.mark.parametrize(
    "status", [pytest.param(0, id="zero"), pytest.param(-1, id="negative"), pytest.param(10**10, id="large")]
)
def test_an_integer_that_is_no_usual_status(exchange, observed, status):
    """The document asks for an integer and names no range."""
    exchange.answer(status, "as asked")

    observed(exchange.outcome())


@clause("methods.status-integer")
@pytest.mark.parametrize("status", ["abc", "12a", "1.5", "0x10"])
def test_a_status_that_is_no_integer(callee, open_exchange, readings, hub, status, untouched):
    """The status has to be an integer; the caller never gets another one than an error's."""
    exchange = open_exchange(callee, response_timeout=hub.timing["method-timeout"])

    exchange.answer(status, "as asked")

    answer = callee.connection.outcome()
    readings.match(f"{exchange.outcome()}; {answer}")
    untouched.confirm()


@clause("methods.invalid-json")
def test_a_body_that_is_not_json(callee, open_exchange, observed, hub):
    """The document asks for JSON; devices were seen to answer otherwise, and hubs to pass it on."""
    exchange = open_exchange(callee, response_timeout=hub.timing["method-timeout"])

    exchange.answer(200, b"{'a':1}")

    observed(exchange.call.outcome_with_payload())


@clause("methods.response-qos")
@pytest.mark.parametrize("qos", [0, 1])
def test_an_answer_may_have_either_qos(exchange, qos):
    """QoS 0 and QoS 1 bring the answer to the caller alike; QoS 1 gets its PUBACK besides."""
    exchange.answer(200, "done", qos=qos)

    result = exchange.result()
    assert (result.status, result.payload) == (200, "done")
