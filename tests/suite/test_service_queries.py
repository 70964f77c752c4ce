"""Queries are asked page by page; what is not taken is a violation, or a status where that is asked for."""

import pytest
from scripted_service import Reply
from violations import observed

from conformance.backend import queries as module
from conformance.backend.queries import Page, Queries

TEXT = "SELECT * FROM devices"
REFUSED = Reply(400, {"Message": "ErrorCode:ArgumentInvalid;"})


@pytest.fixture
def waits():
    return []


@pytest.fixture
def queries(rest, waits):
    client = rest.client(sleep=lambda _: None)
    yield Queries(client, lags=60.0, sleep=waits.append)
    client.close()


def page(*names, token=None):
    headers = {"x-ms-item-type": "Twin"} | ({} if token is None else {"x-ms-continuation": token})
    return Reply(200, [{"deviceId": name} for name in names], headers)


def test_a_page_is_asked_for_by_size_and_token(rest, queries):
    rest.replies = [page("a", token="t1")]

    assert queries.page(TEXT, size=1, continuation="t0") == Page([{"deviceId": "a"}], "Twin", "t1")
    request = rest.requests[0]
    assert (request.method, request.path.partition("?")[0], request.body) == (
        "POST",
        "/devices/query",
        {"query": TEXT},
    )
    assert (request.headers["x-ms-max-item-count"], request.headers["x-ms-continuation"]) == ("1", "t0")


def test_all_pages_are_asked_for(rest, queries):
    rest.replies = [page("b", token="t1"), page(token="t2"), page("a", token="")]

    assert queries.ids(TEXT) == ["a", "b"]
    assert [request.headers.get("x-ms-continuation") for request in rest.requests] == [None, "t1", "t2"]


def test_a_module_is_named_with_its_device(rest, queries):
    rest.replies = [Reply(200, [{"deviceId": "d", "moduleId": "m"}, {"deviceId": "c", "moduleId": None}])]

    assert queries.ids(TEXT) == ["c", "d/m"]


def test_pages_without_end_are_a_violation(rest, queries, monkeypatch):
    monkeypatch.setattr(module, "MOST_PAGES", 3)
    rest.replies = [page("a", token="t")] * 3

    assert observed(lambda: queries.pages(TEXT, 1)) == "no last page"


def test_a_refused_query_is_a_violation_or_a_status(rest, queries):
    rest.replies = [REFUSED, REFUSED]

    assert observed(lambda: queries.found(TEXT)) == "400"
    assert queries.attempt(TEXT) == "400"


def test_a_query_stands_under_the_name_that_is_asked_for(rest, queries):
    rest.replies = [page("a")]

    assert (queries.attempt(TEXT, member="Query"), rest.requests[0].body) == ("200", {"Query": TEXT})


def test_what_lags_behind_is_asked_for_again(rest, queries, waits):
    rest.replies = [page(), page("a"), page("a", "b")]

    queries.await_found(TEXT, 2)

    assert (len(rest.requests), len(waits)) == (3, 2)
