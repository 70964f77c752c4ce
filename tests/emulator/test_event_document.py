"""An event as `monitor` prints it: names and values of `az iot hub monitor-events`, in one line of JSON."""

import json

import pytest
from azure.eventhub import EventData
from azure.eventhub.amqp import AmqpMessageProperties

from iothub_emulator.event_document import PARTS, as_line, event_document


def event(body=b"21.5", *, module=None, application=None, **system):
    """An event as the client hands it out: what AMQP says of it in bytes."""
    made = EventData(body)
    message = made.raw_amqp_message
    message.annotations = {b"iothub-connection-device-id": b"d1", b"x-opt-sequence-number": 7}
    if module is not None:
        message.annotations[b"iothub-connection-module-id"] = module
    message.application_properties = application
    message.properties = AmqpMessageProperties(**system) if system else None
    return made


def test_origin_and_payload_are_shown():
    assert event_document(event()) == {"event": {"origin": "d1", "module": "", "payload": "21.5"}}
    assert event_document(event(module=b"m"))["event"]["module"] == "m"


@pytest.mark.parametrize(
    ("body", "content_type", "shown"),
    [
        (b'{"a": [1]}', b"application/json", {"payload": {"a": [1]}}),
        (b'"a"', b"Application/JSON;charset=utf-8", {"payload": "a"}),
        (b'{"a": [1]}', None, {"payload": '{"a": [1]}'}),
        (b'{"a": [1]}', b"text/plain", {"payload": '{"a": [1]}'}),
        (b"{", b"application/json", {"payload": "{"}),
        (b"NaN", b"application/json", {"payload": "NaN"}),
        (b"[" * 100_000, b"application/json", {"payload": "[" * 100_000}),
        (b"", b"application/json", {"payload": ""}),
        (b"\xff\x00", b"application/json", {"payload_base64": "/wA="}),
        ("S\u00e3o".encode(), None, {"payload": "S\u00e3o"}),
    ],
    ids=[
        "JSON",
        "JSON with parameters",
        "unnamed",
        "text",
        "half",
        "no JSON",
        "too deep",
        "empty",
        "bytes",
        "UTF-8",
    ],
)
def test_the_payload_is_json_where_its_sender_says_so(body, content_type, shown):
    """What is neither JSON nor text is base64, under a name of its own."""
    made = event(body, content_type=content_type)
    assert event_document(made) == {"event": {"origin": "d1", "module": "", **shown}}


def test_annotations_and_properties_are_shown_if_they_are_wanted():
    made = event(application={b"alarm": b"yes", "n": 1}, message_id=b"m-1", content_type=b"text/plain")
    assert event_document(made, PARTS)["event"] == {
        "origin": "d1",
        "module": "",
        "payload": "21.5",
        "annotations": {"iothub-connection-device-id": "d1", "x-opt-sequence-number": 7},
        "properties": {
            "system": {"message_id": "m-1", "content_type": "text/plain"},
            "application": {"alarm": "yes", "n": 1},
        },
    }
    assert event_document(made, ["app"])["event"]["properties"] == {"application": {"alarm": "yes", "n": 1}}
    assert event_document(event(), ["sys"])["event"]["properties"] == {"system": {}}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("S\u00e3o", '{"payload": "S\u00e3o"}'),
        ("a\nb", r'{"payload": "a\nb"}'),
        ("\x1b[31m\u009b", r'{"payload": "\u001b[31m\u009b"}'),
        ("\ud800", r'{"payload": "\ud800"}'),
    ],
    ids=["text", "line feed", "escapes of a terminal", "half a character"],
)
def test_an_event_is_one_line_that_any_terminal_may_be_sent(text, line):
    assert as_line({"payload": text}) == line
    assert json.loads(line) == {"payload": text}
