"""How a whole travels: halves are sent where it is refused, on others' account, and on no live hub."""

from types import SimpleNamespace

import pytest
from violations import observed, violation

from conformance.corpora.corpus import Value
from conformance.corpora.exact_json import Number
from conformance.corpora.whole import as_values
from conformance.errors import Violation
from conformance.hub.fixtures.corpora import _journey_of
from conformance.hub.fixtures.values_of_json import members_of, section_of

WHOLE = as_values(
    Value(id=name, level="must", source="S29", content=name, on=frozenset({"value"})) for name in "abcd"
)


@pytest.fixture
def sent():
    """Who sent what."""
    return []


@pytest.fixture
def send(sent):
    """A hub that refuses the text c."""

    def attempt(device, part):
        sent.append((device, list(part.parts)))
        if "c" in part.parts:
            raise Violation("refused", observed="closed")
        return part.parts

    return attempt


def journey(origin):
    others = iter(["second", "third", "fourth", "fifth"])
    hub = SimpleNamespace(origin=origin, capabilities={"registry"})
    return _journey_of("first", lambda: next(others), hub)


def test_what_is_taken_is_sent_once(send, sent):
    whole = WHOLE.half(first=True)

    assert journey("launched")(whole, send) == whole.parts
    assert sent == [("first", ["a", "b"])]


@pytest.mark.parametrize("origin", ["launched", "attached"])
def test_halves_are_sent_by_others(send, sent, origin):
    assert observed(journey(origin), WHOLE, send) == "closed: c"
    assert sent == [
        ("first", ["a", "b", "c", "d"]),
        ("second", ["a", "b"]),
        ("third", ["c"]),
        ("fourth", ["c"]),
    ]


def test_a_live_hub_is_sent_no_halves(send, sent):
    assert observed(journey("named"), WHOLE, send) == "closed"
    assert len(sent) == 1


def test_the_members_of_a_section_are_read_without_the_hubs_own():
    body = b'{"reported":{"a":1.0,"b":{"c":1,"$lastUpdated":"x"},"$version":2}}'

    assert members_of(body, "reported")["$version"] == Number("2")
    assert section_of(body, "reported") == {"a": Number("1.0"), "b": {"c": Number("1")}}


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"{", "not JSON"),
        (b'{"reported":{"a":1,"a":2}}', "not JSON"),
        (b"{}", "no object at reported"),
        (b'{"reported":1}', "no object at reported"),
        (b"[]", "no object at reported"),
    ],
)
def test_what_is_no_section_is_a_violation(body, word):
    assert violation(members_of, body, "reported").observed == word
