"""How what came is held against what was owed."""

import pytest

from conformance.explore.expectations import (
    Above,
    Event,
    Holding,
    NoneOf,
    OneOf,
    Order,
    Owed,
    Part,
    Replaced,
    Times,
    Within,
    compare,
    same,
)


def owed(times, *parts):
    """Return one kind of event that is owed so often."""
    return Owed("a#1", "message", "5", times, "message", parts)


CAME = Event("a#1", "message", "5", {"qos": 1})


@pytest.mark.parametrize(
    ("times", "counts"),
    [
        (Times.ONCE, [1]),
        (Times.AT_LEAST_ONCE, [1, 2]),
        (Times.AT_MOST_ONCE, [0, 1]),
        (Times.ANY, [0, 1, 2]),
        (Times.NEVER, [0]),
    ],
    ids=lambda value: value.name if isinstance(value, Times) else None,
)
def test_each_word_admits_so_many(times, counts):
    """Exactly once, at least once, at most once, any number, never."""
    kept = [count for count in range(3) if not compare([owed(times)], [], [CAME] * count).findings]
    assert kept == counts


@pytest.mark.parametrize(
    ("value", "other", "is_same"),
    [
        (1, 1, True),
        (1, 1.0, False),
        (1, True, False),
        ({"a": 1}, {"a": 1.0}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ([1, 2], [2, 1], False),
        ([1], [True], False),
        (None, None, True),
        ("", None, False),
    ],
)
def test_values_are_compared_as_json_has_them(value, other, is_same):
    """A number is no truth, and a whole number is no fraction, at any depth."""
    assert same(value, other) is is_same


@pytest.mark.parametrize(
    ("accepted", "right", "wrong"),
    [
        (OneOf((1, 2)), 2, 3),
        (Above(3), 4, 3),
        (Above(3), 4, True),
        (Within(400, 499), "404", "500"),
        (Within(400, 499), "404", 404),
        (Holding({"a": OneOf((1,))}), {"a": 1, "b": 2}, {"b": 2}),
        (
            Holding({"a": OneOf((1,))}, only=True, besides=frozenset({"b"})),
            {"a": 1, "b": 2},
            {"a": 1, "c": 2},
        ),
        (
            Replaced({"a": 1, "b": {"c": 2}}, {"b": {"d": 3}}),
            {"a": None, "b": {"c": None, "d": 3}},
            {"b": {}},
        ),
        (Replaced({"a": 1, "b": 2}, {"a": 1, "b": 3}), {"b": 3}, {"b": 3, "c": None}),
        (Replaced(None, {"a": 1}), {"a": 1}, {"a": 1, "b": None}),
        (NoneOf(frozenset({"1"})), "2", "1"),
    ],
    ids=range(11),
)
def test_what_is_accepted(accepted, right, wrong):
    """Each form takes what it says, gives an example of it, and refuses the rest."""
    assert (accepted.admits(right), accepted.admits(accepted.example()), accepted.admits(wrong)) == (
        True,
        True,
        False,
    )


def test_a_part_breaks_its_own_rule():
    """How often something comes is one rule, what it says another."""
    compared = compare([owed(Times.ONCE, Part("qos", OneOf((0,)), "message-qos"))], [], [CAME])
    assert [finding.rule for finding in compared.findings] == ["message-qos"]


def test_what_is_excused_says_nothing_more():
    """Who is told that it asks too often is told nothing else."""
    answer = Event("a#1", "answer", "5", {"status": "429"})
    asked = Owed(
        "a#1", "answer", "5", Times.ONCE, "answer", (Part("version", Above(0), "patched-version"),),
        excused=(("status", "429"),),
    )  # fmt: skip
    assert compare([asked], [], [answer]).findings == ()


def test_order_is_that_of_first_arrivals():
    """A message that comes again stands where it came first."""
    order = Order("a#1", "message", ("1", "2", "3"), "message-order")
    kept, broken = (
        [Event("a#1", "message", key) for key in keys] for keys in (("1", "2", "1", "3"), ("2", "1", "3"))
    )
    assert [compare([], [order], events).findings == () for events in (kept, broken)] == [True, False]


def test_what_nothing_speaks_of_is_told():
    """It is for the model to say which rule it breaks."""
    assert compare([], [], [CAME]).unexpected == (CAME,)


TWIN = {"interval": 5, "mode": "night", "route": {"via": "north", "stops": [1, 2, 3]}, "note": "x" * 300}


@pytest.mark.parametrize(
    ("accepted", "came", "expected", "actual"),
    [
        pytest.param(OneOf((1,)), 2, "message with twin 1", "twin 2", id="short"),
        pytest.param(OneOf((1,)), True, "message with twin 1", "twin True", id="another-type"),
        pytest.param(
            OneOf((TWIN,)),
            {**TWIN, "mode": "day"},
            "message with `mode` in twin 'night'",
            "`mode` in twin 'day'",
            id="one-member",
        ),
        pytest.param(
            OneOf((TWIN,)),
            {**TWIN, "note": "x" * 200 + "y" + "x" * 99},
            f"message with `note` in twin, at 200 '{'x' * 32}' of 300",
            f"`note` in twin, at 200 '{'x' * 8}y{'x' * 23}' of 300",
            id="deep-in-a-text",
        ),
        pytest.param(
            Holding({name: OneOf((value,)) for name, value in TWIN.items()}, only=True),
            {**{name: value for name, value in TWIN.items() if name != "interval"}, "old": 1.5},
            "message with `interval` in twin 5; `old` in twin nothing",
            "`interval` in twin nothing; `old` in twin 1.5",
            id="lost-and-besides",
        ),
    ],
)
def test_a_large_value_is_told_by_where_it_differs(accepted, came, expected, actual):
    event = Event("a#1", "message", "", {"twin": came})
    owes = Owed("a#1", "message", "", Times.ONCE, "message", (Part("twin", accepted, "twin"),))

    (finding,) = compare([owes], [], [event]).findings

    assert (finding.expected, finding.actual) == (expected, actual)


def test_an_event_is_told_in_a_line_of_bearable_length():
    told = str(Event("a#1", "message", "5", {"body": b"x" * 5000, "after": 0.0015913510032987688}))

    assert told == f"message 5 (body {b'x' * 24!r}… of 5000, after 0.00159) at a#1"
