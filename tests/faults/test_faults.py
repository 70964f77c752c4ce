"""Every check can fail: each wrong hub turns exactly the clauses red that it breaks."""

from importlib import import_module

import pytest
from fault import FAULTS
from run import HERE, clauses_with, run_suite_on

for module in sorted(HERE.glob("*_faults.py")):
    import_module(module.stem)  # registers its faults


EXACT = [fault for fault in FAULTS if not fault.spreads]
SPREADING = [fault for fault in FAULTS if fault.spreads]


@pytest.mark.parametrize("fault", EXACT, ids=str)
def test_a_fault_turns_exactly_its_clauses_red(fault, tmp_path):
    """Violated is what the fault breaks and nothing else; nothing is broken, and the exit code says so."""
    statement = run_suite_on(fault.load, tmp_path)

    seen = {verdict: clauses_with(verdict, statement) for verdict in ("violation", "broken", "not tested")}
    assert seen == {"violation": set(fault.breaks), "broken": set(), "not tested": set()}, statement[
        "output"
    ][-6000:]
    assert statement["run"]["exit_code"] == 1


@pytest.mark.parametrize("fault", SPREADING, ids=str)
def test_a_fault_in_what_all_cases_need_turns_its_clauses_red(fault, tmp_path):
    """Its clauses are violated, whatever else is violated or broken beside them."""
    statement = run_suite_on(fault.load, tmp_path)

    assert set(fault.breaks) <= clauses_with("violation", statement), statement["output"][-6000:]
    assert statement["run"]["exit_code"] == 1
