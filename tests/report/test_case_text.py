"""A case that fails is told in a dozen lines; cases that fail alike are one."""

import pytest
from sample import WIRE, case, clause, statement, violation

from conformance.report.alike import alike, own_part
from conformance.report.case_text import case_text, packets_that_matter
from conformance.report.counts import how_many
from conformance.verdict.verdicts import Verdict

LONG = "\n".join(
    [
        "   0.0 ms  c1 = opened for conf-1, TLSv1.3",
        "   1.0 ms  c1 → CONNECT  client=conf-1 password=(redacted)",
        "   2.0 ms  c1 ← CONNACK  accepted, session_present=0",
        "   3.0 ms  c1 → SUBSCRIBE packet=1 $iothub/twin/res/# qos=0",
        "   4.0 ms  c1 ← SUBACK   packet=1 codes=0",
        *(f"   5.{number} ms  c1 → PUBLISH  qos=1 packet={number} topic (0 bytes)" for number in range(4)),
        "   6.0 ms  c1 → PINGREQ",
        "   6.1 ms  c1 ← PINGRESP",
        "   7.0 ms  c1 → PUBLISH  qos=0 $iothub/twin/GET/?$rid=1 (0 bytes)",
        "   8.0 ms  c1 ← PUBLISH  qos=0 $iothub/twin/res/500/?$rid=1 (0 bytes)",
        "   9.0 ms  c1 = closed by the hub (end of stream)",
    ]
)


def settled(*cases):
    (found,) = statement(clause("d2c.qos2", *cases)).clauses
    return found


def test_a_violation_is_told_in_a_dozen_lines():
    """The rule, the case, expected, actual, and the packets that matter: nothing twice."""
    found = settled(violation(1))

    assert case_text(found.cases[0], found).splitlines() == [
        "d2c.qos2  The hub does what d2c.qos2 says.",
        f"  Source    document, level must  {found.link}",
        "  Case      The hub keeps the rule. [1]",
        "  Expected  closed",
        "  Actual    PUBREC packet=1",
        "  Packets      1.2 ms  c1 → CONNECT client=conf-1 password=(redacted)",
        "               2.0 ms  c1 ← CONNACK accepted, session_present=0",
        '               3.0 ms  c1 → PUBLISH qos=2 packet=1 devices/conf-1/messages/events/ (3 bytes) "21C"',
        "               9.5 ms  c1 ← PUBREC packet=1",
        "              12.0 ms  service = telemetry of conf-1: 3 bytes, properties: none",
        "            … 1 line more in the report",
    ]


def test_however_long_its_values_are():
    found = settled(violation(1, expected="x\n" * 99, actual="y" * 9999, transcript=LONG))

    lines = case_text(found.cases[0], found).splitlines()
    assert len(lines) == 12
    assert max(map(len, lines)) < 500


def test_what_is_no_violation_says_its_verdict():
    found = settled(case(1, "broken", message="setting the stage: no CONNACK", transcript=WIRE))

    assert (
        "  Verdict   broken: setting the stage: no CONNACK" in case_text(found.cases[0], found).splitlines()
    )


def test_the_packets_that_matter_are_those_behind_the_last_step_and_the_latest_before_it():
    assert packets_that_matter(LONG) == [
        "   5.1 ms  c1 → PUBLISH qos=1 packet=1 topic (0 bytes)",
        "   5.2 ms  c1 → PUBLISH qos=1 packet=2 topic (0 bytes)",
        "   5.3 ms  c1 → PUBLISH qos=1 packet=3 topic (0 bytes)",
        "   7.0 ms  c1 → PUBLISH qos=0 $iothub/twin/GET/?$rid=1 (0 bytes)",
        "   8.0 ms  c1 ← PUBLISH qos=0 $iothub/twin/res/500/?$rid=1 (0 bytes)",
        "   9.0 ms  c1 = closed by the hub (end of stream)",
        "… 8 lines more in the report",
    ]


def test_the_step_that_many_answers_followed_stays_among_them():
    many = "\n".join(f"  {number}.0 ms  c1 ← PUBLISH  qos=0 topic/{number} (0 bytes)" for number in range(50))
    shown = packets_that_matter(f"{LONG}\n{many}")

    assert shown[0] == "   7.0 ms  c1 → PUBLISH qos=0 $iothub/twin/GET/?$rid=1 (0 bytes)"
    assert shown[-2:] == ["  49.0 ms  c1 ← PUBLISH qos=0 topic/49 (0 bytes)", "… 58 lines more in the report"]


def test_what_the_suite_does_for_itself_is_not_among_them():
    """The message behind which nothing more is waited for, and the end of the connection by the suite."""
    fence = f'"fence-{"0" * 32}"'
    own = [
        "  18.0 ms  c2 → CONNECT  client=d password=(redacted)",
        "  19.0 ms  c2 ← CONNACK  accepted, session_present=0",
        f"  20.0 ms  c2 → PUBLISH  qos=0 devices/d/messages/events/ (38 bytes) {fence}",
        "  21.0 ms  service = telemetry of d: 38 bytes, properties: none (partition 1 number 2) [fence]",
        "  22.0 ms  c2 = we will send no more",
        "  23.0 ms  c2 = closed by the hub (end of stream)",
        "  24.0 ms  c1 = closed by us (end of stream)",
        "  25.0 ms  scenario = the end",
        "  26.0 ms  scenario = | 1  d1  connect",
    ]
    *shown, more = packets_that_matter("\n".join([LONG, *own]))

    assert shown == packets_that_matter(LONG)[:-1]
    assert more == "… 17 lines more in the report"


def test_cases_with_the_same_word_where_the_same_was_expected_are_alike():
    """Their own values, in quotes, and the names of their devices make no difference."""
    a, b = (
        violation(1, expected="body: b'a'", observed="b'1'"),
        violation(2, expected="body: b'b'", observed="b'2'"),
    )
    other_word, other_expected = violation(3, observed="puback"), violation(4, expected="PUBACK")
    found = settled(a, other_word, b, other_expected)

    groups = [[each.id[-3:] for each in group] for group in alike(found.cases)]
    assert groups == [["[1]", "[2]"], ["[3]"], ["[4]"]]


@pytest.mark.parametrize(
    ("case_id", "part"),
    [
        ("test_bag.py::test_a_name[0x21]", "[0x21]"),
        ("test_bag.py::test_a_name@websocket-later[0x21]", "@websocket-later[0x21]"),
        ("test_bag.py::test_a_name", "test_a_name"),
    ],
)
def test_a_case_is_told_from_others_of_its_test_by_its_own_part(case_id, part):
    assert own_part(case_id) == part


@pytest.mark.parametrize(
    ("cases", "words"),
    [
        ([violation(1)], ""),
        ([violation(1), case(2)], "1 of 2 cases"),
        ([violation(1), violation(2), *map(case, range(3, 15))], "2 of 14 cases"),
        ([case(1), violation(2, in_passing=True)], ""),
        ([case(1), violation(2, in_passing=True), violation(3, in_passing=True)], "seen in 2 cases"),
        (
            [violation(1), case(2), violation(3, in_passing=True)],
            "1 of 2 cases; seen in 1 case of other clauses",
        ),
    ],
)
def test_a_clause_says_how_many_of_its_cases_have_its_verdict(cases, words):
    assert how_many(settled(*cases).cases, Verdict.VIOLATION) == words
