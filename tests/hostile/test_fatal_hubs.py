"""A hub that does not survive a packet: the case is named, and the run ends.

The runs begin with the case that is fatal: whatever comes behind it is not tested.
"""

from suite_runs import run_suite

FATAL = "test_d2c_flags.py::test_qos_2_is_not_served"
REASON = f"the hub stopped answering after {FATAL}"
# The cases before it in their module pass.
PART = ("--timeout-factor=0.2", "conformance/hub/test_d2c_flags.py", "conformance/hub/test_packets.py")


def test_a_hub_that_dies_of_a_packet_names_the_case(tmp_path):
    """Its connections are refused from then on."""
    run = run_suite(tmp_path, *PART, load="fatal_hubs:dies_of_qos_2")

    assert run.messages("not tested") == {REASON}
    (remark,) = [line for line in run.remarks if line.startswith(REASON)]
    assert "Connection refused" in remark
    assert f"The last packets of {FATAL}: " in remark
    assert "→ PUBLISH qos=2" in remark
    assert "the launched hub ended with code 3" in run.said
    assert run.code == 10


def test_a_hub_that_dies_under_two_workers_names_the_case(tmp_path):
    """Alone, or beside the one that the other worker's packets were on their way for."""
    run = run_suite(tmp_path, *PART, "-n", "2", load="fatal_hubs:dies_of_qos_2")

    (reason,) = run.messages("not tested")
    named = reason.removeprefix("the hub stopped answering after ").split(" or ")
    assert FATAL in named
    assert len(named) <= 2, "one of each worker at most"
    (remark,) = [line for line in run.remarks if line.startswith(reason)]
    assert "→ PUBLISH qos=2" in remark.partition(f"The last packets of {FATAL}: ")[2]
    # The other worker's connection may be ended by it in the middle of a handshake, which no hub may do.
    assert (run.code, run.observed("violation")) in [(10, set()), (1, {"closed"})]


def test_a_hub_that_stands_still_names_the_case(tmp_path):
    """The kernel goes on taking connections for it, and nothing comes on them."""
    run = run_suite(tmp_path, *PART, load="fatal_hubs:stands_still_at_qos_2")

    assert run.messages("not tested") == {REASON}
    assert any("→ PUBLISH qos=2" in line for line in run.remarks)
    # It did not close either, as a hub has to that does not serve QoS 2.
    assert run.clause("d2c.qos2")["verdict"] == "violation"
    assert run.code == 1


def test_a_hub_that_crashes_at_every_refusal_is_no_hub_that_conforms(tmp_path):
    """Each of its refusals looks like one, and is a traceback."""
    run = run_suite(tmp_path, "--section=sas", load="fatal_hubs:crashes_on_refusals")

    assert {clause["verdict"] for clause in run.statement["clauses"] if clause["cases"]} == {
        "pass",
        "observed",
    }
    assert (
        "the launched hub wrote a traceback: what it closed may look like a refusal (exit code 14)"
        in run.said
    )
    assert run.code == run.statement["run"]["exit_code"] == 14
