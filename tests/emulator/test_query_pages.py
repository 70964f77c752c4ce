"""Queries over twins: in which pages what is found comes, and which tokens lead on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queried_twins import SOURCES

from iothub_emulator.hub.query import LARGEST_PAGE, QueryRefused, Source, parse, run


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


def test_pages_of_groups():
    query = "SELECT deviceId, COUNT() AS n FROM devices GROUP BY deviceId"

    assert pages(query, 2) == [
        [{"deviceId": "a", "n": 1}, {"deviceId": "b", "n": 1}],
        [{"deviceId": "c", "n": 1}],
    ]
    assert [len(items) for items in pages(query.replace("SELECT", "SELECT TOP 2"), 1)] == [1, 1]


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
