"""Known differences: each must show as stated until its last day, and anything else is said."""

import tomllib
from datetime import date

import pytest
from small_suite import SmallSuite

from conformance.__main__ import main
from conformance.errors import ProfileError
from conformance.report import deviation_entries, json_report
from conformance.verdict import deviation
from conformance.verdict.deviation import Deviation, applied
from conformance.verdict.outcome import Outcome
from conformance.verdict.verdicts import Verdict

STATED = {
    "clause": "small.holds",
    "case": "test_small.py::test_holds[a*]",
    "observed": "puback",
    "reason": "this hub acknowledges it",
    "since": "2026-11-01",
    "expires": "9999-12-31",
}
ENTRY = Deviation(**STATED)
TODAY = "2026-11-23"
VIOLATION = Outcome(verdict=Verdict.VIOLATION, message="got an acknowledgement", observed="puback")


# -- one case


@pytest.mark.parametrize(
    ("pattern", "case", "concerned"),
    [
        ("test_a.py::test_x[1-*]", "test_a.py::test_x[1-2]", True),
        ("test_a.py::test_x[1-*]", "test_a.py::test_x[2-2]", False),
        ("*", "test_a.py::test_x", True),
        ("test_x", "test_a.py::test_x", False),
    ],
)
def test_only_the_asterisk_of_a_pattern_is_special(pattern, case, concerned):
    entry = Deviation(**{**STATED, "case": pattern})

    assert entry.concerns("small.holds", case) is concerned
    assert not entry.concerns("small.other", case)


def test_a_case_that_differs_as_stated_is_known():
    assert applied(VIOLATION, [ENTRY], TODAY) == (
        Outcome(verdict=Verdict.KNOWN_DEVIATION, message="got an acknowledgement", observed="puback"),
        ENTRY,
    )


def test_a_case_that_passes_makes_its_deviation_stale():
    outcome, decided = applied(Outcome(verdict=Verdict.PASS), [ENTRY], TODAY)

    assert (outcome.verdict, decided) == (Verdict.STALE_DEVIATION, ENTRY)
    assert "the case passes now. Remove the [[deviation]]" in outcome.message


def test_a_case_that_differs_otherwise_is_a_violation():
    closed = Outcome(verdict=Verdict.VIOLATION, message="it closed", observed="closed")

    outcome, _ = applied(closed, [ENTRY], TODAY)

    assert outcome.verdict is Verdict.VIOLATION
    assert outcome.message == "it closed (the profile states a deviation, but another one: 'puback')"


@pytest.mark.parametrize(
    ("today", "verdict"),
    [("2026-11-23", Verdict.KNOWN_DEVIATION), ("2026-11-24", Verdict.STALE_DEVIATION)],
    ids=["last-day", "day-after"],
)
def test_a_deviation_holds_through_its_last_day(today, verdict):
    ending = Deviation(**{**STATED, "expires": "2026-11-23"})

    assert applied(VIOLATION, [ending], today)[0].verdict is verdict


@pytest.mark.parametrize("verdict", [Verdict.BROKEN, Verdict.NOT_TESTED, Verdict.OBSERVED])
def test_a_case_that_proves_nothing_stays_what_it_is(verdict):
    assert applied(Outcome(verdict=verdict), [ENTRY], TODAY) == (Outcome(verdict=verdict), None)


def test_a_case_with_several_stated_outcomes_may_show_any():
    other = Deviation(**{**STATED, "observed": "closed*"})
    closed = Outcome(verdict=Verdict.VIOLATION, observed="closed, puback")

    assert applied(closed, [ENTRY, other], TODAY)[1] == other


def test_a_deviation_from_what_never_fails_is_refused(tmp_path):
    from conformance.documents import catalogue

    SmallSuite(tmp_path)
    known = catalogue.load(tmp_path / "clauses")
    wrong = [Deviation(**{**STATED, "clause": name}) for name in ("small.obseved", "small.observed")]

    with pytest.raises(ProfileError) as caught:
        deviation.check([ENTRY, *wrong], known, "mine.toml")

    assert caught.value.problems == (
        (
            "mine.toml: [[deviation]] number 2 clause: no clause 'small.obseved'. "
            "List them with: python -m conformance clauses"
        ),
        (
            "mine.toml: [[deviation]] number 3 clause: small.observed is of level observe, so never fails. "
            "Remove it."
        ),
    )


# -- a run

CASES = """
@clause("small.holds")
@pytest.mark.parametrize("x", ["a1", "a2", "b"])
def test_holds(x):
    if x != "b":
        raise Violation("got an acknowledgement", observed="puback", expected="nothing", actual="puback")

@clause("small.other")
def test_other():
    pass

@clause("small.disputed")
def test_disputed(readings):
    assert readings.match("closed")

@clause("small.observed")
def test_observed(observed):
    observed("closed")
"""

BOTH_WAYS = pytest.mark.parametrize("distribution", [[], ["-n", "2"]], ids=["one-process", "n-2"])


@pytest.fixture
def small(tmp_path):
    suite = SmallSuite(tmp_path)
    suite.cases(CASES)
    return suite


@BOTH_WAYS
def test_a_run_with_a_known_deviation_is_green_and_shows_it(small, distribution):
    small.deviations(STATED)

    result = small.run(*distribution)

    assert result.ret == 0, result.stdout.str()
    assert small.verdicts()["small.holds"] == "known deviation"
    assert [case["verdict"] for case in small.clause("small.holds")["cases"]] == [
        "known deviation",
        "known deviation",
        "pass",
    ]
    cases = ["test_small.py::test_holds[a1]", "test_small.py::test_holds[a2]"]
    assert small.statement()["deviations"] == [{**STATED, "link": "", "state": "known", "cases": cases}]
    assert {case["status"] for case in small.allure()} == {"passed"}
    assert small.junit().find("testsuite").attrib["failures"] == "0"
    result.stdout.fnmatch_lines(
        ["*known*small.holds*test_small.py::test_holds?a*: puback (until 9999-12-31)*"]
    )


@BOTH_WAYS
@pytest.mark.parametrize(
    ("changed", "state", "verdict", "code", "failures"),
    [
        pytest.param({"case": "*"}, "stale", "stale deviation", 11, "1", id="stale"),
        pytest.param({"expires": "2026-11-22"}, "expired", "stale deviation", 11, "2", id="expired"),
        pytest.param({"observed": "closed"}, "differs", "violation", 1, "2", id="differs"),
        pytest.param({"case": "test_smal.py*"}, "unmatched", "violation", 1, "2", id="unmatched"),
    ],
)
def test_a_deviation_that_does_not_hold_fails_the_run(
    small, distribution, changed, state, verdict, code, failures
):
    small.deviations({**STATED, **changed})

    result = small.run(*distribution)

    assert (result.ret, small.verdicts()["small.holds"]) == (code, verdict), result.stdout.str()
    assert small.statement()["deviations"][0]["state"] == state
    assert small.junit().find("testsuite").attrib["failures"] == failures


def test_an_unmatched_deviation_fails_a_run_that_is_green_otherwise(small):
    small.deviations(STATED, {**STATED, "clause": "small.other", "case": "test_gone"})

    assert small.run().ret == 11
    assert [found["state"] for found in small.statement()["deviations"]] == ["known", "unmatched"]


def test_a_part_of_the_suite_says_nothing_about_deviations_of_the_rest(small):
    small.deviations(STATED)

    assert small.run("-k", "test_other").ret == 0


def test_a_watched_rule_that_is_broken_in_passing_can_be_known(small):
    small.watch()
    small.cases(
        """
from conformance.evidence.watch import Breach, Judgement

@clause("watch.ids")
def test_ids(evidence):
    evidence.watch.note(Judgement(clauses=["watch.ids"]))

@clause("small.other")
def test_other(evidence):
    evidence.watch.note(Judgement(
        clauses=["watch.ids"], breaches=[Breach("watch.ids", "PUBACK 7 was not asked for", "puback")]
    ))
""",
        name="test_watch.py",
    )
    in_passing = {**STATED, "clause": "watch.ids", "case": "test_watch.py::test_other"}
    small.deviations(STATED, in_passing)

    result = small.run()

    assert small.verdicts()["watch.ids"] == "known deviation", result.stdout.str()
    assert result.ret == 0


@BOTH_WAYS
def test_a_deviation_from_an_unknown_clause_stops_the_run(small, distribution):
    small.deviations({**STATED, "clause": "small.hold"})

    result = small.run(*distribution)

    assert result.ret == 4
    assert result.stderr.str() == (
        "ERROR: profiles/small.toml: [[deviation]] number 1 clause: no clause 'small.hold'. "
        "List them with: python -m conformance clauses"
    )


# -- entries to paste


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read: No such file or directory. Give the conformance.json of a report."),
        (
            b"{",
            (
                "no statement of a run that this version reads (wrong or missing: the file). "
                "Give the conformance.json of a report."
            ),
        ),
        (
            b'{"schema": 2}',
            (
                "no statement of a run that this version reads (wrong or missing: schema). "
                "Give the conformance.json of a report."
            ),
        ),
    ],
    ids=["missing", "no-json", "another-schema"],
)
def test_what_is_no_statement_is_one_line(tmp_path, monkeypatch, capsys, content, says):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "a.json").write_bytes(content)

    assert main(["deviations", "--from", "a.json"]) == 4

    assert capsys.readouterr().err == f"ERROR: a.json: {says}\n"


def test_a_run_writes_the_entries_for_its_violations(small):
    small.run()
    statement = json_report.read(small.report / "conformance.json")

    text = deviation_entries.entries(statement, today=date(2026, 11, 23))

    assert tomllib.loads(text) == {
        "deviation": [
            {
                "clause": "small.holds",
                "case": f"test_small.py::test_holds[{name}]",
                "observed": "puback",
                "reason": "",
                "since": date(2026, 11, 23),
                "expires": date(2027, 2, 21),
                "link": "",
            }
            for name in ("a1", "a2")
        ]
    }
