"""Five fixed mutants, one for each thing that can come of one: the tool works."""

import pytest
from baseline import all_sites, numbered
from hits import read_hits
from sites import HUB, sites
from suite import CHECKOUT, run


def hub(module, words, trigger=None):
    """Return what is to be changed: the node of a module that the words describe."""
    number, change = next(
        (site.number, change)
        for site in sites(module, (CHECKOUT / HUB / module).read_text("utf-8"))
        for change, mutation in enumerate(site.mutations)
        if mutation.words == words
    )
    return {"module": module, "number": number, "change": change, "trigger": trigger}


PONG = ("hub/keep_alive.py", "(Pingresp(),) → ()")


@pytest.mark.parametrize(
    ("mutant", "section", "verdict"),
    [
        pytest.param(
            hub("hub/mailbox_rules.py", "min(granted, 1) → 0"),
            "c2d",
            "killed",
            id="killed",
        ),
        pytest.param(hub("net/websocket.py", "2.0 → 3.0"), "websocket", "survived", id="survived"),
        pytest.param(
            hub("hub/property_bag.py", "'=' → ''"),
            "bag",
            "inconclusive: traceback",
            id="inconclusive",
        ),
        pytest.param(
            hub("net/rules.py", "(*names, *host_names.aliases(names)) → ()"),
            "transport",
            "stopped by the preflight",
            id="stopped-by-the-preflight",
        ),
        pytest.param(hub(*PONG, "over WebSocket"), "websocket", "killed", id="conditional"),
    ],
)
def test_a_fixed_mutant_has_its_verdict(mutant, section, verdict, tmp_path):
    ran = run(CHECKOUT, tmp_path / "run", mutant, only=(f"--section={section}",))

    assert ran.verdict == verdict, ran.words


def test_cases_that_do_not_reach_a_mutant_may_be_left_out(tmp_path):
    """Of its section, the case that sends PINGREQ runs, and no other."""
    case = "test_connection.py::test_three_pings_get_three_answers"

    ran = run(
        CHECKOUT, tmp_path / "run", hub(*PONG), first=(case,), alone=True, only=("--section=connection",)
    )

    assert (ran.verdict, ran.said["order"]) == ("killed", [case])


def test_probes_tell_what_a_run_reached_and_change_no_verdict(tmp_path):
    """The answer to PINGREQ is reached in a case, and a client is known then; that to PUBREL never is."""
    found = all_sites(CHECKOUT)
    probes = {"numbers": numbered(found), "hits": str(tmp_path / "hits")}

    ran = run(CHECKOUT, tmp_path / "run", probes, stops=False, only=("--clause=connection.ping",))

    assert (ran.exit_code, ran.seen["tracebacks"]) == (0, 0), ran.words
    hits = [(found[hit.number], hit.case > 0, hit.kinds > 0) for hit in read_hits(tmp_path / "hits")]
    assert {site.function for site, in_case, known in hits if in_case and known} > {"KeepAliveRules.pong"}
    assert "Session._qos_2_flow" not in {site.function for site, _, _ in hits}
