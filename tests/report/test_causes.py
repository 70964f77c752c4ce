"""Which violations are shown as probably one, and that this takes none of them away."""

from itertools import permutations

import pytest
from sample import case, clause, statement, violation
from tree import read

from conformance.report import summary
from conformance.report.causes import Cause
from conformance.report.counts import causes_of
from conformance.report.html.page import render

LOST = """\
   0.0 ms  c1 → CONNECT  client=conf-{0} password=(redacted)
   1.0 ms  c1 ← CONNACK  accepted, session_present=0
   2.0 ms  c1 → PUBLISH  qos=1 packet=1 devices/conf-{0}/messages/events/ (3 bytes) "21C"
   3.0 ms  c1 ← PUBACK   packet=1"""

ANSWERED = """\
   0.0 ms  c1 → CONNECT  client=conf-{0} password=(redacted)
   1.0 ms  c1 ← CONNACK  accepted, session_present=0
   2.0 ms  c1 → PUBLISH  qos=0 $iothub/twin/GET/?$rid=1 (0 bytes)
   3.0 ms  c1 ← PUBLISH  qos=0 $iothub/twin/res/200/?$rid=1 (2 bytes) "{{}}\""""


def lost(number, **fields):
    told = {
        "expected": "a message within 5 s",
        "actual": "nothing arrived",
        "transcript": LOST.format(number),
    }
    return violation(number, **(told | fields))


def answered(number, **fields):
    told = {"expected": "version: 3", "actual": "version: 4", "transcript": ANSWERED.format(number)}
    return violation(number, **(told | fields))


def groups(*clauses):
    return [cause.clauses for cause in causes_of(statement(*clauses))]


def test_the_same_wrong_packet_behind_the_same_step_is_probably_one_cause():
    assert groups(clause("d2c.body", lost(1)), clause("will.body", lost(2))) == [("d2c.body", "will.body")]


def test_the_same_finding_in_one_section_is_probably_one_cause():
    late = lost(2, transcript=ANSWERED.format(2))

    assert groups(clause("d2c.body", lost(1)), clause("d2c.order", late)) == [("d2c.body", "d2c.order")]


def test_what_one_case_broke_is_probably_one_cause():
    seen = answered(1, in_passing=True)

    assert groups(clause("twin.get", answered(1)), clause("watch.flags", case(9), seen)) == [
        ("twin.get", "watch.flags")
    ]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(answered(2), id="another-packet"),
        pytest.param(lost(2, actual="body: b'21'"), id="wrong-in-another-way"),
        pytest.param(lost(2, transcript=ANSWERED.format(2)), id="behind-another-step"),
        pytest.param(lost(2, transcript=None), id="nothing-known-of-it"),
    ],
)
def test_what_has_nothing_in_common_stands_apart(other):
    assert groups(clause("d2c.body", lost(1)), clause("twin.body", other)) == [("d2c.body",), ("twin.body",)]


def test_the_clause_with_more_violated_cases_stands_first_however_many_hold():
    """A rule with a hundred values is violated in the smaller part of them."""
    clauses = [
        clause("d2c.uses-it", lost(1), case(6)),
        clause("d2c.own", lost(2), lost(3), *(case(number) for number in range(10, 30))),
        clause("watch.passing", case(5), lost(2, in_passing=True), lost(3, in_passing=True)),
    ]

    assert groups(*clauses) == [("d2c.own", "d2c.uses-it", "watch.passing")]


def test_a_clause_that_is_violated_whole_stands_before_one_of_which_cases_hold():
    clauses = [clause("d2c.uses-it", lost(1), lost(2), case(3)), clause("d2c.own", lost(4))]

    assert groups(*clauses) == [("d2c.own", "d2c.uses-it")]


def test_between_two_that_are_violated_whole_the_section_decides_that_has_more():
    """A rule that only repeats another's over WebSocket does not name the fault."""
    clauses = [
        clause("websocket.body", lost(1)),
        clause("d2c.body", lost(2)),
        clause("d2c.order", answered(3)),
    ]

    assert groups(*clauses) == [("d2c.body", "websocket.body"), ("d2c.order",)]


def test_what_was_seen_in_passing_alone_stands_with_the_cases_of_its_section():
    searched = lost(9, in_passing=True, id="test_explore.py::explore.twin[3]", transcript=None)
    clauses = [
        clause("d2c.body", lost(1)),
        clause("twin.get", answered(2)),
        clause("twin.merge", case(3), searched),
    ]

    assert groups(*clauses) == [("twin.get", "twin.merge"), ("d2c.body",)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_the_catalogue_decides_nothing_but_ties(order):
    clauses = [clause("d2c.a", lost(1), case(2)), clause("d2c.b", lost(3)), clause("twin.c", answered(4))]

    found = groups(*(clauses[each] for each in order))

    assert sorted(found) == [("d2c.b", "d2c.a"), ("twin.c",)]


def two_causes_in_one_packet():
    """Return a statement in which one answer bears a wrong version and has RETAIN set: two faults."""
    return statement(
        clause("twin.version", answered(1)),
        clause("watch.flags", answered(2), answered(1, in_passing=True, message="RETAIN on a message")),
    )


def test_two_causes_in_one_packet_are_both_violations():
    """What is shown as probably one stays two clauses, in the counts and in the exit code."""
    made = two_causes_in_one_packet()

    assert causes_of(made) == (Cause("twin.version", ("watch.flags",)),)
    assert (made.summary, made.run.exit_code) == ({"violation": 2}, 1)


def test_two_causes_in_one_packet_are_both_on_the_page():
    attention = read(render(two_causes_in_one_packet())).one("ul", class_="attention")

    names = [row.text for row in attention.all("a", class_="id")]
    assert names == ["twin.version", "watch.flags"]
    assert [badge.text for badge in attention.all(class_="badge")] == ["✕ violation"] * 2
    assert attention.one("p", class_="one-cause").text == "Probably one cause with it: 1 clause."


def test_two_causes_in_one_packet_are_both_in_the_summary():
    lines = summary.render(two_causes_in_one_packet()).splitlines()

    assert [line.split("|")[1].strip() for line in lines if "` | violation" in line] == [
        "`twin.version`",
        "↳ `watch.flags`",
    ]
    assert "↳ has probably one cause with the clause above it." in lines
