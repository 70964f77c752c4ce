"""A failure is shown in as few actions as it takes, and in bounded time."""

import itertools

from conformance.explore.scenarios import draw, read
from conformance.explore.shrinking import MOST_PLAYS, shrink

STILL = itertools.repeat(0.0).__next__


def broken_by(*needed: int):
    """Return a player of a hub that breaks a rule where these actions are played, in a fixed order."""

    def play(scenario):
        numbers = [action.number for action in scenario.actions]
        return "message" if [number for number in numbers if number in needed] == list(needed) else None

    return play


def test_what_does_not_matter_is_left_out():
    """Two actions of many break the rule, and two are left."""
    shrunk = shrink(draw(10), "message", broken_by(3, 11), STILL)
    assert [action.number for action in shrunk.scenario.actions] == [3, 11]


def test_a_single_action_is_found():
    """The first one alone is enough."""
    shrunk = shrink(draw(10), "message", broken_by(1), STILL)
    assert [action.number for action in shrunk.scenario.actions] == [1]


def test_a_scenario_of_which_all_matters_stays_whole():
    """Nothing is left out that the failure needs."""
    needed = [action.number for action in draw(10).actions]
    assert shrink(draw(10), "message", broken_by(*needed), STILL).scenario.actions == draw(10).actions


def test_another_rule_is_another_failure():
    """What breaks another rule is not what was found."""
    shrunk = shrink(draw(10), "message", lambda _scenario: "telemetry", STILL)
    assert shrunk.scenario.actions == draw(10).actions


def test_a_failure_that_does_not_come_again_is_not_shrunk():
    """Where no shorter one fails, the whole one is shown."""
    shrunk = shrink(draw(10), "message", lambda _scenario: None, STILL)
    assert shrunk.scenario.actions == draw(10).actions


def test_so_many_plays_are_enough():
    """A scenario that needs every second action is not tried for ever."""
    needed = [action.number for action in draw(10).actions][::2]
    assert shrink(draw(10), "message", broken_by(*needed), STILL).plays <= MOST_PLAYS


def test_so_much_time_is_enough():
    """No play begins behind the last second."""
    clock = itertools.count(0.0, 20.0).__next__
    assert shrink(draw(10), "message", broken_by(3, 11), clock).plays == 2


def test_who_has_no_action_any_more_has_no_part():
    """A module's device stays, and somebody whom an action names."""
    scenario = read(
        "scenario 1 modules\nidentity a sas\nidentity a/m sas\nidentity a1 sas\nidentity A sas\n"
        "1 a/m connect over=tls clean=1 login=plain will=none bag=none\n2 a/m trespass other=A qos=1\n"
    )
    assert [each.name for each in scenario.without_bystanders().cast] == ["a", "a/m", "A"]
