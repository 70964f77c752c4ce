"""A call of the service that is refused says nothing about the hub: it stops the run, or breaks the case."""

import pytest
from suite_runs import run_suite

WAITS = "conformance/hub/test_methods_request.py::test_a_call_reaches_the_device_once[reboot]"
ASKS = "conformance/hub/test_methods_failures.py::test_a_device_that_has_left_cannot_be_called"
AT_ONCE = ("--no-preflight", "--timeout-factor=0.2")


def test_a_policy_without_a_right_stops_the_run(tmp_path):
    """One line for the right, with all claims that need it."""
    run = run_suite(tmp_path, load="refusing_hubs:no_service_connect")

    needed = "'twin', 'methods', 'queries', 'c2d' and 'feedback' need the right ServiceConnect: "
    assert run.errors[0].startswith(needed)
    assert "(401 IotHubUnauthorizedAccess: Unauthorized)" in run.errors[0]
    assert run.code == 10


def test_claims_beyond_the_hubs_tier_stop_the_run(tmp_path):
    """In the hub's own words, one line for each claim."""
    run = run_suite(tmp_path, load="refusing_hubs:basic_tier")

    claims = ("twin", "methods", "modules", "c2d", "feedback")
    assert [line.partition("': ")[2].partition(": ")[0] for line in run.errors] == [
        f"[claims] '{claim}'" for claim in claims
    ]
    assert all("not in this hub's tier" in line for line in run.errors)
    assert run.code == 4


@pytest.mark.parametrize("answer", ["401", "403", "403_as_a_limit", "429", "503", "nothing"])
def test_a_device_that_waits_for_a_refused_call_breaks_its_case(tmp_path, answer):
    """It hears nothing, and that is not what the hub did wrong."""
    run = run_suite(tmp_path, *AT_ONCE, WAITS, load=f"refusing_hubs:calls_of_methods_{answer}")

    assert run.clause("methods.request")["verdict"] == "broken"
    assert "Meanwhile: expected PUBLISH $iothub/methods/POST/#" in run.clause("methods.request")["reason"]
    assert run.code == 10


@pytest.mark.parametrize(
    ("answer", "verdict", "code"),
    [
        ("401", "broken", 10),
        ("403", "broken", 10),
        ("403_as_a_limit", "broken", 10),
        ("429", "broken", 10),
        ("503", "violation", 1),
        ("nothing", "violation", 1),
    ],
)
def test_where_the_answer_is_what_the_clause_is_about(tmp_path, answer, verdict, code):
    """A refusal of ours is none of the hub's; silence and a wrong answer are."""
    run = run_suite(tmp_path, *AT_ONCE, ASKS, load=f"refusing_hubs:calls_of_nobody_{answer}")

    assert run.clause("methods.offline")["verdict"] == verdict
    assert run.code == code
