"""Direct methods: the request that reaches the device.

Document: #respond-to-a-direct-method. Clauses: clauses/methods.toml.

A device subscribes to $iothub/methods/POST/#. A call comes on
$iothub/methods/POST/{method name}/?$rid={request id}, with a body of JSON or an empty one.
"""

import pytest

clause = pytest.mark.clause


@clause("methods.subscribe")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_the_filter_of_requests_can_be_subscribed_to(connection, qos):
    """Whatever QoS is asked for, the SUBACK holds no failure."""
    assert connection.subscribe("$iothub/methods/POST/#", qos=qos) != 128


@clause("methods.request")
@pytest.mark.parametrize("name", ["reboot", "Set_Interval2", "x", "collect_logs_of_the_last_24_hours"])
def test_a_call_reaches_the_device_once(callee, methods, name):
    """The topic holds the name of the method and a request id, and there is one message."""
    methods.begin(callee.device, name, {"delay": 5})

    request = callee.next_request()
    assert request.topic == f"$iothub/methods/POST/{name}/?$rid={request.request_id}"
    callee.connection.expect_no_message()


@clause("methods.component")
@pytest.mark.parametrize("name", ["fan*turn", "Fan_2*Set_Speed"])
def test_a_call_of_a_components_command_reaches_the_device(callee, methods, name):
    """Between component and command stands a star, which is no wildcard and no escape."""
    methods.begin(callee.device, name, {"delay": 5})

    request = callee.next_request()
    assert request.topic == f"$iothub/methods/POST/{name}/?$rid={request.request_id}"


@clause("methods.names")
@pytest.mark.parametrize("mark", ["-", ".", "~", "!", "%", "&", "'", "^", "`", "|", "#", "+"])
def test_a_name_with_another_mark(callee, methods, observed, mark):
    """The page allows it; a topic may hold it as it is, escaped, or not at all."""
    call = methods.begin(callee.device, f"a{mark}b", {"delay": 5})

    heard = callee.answer_while(lambda: not call.is_over())

    observed(" and ".join([call.outcome(), *heard]))


@clause("methods.request-body")
@pytest.mark.parametrize(
    "payload",
    [
        pytest.param({"delay": 5, "force": True}, id="object"),
        pytest.param({"route": {"via": ["north", {"stops": [1, 2]}], "back": None}}, id="nested"),
        pytest.param([1, "two", None, [3]], id="array"),
        pytest.param("at once", id="string"),
        pytest.param(-21.5, id="number"),
        pytest.param("São Paulo, 东京, 🚀", id="Unicode"),
        pytest.param('say "no", 1\\2\n', id="quotes-and-backslashes"),
        pytest.param({}, id="empty-object"),
        pytest.param([], id="empty-array"),
        pytest.param("", id="empty-string"),
        pytest.param(0, id="zero"),
        pytest.param({"log": "0123456789" * 10240}, id="100-KB", marks=pytest.mark.large),
    ],
)
def test_the_payload_reaches_the_device(callee, methods, payload):
    """Whatever JSON the caller sends, the device gets JSON of the same value."""
    methods.begin(callee.device, "configure", payload)

    assert callee.next_request().document == payload


@clause("methods.request-body")
@pytest.mark.parametrize("flag", [True, False])
def test_a_boolean_reaches_the_device_as_one(callee, methods, flag):
    """Neither a number nor a text."""
    methods.begin(callee.device, "configure", flag)

    assert callee.next_request().document is flag


@clause("methods.request-empty")
@pytest.mark.parametrize("payload", [[]], ids=["left-out"])
def test_a_call_without_payload_has_nothing_in_its_body(callee, methods, payload):
    """The body is empty; null says the same."""
    methods.begin(callee.device, "reboot", *payload)

    assert callee.next_request().carries == "nothing"


@clause("methods.request-null")
def test_a_call_with_a_payload_of_null(callee, methods, readings):
    """JSON has null as a value like any other; a device may take an empty body for a mistake."""
    methods.begin(callee.device, "reboot", None)

    readings.match(callee.next_request().written)


@clause("methods.own-only")
def test_a_call_reaches_no_other_device(callee, other_callee, open_exchange, methods):
    """Two devices listen, one is called: the first request of the other one is its own."""
    open_exchange(callee, "not_for_you")

    methods.begin(other_callee.device, "for_you")
    assert other_callee.next_request().name == "for_you"


@clause("methods.request-ids-differ")
def test_calls_at_the_same_time_have_different_request_ids(callee, methods):
    """Five calls under way have five request ids: by them alone the answers are told apart."""
    methods.begin_each(callee.device, "count", range(5))

    requests = callee.next_requests(5)
    assert len({request.request_id for request in requests}) == 5


@clause("methods.request-ids-differ")
def test_calls_after_each_other_have_different_request_ids(callee, complete_exchanges):
    """10 calls, each answered before the next: no request id comes again, or a late answer would fit."""
    request_ids = complete_exchanges(callee, 10)

    assert len(set(request_ids)) == 10
