"""MQTT's own rules about filters, and what can match a topic that the hub sends."""

import pytest

from iothub_emulator.editions import EDITIONS
from iothub_emulator.hub.filters import matches, plain
from iothub_emulator.hub.subscribe import FAILURE, SubscribeRules

CURRENT, DOCUMENT = SubscribeRules(EDITIONS["current"]), SubscribeRules(EDITIONS["document"])
MESSAGE = "devices/d1/messages/devicebound/%24.to=%2Fdevices%2Fd1%2Fmessages%2Fdevicebound&a=1"
ANSWER = "$iothub/twin/res/200/?$rid=1"
CHANGE = "$iothub/twin/PATCH/properties/desired/?$version=2"
METHOD = "$iothub/methods/POST/reboot/?$rid=1"

MATCHING = [
    ("devices/d1/messages/devicebound/#", [MESSAGE]),
    ("devices/+/messages/devicebound/#", [MESSAGE]),
    ("devices/d1/messages/devicebound/+", [MESSAGE]),
    ("devices/d1/#", [MESSAGE]),
    ("devices/#", [MESSAGE]),
    ("+/+/+/+/+", [MESSAGE]),
    ("+/d1/#", [MESSAGE]),
    ("#", [MESSAGE]),
    ("devices/d1/messages/devicebound/+/#", [MESSAGE]),
    (MESSAGE, [MESSAGE]),
    ("$iothub/#", [ANSWER, CHANGE, METHOD]),
    ("$iothub/twin/#", [ANSWER, CHANGE]),
    ("$iothub/+/#", [ANSWER, CHANGE, METHOD]),
    ("$iothub/twin/res/#", [ANSWER]),
    ("$iothub/twin/res/200/#", [ANSWER]),
    ("$iothub/twin/res/204/#", []),
    ("$iothub/twin/res/+/+", [ANSWER]),
    ("$iothub/twin/PATCH/#", [CHANGE]),
    ("$iothub/twin/PATCH/properties/desired/#", [CHANGE]),
    ("$iothub/twin/PATCH/properties/desired/+", [CHANGE]),
    ("$iothub/methods/#", [METHOD]),
    ("$iothub/methods/POST/#", [METHOD]),
    ("$iothub/methods/POST/+/+", [METHOD]),
    ("$iothub/methods/POST/reboot/#", [METHOD]),
    ("$iothub/methods/POST/other/#", []),
]
NEVER = [
    "+",
    "/#",
    "rooms/kitchen",
    "$SYS/#",
    "+/twin/#",
    "devices/d2/messages/devicebound/#",
    "devices/D1/messages/devicebound/#",
    "devices/d1/messages/devicebound",
    "devices/d1/messages/devicebound/",
    "devices/d1/messages/devicebound/a=1",
    "devices/d1/messages/devicebound/+/+",
    "devices/d1/messages/devicebound#",
    "devices/#/messages",
    "devices/d1+/messages/devicebound/#",
    "devices/d1/messages/events/#",
    "devices/d1/modules/m/#",
    "/devices/d1/messages/devicebound/#",
    "$iothub",
    "$iothub/twin",
    "$iothub/twin/GET/#",
    "$iothub/twin/res/abc/#",
    "$iothub/twin/res/200",
    "$iothub/methods/res/#",
    "$iothub/methods/POST/a b/#",
    "$iothub/credentials/#",
    "",
]


@pytest.mark.parametrize(("topic_filter", "brought"), MATCHING)
def test_a_filter_that_can_match_is_granted_and_brings_what_it_matches(topic_filter, brought):
    """Edition current: what the hub sends to this identity, and nothing that the filter does not match."""
    heard = [
        topic
        for topic in (MESSAGE, ANSWER, CHANGE, METHOD)
        if CURRENT.granted({topic_filter: 1}, topic, "d1") is not None
    ]
    assert (CURRENT.grants(topic_filter, 2, "d1"), heard) == (1, brought)


@pytest.mark.parametrize("topic_filter", NEVER)
def test_a_filter_that_can_match_nothing_of_this_identity_is_refused(topic_filter):
    assert CURRENT.grants(topic_filter, 1, "d1") == FAILURE


@pytest.mark.parametrize(
    ("topic_filter", "granted"),
    [
        ("devices/d1/modules/m/#", 1),
        ("devices/d1/modules/m/inputs/#", 1),
        ("devices/d1/modules/m/inputs/in/+", 1),
        ("devices/+/modules/+/#", 1),
        ("#", 1),
        ("$iothub/twin/res/#", 1),
        ("devices/d1/modules/n/#", FAILURE),
        ("devices/d1/messages/devicebound/#", FAILURE),
        ("devices/+/messages/devicebound/#", FAILURE),
    ],
)
def test_a_module_has_topics_of_its_own(topic_filter, granted):
    assert CURRENT.grants(topic_filter, 1, "d1/m") == granted


@pytest.mark.parametrize(
    "topic_filter",
    [
        "#",
        "devices/+/messages/devicebound/#",
        "$iothub/twin/#",
        "$iothub/methods/#",
        "$iothub/twin/res/200/#",
    ],
)
def test_the_document_grants_what_it_names(topic_filter):
    assert DOCUMENT.grants(topic_filter, 1, "d1") == FAILURE


@pytest.mark.parametrize("rules", [CURRENT, DOCUMENT], ids=["current", "document"])
def test_an_id_that_is_percent_encoded_is_another_one(rules):
    assert rules.grants("devices/%641/messages/devicebound/#", 1, "d1") == FAILURE


def test_where_two_filters_match_the_higher_qos_counts():
    """[MQTT-3.3.5-1]"""
    subscriptions = {"devices/d1/#": 0, "#": 1, "devices/d1/messages/devicebound/#": 0, "$iothub/#": 1}
    assert CURRENT.granted(subscriptions, MESSAGE, "d1") == 1


@pytest.mark.parametrize(
    ("topic_filter", "topic", "matched"),
    [
        ("a/#", "a", True),
        ("a/#", "a/", True),
        ("a/#", "ab", False),
        ("a/+", "a", False),
        ("a/+", "a/", True),
        ("+", "", True),
        ("#", "$iothub/x", False),
        ("+/x", "$iothub/x", False),
        ("$iothub/+", "$iothub/x", True),
        ("a/+/c", "a/b/c/d", False),
        ("a", "A", False),
    ],
)
def test_mqtt_s_rules(topic_filter, topic, matched):
    """[MQTT-4.7.1-2, -3], [MQTT-4.7.2-1], [MQTT-4.7.3-4]"""
    assert matches(topic_filter, topic) is matched


@pytest.mark.parametrize(
    ("topic_filter", "identity_key", "as_it_is"),
    [
        ("devices/a%3Ab/messages/devicebound/#", "a:b", "devices/a%3Ab/messages/devicebound/#"),
        ("devices/a%2Bb/modules/%6D/#", "a+b/m", "devices/a%2Bb/modules/%6D/#"),
        ("devices/a%2bb/messages/devicebound/#", "a+b", "devices/a%2Bb/messages/devicebound/#"),
        ("devices/a+b/messages/devicebound/#", "a+b", "devices/a%2Bb/messages/devicebound/#"),
        ("devices/+/messages/devicebound/#", "a+b", "devices/+/messages/devicebound/#"),
        ("devices/a%2Bb/messages/devicebound/#", "other", "devices/a%2Bb/messages/devicebound/#"),
        ("rooms/%41", "A", "rooms/%41"),
    ],
)
def test_own_ids_that_no_topic_holds_are_percent_encoded(topic_filter, identity_key, as_it_is):
    assert plain(topic_filter, identity_key) == as_it_is
