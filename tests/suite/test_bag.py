"""The bag of a message to a device, as the suite reads it."""

import pytest

from conformance.mqtt.bag import Bag, as_needed, bag_of, every_byte, in_small_hexadecimal, path_of, written
from conformance.mqtt.packets import Publish

PATH = "devices/d1/messages/devicebound/"


def publish(topic):
    return Publish(topic, b"")


@pytest.mark.parametrize(
    ("bag", "application", "system"),
    [
        ("", {}, {}),
        ("a=1", {"a": "1"}, {}),
        ("a=1&b=2", {"a": "1", "b": "2"}, {}),
        ("?a=1", {"a": "1"}, {}),
        ("%24.mid=m&$.cid=c&a=", {"a": ""}, {"$.mid": "m", "$.cid": "c"}),
        ("a", {"a": None}, {}),
        ("iothub-ack=none&a=1", {"a": "1"}, {"iothub-ack": "none"}),
        ("a%26b=c%3Dd", {"a&b": "c=d"}, {}),
        ("a=%252B&b=x+y&c=z=z", {"a": "%2B", "b": "x+y", "c": "z=z"}, {}),
        ("%C3%A9=%E4%B8%9C", {"é": "东"}, {}),
        ("%24.to=%2Fdevices%2Fd1%2Fmessages%2Fdevicebound", {}, {"$.to": "/devices/d1/messages/devicebound"}),
        ("%24.to=/devices/d1/messages/devicebound", {}, {"$.to": "/devices/d1/messages/devicebound"}),
    ],
)
def test_properties_are_decoded_once_and_sorted_by_whose_they_are(bag, application, system):
    message = publish(PATH + bag)

    assert bag_of(message) == Bag(application, system)
    assert bag_of(message).names == {*application, *system}
    assert path_of(message) == PATH


@pytest.mark.parametrize(
    ("topic", "path"),
    [
        ("devices/d1/messages/devicebound", "devices/d1/messages/devicebound"),
        ("devices/d1/messages/events/a=1", "devices/d1/messages/events/a=1"),
        ("$iothub/twin/res/200/?$rid=1", "$iothub/twin/res/200/?$rid=1"),
    ],
)
def test_a_topic_that_has_no_bag_is_its_path(topic, path):
    assert path_of(publish(topic)) == path
    assert bag_of(publish(topic)) == Bag({}, {})


@pytest.mark.parametrize(
    ("escape", "bag"),
    [
        (as_needed, "a%2Bb=%C3%A9%26%25&c="),
        (in_small_hexadecimal, "a%2bb=%c3%a9%26%25&c="),
        (every_byte, "%61%2B%62=%C3%A9%26%25&%63="),
    ],
    ids=["as-needed", "in-small-hexadecimal", "every-byte"],
)
def test_a_bag_is_written_as_asked_and_read_back(escape, bag):
    properties = {"a+b": "é&%", "c": ""}

    assert written(properties, escape) == bag
    assert bag_of(publish(PATH + bag)).application == properties
