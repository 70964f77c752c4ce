"""Queries over twins: what is not understood is refused, and whatever else is understood runs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queried_twins import SOURCES

from iothub_emulator.hub.query import QueryRefused, parse, run


def test_jobs_are_not_served_and_that_is_said():
    with pytest.raises(QueryRefused, match="serves no jobs"):
        parse("SELECT * FROM devices.jobs")


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
        "SELECT * FROM devices WHERE is_defined('a')",
        "SELECT * FROM devices WHERE is_defined tags.a",
        "SELECT * FROM devices WHERE tags.n = 5x",
        "SELECT * FROM devices WHERE tags.n = 1e999",
        "SELECT * FROM devices WHERE tags.n = " + "9" * 30,
        "SELECT * FROM devices WHERE tags['a'] = 1",
        "SELECT * FROM devices WHERE " + "(" * 100 + "true" + ")" * 100,
        "SELECT * FROM devices WHERE " + "NOT " * 100 + "true",
        "SELECT * FROM devices WHERE " + "true OR " * 1100 + "true",
        "SELECT * FROM devices WHERE soundex(deviceId) = 'a'",
        "SELECT * FROM devices WHERE tags.starts_with(deviceId, 'a')",
        "SELECT * FROM devices WHERE starts_with(deviceId)",
        "SELECT * FROM devices WHERE starts_with(deviceId, 'a', 'b')",
        "SELECT * FROM devices WHERE starts_with(deviceId 'a')",
        "SELECT * FROM devices WHERE starts_with(deviceId, 'a'",
        "SELECT * FROM devices WHERE lower()",
        "SELECT * FROM devices WHERE lower(,)",
        "SELECT * FROM devices WHERE tags.n + = 2",
        "SELECT * FROM devices WHERE + 2 = 2",
        "SELECT * FROM devices WHERE tags.n = 1 = 1",
        "SELECT * FROM devices WHERE deviceId IN [['a']]",
        "SELECT * FROM devices WHERE [] = 1",
        "SELECT * FROM devices WHERE from = 1",
        "SELECT * FROM devices WHERE " + "length(" * 40 + "'a'" + ")" * 40,
        "SELECT lower(deviceId) AS x FROM devices",
        "SELECT tags.n + 1 AS x FROM devices",
        "SELECT AVG(tags.n) FROM devices",
        "SELECT AVG() AS x FROM devices",
        "SELECT COUNT(tags.n) AS x FROM devices",
        "SELECT MEDIAN(tags.n) AS x FROM devices",
        "SELECT status, AVG(tags.n) AS x FROM devices GROUP BY tags.n",
        "SELECT status FROM devices GROUP BY",
        "SELECT status FROM devices GROUP BY 'status'",
        "SELECT status FROM devices GROUP status",
        "SELECT status, tags.n FROM devices GROUP BY status, tags.n",
        "SELECT status FROM devices GROUP BY status WHERE status = 'enabled'",
        "SELECT status, COUNT() AS x FROM devices.modules GROUP BY status",
        "SELECT * FROM devices GROUP BY status",
        "SELECT * FROM devices ORDER BY deviceId",
        "SELECT DISTINCT status FROM devices",
        "SELECT COUNT() FROM devices",
        "SELECT COUNT(*) AS x FROM devices",
        "SELECT status, COUNT() AS x FROM devices",
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
        "+",
        "-",
        "*",
        "/",
        "%",
        "GROUP BY",
        "LENGTH(",
        "CONCAT(",
        "POWER(",
        "AVG(",
        "undefined",
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
