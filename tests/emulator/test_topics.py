"""Topic names and filters of the document."""

import pytest

from iothub_emulator.hub.topics import Events, is_documented_filter, names, parse_name


@pytest.mark.parametrize(
    ("topic", "parsed"),
    [
        ("devices/d1/messages/events/", Events("d1", "")),
        ("devices/d1/messages/events", Events("d1", "")),
        ("devices/d1/messages/events/a=1&b=2", Events("d1", "a=1&b=2")),
        ("devices/d1/messages/events/a=1/", Events("d1", "a=1/")),
        ("devices/d1/messages/events/a=\n", Events("d1", "a=\n")),
        ("devices/d1/messages/eventsx", None),
        ("devices/d1/messages/devicebound/", None),
        ("devices//messages/events/", None),
        ("devices/d1/modules/m/messages/events/a=1", Events("d1", "a=1", "m")),
        ("devices/d1/modules//messages/events/", None),
        ("/devices/d1/messages/events/", None),
        ("Devices/d1/messages/events/", None),
        ("$iothub/twin/GET/?$rid=1", None),
        ("a", None),
    ],
)
def test_a_topic_name_is_the_events_topic_or_undocumented(topic, parsed):
    assert parse_name(topic) == parsed


@pytest.mark.parametrize(
    ("topic_filter", "documented"),
    [
        ("devices/d1/messages/devicebound/#", True),
        ("$iothub/twin/res/#", True),
        ("$iothub/twin/PATCH/properties/desired/#", True),
        ("$iothub/methods/POST/#", True),
        ("devices/d2/messages/devicebound/#", False),
        ("devices/d1/messages/devicebound/", False),
        ("devices/d1/messages/devicebound/+", False),
        ("devices/+/messages/devicebound/#", False),
        ("devices/d1/messages/events/", False),
        ("devices/d1/#", False),
        ("$iothub/#", False),
        ("#", False),
    ],
)
def test_only_documented_filters_are_documented(topic_filter, documented):
    assert is_documented_filter(topic_filter, "d1") is documented


def test_a_device_is_named_to_the_letter():
    """Percent-encoded it is another one, but for characters that no topic name can hold."""
    assert names("d1", "d1")
    assert not names("d%3A1", "d:1")
    assert names("d%3A1", "d%3A1")
    assert names("d%2B1", "d+1")
    assert names("d%2b1%23", "d+1#")
    assert not names("D1", "d1")
    assert not names("d%2531", "d1")
