"""Decisions about direct methods, one by one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iothub_emulator.hub.method_rules import MethodCall, MethodResponse, MethodResult, MethodRules
from iothub_emulator.hub.refusals import error_body
from iothub_emulator.hub.service_errors import ErrorCode, Refused

RULES = MethodRules()


def call(**fields):
    return RULES.read_call({"methodName": "m"} | fields)


def test_a_call_with_its_defaults():
    assert call() == MethodCall("m", b"", 30.0, 0.0)


@pytest.mark.parametrize(
    ("payload", "body"),
    [
        (None, b"null"),
        ("", b'""'),
        ({}, b"{}"),
        ({"a": [1, None]}, b'{"a":[1,null]}'),
        (0, b"0"),
        (False, b"false"),
        ("São", '"São"'.encode()),
    ],
)
def test_the_body_of_the_request(payload, body):
    assert call(payload=payload).payload == body


def test_a_call_with_its_defaults_has_nothing_in_its_body():
    assert call().payload == b""


@pytest.mark.parametrize("request_id", ["1a", "1A"])
def test_a_response_may_have_the_request_id_in_either_letter_case(request_id):
    """So nanoFramework's client answers."""
    assert RULES.answered_call(request_id, {"9": 1, "1a": 2}.keys()) == "1a"


@pytest.mark.parametrize("request_id", [None, "", "a", "01a", "1a "])
def test_a_response_with_another_request_id_answers_nobody(request_id):
    assert RULES.answered_call(request_id, {"9": 1, "1a": 2}.keys()) is None


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "m",
        {},
        {"methodName": None},
        {"methodName": 1},
        {"methodName": ""},
        {"methodName": "a/b"},
        {"methodName": "a+b"},
        {"methodName": "#"},
        {"methodName": "$x"},
        {"methodName": "a b"},
        {"methodName": "é"},
        {"methodName": "m\n"},
        {"methodName": "m" * 257},
        {"methodName": "m", "responseTimeoutInSeconds": 4},
        {"methodName": "m", "responseTimeoutInSeconds": 301},
        {"methodName": "m", "responseTimeoutInSeconds": 10**400},
        {"methodName": "m", "responseTimeoutInSeconds": "30"},
        {"methodName": "m", "responseTimeoutInSeconds": True},
        {"methodName": "m", "responseTimeoutInSeconds": float("nan")},
        {"methodName": "m", "connectTimeoutInSeconds": -1},
        {"methodName": "m", "connectTimeoutInSeconds": 301},
        {"methodName": "m", "connectTimeoutInSeconds": {}},
    ],
)
def test_calls_that_are_refused(document):
    with pytest.raises(Refused) as refused:
        RULES.read_call(document)
    assert refused.value.code is ErrorCode.ArgumentInvalid


@pytest.mark.parametrize("name", ["reboot", "a-b_c.d", "component*command", "!%&'^`|~", "m" * 256])
def test_names(name):
    assert RULES.accepts_name(name)


@pytest.mark.parametrize(("seconds", "connect"), [(5, 0), (300, 300), (7.5, None)])
def test_timeouts(seconds, connect):
    read = call(responseTimeoutInSeconds=seconds, connectTimeoutInSeconds=connect)

    assert (read.response_timeout, read.connect_timeout) == (seconds, connect or 0.0)


def test_the_shortest_timeout_is_a_setting():
    document = {"methodName": "m", "responseTimeoutInSeconds": 1}

    assert MethodRules(shortest_timeout=1).read_call(document).response_timeout == 1.0


def test_a_payload_of_128_kb_and_no_more():
    assert len(call(payload="x" * (131_072 - 2)).payload) == 131_072
    with pytest.raises(Refused) as refused:
        call(payload="x" * (131_072 - 1))
    assert refused.value.code is ErrorCode.MessageTooLarge


@pytest.mark.parametrize(
    ("topic", "response"),
    [
        ("$iothub/methods/res/200/?$rid=1", MethodResponse("200", "1")),
        ("$iothub/methods/res/200/?%24rid=1", MethodResponse("200", "1")),
        ("$iothub/methods/res/-1/?x=y&$rid=a=b", MethodResponse("-1", "a=b")),
        ("$iothub/methods/res/abc/?$rid=1&$rid=2", MethodResponse("abc", "1")),
        ("$iothub/methods/res//?$rid=1", MethodResponse("", "1")),
        ("$iothub/methods/res/200/?$rid=", MethodResponse("200", None)),
        ("$iothub/methods/res/200/", MethodResponse("200", None)),
        ("$iothub/methods/res/200", None),
        ("$iothub/methods/res/200/x?$rid=1", None),
        ("$iothub/methods/POST/m/?$rid=1", None),
        ("", None),
    ],
)
def test_topics_of_responses(topic, response):
    assert RULES.parse_response(topic) == response


@given(st.text() | st.text().map("$iothub/methods/res/".__add__))
def test_any_topic_can_be_read(topic):
    response = RULES.parse_response(topic)
    if response is not None:
        RULES.status(response.status)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("200", 200),
        ("0", 0),
        ("-1", -1),
        ("+5", 5),
        ("2147483647", 2147483647),
        ("2147483648", None),
        ("1" * 19, None),
        ("abc", None),
        ("1.0", None),
        ("", None),
        ("٣", None),
    ],
)
def test_statuses(text, status):
    assert RULES.status(text) == status


@pytest.mark.parametrize(
    ("payload", "document"),
    [
        (b'{"a":1}', b'{"status":200,"payload":{"a":1}}'),
        (b"", b'{"status":200,"payload":null}'),
        (b"{'a':1}", b'{"status":200,"payload":{\'a\':1}}'),
        (b"\xff", b'{"status":200,"payload":\xff}'),
    ],
)
def test_what_the_caller_gets(payload, document):
    assert RULES.result_document(MethodResult(200, payload)) == document


def test_negative_statuses_are_handed_on():
    assert json.loads(RULES.result_document(MethodResult(-5, b"[]"))) == {"status": -5, "payload": []}


def test_the_errors_of_a_call_as_objects():
    assert error_body(RULES.timed_out(), 1_600_000_000.0, "t") == {
        "errorCode": 504101,
        "trackingId": "t",
        "message": "Timed out waiting for the response from device.",
        "info": {},
        "timestampUtc": "2020-09-13T12:26:40.000000Z",
    }
    assert error_body(RULES.not_online(300.0), 1_600_000_000.0, "t") == {
        "errorCode": 404103,
        "trackingId": "t",
        "message": "Timed out waiting for device to connect.",
        "info": {"timeout": "00:05:00"},
        "timestampUtc": "2020-09-13T12:26:40.000000Z",
    }


def test_who_can_be_called():
    assert RULES.is_reachable(connected=True, subscribed=True)
    assert not RULES.is_reachable(connected=True, subscribed=False)
    assert not RULES.is_reachable(connected=False, subscribed=True)
    assert RULES.recipients("d") == ("d",)
    assert RULES.request_qos(1) == 0
    assert RULES.on_large_response() == "close"
