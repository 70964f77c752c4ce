"""Conditions of routes: what they say, of which messages they are true, and what is not understood."""

import pytest

from iothub_emulator.hub.query_tree import QueryRefused
from iothub_emulator.hub.route_conditions import Route, holds, parse, parse_route
from iothub_emulator.hub.routing import RoutingRules
from iothub_emulator.hub.telemetry import TelemetryEvent
from iothub_emulator.settings import Settings

WILL = {"iothub-messagetype": "Will", "path": "hot"}


@pytest.mark.parametrize(
    ("condition", "true"),
    [
        ('iothub-MessageType = "Will"', True),
        ("iothub-messagetype = 'Will'", True),
        ("IOTHUB-MESSAGETYPE='Will'", True),
        ("iothub-MessageType = 'will'", False),
        ("'Will' = iothub-MessageType", True),
        ("iothub-MessageType <> 'Will'", False),
        ("iothub-MessageType != 'Other'", True),
        ("iothub-MessageType = path", False),
        ("absent = 'Will'", False),
        ("absent <> 'Will'", False),
        ("NOT absent = 'Will'", False),
        ("not path = 'cold'", True),
        ("path = 'hot' AND iothub-MessageType = 'Will'", True),
        ("path = 'hot' and absent = 'x'", False),
        ("path = 'cold' OR iothub-MessageType = 'Will'", True),
        ("absent = 'x' or path = 'hot'", True),
        ("path = 'cold' AND path = 'hot' OR path = 'hot'", True),
        ("path = 'cold' AND (path = 'hot' OR path = 'hot')", False),
        ("NOT (path = 'cold' OR path = 'warm')", True),
        ("true", True),
        ("FALSE", False),
        ("$connectionDeviceId = 'd1'", True),
        ("$path = 'hot'", False),
        ("$mine = 'yes'", True),
        (r"'it\'s' = 'it\'s'", True),
    ],
)
def test_what_a_condition_is_true_of(condition, true):
    assert holds(parse(condition), {**WILL, "$mine": "yes"}, {"connectiondeviceid": "d1"}) is true


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("", "at its end"),
        ("path", "at its end"),
        ("path =", "at its end"),
        ("path = 'hot' AND", "at its end"),
        ("(path = 'hot'", "at its end"),
        ("path = 'hot')", r"at '\)', its part 4"),
        ("path = 'hot' path", "at 'path', its part 4"),
        ("AND path = 'hot'", "at 'AND', its part 1"),
        ("path > 'hot'", "from character 5"),
        ("path = 'hot", "from character 7"),
        ("path = 5", "5 is a number"),
        ("$body.temperature = 'x'", "only properties are"),
        ("$twin.tags.floor = 'x'", "only properties are"),
        ("path = 'a\\x'", "escape"),
        ("NOT " * 65 + "true", "nested deeper than 64"),
        ("(" * 65 + "true" + ")" * 65, "nested deeper than 64"),
    ],
)
def test_what_is_not_understood_is_said(condition, says):
    with pytest.raises(QueryRefused, match=says):
        parse(condition)


def test_a_route_has_a_name():
    assert parse_route("wills: true") == Route("wills", parse("true"))


@pytest.mark.parametrize("text", ["true", ":true", "my wills:true", "wills"])
def test_a_route_without_a_name_is_none(text):
    with pytest.raises(QueryRefused, match="NAME:CONDITION"):
        parse_route(text)


def event(**properties):
    return TelemetryEvent(
        "d1", "g", "{}", b"", 1.0, "m", properties, {"content-type": "a/b", "user-id": b"u"}
    )


def endpoints(*conditions, of, **settings):
    routes = tuple(Route(f"r{number}", parse(text)) for number, text in enumerate(conditions))
    return RoutingRules(Settings(routes=routes, **settings)).endpoints(of)


def test_a_message_that_routes_take_goes_there_once_and_nowhere_else():
    assert endpoints("a = '1'", "true", of=event(A="1")) == ("custom",)


def test_the_fallback_route_takes_the_rest():
    assert endpoints("a = '1'", of=event(a="2")) == ("built-in",)
    assert endpoints(of=event()) == ("built-in",)


def test_without_telemetry_the_built_in_endpoint_gets_none():
    assert endpoints("a = '1'", of=event(a="2"), events=("connection",)) == ()


@pytest.mark.parametrize(
    "condition",
    [
        "$connectionDeviceId = 'd1' AND $connectionModuleId = 'm'",
        "$contentType = 'a/b' AND $userId = 'u'",
    ],
)
def test_the_hubs_own_properties_can_be_asked_for(condition):
    assert endpoints(condition, of=event()) == ("custom",)
