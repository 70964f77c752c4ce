"""From a scenario to the report: a hub that is wrong only the second time is caught, in few actions."""

import pytest
from hub_run import case, explore_on, scenario_in, violated

from conformance.explore.scenarios import read

WRONG = "wrong_hubs:second_answer_is_the_first"
# Six actions of the section on twins, of which four show what is wrong.
SIX = """scenario 2 twins
identity a sas
identity a1 sas
1 a connect over=tls clean=1 login=plain will=none bag=none
2 a1 connect over=ws clean=0 login=plain will=none bag=none
3 a subscribe filters=answers:0
4 a get qos=0 form=short payload=empty
5 a desire patch={"b":1}
6 a get qos=1 form=uuid payload=space
"""


CONNECT = "connect over=tls clean=0 login=plain will=none bag=none"
STALE = f"""scenario 1 messages
identity a sas
1 a {CONNECT}
2 a subscribe filters=devicebound:1
3 a disconnect
4 a send-stale size=20
5 a {CONNECT}
"""
PURGED = """scenario 1 messages
identity a sas
1 a send-asking size=20 ack=negative
2 a purge
"""
ACKNOWLEDGED = f"""scenario 1 messages
identity a sas
1 a {CONNECT}
2 a subscribe filters=devicebound:1
3 a send-asking size=20 ack=positive
4 a acknowledge which=all
"""
OTHER_NAME = """scenario 1 certificates
identity a authority
identity A authority
1 a refused over=tls ground=other-name other=A behind=nothing
"""
MODELS = f"""scenario 1 device
identity a sas
identity A sas
1 a connect over=tls clean=0 login=model will=none bag=none
2 A {CONNECT}
3 a publish qos=1 retain=0 dup=0 size=20 bag=component cut=whole
4 A publish qos=1 retain=0 dup=0 size=20 bag=one cut=whole
"""
COMPONENT = f"""scenario 1 methods
identity a sas
1 a {CONNECT}
2 a subscribe filters=methods:0
3 a call name=component payload=1
"""
RENEWED = f"""scenario 1 messages
identity a sas
1 a {CONNECT}
2 a subscribe filters=devicebound:1
3 a disconnect
4 a {CONNECT}
5 a send size=20 properties=one
6 a renew filters=devicebound:1
"""
# What only some scenarios have: a wrong hub, actions that show it, and the clause that turns red.
OTHERS = {
    "expiry": ("wrong_hubs:expiry_is_not_read", STALE, "c2d.expired"),
    "purge": ("wrong_hubs:wishes_are_turned_round", PURGED, "c2d.feedback-negative"),
    "acknowledgement": ("wrong_hubs:wishes_are_turned_round", ACKNOWLEDGED, "c2d.feedback"),
    "models": ("model_id_faults:model_is_of_whoever_spoke_last", MODELS, "d2c.model-id"),
    "component": ("methods_request_faults:component_is_left_out", COMPONENT, "methods.component"),
    "renewal": (
        "session_faults:renewed_subscription_begins_with_an_empty_queue",
        RENEWED,
        "session.subscription-persists",
    ),
    "another name": ("wrong_hubs:any_name_of_the_authority_will_do", OTHER_NAME, "x509-ca.wrong-name"),
}


@pytest.fixture(scope="module")
def six(tmp_path_factory):
    """Play the six actions on the wrong hub."""
    directory = tmp_path_factory.mktemp("six")
    (directory / "scenario.txt").write_text(SIX)
    return explore_on(WRONG, directory, f"--scenario={directory / 'scenario.txt'}")


@pytest.fixture(scope="module")
def shrunk(six):
    """Return the scenario that the report shows."""
    return scenario_in(case(six, "test_explore.py::explore.twins[2]")["transcript"])


def test_what_a_scenario_breaks_is_red_in_the_clause_that_its_rule_cites(six):
    """One rule is broken, and one clause is red, by the case of a scenario that is none of its own."""
    (clause,) = (clause for clause in six["clauses"] if clause["id"] == "twin.get-fresh")
    assert violated(six) == ["twin.get-fresh"]
    assert [(entry["id"], entry["in_passing"]) for entry in clause["cases"]] == [
        ("test_explore.py::explore.twins[2]", True)
    ]


def test_a_failure_is_shown_as_short_as_it_can_be(shrunk):
    """Left out is what does not matter: the other identity, and whatever the failure does without."""
    actions = [action.number for action in read(shrunk).actions]
    assert actions == [1, 3, 4, 5, 6]


def test_the_text_in_the_report_fails_again(shrunk, tmp_path):
    """What the report shows is what ``--scenario`` plays."""
    (tmp_path / "scenario.txt").write_text(shrunk)
    again = explore_on(WRONG, tmp_path, f"--scenario={tmp_path / 'scenario.txt'}")
    assert violated(again) == ["twin.get-fresh"]


def test_the_same_scenario_breaks_nothing_on_the_right_hub(shrunk, tmp_path):
    """It is the hub that is wrong, and not the model. Of such a scenario the text is enough to see."""
    (tmp_path / "scenario.txt").write_text(shrunk)
    right = explore_on(None, tmp_path, f"--scenario={tmp_path / 'scenario.txt'}")
    assert violated(right) == []
    assert case(right, "test_explore.py::explore.twins[2]")["transcript"] == ""


def test_scenarios_that_are_drawn_find_it_too(tmp_path):
    """Nobody has to think of those six actions."""
    assert violated(explore_on(WRONG, tmp_path, "--explore=24")) == ["twin.get-body"]


@pytest.mark.parametrize(("load", "text", "red"), OTHERS.values(), ids=OTHERS)
def test_what_only_some_scenarios_have_is_judged_too(tmp_path, load, text, red):
    """Expiry, feedback, models, a renewed subscription and more: red on a wrong hub, nothing on the right."""
    (tmp_path / "scenario.txt").write_text(text)
    words = f"--scenario={tmp_path / 'scenario.txt'}"
    assert [violated(explore_on(hub, tmp_path, words)) for hub in (load, None)] == [[red], []]


def test_a_clause_without_a_case_of_its_own_is_not_passed_by_a_scenario(six):
    """A scenario that applies a rule is a sighting of its clause, and no more."""
    verdicts = {clause["id"]: clause["verdict"] for clause in six["clauses"]}
    assert (verdicts["packets.suback-order"], verdicts["connect.client-id"]) == ("not tested", "not tested")


def test_a_run_of_one_scenario_claims_no_conformance(six):
    """It is partial, and says by which word."""
    assert six["run"]["partial"]
    assert any(word.startswith("--scenario ") for word in six["run"]["selection"])
