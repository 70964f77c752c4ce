"""What the suite's own lateness does to a case: it runs again, and is broken where that does not help."""

import pytest
from small_suite import SmallSuite

from conformance.run.retry import BEAT, HELD_UP, Pulse

LATE = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
from stalls import hold_up
from conformance.errors import TooLate
RUNS = Path("runs")

def attempt():
    with RUNS.open("a") as file:
        file.write("x")
    return RUNS.stat().st_size

"""
HELD_UP_SECONDS = 1.5


@pytest.fixture
def small(tmp_path):
    return SmallSuite(tmp_path)


def run(small, body, *arguments):
    """Run one case with this body; return how it ended, and how often it ran."""
    here = __file__.rpartition("/")[0]
    source = LATE.format(here=here) + f'@clause("small.holds")\ndef test_case(request):\n{body}'
    small.cases(source)
    result = small.run("--clause=small.holds", *arguments)
    case = small.clause("small.holds")["cases"][0]
    return result, case, len((small.path / "runs").read_text())


def violated():
    return '    raise Violation("too late", observed="late")\n'


@pytest.mark.parametrize("distribution", [(), ("-n", "1")], ids=["one-process", "n-1"])
def test_a_case_that_was_held_up_and_failed_runs_again(small, distribution):
    body = f"    if attempt() == 1:\n        hold_up({HELD_UP_SECONDS})\n    {violated()}"
    result, case, runs = run(small, body, *distribution)
    assert (result.ret, case["verdict"], runs) == (0, "pass", 2)


def test_a_case_that_is_held_up_each_time_is_broken(small):
    result, case, runs = run(small, f"    attempt()\n    hold_up({HELD_UP_SECONDS})\n{violated()}")
    assert (result.ret, case["verdict"], runs) == (10, "broken", 3)
    assert "the suite itself was held up for" in case["message"]
    assert "in attempt 3: too late" in case["message"]


def test_a_case_that_was_not_held_up_is_violated_at_once(small):
    result, case, runs = run(small, f"    attempt()\n{violated()}")
    assert (result.ret, case["verdict"], runs) == (1, "violation", 1)


@pytest.mark.parametrize(("hold_up", "code"), [("hold_up", 0), ("print", 1)], ids=["held-up", "in-time"])
def test_a_breach_that_rests_on_time_counts_where_the_suite_was_in_time(small, hold_up, code):
    body = (
        "    attempt()\n"
        "    from conformance.evidence.watch import Breach, Judgement\n"
        '    breach = Breach("small.holds", "nothing came", "silence", rests_on_time=True)\n'
        '    request.getfixturevalue("evidence").watch.note(Judgement([], [breach]))\n'
        f"    {hold_up}({HELD_UP_SECONDS})\n"
    )
    result, case, runs = run(small, body)
    assert (result.ret, case["verdict"], runs) == (code, "pass", 1)


def test_a_case_that_passes_though_it_was_held_up_has_passed(small):
    result, case, runs = run(small, f"    attempt()\n    hold_up({HELD_UP_SECONDS})\n")
    assert (result.ret, case["verdict"], runs) == (0, "pass", 1)


def test_a_violation_that_shows_again_without_delay_is_one(small):
    body = f"    if attempt() == 1:\n        hold_up({HELD_UP_SECONDS})\n{violated()}"
    result, case, runs = run(small, body)
    assert (result.ret, case["verdict"], case["message"], runs) == (1, "violation", "too late", 2)


def test_a_case_that_found_itself_too_late_runs_again(small):
    body = '    if attempt() < 3:\n        raise TooLate("the lock has run out")\n'
    result, case, runs = run(small, body)
    assert (result.ret, case["verdict"], runs) == (0, "pass", 3)
    properties = [
        (found.get("name"), found.get("value"))
        for found in small.junit().iter("property")
        if found.get("name") == "ran again"
    ]
    assert properties == [("ran again", "the lock has run out")] * 2


def test_a_case_that_is_too_late_each_time_is_broken(small):
    result, case, runs = run(small, '    attempt()\n    raise TooLate("the lock has run out")\n')
    assert (result.ret, case["verdict"], case["message"], runs) == (10, "broken", "the lock has run out", 3)


def test_a_late_beat_counts_once_it_is_due_and_later_for_who_began_before_it():
    now = [100.0]
    pulse = Pulse(clock=lambda: now[0])

    now[0] += BEAT + 2 * HELD_UP
    assert pulse.held_up_since(100.0) == pytest.approx(2 * HELD_UP)

    pulse.beat()
    now[0] += BEAT
    pulse.beat()
    assert pulse.held_up_since(100.0) == pytest.approx(2 * HELD_UP)
    assert pulse.held_up_since(now[0]) == 0.0


def test_beats_in_time_are_no_delay():
    now = [100.0]
    pulse = Pulse(clock=lambda: now[0])
    for _ in range(20):
        now[0] += BEAT + HELD_UP / 2
        pulse.beat()
    assert pulse.held_up_since(100.0) == 0.0
