"""An event becomes a message value: what the bag said, what AMQP says, what the hub stamped."""

import pytest

from conformance.backend.telemetry import Telemetry, decode

STAMPS = {
    b"iothub-connection-device-id": b"d-1",
    b"iothub-connection-auth-method": b'{"scope":"device","type":"sas"}',
    b"iothub-message-source": b"Telemetry",
    b"x-opt-sequence-number": 12,
    b"x-opt-offset": b"480",
    b"x-opt-enqueued-time": 1_700_000_000_250,
}


def read(**parts):
    defaults = {
        "partition": "1",
        "body": b"x",
        "application_properties": None,
        "amqp_properties": (),
        "annotations": STAMPS,
    }
    return decode(**{**defaults, **parts})


def test_the_stamps_say_who_where_and_when():
    message = read()

    assert (message.device_id, message.module_id, message.source) == ("d-1", None, "Telemetry")
    assert message.auth == {"scope": "device", "type": "sas"}
    assert (message.partition, message.sequence_number, message.enqueued_time) == ("1", 12, 1_700_000_000.25)
    assert message.annotations["x-opt-offset"] == "480"


def test_a_module_is_named():
    assert read(annotations={**STAMPS, b"iothub-connection-module-id": b"m"}).module_id == "m"


def test_application_properties_are_text_or_null():
    message = read(application_properties={b"a": b"1", b"\xc3\xa9": None, "c": "", b"n": 7})

    assert message.properties == {"a": "1", "é": None, "c": "", "n": "7"}


def test_system_properties_are_those_a_device_can_set():
    message = read(
        amqp_properties=[
            ("message_id", b"m"),
            ("correlation_id", "c"),
            ("user_id", b"u"),
            ("content_type", b"text/plain"),
            ("content-encoding", b"utf-8"),
            ("to", b"/devices/d-1/messages/events"),
            ("subject", None),
        ]
    )

    assert message.system == {
        "message-id": "m",
        "correlation-id": "c",
        "user-id": "u",
        "content-type": "text/plain",
        "content-encoding": "utf-8",
    }
    assert message.annotations["to"] == "/devices/d-1/messages/events"


def test_bytes_that_are_no_utf_8_stay_visible():
    assert read(application_properties={b"a": b"\xff"}).properties == {"a": "\\xff"}


@pytest.mark.parametrize("method", [b"sas", b"[1]", None])
def test_a_statement_about_the_sender_that_cannot_be_read_is_none(method):
    assert read(annotations={**STAMPS, b"iothub-connection-auth-method": method}).auth == {}


def test_an_event_without_stamps_is_a_message_of_nobody():
    message = read(annotations=None)

    assert (message.device_id, message.source, message.sequence_number, message.enqueued_time) == (
        "",
        None,
        -1,
        0.0,
    )


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        pytest.param({}, "none", id="none"),
        pytest.param({"b": "2", "a": "1"}, "a=1, b=2", id="sorted"),
        pytest.param({"a": None, "b": ""}, "a=null, b=", id="null-and-empty"),
    ],
)
def test_properties_in_words(properties, words):
    assert Telemetry(body=b"", properties=properties, system={}, device_id="d").properties_in_words == words


@pytest.mark.parametrize(
    ("properties", "word"),
    [
        pytest.param({}, "absent", id="absent"),
        pytest.param({"name": None}, "null", id="null"),
        pytest.param({"name": ""}, "empty string", id="empty"),
        pytest.param({"name": "x"}, "'x'", id="value"),
    ],
)
def test_a_value_in_words(properties, word):
    assert Telemetry(body=b"", properties=properties, system={}, device_id="d").value_in_words("name") == word


def test_a_message_is_one_line_of_a_transcript():
    message = read(body=b"abc", application_properties={b"a": b"1"}, amqp_properties=[("message_id", b"m")])

    assert str(message) == "telemetry of d-1: 3 bytes, properties: a=1, message-id m (partition 1 number 12)"
