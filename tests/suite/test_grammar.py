"""The grammar of the topics on which a hub publishes, and which filters they fall under."""

import pytest

from conformance.mqtt.topics import (
    DesiredChange,
    Devicebound,
    MethodRequest,
    TwinAnswer,
    echoes,
    matches,
    parse,
)


@pytest.mark.parametrize(
    ("topic", "parsed"),
    [
        ("devices/d1/messages/devicebound/", Devicebound("d1", "")),
        ("devices/d1/messages/devicebound/a=1&b/c", Devicebound("d1", "a=1&b/c")),
        ("$iothub/twin/res/200/?$rid=1", TwinAnswer("200", "1")),
        ("$iothub/twin/res/204/?$rid=1&$version=6", TwinAnswer("204", "1")),
        ("$iothub/twin/res/200/?$rid=a&b", TwinAnswer("200", "a&b")),
        ("$iothub/twin/res//?$rid=", TwinAnswer("", "")),
        ("$iothub/twin/PATCH/properties/desired/?$version=12", DesiredChange()),
        ("$iothub/methods/POST/reboot/?$rid=a", MethodRequest()),
    ],
)
def test_a_documented_topic_is_read(topic, parsed):
    assert parse(topic) == parsed


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "devices/d1/messages/devicebound",
        "devices/d1/messages/deviceboundx/",
        "devices/d1/modules/m1/inputs/one/",
        "devices/d1/messages/events/",
        "devices/+/messages/devicebound/",
        "$iothub/twin/res/200",
        "$iothub/twin/res/200/?rid=1",
        "$iothub/twin/PATCH/properties/desired/",
        "$iothub/twin/PATCH/properties/desired/?$version=",
        "$iothub/twin/PATCH/properties/desired/?$version=seven",
        "$iothub/methods/POST/reboot",
        "$iothub/methods/POST/reboot/?$rid=",
        "$iothub/methods/POST//?$rid=1",
        "$iothub/methods/res/200/?$rid=1",
    ],
)
def test_any_other_topic_is_none(topic):
    assert parse(topic) is None


@pytest.mark.parametrize(
    ("bag", "addressees"),
    [
        ("", ("d1",)),
        ("%24.to=%2Fdevices%2Fd2%2Fmessages%2FdeviceBound&a=b", ("d1", "d2")),
        ("?a=b&$.to=/devices/d2/messages/devicebound", ("d1", "d2")),
        ("$.to=elsewhere", ("d1",)),
        ("to=/devices/d2/messages/devicebound", ("d1",)),
    ],
)
def test_a_message_names_whom_it_is_for(bag, addressees):
    assert Devicebound("d1", bag).addressees == addressees


def test_the_name_in_a_topic_may_be_escaped():
    assert Devicebound("d%3A1", "").addressees == ("d:1",)


@pytest.mark.parametrize(
    ("topic", "ids"),
    [
        ("$iothub/twin/GET/?$rid=1", {"1"}),
        ("$iothub/twin/PATCH/properties/reported/?$rid=a%2Fb", {"a%2Fb", "a/b"}),
        ("$iothub/twin/PATCH/properties/reported/?$rid=1&$version=3", {"1&$version=3", "1"}),
        ("$iothub/twin/GET/", {""}),
        ("$iothub/twin/GET/?x=1", {""}),
        ("$iothub/twin/GET/1", None),
        ("$iothub/methods/res/200/?$rid=1", None),
        ("devices/d1/messages/events/", None),
    ],
)
def test_a_request_may_be_answered_with_these_ids(topic, ids):
    assert echoes(topic) == ids


@pytest.mark.parametrize(
    ("topic_filter", "topic", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/+/c", "a/b/c", True),
        ("a/+", "a", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "a/b", True),
        ("#", "$iothub/x", False),
        ("+/x", "$iothub/x", False),
        ("$iothub/#", "$iothub/x", True),
        ("a/b/c", "a/b", False),
    ],
)
def test_filters_match_as_mqtt_says(topic_filter, topic, expected):
    assert matches(topic_filter, topic) is expected
