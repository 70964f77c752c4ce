"""Which scenarios a run plays, and what that makes of the run."""

import pytest

from conformance.errors import UsageError
from conformance.explore.scenarios import DEFAULT, STRATA, draw, live, not_live
from conformance.run.exploration import SECONDS_EACH, numbers


def test_without_a_word_the_default_ones_are_played():
    """All of them, whatever the number of workers."""
    assert numbers(None, workers=4) == list(range(DEFAULT))


def test_on_a_live_hub_four_are_played():
    """One of each of four sections, quick ones, none of which changes an identity."""
    played = [draw(number) for number in numbers(None, live=True)]
    verbs = {action.verb for scenario in played for action in scenario.actions}
    slow = {"fall-silent", "outlive", "await-again", "lapse"}
    changes = {"delete", "create", "rekey", "disable", "enable"}
    assert [scenario.section for scenario in played] == ["device", "messages", "twins", "methods"]
    assert verbs & (slow | changes) == set()


def test_on_a_live_hub_every_section_is_named():
    """A section of which none is played there says so by one scenario, which is not claimed."""
    named = [draw(number).section for number in (*live(), *not_live())]
    assert sorted(named) == sorted(STRATA)


@pytest.mark.parametrize(("option", "count"), [("0", 0), ("5", 5), ("500", 500)])
def test_a_number_asks_for_the_first_so_many(option, count):
    """Fewer than the default ones, or more."""
    assert numbers(option) == list(range(count))


@pytest.mark.parametrize(("option", "seconds"), [("90s", 90), ("10m", 600), ("0.5h", 1800)])
def test_a_time_asks_for_further_ones(option, seconds):
    """As many as take that long, by all workers together, behind the default ones."""
    assert numbers(option, workers=2) == list(range(DEFAULT + round(2 * seconds / SECONDS_EACH)))


@pytest.mark.parametrize("option", ["", "-1", "ten", "10 m", "10d", "1e3"])
def test_anything_else_is_refused(option):
    """In one line, with what may stand there."""
    with pytest.raises(UsageError, match="neither a number of scenarios nor a time"):
        numbers(option)
