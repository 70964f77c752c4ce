"""What becomes of a scenario that fails: played again, shrunk, told; or told as it was."""

import pytest

from conformance.documents.catalogue import load
from conformance.errors import NotOffered, NotTested, TooLate
from conformance.explore.expectations import Finding
from conformance.explore.player import Played
from conformance.explore.scenarios import draw
from conformance.run.cases import RunningCase
from conformance.run.exploration import FAILING_SECONDS, Exploration, Failures

SCENARIO = draw(10)
WHOLE = [action.number for action in SCENARIO.actions]


def broken(rule="message"):
    """Return what a play brings that breaks a rule."""
    played = Played()
    played.findings = (Finding(rule, "message 5 at a#1 at least once", "nothing"),)
    played.at, played.applied = "5 a send size=20 properties=one", {rule: 1, "session-by-token": 2}
    return played


def right():
    """Return what a play brings that breaks nothing."""
    played = Played()
    played.applied = {"session-by-token": 2}
    return played


@pytest.fixture
def exploring():
    """``exploring(play)``: what plays scenario 10; `play` is given the scenario and how many plays it is."""

    def make(play):
        made = object.__new__(Exploration)
        made._scenario, made._is_left, made._plays, made._shut = SCENARIO, False, 0, {}
        made._case = RunningCase(
            id="test_explore.py::explore.messages[10]", clause=load()["explore.messages"]
        )
        made._failures, made._held_up_since = Failures(), lambda _moment: 0.0

        def counted(scenario, evidence):
            made._plays += 1
            evidence.transcript.add("test", "=", f"play {made._plays}")
            return play(scenario, made._plays)

        made._play = counted
        return made

    return make


def told(exploration):
    """Return the breaches that were noted, as pairs of clause and message."""
    return [(breach.clause, breach.message) for breach in exploration._case.evidence.breaches]


def test_a_scenario_that_breaks_nothing_is_a_sighting(exploring):
    """Each rule that had something to judge sights its clause, as often as it did."""
    exploration = exploring(lambda _scenario, _count: right())
    assert (exploration.play(), exploration._case.evidence.sightings) == ("played", {"sas.accepted": 2})


def test_a_failure_is_a_breach_of_the_clause_that_its_rule_cites(exploring):
    """It says what was expected, what came, and the shortest scenario."""
    needed = WHOLE[3]
    exploration = exploring(
        lambda scenario, _count: broken() if needed in [each.number for each in scenario.actions] else right()
    )
    exploration.play()
    ((clause, message),) = told(exploration)
    assert clause == "c2d.delivered"
    assert "got nothing, after: 5 a send" in message
    assert message.endswith(f"Scenario: {SCENARIO.actions[3]}")


def test_a_failure_that_does_not_come_again_is_a_violation_all_the_same(exploring):
    """It has the first transcript, and says in how many plays it was seen."""
    exploration = exploring(lambda _scenario, count: broken() if count == 1 else right())
    exploration.play()
    ((_, message),) = told(exploration)
    assert "(1 of 2 plays)" in message
    assert "play 1" in exploration._case.evidence.render().splitlines()[0]


def test_another_failure_the_second_time_is_not_the_same_one(exploring):
    """Where another rule is broken then, the first is told."""
    exploration = exploring(lambda _scenario, count: broken() if count == 1 else broken("message-qos"))
    exploration.play()
    assert [clause for clause, _ in told(exploration)] == ["c2d.delivered"]


def test_a_rule_that_was_broken_before_is_not_shrunk_again(exploring):
    """A hub that is wrong always does not take a minute for each scenario."""
    exploration = exploring(lambda _scenario, _count: broken())
    exploration._failures.rules.add("message")
    exploration.play()
    assert exploration._plays == 1


def test_when_failures_have_taken_long_the_rest_is_not_tested(exploring):
    """The reason names the rules."""
    exploration = exploring(lambda _scenario, _count: right())
    exploration._failures.rules, exploration._failures.seconds = {"message"}, FAILING_SECONDS + 1
    with pytest.raises(NotTested, match="scenarios that fail took 121 s, see message"):
        exploration.play()


def test_what_was_found_while_we_were_late_is_no_finding(exploring):
    """The scenario runs again, as any case does."""
    exploration = exploring(lambda _scenario, _count: broken())
    exploration._held_up_since = lambda _moment: 1.0
    with pytest.raises(TooLate):
        exploration.play()
    assert told(exploration) == []


def test_on_a_live_hub_what_is_not_played_is_not_claimed(exploring):
    """It says how to have it played."""
    exploration = exploring(lambda _scenario, _count: right())
    exploration._is_left = True
    with pytest.raises(NotOffered, match="--explore=N"):
        exploration.play()
