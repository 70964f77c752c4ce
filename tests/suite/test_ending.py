"""The last lines of a run, without a run: what was found is told whole at any width."""

from dataclasses import replace

import pytest
from small_suite import SmallSuite

from conformance.documents import catalogue
from conformance.report import terminal
from conformance.report.statement import RunPart
from conformance.verdict.clause import Breach, Case, judge
from conformance.verdict.needs import Claims
from conformance.verdict.verdicts import Verdict

RUN = RunPart(
    started="2026-11-23T05:00:00+00:00",
    seconds=2.0,
    workers=1,
    cases=3,
    slept_seconds=0,
    exit_code=1,
    partial=False,
)
PUBREC = "PUBREC packet=1 after 12 ms, and still open when the fence was answered"


@pytest.fixture
def small(tmp_path):
    SmallSuite(tmp_path)
    return catalogue.load(tmp_path / "clauses")


def ending(small, *cases, width=None, **run):
    judgements = judge(small, cases, Claims())
    said = terminal.Ending(run=RUN.model_copy(update=run))
    return list(terminal.lines(small, judgements, said, width))


def case(clause, verdict=Verdict.PASS, **fields):
    return Case(id=f"test_small.py::test_{clause}", clause=f"small.{clause}", verdict=verdict, **fields)


VIOLATED = case("other", Verdict.VIOLATION, message="PUBREC instead", expected="closed", actual=PUBREC)


@pytest.mark.parametrize("width", [None, 140])
def test_a_violated_clause_is_one_line_where_it_fits(small, width):
    lines = ending(small, VIOLATED, width=width)

    assert lines[lines.index("violation:") + 1] == (
        f"  small.other  The hub does the other thing: expected closed; actual {PUBREC}"
    )


@pytest.mark.parametrize(
    ("width", "told"),
    [
        (
            120,
            [
                "  small.other  The hub does the other thing",
                f"      expected closed; actual {PUBREC}",
            ],
        ),
        (
            60,
            [
                "  small.other  The hub does the other thing",
                "      expected closed; actual PUBREC packet=1 after 12 ms,",
                "      and still open when the fence was answered",
            ],
        ),
        (
            30,
            [
                "  small.other  The hub does t…",
                "      expected closed; actual PUBREC",
                "      packet=1 after 12 ms, and still",
                "      open when the fence was answered",
            ],
        ),
    ],
)
def test_in_a_narrow_terminal_the_rule_gives_way_and_not_what_was_found(small, width, told):
    lines = ending(small, VIOLATED, width=width)
    first = lines.index("violation:") + 1

    assert lines[first : first + len(told)] == told


def test_what_a_case_is_about_stands_before_what_was_found(small):
    lines = ending(small, replace(VIOLATED, title="Nothing is asked twice. [one]"))

    assert (
        f"  small.other  The hub does the other thing: Nothing is asked twice. [one]: "
        f"expected closed; actual {PUBREC}" in lines
    )


def test_what_is_probably_one_cause_stands_together_and_counts_as_before(small):
    """A clause with a violated case of its own comes first, whatever its place in the catalogue."""
    breach = Breach(clause="small.other", message="PUBREC instead of PUBACK", observed="pubrec")
    cases = [case("other"), case("disputed", Verdict.VIOLATION, message="pubrec instead", breaches=(breach,))]

    lines = ending(small, *cases)

    first = lines.index("violation:") + 1
    assert lines[first : first + 3] == [
        "  small.disputed  The hub closes or answers: pubrec instead",
        "    probably one cause with it (1):",
        "      small.other  The hub does the other thing: PUBREC instead of PUBACK",
    ]
    assert "small    violation 2" in ending(small, *cases, width=40)[0]


def test_the_cases_that_are_violated_are_counted(small):
    one, two = (ending(small, *[VIOLATED] * count) for count in (2, 3))

    assert one[one.index("violation:") + 1].endswith(" (2 of 2 cases)")
    assert two[two.index("violation:") + 1].endswith(" (3 of 3 cases)")


def test_a_table_that_does_not_fit_is_told_in_words(small):
    cases = [VIOLATED, case("holds"), case("disputed", Verdict.BROKEN, message="no route")]
    wide, narrow = ending(small, *cases, width=120), ending(small, *cases, width=50)

    assert wide[0].split() == [
        "section", "pass", "not", "tested", "broken", "violation", "not", "claimed", "untestable",
    ]  # fmt: skip
    assert wide[1].split() == ["small", "1", "1", "1", "1", "1", "1"]
    assert narrow[0] == "small    violation 1, broken 1, not tested 1, pass 1, untestable 1, not claimed 1"


def test_nothing_that_a_hub_sent_moves_the_cursor(small):
    lines = ending(small, case("other", Verdict.VIOLATION, message="said \x1b[2J\x1b[H and \x07", actual="x"))

    assert r"  small.other  The hub does the other thing: said \x1b[2J\x1b[H and \x07" in lines


@pytest.mark.parametrize(
    ("code", "verdict", "says"),
    [
        (0, Verdict.PASS, "what was selected holds"),
        (0, Verdict.NOT_TESTED, "what was tested holds; not all of the selection was"),
        (1, Verdict.VIOLATION, "a clause is violated"),
        (10, Verdict.BROKEN, "inconclusive: cases are broken, and no clause is violated"),
        (11, Verdict.NOT_TESTED, "nothing that was selected was tested"),
        (11, Verdict.STALE_DEVIATION, "a claimed clause was not tested, or a stated deviation does not hold"),
    ],
)
def test_a_partial_run_says_so_however_it_ends(small, code, verdict, says):
    lines = ending(small, case("holds", verdict), exit_code=code, partial=True)

    assert lines[-1].startswith("partial selection, no claim of conformance: ")
    assert lines[-1].endswith(f" -> {says} (exit code {code})")
