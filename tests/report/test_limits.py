"""What a report holds has an end, and it says what is missing: nothing is lost without a word."""

import json
from collections import Counter

import pytest
from sample import WIRE, case, clause, statement, violation
from tree import read

from conformance.evidence.transcript import LIMIT_BYTES
from conformance.report import formats, limits
from conformance.report.allure import MOST_STEPS, write
from conformance.report.comparison import compare
from conformance.report.html import comparison as comparison_page
from conformance.report.html.page import render
from conformance.report.limits import fitted, share, shortened
from conformance.report.merging import merge

WATCHED = ("watch.ids", "watch.connack", "watch.topics", "watch.flags")


def long_transcript(name, size):
    """A transcript of some bytes, no line of which stands in another one."""
    topic = f"devices/conf-0a1b2c3d-{name}/messages/devicebound/"
    lines = [
        f'{number:>6} ms  c1 ← PUBLISH  qos=1 packet={number} {topic} (5 bytes) "hello"'
        for number in range(size // 100)
    ]
    return "\n".join(lines)[:size].rpartition("\n")[0]


def worst(cases=900):
    """A statement of a hub that breaks everything: each case violated, and full of what it may hold."""
    own = [
        violation(
            number,
            message=f"{number} {'m' * 4090}",
            observed="publish, " * 44,
            expected="e" * 4096,
            actual=f"{number} {'a' * 4090}",
            transcript=long_transcript(number, LIMIT_BYTES),
        )
        for number in range(cases)
    ]
    in_passing = [
        case(
            number,
            "violation",
            observed="puback",
            message=f"{number} {'b' * 990}",
            in_passing=True,
            count=5000,
        )
        for number in range(cases)
    ]
    clauses = [clause(f"d2c.rule-{number}", *own[number::300], reason="") for number in range(300)]
    return statement(*clauses, *[clause(name, *in_passing, reason="") for name in WATCHED])


@pytest.mark.parametrize(
    ("sizes", "whole", "most"),
    [
        ([], 100, 100),
        ([10, 20], 100, 20),
        ([10, 20, 200], 100, 70),
        ([100, 100, 100, 100], 100, 25),
        ([1, 1000, 1000], 101, 50),
    ],
    ids=["none", "all-fit", "one-is-too-long", "all-alike", "what-the-small-one-leaves"],
)
def test_what_the_small_ones_do_not_need_the_long_ones_share(sizes, whole, most):
    assert share(sizes, whole) == most


def test_a_shortened_transcript_has_both_its_ends_and_says_what_is_missing():
    whole = long_transcript("x", 10_000)

    found = shortened(whole, 2000)

    lines, before = found.split("\n"), whole.split("\n")
    (gap,) = [number for number, line in enumerate(lines) if line.startswith("…")]
    assert lines[:gap] == before[:gap]
    assert lines[gap + 1 :] == before[gap + 1 - len(lines) :]
    assert lines[gap] == (f"… {len(before) - len(lines) + 1} lines left out, to hold the report's size …")
    assert 1500 < len(found.encode()) <= 2000


def test_a_transcript_that_has_its_room_is_left_as_it_is():
    assert shortened(WIRE, len(WIRE.encode())) == WIRE


def test_a_statement_within_its_room_is_left_as_it_is():
    made = statement(clause("d2c.qos2", violation(1), case(2)))

    assert fitted(made) == made


def test_all_transcripts_of_a_statement_have_their_room_together_and_a_remark_says_so():
    made = fitted(worst())

    cases = [each for one in made.clauses for each in one.cases if not each.in_passing]
    assert sum(len(each.transcript.encode()) for each in cases) <= limits.TRANSCRIPTS
    assert Counter("lines left out, to hold the report's size" in each.transcript for each in cases) == {
        True: 900
    }
    assert made.run.remarks == [
        "900 transcripts shortened: together all may have 1536 KB. Run a clause alone to see more of it.",
        "4500 cases with shortened messages or values: together all may have 512 KB.",
    ]


def test_what_is_short_stays_whole_beside_what_is_long():
    long = [violation(number, transcript=long_transcript(number, 30_000)) for number in range(100)]
    made = fitted(statement(clause("a.b", *long, violation("short"))))

    assert made.clauses[0].cases[-1].transcript == WIRE


def test_a_report_of_the_worst_hub_opens(tmp_path):
    """The goal of 20 MB, for all files together."""
    formats.write_all(fitted(worst()), tmp_path)

    assert sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()) <= 20_000_000


def test_a_merged_report_has_the_room_of_one():
    halves = [
        fitted(statement(clause("a.b", *map(full, numbers)), partial=True))
        for numbers in (range(100), range(100, 200))
    ]

    made = merge(halves, ["a", "b"], every_case=None)

    assert sum(len(each.transcript.encode()) for each in made.clauses[0].cases) <= limits.TRANSCRIPTS


def full(number):
    return violation(number, transcript=long_transcript(number, LIMIT_BYTES))


def test_a_page_shows_so_many_lines_of_all_transcripts_and_says_where_the_others_are(monkeypatch):
    monkeypatch.setattr(limits, "TRANSCRIPTS", 10**9)
    page = read(render(statement(clause("a.b", *map(full, range(100))))))

    wires = [each for each in page.all("table", class_="sequence") if "excerpt" not in each["class"]]
    rows = [list(wire.one("tbody").all("tr")) for wire in wires]
    assert len(rows) == 100
    assert sum(map(len, rows)) <= limits.LINES + 100
    shown = limits.LINES // 100
    more = long_transcript(0, LIMIT_BYTES).count("\n") + 1 - shown
    assert rows[0][shown // 2].text == f"… {more} lines more in conformance.json …"


def test_allure_gets_so_many_steps_and_the_whole_in_an_attachment(tmp_path):
    transcript = long_transcript(1, 100_000)
    write(statement(clause("a.b", violation(1, transcript=transcript))), tmp_path)

    (result,) = [json.loads(file.read_text()) for file in tmp_path.glob("*-result.json")]
    (attachment,) = tmp_path.glob("*-attachment.txt")
    assert attachment.read_text() == transcript
    assert len(result["steps"]) == MOST_STEPS + 1
    omitted = transcript.count("\n") + 1 - MOST_STEPS
    assert result["steps"][MOST_STEPS // 2]["name"] == f"… {omitted} more in the attachment …"


def test_what_was_broken_in_passing_is_one_entry_of_allures_for_each_rule(tmp_path):
    seen = [
        case(number, "violation", message=f"{number} is odd", in_passing=True, count=3)
        for number in range(900)
    ]
    write(statement(clause("watch.ids", case("own"), *seen)), tmp_path)

    (said,) = [json.loads(file.read_text()) for file in tmp_path.glob("*-globals.json")]
    assert [error["message"] for error in said["errors"]] == [
        "watch.ids: 0 is odd (seen in test_small.py::test_rule[0] and 899 more cases)"
    ]


def test_the_reason_of_a_clause_names_ten_messages_and_counts_the_others():
    parts = [
        statement(clause("a.b", case(number, "violation", message=f"{number} is odd")), partial=True)
        for number in range(12)
    ]

    (found,) = merge(parts, list("abcdefghijkl"), every_case=None).clauses
    assert found.reason == "; ".join([*[f"{number} is odd" for number in range(10)], "and 2 more"])


def test_a_comparison_shows_a_case_once_however_many_rules_were_broken_in_it():
    """The packets stand where the case is named first, and come from its own entry."""
    broken = [case(1, "violation", message="odd", in_passing=True, count=2)]
    a = statement(clause("a.b", case(1)), *[clause(name, case("own", title=name)) for name in WATCHED[:1]])
    b = statement(
        clause("a.b", case(1, transcript=WIRE)),
        clause(WATCHED[0], case("own"), *broken),
        clause(WATCHED[1], *broken),
    )

    page = read(comparison_page.render(compare(a, b)))

    assert len(list(page.all("table", class_="sequence"))) == 1
