"""Packets, and what they say in a scenario's words."""

import pytest

from conformance.explore.expectations import Event
from conformance.explore.wire import Heard, body_of, cut, number_in
from conformance.mqtt.packets import Pingresp, Puback, Publish, Suback, Unsuback

NAMES = {"conf-1-a": "a", "conf-1-A": "A"}


@pytest.fixture
def heard():
    """Return a connection on which two packets wait for their acknowledgement."""
    heard = Heard("a#1", NAMES)
    heard.next_id("7")
    heard.next_id("8")
    return heard


def test_a_body_begins_with_its_number():
    """Whatever its size, which is never less than that."""
    bodies = [body_of("12", size) for size in (0, 10, 300)]
    assert [(number_in(body), len(body)) for body in bodies] == [("12", 3), ("12", 10), ("12", 300)]


@pytest.mark.parametrize("how", ["whole", "bytes", "halves", "thirds", "header"])
@pytest.mark.parametrize("size", [2, 5, 1000])
def test_what_is_cut_is_the_same_in_one_piece(how, size):
    """Each byte is sent once, in its place."""
    data = body_of("1", size)
    assert b"".join(cut(data, how)) == data


def test_acknowledgements_are_known_by_what_they_answer(heard):
    """A packet id that nothing waits for is told as it is."""
    events = heard.events([Puback(1), Suback(2, (0, 128)), Unsuback(9), Pingresp(), Pingresp()])
    assert events == [
        Event("a#1", "puback", "7"),
        Event("a#1", "suback", "8", {"count": 2, "code 1": 0, "code 2": 128}),
        Event("a#1", "unsuback", "id 9"),
        Event("a#1", "pingresp", "1"),
        Event("a#1", "pingresp", "2"),
    ]


def test_a_message_says_whose_it_is_and_what_it_has(heard):
    """Its topic, body, size, flags, and the properties of its bag."""
    topic = "devices/conf-1-A/messages/devicebound/%24.mid=m-1&k=v"
    (event,) = heard.events([Publish(topic, body_of("5", 20), qos=1, packet_id=3)])
    assert event == Event(
        "a#1",
        "message",
        "5",
        {
            "addressee": "A", "body": "5", "size": 20, "retain": False, "qos": 1,
            "properties": {"k": "v", "$.mid": "m-1"}, "names": {"k": True, "$.mid": True},
        },
    )  # fmt: skip


def test_a_body_that_was_changed_is_not_the_one_that_was_sent(heard):
    """One byte is enough."""
    body = body_of("5", 20)[:-1] + b"?"
    (event,) = heard.events([Publish("devices/conf-1-a/messages/devicebound/", body)])
    assert event.values["body"] == "other bytes"


def test_an_answer_has_its_sections_without_the_hubs_own_members(heard):
    """What begins with a dollar sign is the hub's."""
    body = b'{"desired":{"x":1,"$version":3},"reported":{"$version":4,"$more":0}}'
    (event,) = heard.events([Publish("$iothub/twin/res/200/?$rid=9", body)])
    assert event.values == {
        "status": "200", "request id": "9",
        "desired": {"x": 1}, "desired version": 3, "reported": {}, "reported version": 4,
    }  # fmt: skip


def test_the_answer_to_a_patch_has_its_version(heard):
    """It stands behind the request id."""
    (event,) = heard.events([Publish("$iothub/twin/res/204/?$rid=9&$version=6", b"")])
    assert event == Event("a#1", "answer", "9", {"status": "204", "request id": "9", "version": 6})


def test_a_change_has_what_it_removes(heard):
    """A null is a removal."""
    topic = "$iothub/twin/PATCH/properties/desired/?$version=8"
    (event,) = heard.events([Publish(topic, b'{"a":null,"b":2,"$version":8}')])
    assert event == Event(
        "a#1", "desired", "8",
        {"members": {"a": None, "b": 2}, "nulls": ["a"], "version": 8, "version in body": 8},
    )  # fmt: skip


def test_a_request_is_known_by_its_method(heard):
    """An empty body is no null."""
    events = heard.events(
        [
            Publish("$iothub/methods/POST/m5/?$rid=1", b""),
            Publish("$iothub/methods/POST/part1*m6/?$rid=2", b"null"),
        ]
    )
    assert events == [
        Event("a#1", "request", "5", {"request id": "1", "body": {}, "name": "m5"}),
        Event("a#1", "request", "6", {"request id": "2", "body": {"json": None}, "name": "part1*m6"}),
    ]
