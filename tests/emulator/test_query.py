"""Queries over twins: which a condition finds, and what is selected of them."""

import json

import pytest
from queried_twins import SOURCES, TWINS

from iothub_emulator.hub.query import Source, parse, run, tags_needed


def found(condition):
    page = run(parse(f"SELECT * FROM devices WHERE {condition}"), SOURCES)
    return "".join(twin["deviceId"] for twin in page.items)


@pytest.mark.parametrize(
    "query", ["SELECT * FROM devices", "select  *\nfrom DEVICES ", "SELECT TOP 9 * FROM devices"]
)
def test_all_twins_in_the_order_of_their_ids(query):
    page = run(parse(query), SOURCES)

    assert [twin["deviceId"] for twin in page.items] == ["a", "b", "c"]
    assert page.items[0]["tags"] == TWINS["a"]["tags"]
    assert (page.continuation, page.item_type) == (None, "Twin")


@pytest.mark.parametrize(
    ("condition", "twins"),
    [
        ("deviceId = 'a'", "a"),
        ("DEVICEID = 'a'", "a"),
        ("devices.deviceId = 'a'", "a"),
        ('deviceId = "a"', "a"),
        ("'a' = deviceId", "a"),
        ("deviceId != 'a'", "bc"),
        ("deviceId <> 'a'", "bc"),
        ("deviceId > 'a'", "bc"),
        ("deviceId <= 'b'", "ab"),
        ("status = 'enabled' AND connectionState = 'Disconnected'", "b"),
        ("status = 'disabled' or tags.n = 5", "ac"),
        ("tags.place.region = 'US'", "a"),
        ("Tags.place.region = 'US'", "a"),
        ("tags.Place.region = 'US'", ""),
        ("tags.n >= 5", "ab"),
        ("tags.n > 5.0", "b"),
        ("tags.n = 0x5", "a"),
        ("tags.n > -1e3", "ab"),
        ("tags.n = '5'", ""),
        ("tags.n != '5'", "ab"),
        ("tags.n < '9'", ""),
        ("tags.flag = true", "a"),
        ("tags.flag", "a"),
        ("NOT tags.flag", "bc"),
        ("tags.flag = 1", ""),
        ("tags.flag < true", ""),
        ("tags.nothing = null", "a"),
        ("tags.nothing != null", ""),
        ("tags.n != null", "ab"),
        ("is_defined(tags.nothing)", "a"),
        ("NOT IS_DEFINED(tags.n)", "c"),
        ("NOT tags.n = 5", "b"),
        ("tags.text = 'it\\'s'", "b"),
        ('tags.text = "it\'s"', "b"),
        ("tags.text = '\\u0069t\\u0027s'", "b"),
        ("tags.list = 1", ""),
        ("tags.list != 1", ""),
        ("tags.place = 'US'", ""),
        ("properties.reported.every >= 30 AND properties.reported.every < 60", "b"),
        ("Properties.Reported.every = 60", "a"),
        ("properties.desired.mode = properties.reported.mode", "a"),
        ("properties.desired.$version = 2", "a"),
        ("capabilities.iotEdge = true", "a"),
        ("deviceId IN ['a', 'c', 'z']", "ac"),
        ("deviceId NIN ['a', 'c']", "b"),
        ("tags.n IN [5, 'x', true]", "a"),
        ("tags.n NIN [5]", "b"),
        ("NOT deviceId IN ['a']", "bc"),
        ("(status = 'enabled' OR status = 'disabled') AND NOT (deviceId = 'b')", "ac"),
        ("deviceId = 'a' OR deviceId = 'b' AND status = 'disabled'", "a"),
        ("true", "abc"),
        ("false", ""),
        ("'text'", ""),
        ("deviceId", ""),
        ("tags.absent = 1 OR deviceId = 'a'", "a"),
        ("NOT (tags.absent = 1)", ""),
        ("1 = 1", "abc"),
        # A property that twins do not have has no value.
        ("tagz.a = 1", ""),
        ("tagz.a = 1 OR deviceId = 'a'", "a"),
        ("tagz.a != 1", ""),
        ("statusUpdatedTime > '2020'", ""),
        ("reported.a = 1", ""),
        ("properties.other.a = 1", ""),
        ("devices = 1", ""),
        ("is_defined(tagz)", ""),
        ("NOT is_defined(tagz)", "abc"),
        ("tags.n = undefined", ""),
        # Arithmetic
        ("tags.n + 1 = 6", "a"),
        ("tags.n - 1 = 4", "a"),
        ("tags.n-1=4", "a"),
        ("tags.n * 2 = 15", "b"),
        ("tags.n / 2 = 2.5", "a"),
        ("tags.n % 2 = 1", "a"),
        ("2 + 3 * 2 = 8", "abc"),
        ("(2 + 3) * 2 = 10", "abc"),
        ("10 - 3 - 2 = 5", "abc"),
        ("2 = 8 / 2 / 2", "abc"),
        ("-tags.n = -5", "a"),
        ("- -5 = tags.n", "a"),
        ("-(tags.n + 1) < -6", "b"),
        ("-7 % 4 = -3", "abc"),
        ("tags.n / 0 = 1", ""),
        ("tags.n / 0 != 1", ""),
        ("tags.text + 1 = 1", ""),
        ("tags.flag + 1 = 2", ""),
        ("tags.my-tag = 1", ""),
        # Parentheses around values and conditions
        ("(tags.n) = 5", "a"),
        ("((tags.n)) = (5)", "a"),
        ("(tags.n = 5) = true", "a"),
        ("(tags.n = 5) = false", "b"),
        ("NOT (tags.n = 5 OR tags.absent = 1)", ""),
        ("(deviceId = 'a' OR deviceId = 'b') AND (tags.n) > 6", "b"),
        # Functions
        ("STARTSWITH(devices.deviceId, 'a')", "a"),
        ("starts_with(deviceId, 'b') OR ends_with(deviceId, 'c')", "bc"),
        ("NOT starts_with(deviceId, 'b')", "ac"),
        ("starts_with(tags.absent, 'b')", ""),
        ("starts_with(tags.n, '5')", ""),
        ("contains(status, 'able')", "abc"),
        ("contains(status, 'dis')", "c"),
        ("index_of(status, 'able') = 2", "ab"),
        ("index_of(status, 'x') = -1", "abc"),
        ("length(status) = 8", "c"),
        ("upper(deviceId) = 'A'", "a"),
        ("lower(connectionState) = 'connected'", "a"),
        ("concat(deviceId, '-', status) = 'a-enabled'", "a"),
        ("concat(deviceId, tags.n) = 'a5'", ""),
        ("substring(status, 3) = 'abled'", "c"),
        ("substring(status, 0, 3) = 'dis'", "c"),
        ("substring(status, -1) = 'd'", ""),
        ("substring(status, 0, 1.5) = 'd'", ""),
        ("abs(tags.n - 10) = 5", "a"),
        ("ceiling(tags.n) = 8", "b"),
        ("floor(tags.n) = 7", "b"),
        ("sign(tags.n - 6) = -1", "a"),
        ("square(tags.n) = 25", "a"),
        ("sqrt(tags.n + 4) = 3", "a"),
        ("sqrt(-tags.n) = 0", ""),
        ("power(tags.n, 2) = 25", "a"),
        ("power(tags.n, 9999) > 0", ""),
        ("exp(0) = 1", "abc"),
        ("exp(tags.text) = 1", ""),
        ("as_number('5') = tags.n", "a"),
        ("as_number(tags.n) = 5", "a"),
        ("as_number('five') = 5", ""),
        ("as_number(tags.flag) = 1", ""),
        ("is_number(tags.n)", "ab"),
        ("is_string(tags.text)", "b"),
        ("is_bool(tags.flag)", "ab"),
        ("is_null(tags.nothing)", "a"),
        ("is_array(tags.list)", "a"),
        ("is_object(tags.place)", "ab"),
        ("is_primitive(tags.nothing)", "a"),
        ("is_primitive(tags.place)", ""),
        ("array_contains(tags.list, 1)", "a"),
        ("array_contains(tags.list, '1')", ""),
        ("array_contains(tags.n, 5)", ""),
        ("array_contains(['a', 'c'], deviceId)", "ac"),
        ("is_bool(tags.n = 5)", "ab"),
        ("length(concat(deviceId, 'x')) + 1 = 3", "abc"),
        ("lower(deviceId) IN ['a']", "a"),
        ("tags.n IN [-5, 5]", "a"),
    ],
)
def test_conditions(condition, twins):
    assert found(condition) == twins
    needed = tags_needed(parse(f"SELECT * FROM devices WHERE {condition}").condition)
    assert all(needed <= TWINS[twin]["tags"].keys() for twin in twins)


@pytest.mark.parametrize(
    ("condition", "needed"),
    [
        ("tags.a = 1", {"a"}),
        ("tags.a != 1 AND (tags.b.c IN [1] AND tags.d NIN [2])", {"a", "b", "d"}),
        ("tags.a = null", {"a"}),
        ("tags.a = 1 AND (tags.b = 2 OR tags.c = 3)", {"a"}),
        ("NOT tags.a = 1", set()),
        ("is_defined(tags.a) AND tags = 1", set()),
        ("properties.desired.tags = 1 AND deviceId = 'a'", set()),
    ],
)
def test_tags_without_which_no_twin_is_found(condition, needed):
    """Comparisons of a tag that are joined by AND: what is not there compares with nothing, not with null."""
    assert tags_needed(parse(f"SELECT * FROM devices WHERE {condition}").condition) == needed


@pytest.mark.parametrize(
    ("query", "items"),
    [
        ("SELECT deviceId FROM devices", [{"deviceId": "a"}, {"deviceId": "b"}, {"deviceId": "c"}]),
        ("SELECT DeviceId FROM devices WHERE tags.n = 5", [{"deviceId": "a"}]),
        (
            "SELECT deviceId AS id, tags.place.region, tags.n FROM devices WHERE status = 'enabled'",
            [{"id": "a", "region": "US", "n": 5}, {"id": "b", "region": "EU", "n": 7.5}],
        ),
        (
            "SELECT tags.nothing, tags.n FROM devices WHERE deviceId IN ['a','c']",
            [{"nothing": None, "n": 5}, {}],
        ),
        ("SELECT TOP 1 deviceId FROM devices", [{"deviceId": "a"}]),
        ("SELECT TOP 0 deviceId FROM devices", []),
        ("SELECT COUNT() AS count FROM devices", [{"count": 3}]),
        ("select count() as x from devices where tags.n > 5", [{"x": 1}]),
        ("SELECT COUNT() AS count FROM devices WHERE false", [{"count": 0}]),
        ("SELECT statusUpdatedTime AS x, deviceId FROM devices WHERE tags.n = 5", [{"deviceId": "a"}]),
        (
            "SELECT AVG(tags.n) AS a, SUM(tags.n) AS b, MIN(version) AS c, MAX(version) AS d FROM devices",
            [{"a": 6.25, "b": 12.5, "c": 2, "d": 5}],
        ),
        ("SELECT MIN(deviceId) AS first, MAX(deviceId) AS last FROM devices", [{"first": "a", "last": "c"}]),
        ("SELECT AVG(tags.text) AS x, COUNT() AS n FROM devices", [{"n": 3}]),
        ("SELECT SUM(tags.n) AS x FROM devices WHERE tags.absent = 1", [{}]),
        (
            "SELECT status AS s, COUNT() AS n FROM devices GROUP BY status",
            [{"s": "enabled", "n": 2}, {"s": "disabled", "n": 1}],
        ),
        (
            "SELECT COUNT() AS n, status FROM devices WHERE connectionState = 'Disconnected' GROUP BY status",
            [{"n": 1, "status": "enabled"}, {"n": 1, "status": "disabled"}],
        ),
        (
            "SELECT tags.place.region FROM devices GROUP BY tags.place.region",
            [{"region": "US"}, {"region": "EU"}, {}],
        ),
        (
            "SELECT tags.place, COUNT() AS n FROM devices WHERE tags.n = 5 GROUP BY tags.place",
            [{"place": {"region": "US"}, "n": 1}],
        ),
        (
            "SELECT MAX(version) AS v, status FROM devices GROUP BY Status",
            [{"v": 5, "status": "enabled"}, {"v": 2, "status": "disabled"}],
        ),
        ("SELECT TOP 1 status, COUNT() AS n FROM devices GROUP BY status", [{"status": "enabled", "n": 2}]),
        ("SELECT status, COUNT() AS n FROM devices WHERE false GROUP BY status", []),
    ],
)
def test_columns_and_counts(query, items):
    page = run(parse(query), SOURCES)

    assert page.items == items
    assert page.item_type == "Raw"


def test_collections():
    assert parse("SELECT * FROM devices").source == "devices"
    assert parse("SELECT * FROM devices.modules").source == "modules"


def test_what_azure_iot_explorer_asks_for_first():
    """One of its names is no twin's: `statusUpdatedTime` is the registry's name for `statusUpdateTime`."""
    query = """
        SELECT deviceId as DeviceId, status as Status, lastActivityTime as LastActivityTime,
        statusUpdatedTime as StatusUpdatedTime, capabilities.iotEdge as IotEdge
        FROM devices WHERE STARTSWITH(devices.deviceId, 'a')"""

    assert run(parse(query), SOURCES).items == [{"DeviceId": "a", "Status": "enabled", "IotEdge": True}]


def test_the_children_of_an_edge_device():
    """As azure-iot-cli-extension asks for them."""
    scopes = ["ms-azure-iot-edge://edge-1"]
    child = Source("child", "", lambda: {"deviceId": "child", "parentScopes": scopes})
    query = "select deviceId from devices where array_contains(parentScopes, 'ms-azure-iot-edge://edge-1')"

    assert run(parse(query), [*SOURCES, child]).items == [{"deviceId": "child"}]


@pytest.mark.parametrize(
    "condition",
    [
        "length(" * 31 + "'a'" + ")" * 31 + " = 1",
        "(1 + " * 31 + "1" + ")" * 31 + " = 32",
        "1 = (" * 31 + "1" + ")" * 31,
        " + ".join(["1"] * 1500) + " = 1500",
        " * ".join(["0xFFFFFFFFFFFFFFFFFFFF"] * 200) + " > 1",
    ],
)
def test_what_is_nested_or_long_exhausts_nothing(condition):
    assert run(parse(f"SELECT * FROM devices WHERE {condition}"), SOURCES).item_type == "Twin"


def test_modules_by_device_and_module():
    modules = [
        Source(device, module, lambda device=device, module=module: {"deviceId": device, "moduleId": module})
        for device, module in [("b", "x"), ("a", "y"), ("a", "x")]
    ]
    page = run(parse("SELECT * FROM devices.modules WHERE devices.modules.moduleId IN ['x', 'y']"), modules)

    assert [(twin["deviceId"], twin["moduleId"]) for twin in page.items] == [
        ("a", "x"),
        ("a", "y"),
        ("b", "x"),
    ]


def test_what_is_found_can_be_written():
    assert json.loads(json.dumps(run(parse("SELECT * FROM devices"), SOURCES).items))[2]["deviceId"] == "c"
