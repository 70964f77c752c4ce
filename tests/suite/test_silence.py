"""A hub that stops answering behind the preflight is noticed; what it could not answer is not its fault."""

import pytest
from small_suite import SmallSuite

from conformance.run.silence import beside, last_cases
from conformance.verdict.clause import Case
from conformance.verdict.verdicts import Verdict

BOTH_WAYS = pytest.mark.parametrize("distribution", [[], ["-n", "1"]], ids=["one-process", "n-1"])

# Sets the hub's answers aside, and makes the wait between two tries a short one.
IMPATIENT = """

from conformance.mqtt import hearing
from conformance.run import silence
silence.BETWEEN_TRIES = 0.01
"""

CASES = """
from conformance.mqtt import hearing
from pathlib import Path

HERE = Path(__file__).parents[1]


@clause("small.holds")
def test_holds():
    hearing.heard()


@clause("small.other")
def test_says_too_much():
    hearing.heard()
    hearing.said()
    {what_it_does}


@clause("small.holds")
@pytest.mark.parametrize("number", range({count}))
def test_gets_no_answer(number):
    raise StageFailed("needs connect.client-id: silence")


@clause("small.other")
def test_comes_too_late():
    (HERE / "ran").touch()
"""

LAST = "test_small.py::test_says_too_much"
REASON = f"the hub stopped answering after {LAST}"


@pytest.fixture
def small(tmp_path):
    suite = SmallSuite(tmp_path)
    with (tmp_path / "conftest.py").open("a") as conftest:
        conftest.write(IMPATIENT)
    return suite


@pytest.fixture
def silent(small):
    """A suite whose hub is gone behind its second case."""
    (small.path / "gone").touch()
    small.cases(CASES.format(what_it_does="pass", count=3))
    return small


def asked_again(suite):
    file = suite.path / "asked-again"
    return len(file.read_text().splitlines()) if file.exists() else 0


@BOTH_WAYS
def test_no_further_case_begins(silent, distribution):
    """Three broken cases, the preflight's connection twice, and the rest is not tested."""
    result = silent.run(*distribution)

    assert result.ret == 10
    assert asked_again(silent) == 2
    assert not (silent.path / "ran").exists()
    assert [
        (case["id"], case["verdict"], case["message"]) for case in silent.clause("small.other")["cases"]
    ] == [
        ("test_small.py::test_says_too_much", "pass", ""),
        ("test_small.py::test_comes_too_late", "not tested", REASON),
    ]
    result.stdout.fnmatch_lines(
        [
            "*inconclusive*(exit code 10)",
            (
                f"{REASON}: hub.example:8883 refuses connections. No further case began. "
                f"The last packets of {LAST}: none"
            ),
        ]
    )
    assert any(remark.startswith(REASON) for remark in silent.statement()["run"]["remarks"])


def test_what_was_violated_by_then_stays_violated(small):
    (small.path / "gone").touch()
    small.cases(CASES.format(what_it_does="raise Violation('no', observed='no')", count=3))

    assert small.run().ret == 1


def test_a_clause_that_had_no_case_by_then_breaks_no_policy(silent):
    """It is not tested, and not for a reason of its own."""
    silent.cases(
        '@clause("small.disputed")\ndef test_last(readings):\n    readings.match("closed")\n', "test_z.py"
    )

    assert silent.run().ret == 10
    assert silent.verdicts()["small.disputed"] == "not tested"


def test_what_was_not_tested_for_another_reason_still_does(silent):
    silent.cases(
        '@clause("small.disputed")\ndef test_first():\n    raise NotTested("no second device")\n', "test_a.py"
    )

    assert silent.run().ret == 11


def test_two_broken_cases_are_not_enough(small):
    (small.path / "gone").touch()
    small.cases(CASES.format(what_it_does="pass", count=2))

    small.run()

    assert asked_again(small) == 0
    assert (small.path / "ran").exists()


def test_a_byte_of_the_hub_begins_the_count_anew(small):
    (small.path / "gone").touch()
    small.cases(CASES.format(what_it_does="pass", count=2))
    small.cases(CASES.format(what_it_does="pass", count=2), "test_too.py")

    small.run()

    assert asked_again(small) == 0


def test_a_hub_that_answers_is_asked_ever_more_rarely(small):
    """What breaks these cases is not its silence."""
    small.cases(CASES.format(what_it_does="pass", count=20))

    small.run()

    assert asked_again(small) == 3  # behind 3, 6 and 12 broken cases
    assert (small.path / "ran").exists()


def test_without_a_preflight_nobody_looks(silent):
    silent.run("--no-preflight")

    assert asked_again(silent) == 0
    assert (silent.path / "ran").exists()


# -- which case


def case(
    name, verdict=Verdict.PASS, *, began=0.0, seconds=1.0, heard=0.0, said=0.0, unanswered=0.0, worker="gw0"
):
    return Case(
        id=name,
        clause="s.a",
        verdict=verdict,
        began=began,
        seconds=seconds,
        heard=heard,
        said=said,
        unanswered=unanswered,
        worker=worker,
    )


def lasts(cases):
    return [last.id for last in last_cases(cases)]


def test_the_case_is_the_last_one_to_say_something():
    """A hub that is gone takes no connections: behind what it died of, nothing more is said to it."""
    cases = [
        case("well", began=10, heard=10.4, said=10.5),
        case("fatal", began=12, heard=12.1, said=12.2),
        case("broken", Verdict.BROKEN, began=14),
    ]

    assert lasts(cases) == ["fatal"]


def test_the_case_may_have_got_no_answer_at_all():
    """Or it was what the case before it said last: nobody sees which."""
    cases = [
        case("well", began=10, heard=10.4, said=10.5),
        case("fatal", Verdict.BROKEN, began=12, said=12.2),
        case("broken", Verdict.BROKEN, began=14),
    ]

    assert lasts(cases) == ["fatal", "well"]


def test_behind_a_balancer_it_is_the_first_one_in_vain():
    """Something in front of the hub takes connections as before."""
    cases = [
        case("well", began=10, heard=10.4, said=10.5),
        case("fatal", Verdict.VIOLATION, began=12, heard=12.1, said=12.2),
        case("broken", Verdict.BROKEN, began=14, said=14.1),
        case("broken-too", Verdict.BROKEN, began=16, said=16.1),
    ]

    assert lasts(cases) == ["fatal"]


def test_of_two_workers_it_is_the_one_that_spoke_behind_the_last_answer():
    cases = [
        case("beside", Verdict.BROKEN, began=11, seconds=3, heard=12.15, said=12.1, worker="gw1"),
        case("fatal", began=12, heard=12.1, said=12.2),
        case("broken", Verdict.BROKEN, began=14),
    ]

    assert lasts(cases) == ["fatal"]
    assert beside(cases[1], cases) == ["beside"]


def test_of_two_workers_that_spoke_in_vain_it_may_be_either():
    """Which of their packets the hub read first nobody sees; whose was sent first is seen."""
    cases = [
        case("beside", Verdict.VIOLATION, began=11, heard=12.15, said=12.3, unanswered=12.3, worker="gw1"),
        case("fatal", Verdict.BROKEN, began=12, heard=12.1, said=12.9, unanswered=12.2),
        case("later", Verdict.BROKEN, began=12.9, said=13.4, unanswered=13.4),
    ]

    assert lasts(cases) == ["fatal", "beside"]


def test_a_case_that_wanted_to_be_closed_is_not_cleared_by_that():
    """The hub's end looks like the close that the case is about, while another's packets are in vain."""
    cases = [
        case("fatal", began=12, heard=12.1, said=12.2, unanswered=12.2),
        case("beside", Verdict.VIOLATION, began=11, heard=12.05, said=12.3, unanswered=12.3, worker="gw1"),
    ]

    assert lasts(cases) == ["fatal", "beside"]


def test_an_answer_that_was_read_late_clears_nobody():
    """What the hub wrote before the fatal packet may be read behind it, in the other worker."""
    cases = [
        case("fatal", began=12, heard=12.1, said=12.2, unanswered=12.2),
        case("beside", Verdict.VIOLATION, began=11, heard=12.6, said=12.7, unanswered=12.7, worker="gw1"),
        case("waiting", began=8, seconds=6, heard=9, said=9.1, unanswered=9.1, worker="gw2"),
    ]

    assert lasts(cases) == ["fatal", "beside"]


def test_where_nothing_was_said_it_is_the_last_one_answered():
    cases = [case("well", began=10, heard=10.4, said=10.3), case("broken", Verdict.BROKEN, began=14)]

    assert lasts(cases) == ["well"]


def test_cases_whose_workers_died_are_cases_too():
    assert lasts([case("died", Verdict.BROKEN), case("died-too", Verdict.BROKEN)]) == ["died"]


def test_a_hub_that_never_answered_names_the_first_case():
    cases = [case(f"broken-{number}", Verdict.BROKEN, began=10 + number) for number in range(3)]

    assert lasts(cases) == ["broken-0"]
