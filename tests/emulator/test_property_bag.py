"""The property bag: decoded exactly once, system properties apart."""

import pytest

from iothub_emulator.hub.property_bag import BagRefused, PropertyBagRules


@pytest.mark.parametrize(
    ("text", "properties"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a=", {"a": ""}),
        ("a", {"a": ""}),
        ("a&b=2", {"a": "", "b": "2"}),
        ("a=1&a=2", {"a": "2"}),
        ("a=%20b", {"a": " b"}),
        ("a=%2B", {"a": "+"}),
        ("a=+", {"a": "+"}),
        ("a=%2525", {"a": "%25"}),
        ("a%26b=c%3Dd", {"a&b": "c=d"}),
        ("lugar=S%C3%A3o%20Paulo", {"lugar": "S\u00e3o Paulo"}),
        ("a=%f0%9f%98%80", {"a": "\U0001f600"}),
        ("a=%zz&b=%", {"a": "%zz", "b": "%"}),
        ("?a=1", {"?a": "1"}),
        ("$.xyz=1", {"$.xyz": "1"}),
        ("%24.ctime=2026-11-22", {"iothub-creation-time-utc": "2026-11-22"}),
        ("iothub-connection-device-id=other", {"iothub-connection-device-id": "other"}),
        ("$.cdid=other", {"$.cdid": "other"}),
    ],
)
def test_a_bag_has_these_properties(text, properties):
    bag = PropertyBagRules().parse(text)
    assert (bag.properties, bag.system) == (properties, {})


@pytest.mark.parametrize("dollar", ["$", "%24"])
@pytest.mark.parametrize(
    ("short", "name"),
    [
        ("mid", "message-id"),
        ("cid", "correlation-id"),
        ("uid", "user-id"),
        ("ct", "content-type"),
        ("ce", "content-encoding"),
        ("to", "to"),
        ("exp", "absolute-expiry-time"),
        ("sub", "dt-subject"),
        ("on", "iothub-outputname"),
        ("ifid", "iothub-interface-id"),
        ("schema", "iothub-message-schema"),
    ],
)
def test_system_properties_are_not_the_sender_s_own(dollar, short, name):
    bag = PropertyBagRules().parse(f"{dollar}.{short}=x%2Fy&a=1")
    assert (bag.system, bag.properties) == ({name: "x/y"}, {"a": "1"})


@pytest.mark.parametrize("text", ["a=b=c", "=b", "&", "a=1&", "&a=1", "a=1&&b=2", "="])
def test_raw_delimiters_make_no_sense(text):
    with pytest.raises(BagRefused):
        PropertyBagRules().parse(text)
