"""Every check can fail: each wrong hub turns exactly the clauses red that it breaks."""

from importlib import import_module

import pytest
from fault import FAULTS
from run import clauses_with, run_suite_on

for subject in ("connect", "sas", "connection", "d2c", "packet"):
    import_module(f"{subject}_faults")  # registers its faults


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_turns_exactly_its_clauses_red(fault, tmp_path):
    """Violated is what the fault breaks and nothing else; nothing is broken, and the exit code says so."""
    statement = run_suite_on(fault.load, tmp_path)

    seen = {verdict: clauses_with(verdict, statement) for verdict in ("violation", "broken", "not tested")}
    assert seen == {"violation": set(fault.breaks), "broken": set(), "not tested": set()}, statement[
        "output"
    ][-6000:]
    assert statement["run"]["exit_code"] == 1
