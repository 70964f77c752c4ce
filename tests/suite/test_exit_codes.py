"""The one exit code of a run: every rule by itself, then the order in which they hold."""

import itertools

import pytest
from small_suite import SmallSuite

from conformance.documents.catalogue import Clause
from conformance.verdict.clause import Case, Judgement
from conformance.verdict.run import WORST_CODE_FIRST, ExitCode, exit_code, worst
from conformance.verdict.verdicts import Verdict
from conformance.verdict.verdicts import worst as worst_verdict

CLAUSE = Clause(id="s.a", section="s", level="must", source="document", says="The hub does it.")

GREEN = [Verdict.PASS, Verdict.OBSERVED, Verdict.KNOWN_DEVIATION]
RED = {
    Verdict.VIOLATION: ExitCode.VIOLATED,
    Verdict.STALE_DEVIATION: ExitCode.POLICY,
    Verdict.NOT_TESTED: ExitCode.POLICY,
    Verdict.BROKEN: ExitCode.INCONCLUSIVE,
}
ORDER = [ExitCode.VIOLATED, ExitCode.POLICY, ExitCode.HUB_CRASHED, ExitCode.INCONCLUSIVE, ExitCode.CONFORMS]
STOPPED = "the hub stopped answering after test_b"


def code(*verdicts, partial=False):
    return exit_code(
        [Judgement(clause=CLAUSE, verdict=verdict) for verdict in verdicts],
        [Case(id="test_a", clause="s.a", verdict=verdict) for verdict in verdicts],
        partial=partial,
    )


@pytest.mark.parametrize("verdict", GREEN)
def test_a_clause_that_holds_is_0(verdict):
    assert code(verdict, Verdict.NOT_CLAIMED, Verdict.UNTESTABLE) is ExitCode.CONFORMS


@pytest.mark.parametrize(("verdict", "expected"), RED.items())
def test_each_red_verdict_has_its_code(verdict, expected):
    assert code(Verdict.PASS, verdict) is expected


@pytest.mark.parametrize("verdicts", list(itertools.permutations([*RED, Verdict.PASS], 2)), ids=" and ".join)
def test_the_worse_code_holds(verdicts):
    assert code(*verdicts) is min(
        (RED.get(verdict, ExitCode.CONFORMS) for verdict in verdicts), key=ORDER.index
    )


@pytest.mark.parametrize("verdict", [*RED, Verdict.PASS])
def test_a_hub_that_crashed_inside_is_worse_than_inconclusive(verdict):
    """What it closed by then may look like a refusal, and no close is any more what it seems."""
    judgements = [Judgement(clause=CLAUSE, verdict=verdict)]
    cases = [Case(id="test_a", clause="s.a", verdict=verdict)]
    alone = RED.get(verdict, ExitCode.CONFORMS)

    found = exit_code(judgements, cases, partial=False, crashed=True)

    assert found is min((alone, ExitCode.HUB_CRASHED), key=ORDER.index)


def ended_by_silence(*others, unmatched=False):
    """The code of a run whose last case did not begin because the hub had stopped answering."""
    left_out = Case(id="test_z", clause="s.a", verdict=Verdict.NOT_TESTED, message=STOPPED)
    cases = [Case(id="test_b", clause="s.a", verdict=Verdict.BROKEN), *others, left_out]
    judgements = [
        Judgement(clause=CLAUSE, verdict=worst_verdict(case.verdict for case in cases), cases=tuple(cases)),
        Judgement(clause=CLAUSE, verdict=Verdict.NOT_TESTED, cases=(left_out,)),
        Judgement(clause=CLAUSE, verdict=Verdict.NOT_TESTED),
    ]
    return exit_code(judgements, cases, partial=False, unmatched=unmatched)


def test_what_a_silent_hub_left_out_is_inconclusive():
    """It is not tested, and so may be a deviation that no case was about: neither breaks a policy."""
    assert ended_by_silence() is ExitCode.INCONCLUSIVE
    assert ended_by_silence(unmatched=True) is ExitCode.INCONCLUSIVE


def test_what_a_silent_hub_violated_by_then_counts():
    violated = Case(id="test_a", clause="s.a", verdict=Verdict.VIOLATION)

    assert ended_by_silence(violated) is ExitCode.VIOLATED


def test_what_was_not_tested_for_a_reason_of_its_own_counts_beside_a_silent_hub():
    left_out = Case(id="test_z", clause="s.a", verdict=Verdict.NOT_TESTED, message=STOPPED)
    own = Case(id="test_a", clause="s.a", verdict=Verdict.NOT_TESTED, message="needs two devices")
    judgements = [Judgement(clause=CLAUSE, verdict=Verdict.NOT_TESTED, cases=(own, left_out))]
    broken = Case(id="test_b", clause="s.a", verdict=Verdict.BROKEN)

    assert exit_code(judgements, [own, broken, left_out], partial=False) is ExitCode.POLICY


def test_a_partial_run_does_not_ask_for_what_it_left_out():
    assert code(Verdict.PASS, Verdict.NOT_TESTED, partial=True) is ExitCode.CONFORMS


@pytest.mark.parametrize("verdict", [Verdict.VIOLATION, Verdict.STALE_DEVIATION, Verdict.BROKEN])
def test_a_partial_run_is_as_red_as_a_whole_one(verdict):
    assert code(Verdict.PASS, verdict, partial=True) is code(Verdict.PASS, verdict)


@pytest.mark.parametrize("partial", [False, True])
def test_a_run_in_which_every_case_was_skipped_is_not_green(partial):
    """Pitfall 1."""
    assert code(Verdict.NOT_TESTED, Verdict.NOT_TESTED, partial=partial) is ExitCode.POLICY


@pytest.mark.parametrize("partial", [False, True])
def test_a_run_to_which_nothing_applies_is_a_usage_error(partial):
    assert code(Verdict.NOT_CLAIMED, partial=partial) is ExitCode.USAGE


def test_an_untested_clause_is_policy_even_without_a_case_of_it():
    judgements = [
        Judgement(clause=CLAUSE, verdict=Verdict.PASS),
        Judgement(clause=CLAUSE, verdict=Verdict.NOT_TESTED),
    ]
    cases = [Case(id="test_a", clause="s.a", verdict=Verdict.PASS)]

    assert exit_code(judgements, cases, partial=False) is ExitCode.POLICY
    assert exit_code(judgements, cases, partial=True) is ExitCode.CONFORMS


# Where several hold, as README.md lists them.
SEVERAL = [(2, 3), (12,), (13,), (1,), (11,), (10,), (0,)]


@pytest.mark.parametrize(("worse", "better"), list(itertools.combinations(SEVERAL, 2)), ids=str)
def test_of_several_codes_the_first_in_the_order_is_the_run_s(worse, better):
    assert {worst(one, other) for one in worse for other in better} <= set(worse)
    assert {worst(other, one) for one in worse for other in better} <= set(worse)


def test_every_code_has_its_place_in_the_order():
    assert sorted(WORST_CODE_FIRST) == sorted(ExitCode)


@pytest.mark.parametrize(
    "what_it_does", ["pass", 'raise StageFailed("needs a session")'], ids=["pass", "broken"]
)
def test_a_run_on_a_hub_that_crashed_inside_says_so(tmp_path, what_it_does):
    """No case of it need be violated: each crash may have passed for the refusal that was asked for."""
    suite = SmallSuite(tmp_path)
    (tmp_path / "crashed").touch()
    suite.cases(f'@clause("small.holds")\ndef test_holds():\n    {what_it_does}\n')

    result = suite.run("-k", "holds")

    assert result.ret == suite.statement()["run"]["exit_code"] == 14
    result.stdout.fnmatch_lines(["*the launched hub wrote a traceback: * (exit code 14)"])
