"""Every check can fail: on each wrong hub, the cases of the clauses that it breaks say so.

What a fault breaks beside what it names is not looked at here: `make kill-matrix` runs everything on each.
"""

import pytest
from fault import all_faults
from run import RunFailedError, run_suite_on, verdicts


@pytest.mark.parametrize("fault", all_faults(), ids=str)
def test_a_fault_turns_its_clauses_red(fault, tmp_path):
    """Each clause that it names is violated, none merely broken, and the exit code says so."""
    try:
        statement = run_suite_on(fault.load, tmp_path, fault.breaks)
    except RunFailedError as failure:
        pytest.fail(str(failure), pytrace=False)

    named = {clause: verdict for clause, verdict in verdicts(statement).items() if clause in fault.breaks}
    assert named == dict.fromkeys(fault.breaks, "violation"), statement["output"][-6000:]
    assert statement["run"]["exit_code"] == 1
