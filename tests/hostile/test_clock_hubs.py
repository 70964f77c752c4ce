"""A hub whose clock is another is judged by its own clock, and where nothing tells that, not by ours."""

import pytest
from suite_runs import run_suite

BEHIND = "the hub's clock is 1200 s behind this machine's: tokens are made for its time"
AHEAD = "the hub's clock is 7200 s ahead of this machine's: tokens are made for its time"
# Clauses about the time of something.
PART = ("--clause=sas.*", "--clause=module.refusals", "--clause=c2d.expired", "--clause=c2d.feedback-expired")


def verdicts(run):
    return {clause["verdict"] for clause in run.statement["clauses"] if clause["cases"]}


@pytest.mark.parametrize(
    ("load", "remark"),
    [("twenty_minutes_behind", BEHIND), ("two_hours_ahead", AHEAD)],
    ids=["behind", "ahead"],
)
@pytest.mark.parametrize("extends", ["emulator", "device-only"])
def test_a_hub_keeps_to_its_own_clock(tmp_path, load, remark, extends):
    """With a service and without: an answer of HTTPS tells the clock, and all tokens are made for it."""
    run = run_suite(tmp_path, *PART, load=f"clock_hubs:{load}", extends=extends)

    assert verdicts(run) <= {"pass", "observed", "not claimed"}
    assert run.clause("sas.expired")["verdict"] == "pass"
    assert run.remarks == [f"preflight: {remark}"]
    assert run.code == 0


def test_where_nothing_tells_the_clock_its_cases_are_not_claimed(tmp_path):
    """A hub that takes a token of fifteen minutes ago may be right by its own clock."""
    run = run_suite(tmp_path, *PART, load="clock_hubs:twenty_minutes_behind_untold", extends="device-only")

    assert run.clause("sas.expired")["verdict"] == "not claimed"
    assert '[target] clock = "synchronised"' in run.clause("sas.expired")["reason"]
    assert run.clause("sas.bad-signature")["verdict"] == "pass"
    assert run.code == 0


def test_a_profile_may_say_that_the_clock_is_right(tmp_path):
    """Then a hub twenty minutes behind takes a token that has expired."""
    run = run_suite(
        tmp_path,
        *PART,
        load="clock_hubs:twenty_minutes_behind_untold",
        extends="device-only",
        profile='[target]\nclock = "synchronised"\n',
    )

    assert run.clause("sas.expired")["verdict"] == "violation"
    assert run.code == 1
