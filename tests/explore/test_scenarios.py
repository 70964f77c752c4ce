"""Scenarios are drawn from a number alone, and are worth playing."""

import statistics
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from conformance.errors import UsageError
from conformance.explore import ideal, scenarios
from conformance.explore.actions import VERBS
from conformance.explore.dice import Dice
from conformance.explore.model import Model, rules
from conformance.explore.plan import Plan
from conformance.explore.scenarios import DEFAULT, default, draw, read

PROFILES = Path(__file__).parents[2] / "profiles"
SHIPPED = ("emulator", "emulator-current", "device-only", "real-hub")


def claimed(profile: str) -> set[str]:
    """What a shipped profile claims and states, its ancestors' included."""
    table = tomllib.loads((PROFILES / f"{profile}.toml").read_text(encoding="utf-8"))
    inherited = claimed(table["extends"]) if "extends" in table else set()
    own = set(table.get("claims", {}).get("capabilities", ()))
    stated = {f"timing.{name}" for name in table.get("timing", {})}
    capabilities = own or {need for need in inherited if not need.startswith("timing.")}
    return capabilities | stated | {need for need in inherited if need.startswith("timing.")}


def planned(scenario: scenarios.Scenario) -> Counter[str]:
    """Every rule that a scenario's plans speak of, and how often."""
    model, plans = Model(scenario.cast), []

    def keep(plan: Plan) -> Plan:
        plans.append(plan)
        return plan

    make, end = model.plan, model.final
    model.plan = lambda action, replies=(): keep(make(action, replies))
    model.final = lambda: keep(end())
    ideal.play_all(model, scenario.actions)
    owed = [each for plan in plans for each in plan.owed]
    return Counter(
        [each.rule for each in owed]
        + [part.rule for each in owed for part in each.parts]
        + [each.rule for plan in plans for each in plan.orders]
    )


def test_the_dice_fall_the_same_everywhere():
    """A number is the SHA-256 of the name and the place, whatever the Python."""
    dice = Dice("scenario 17")
    assert [dice.below(1000) for _ in range(8)] == [421, 960, 885, 57, 95, 250, 781, 469]


def test_the_default_scenarios_are_the_same_everywhere():
    """Their texts have this digest on every machine, until the model, an action or a weight is changed."""
    assert scenarios.digest(default()) == "273866091e3ca87acda9eec5f4464c5359d09f69c4b75cd8927d84cd86f8d4d4"


def test_a_scenario_does_not_depend_on_those_drawn_before_it():
    """Scenario 17 drawn alone is scenario 17 of all."""
    text = str(default()[17])
    draw.cache_clear()
    assert str(draw(17)) == text


def test_no_two_default_scenarios_are_alike():
    """Each has actions of its own."""
    bodies = [str(scenario).partition("\n")[2] for scenario in default()]
    assert len(set(bodies)) == DEFAULT


def test_scenarios_are_long_enough_for_things_to_meet():
    """Half of them have 12 actions or more; in fact all do."""
    lengths = [len(scenario.actions) for scenario in default()]
    assert (statistics.median(lengths) >= 12, min(lengths)) == (True, 20)


def test_every_action_is_used():
    """None of them is there for nothing."""
    used = Counter(action.verb for scenario in default() for action in scenario.actions)
    assert [verb for verb in VERBS if not used[verb]] == []


def test_every_rule_is_used():
    """None of them is there for nothing."""
    used = sum((planned(scenario) for scenario in default()), Counter())
    assert [name for name in rules() if not used[name]] == []


def test_every_rule_that_is_used_is_written():
    """A rule without a source is none."""
    used = sum((planned(scenario) for scenario in default()), Counter())
    assert set(used) - set(rules()) == set()


@pytest.mark.parametrize("profile", SHIPPED)
def test_a_third_of_the_scenarios_runs_for_each_shipped_profile(profile):
    """A scenario whose needs are not all claimed is not claimed as a whole."""
    claims = claimed(profile)
    run = [scenario for scenario in default() if set(scenario.needs) <= claims]
    assert len(run) * 3 >= DEFAULT


def test_a_scenario_is_read_from_its_own_text():
    """What a report shows can be played again."""
    assert [read(str(scenario)) for scenario in default()] == default()


def test_comments_and_empty_lines_of_a_scenario_mean_nothing():
    """A file of one may say where it comes from."""
    text = "# shrunk from scenario 17\n\n" + str(draw(17))
    assert read(text) == draw(17)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "its first line is: scenario NUMBER SECTION"),
        ("scenario x device\n", "its first line is: scenario NUMBER SECTION"),
        ("scenario 1 nothing\n", "no section 'nothing'"),
        ("scenario 1 device\nidentity a key\n", "write: identity NAME sas"),
        ("scenario 1 device\nidentity a sas\n1 b disconnect\n", "no identity 'b'"),
        ("scenario 1 device\nidentity a sas\na disconnect\n", "Write: NUMBER WHO VERB"),
        ("scenario 1 device\nidentity a sas\n1 a dance\n", "no verb 'dance'"),
        ("scenario 1 device\nidentity a sas\n1 a drop how\n", "Write name=value, without spaces"),
        ("scenario 1 device\nidentity a sas\n1 a drop\n", "drop takes how="),
    ],
)
def test_a_text_that_is_no_scenario_is_refused_in_one_line(text, complaint):
    """It says what is wrong, and where."""
    with pytest.raises(UsageError, match=complaint) as refused:
        read(text)
    assert "\n" not in str(refused.value)
