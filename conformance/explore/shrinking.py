"""Makes a scenario that fails as short as it can be, by leaving out actions. Pure: it is given what plays."""

from collections.abc import Callable
from dataclasses import dataclass

from conformance.explore.scenarios import Scenario

# Plays for one failure, and seconds: below what pytest's faulthandler may allow a test.
MOST_PLAYS = 60
MOST_SECONDS = 45.0

# Plays a scenario and returns the rule that was broken first, None where none was.
Play = Callable[[Scenario], str | None]


@dataclass(frozen=True)
class Shrunk:
    """The shortest scenario that was found to break the same rule, after so many plays."""

    scenario: Scenario
    plays: int


def shrink(
    scenario: Scenario,
    rule: str,
    play: Play,
    clock: Callable[[], float],
    *,
    most_plays: int = MOST_PLAYS,
    most_seconds: float = MOST_SECONDS,
) -> Shrunk:
    """Leave out actions, many at first, one by one at last, as long as the same rule is broken."""
    end = clock() + most_seconds
    plays = 0
    size = max(len(scenario.actions) // 2, 1)
    while True:
        found, place = False, len(scenario.actions)
        while place > 0 and plays < most_plays and clock() < end:
            start = max(place - size, 0)
            shorter = scenario.with_actions((*scenario.actions[:start], *scenario.actions[place:]))
            place = start
            if not shorter.actions:
                continue
            plays += 1
            if play(shorter) == rule:
                scenario, found = shorter, True
        if (size == 1 and not found) or plays >= most_plays or clock() >= end:
            return Shrunk(scenario.without_bystanders(), plays)
        size = max(size // 2, 1)
