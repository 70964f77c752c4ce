"""Methods are called in the background; whatever the hub answers, JSON or not, is a value or a word."""

import json
import threading

import pytest
from back_end import embedded_hub
from patience import PATIENCE
from scripted_service import Reply
from violations import observed

from conformance.backend.call_log import Journal
from conformance.backend.methods import MethodResult, Methods
from conformance.errors import CredentialsRefused, ServiceError, Throttled, Violation
from conformance.evidence.transcript import Transcript

KEY = "c2VjcmV0LWtleS0xMjM0"
NOT_THERE = Reply(404, {"Message": '{"errorCode":404103}'}, {"iothub-errorcode": "DeviceNotOnline"})


@pytest.fixture
def journal():
    return Journal()


@pytest.fixture
def methods(rest, journal):
    client = rest.client(sleep=lambda _: None, journal=journal)
    yield Methods(client, within=PATIENCE)
    client.close()


@pytest.fixture
def silence(rest):
    """Nobody answers a call until the test is over."""
    leave = threading.Event()

    class Silent(Reply):
        @property
        def status(self):
            leave.wait(PATIENCE)

        @status.setter
        def status(self, _):
            pass

    rest.replies = [Silent()]
    yield
    leave.set()


@pytest.fixture
def silent(rest, silence):
    """Methods of a hub that takes calls and never answers."""
    client = rest.client(sleep=lambda _: None)
    yield Methods(client, within=0.1, response_timeout=0)
    client.close()


def test_a_call_says_what_is_said_and_nothing_else(rest, methods):
    rest.replies = [Reply(200, {"status": 201, "payload": {"b": [1]}})] * 3

    result = methods.invoke("d", "reboot", {"a": 1}, response_timeout=7, connect_timeout=2.5)
    methods.invoke("d/m", "reboot", None)
    methods.invoke("d", "reboot")

    assert result == MethodResult(
        status=201,
        payload={"b": [1]},
        payload_in_words='{"b": [1]}',
        body=b'{"status": 201, "payload": {"b": [1]}}',
    )
    assert [request.path.partition("?")[0] for request in rest.requests] == [
        "/twins/d/methods",
        "/twins/d/modules/m/methods",
        "/twins/d/methods",
    ]
    assert [request.body for request in rest.requests] == [
        {
            "methodName": "reboot",
            "payload": {"a": 1},
            "responseTimeoutInSeconds": 7,
            "connectTimeoutInSeconds": 2.5,
        },
        {"methodName": "reboot", "payload": None},
        {"methodName": "reboot"},
    ]


def test_a_payload_of_bytes_is_sent_as_it_is_written(rest, methods):
    rest.replies = [Reply(200, {"status": 200})]

    methods.invoke("d", "reboot", b'{"a": 1.0, "a": 2}', response_timeout=7)

    assert rest.requests[-1].data == (
        b'{"methodName":"reboot","payload":{"a": 1.0, "a": 2},"responseTimeoutInSeconds":7}'
    )


@pytest.mark.parametrize(
    ("body", "status", "payload", "words"),
    [
        pytest.param(b'{"status":200,"payload":null}', 200, None, "null", id="null"),
        pytest.param(b'{"status":200}', 200, None, "absent", id="absent"),
        pytest.param(b'{"status":200,"payload":""}', 200, "", '""', id="empty"),
        pytest.param(b'{"status":200,"payload":}', 200, None, "body is not JSON", id="nothing"),
        pytest.param(b'{"status":-7,"payload":{\'a\':1}}', -7, None, "body is not JSON", id="quotes"),
        pytest.param(b'{"status":200,"payload":\xff\xfe}', 200, None, "body is not JSON", id="bytes"),
        pytest.param(b"", None, None, "body is not JSON", id="empty-body"),
        pytest.param(b'{"status":"abc","payload":1}', None, 1, "1", id="status-text"),
        pytest.param(b'{"status":true,"payload":1}', None, 1, "1", id="status-bool"),
        pytest.param(b"[1]", None, None, "absent", id="array"),
        pytest.param(b"[" * 100_000, None, None, "body is not JSON", id="too-deep"),
    ],
)
def test_any_body_is_a_result(rest, methods, body, status, payload, words):
    rest.replies = [Reply(200, body)]

    result = methods.invoke("d", "x")

    assert (result.status, result.payload, result.payload_in_words) == (status, payload, words)
    assert result.body == body


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        (Reply(200, {"status": 404, "payload": 1}), "status 404"),
        (Reply(200, b"{"), "no status"),
        (NOT_THERE, "404"),
        (Reply(504, {}), "504"),
        (Reply(500, {}), "500"),
        (Reply(400, {}), "400"),
    ],
)
def test_what_comes_of_a_call_is_a_word(rest, methods, reply, word):
    rest.replies = [reply]

    assert methods.outcome("d", "x") == word
    assert len(rest.requests) == 1  # a device must not be called twice


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(200, {"status": 202, "payload": None}), "status 202, payload null"),
        (Reply(200, {"status": 202}), "status 202, payload absent"),
        (Reply(200, b'{"status":202,"payload":}'), "status 202, payload body is not JSON"),
        (Reply(504, {}), "504"),
    ],
)
def test_what_came_with_it_is_said_too(rest, methods, reply, words):
    rest.replies = [reply]

    assert methods.begin("d", "x").outcome_with_payload() == words


def test_calls_at_once_carry_a_payload_each(rest, methods):
    rest.replies = [Reply(200, {"status": 200})] * 3

    calls = methods.begin_each("d", "count", [0, None, "c"])

    assert [call.outcome() for call in calls] == ["status 200"] * 3
    assert sorted(repr(request.body["payload"]) for request in rest.requests) == ["'c'", "0", "None"]


def test_a_time_for_all_calls_may_be_given(rest):
    rest.replies = [Reply(200, {"status": 200})] * 2
    client = rest.client(journal=Journal())
    hasty = Methods(client, within=PATIENCE, response_timeout=6)

    hasty.invoke("d", "x")
    hasty.invoke("d", "x", response_timeout=7)
    client.close()

    assert [request.body["responseTimeoutInSeconds"] for request in rest.requests] == [6, 7]


def test_a_result_that_is_none_is_a_violation(rest, methods):
    rest.replies = [NOT_THERE]

    with pytest.raises(Violation) as caught:
        methods.invoke("d", "x")

    assert str(caught.value) == "method 'x' on d: the hub answered 404 DeviceNotOnline"
    assert (caught.value.observed, caught.value.actual) == ("404", "404 DeviceNotOnline from the hub")


def test_a_hub_under_load_is_asked_again(rest, methods):
    rest.replies = [Reply(429, {}, {"Retry-After": "1"}), Reply(200, {"status": 200})]

    assert methods.outcome("d", "x") == "status 200"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_of_ours_is_no_outcome(rest, methods, status):
    """The clause may be about the answer: what the policy may not ask for is none."""
    rest.replies = [Reply(status, {})]

    with pytest.raises(CredentialsRefused, match=f"the policy 'service' is refused \\({status}\\)"):
        methods.outcome("d", "x")


def test_a_throttled_call_is_no_silence(rest, methods):
    """Whoever asks for the outcome waits as long as the hub asks for patience."""
    rest.replies = [Reply(429, {}, {"Retry-After": "500"})]

    with pytest.raises(Throttled):
        methods.outcome("d", "x")


def test_no_answer_at_all_is_the_hubs_silence(rest, silent):
    """Where the answer is what is checked, none is a wrong one."""
    call = silent.begin("d", "x")

    assert observed(call.result) == "no answer"
    assert observed(call.outcome) == "no answer"


@pytest.mark.usefixtures("silence")
def test_a_connection_that_gives_up_before_the_caller_is_no_other_silence(rest):
    """Whose patience ends first says nothing about the hub."""
    client = rest.client(sleep=lambda _: None, timeout=0.1)
    call = Methods(client, within=PATIENCE, response_timeout=0).begin("d", "x")

    assert observed(call.outcome) == "no answer"
    client.close()


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        (Reply(200, {"status": 500}), None),
        (NOT_THERE, None),
        (Reply(504, {}), None),  # what a hub says of a device that does not answer
        (Reply(503, {}), "method 'x' on d: the hub answered 503."),
        (Reply(401, {}), "the policy 'service' is refused (401)"),
        (Reply(403, {}), "the policy 'service' is refused (403)"),
        (Reply(None), "Server disconnected without sending a response"),
    ],
    ids=["device", "404", "504", "503", "401", "403", "hangs-up"],
)
def test_a_call_that_nobody_checks_may_have_failed(rest, methods, reply, failure):
    """What the hub says of the device is for a clause to judge; what it says of itself, or of us, is not."""
    rest.replies = [reply]
    methods.begin("d", "x")

    told = methods.failure(wait_for_end=True)

    assert (told is None) == (failure is None)
    assert (failure or "") in (told or "")


def test_a_call_without_answer_has_failed_once_its_time_is_over(silent):
    silent.begin("d", "x")

    assert silent.failure(wait_for_end=False) is None
    assert silent.failure(wait_for_end=True) == "method 'x' on d: the hub did not answer within 0.2 s."


def test_a_call_that_is_checked_has_not_failed(rest, methods):
    rest.replies = [Reply(503, {})]
    call = methods.begin("d", "x")

    assert call.outcome() == "503"
    assert methods.failure(wait_for_end=True) is None


def test_calls_of_an_earlier_case_are_forgotten(rest, methods):
    rest.replies = [Reply(503, {})]
    methods.begin("d", "x")

    methods.forget()

    assert methods.failure(wait_for_end=True) is None


def test_what_goes_wrong_in_the_background_reaches_whoever_waits(rest, methods):
    rest.replies = [Reply(401, {}), Reply(None)]

    with pytest.raises(CredentialsRefused):
        methods.begin("d", "x").outcome()
    with pytest.raises(ServiceError, match="POST /twins/d/methods"):
        methods.begin("d", "x").result()
    assert len(rest.requests) == 2


def test_a_call_that_outlives_its_case_is_not_written_to_the_next(rest, methods, journal):
    may_answer = threading.Event()
    first, second = Transcript(), Transcript()
    asked = threading.Event()

    class Late(Reply):
        @property
        def status(self):
            asked.set()
            may_answer.wait(PATIENCE)
            return 200

        @status.setter
        def status(self, _):
            pass

    rest.replies = [Late(body={"status": 200})]
    journal.follow(first)
    call = methods.begin("d", "x")
    assert asked.wait(PATIENCE)
    journal.forget()
    journal.follow(second)
    assert not call.is_over()
    assert call.outcome_within(0.01) == "no answer"
    may_answer.set()

    assert call.outcome_within(PATIENCE) == "status 200"
    assert call.is_over()
    assert call.seconds > 0.01
    assert [entry.text for entry in first.entries] == [
        'POST /twins/d/methods {"methodName": "x"}',
        'POST /twins/d/methods: 200 {"status": 200}',
    ]
    assert second.entries == ()


@pytest.fixture(scope="module")
def hub():
    with embedded_hub("--method-shortest-timeout", "0.1") as target:
        yield target


@pytest.fixture
def methods_of_hub(back_end):
    return back_end.service.methods


@pytest.fixture
def connection(back_end):
    made = back_end.device().connect()
    made.subscribe("$iothub/methods/POST/#")
    return made


def answer(connection, request, status, body):
    connection.send(f"$iothub/methods/res/{status}/?{request.topic.partition('?')[2]}", body, qos=0)


def test_a_round_trip_over_the_embedded_hub(methods_of_hub, connection):
    call = methods_of_hub.begin(connection.device, "reboot", {"ü": [1, None]})
    request = connection.expect_message()
    answer(connection, request, 207, b'"done"')

    assert request.topic.startswith("$iothub/methods/POST/reboot/?$rid=")
    assert json.loads(request.payload) == {"ü": [1, None]}
    result = call.result()
    assert (result.status, result.payload) == (207, "done")


def test_five_calls_at_once_each_get_their_own_answer(methods_of_hub, connection):
    calls = [methods_of_hub.begin(connection.device, "echo", number) for number in range(5)]
    requests = [connection.expect_message() for _ in calls]
    for request in reversed(requests):
        answer(connection, request, 200, request.payload)

    assert [call.result().payload for call in calls] == [0, 1, 2, 3, 4]


def test_a_device_that_does_not_answer_in_time(methods_of_hub, connection):
    assert methods_of_hub.outcome(connection.device, "x", response_timeout=0.1) == "504"


def test_devices_that_cannot_be_called(methods_of_hub, back_end):
    assert methods_of_hub.outcome(back_end.device(), "x") == "404"
    assert methods_of_hub.outcome("nobody", "x") == "404"
