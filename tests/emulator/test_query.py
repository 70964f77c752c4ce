"""Queries over twins: what they find, in which pages, and what is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iothub_emulator.hub.query import LARGEST_PAGE, QueryRefused, Source, parse, run

TWINS = {
    "a": {
        "status": "enabled",
        "connectionState": "Connected",
        "version": 5,
        "tags": {"place": {"region": "US"}, "n": 5, "flag": True, "nothing": None, "list": [1]},
        "properties": {
            "desired": {"mode": "fast", "$version": 2},
            "reported": {"every": 60, "mode": "fast", "$version": 4},
        },
        "capabilities": {"iotEdge": True},
    },
    "b": {
        "status": "enabled",
        "connectionState": "Disconnected",
        "version": 2,
        "tags": {"place": {"region": "EU"}, "n": 7.5, "flag": False, "text": "it's"},
        "properties": {"desired": {"$version": 1}, "reported": {"every": 30, "$version": 1}},
        "capabilities": {"iotEdge": False},
    },
    "c": {
        "status": "disabled",
        "connectionState": "Disconnected",
        "version": 2,
        "tags": {},
        "properties": {"desired": {"$version": 1}, "reported": {"$version": 1}},
        "capabilities": {"iotEdge": False},
    },
}
SOURCES = [
    Source(device_id, "", lambda device_id=device_id, twin=twin: {"deviceId": device_id} | twin)
    for device_id, twin in reversed(TWINS.items())
]


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
    ],
)
def test_conditions(condition, twins):
    assert found(condition) == twins


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
    ],
)
def test_columns_and_counts(query, items):
    page = run(parse(query), SOURCES)

    assert page.items == items
    assert page.item_type == "Raw"


def test_collections():
    assert parse("SELECT * FROM devices").source == "devices"
    assert parse("SELECT * FROM devices.modules").source == "modules"


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


@pytest.mark.parametrize(
    "query",
    [
        "",
        " ",
        "SELECT",
        "SELECT *",
        "SELECT * FROM",
        "* FROM devices",
        "SELECT * FROM jobs",
        "SELECT * FROM devices.jobs",
        "SELECT * FROM devices d",
        "SELECT * FROM devices;",
        "SELECT * FROM devices WHERE",
        "SELECT * FROM devices WHERE deviceId =",
        "SELECT * FROM devices WHERE = 'a'",
        "SELECT * FROM devices WHERE deviceId == 'a'",
        "SELECT * FROM devices WHERE deviceId = 'a",
        "SELECT * FROM devices WHERE deviceId = 'a' AND",
        "SELECT * FROM devices WHERE deviceId = 'a' deviceId",
        "SELECT * FROM devices WHERE (deviceId = 'a'",
        "SELECT * FROM devices WHERE deviceId = 'a')",
        "SELECT * FROM devices WHERE deviceId = '\\n'",
        "SELECT * FROM devices WHERE deviceId LIKE 'a%'",
        "SELECT * FROM devices WHERE deviceId NOT IN ['a']",
        "SELECT * FROM devices WHERE deviceId IN []",
        "SELECT * FROM devices WHERE deviceId IN ['a',]",
        "SELECT * FROM devices WHERE deviceId IN [tags.x]",
        "SELECT * FROM devices WHERE deviceId IN ('a')",
        "SELECT * FROM devices WHERE startswith(deviceId, 'a')",
        "SELECT * FROM devices WHERE is_defined('a')",
        "SELECT * FROM devices WHERE is_defined tags.a",
        "SELECT * FROM devices WHERE tags.n + 1 = 2",
        "SELECT * FROM devices WHERE tags.n = 5x",
        "SELECT * FROM devices WHERE tags.n = 1e999",
        "SELECT * FROM devices WHERE tags.n = " + "9" * 30,
        "SELECT * FROM devices WHERE tags.my-tag = 1",
        "SELECT * FROM devices WHERE tags['a'] = 1",
        "SELECT * FROM devices WHERE tagz.a = 1",
        "SELECT * FROM devices WHERE reported.a = 1",
        "SELECT * FROM devices WHERE properties.other.a = 1",
        "SELECT * FROM devices WHERE devices = 1",
        "SELECT * FROM devices WHERE " + "(" * 100 + "true" + ")" * 100,
        "SELECT * FROM devices WHERE " + "NOT " * 100 + "true",
        "SELECT * FROM devices WHERE " + "true OR " * 1100 + "true",
        "SELECT * FROM devices GROUP BY status",
        "SELECT * FROM devices ORDER BY deviceId",
        "SELECT DISTINCT status FROM devices",
        "SELECT COUNT() FROM devices",
        "SELECT COUNT(*) AS x FROM devices",
        "SELECT status, COUNT() AS x FROM devices",
        "SELECT AVG(tags.n) AS x FROM devices",
        "SELECT deviceId AS FROM devices",
        "SELECT deviceId AS 'x' FROM devices",
        "SELECT TOP * FROM devices",
        "SELECT TOP -1 * FROM devices",
        "SELECT TOP 1.5 * FROM devices",
        "SELECT *, deviceId FROM devices",
        "SELECT properties.desired.temp, properties.reported.temp FROM devices",
        "SELECT deviceId AS a, tags AS a FROM devices",
        "SELECT FROM devices",
        "DELETE FROM devices",
        "SELECT * FROM devices -- all",
        "SELECT * FROM devices WHERE \x00",
    ],
)
def test_what_is_not_understood(query):
    with pytest.raises(QueryRefused):
        parse(query)


WORDS = st.sampled_from(
    [
        "SELECT",
        "*",
        "FROM",
        "devices",
        "WHERE",
        "deviceId",
        "tags.n",
        "=",
        "!=",
        "<",
        "(",
        ")",
        "[",
        "]",
        ",",
        "AND",
        "OR",
        "NOT",
        "IN",
        "NIN",
        "IS_DEFINED",
        "COUNT",
        "AS",
        "TOP",
        "'a'",
        '"b"',
        "5",
        "-1.5",
        "0xf",
        "true",
        "null",
        "$",
        "\\",
        "'",
        "properties.desired.a",
    ]
)


@given(st.lists(WORDS, max_size=25).map(" ".join) | st.text(max_size=60))
def test_any_text_is_understood_or_refused(text):
    try:
        query = parse(text)
    except QueryRefused:
        return
    run(query, SOURCES)


@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_any_condition_is_understood_or_refused(text):
    try:
        query = parse(f"SELECT * FROM devices WHERE {text}")
    except QueryRefused:
        return
    run(query, SOURCES)


# Pages


def pages(query, size, sources=SOURCES):
    query, token, read = parse(query), None, []
    while True:
        page = run(query, sources, token, size)
        read.append(page.items)
        token = page.continuation
        if token is None:
            return read


@pytest.mark.parametrize(
    ("query", "size", "sizes"),
    [
        ("SELECT * FROM devices", 1, [1, 1, 1]),
        ("SELECT * FROM devices", 2, [2, 1]),
        ("SELECT * FROM devices", 3, [3]),
        ("SELECT * FROM devices WHERE status = 'enabled'", 1, [1, 1]),
        ("SELECT TOP 2 * FROM devices", 1, [1, 1]),
        ("SELECT TOP 2 * FROM devices", 2, [2]),
        ("SELECT TOP 3 * FROM devices", 2, [2, 1]),
        ("SELECT * FROM devices WHERE false", 1, [0]),
    ],
)
def test_pages(query, size, sizes):
    read = pages(query, size)

    assert [len(items) for items in read] == sizes
    ids = [twin["deviceId"] for items in read for twin in items]
    assert ids == sorted(set(ids))


def test_the_largest_page():
    many = [Source(f"{number:04}", "", dict) for number in range(250)]

    assert [len(items) for items in pages("SELECT * FROM devices", 1000, many)] == [100, 100, 50]
    assert len(run(parse("SELECT * FROM devices"), many).items) == LARGEST_PAGE


def test_pages_stay_right_while_twins_come_and_go():
    query = parse("SELECT deviceId FROM devices")
    first = run(query, SOURCES, None, 2)
    without_the_last_seen = [source for source in SOURCES if source.device_id != "b"]

    assert run(query, without_the_last_seen, first.continuation, 2).items == [{"deviceId": "c"}]


@pytest.mark.parametrize("token", ["x", "é", "W10=", "eyJhIjoxfQ==", "WyJhIiwiYiIsImMiLDFd"])
def test_tokens_that_are_none(token):
    with pytest.raises(QueryRefused):
        run(parse("SELECT * FROM devices"), SOURCES, token)


def test_a_token_of_another_query():
    token = run(parse("SELECT * FROM devices"), SOURCES, None, 1).continuation

    with pytest.raises(QueryRefused):
        run(parse("SELECT deviceId FROM devices"), SOURCES, token)


@given(st.text(max_size=40) | st.binary(max_size=30).map(lambda data: data.hex()))
def test_any_token_is_understood_or_refused(token):
    try:
        run(parse("SELECT * FROM devices"), SOURCES, token)
    except QueryRefused:
        assert token


@pytest.mark.parametrize("size", [0, -1])
def test_pages_without_items(size):
    with pytest.raises(QueryRefused):
        run(parse("SELECT * FROM devices"), SOURCES, None, size)


def test_what_is_found_can_be_written():
    assert json.loads(json.dumps(run(parse("SELECT * FROM devices"), SOURCES).items))[2]["deviceId"] == "c"
