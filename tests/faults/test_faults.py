"""Every check can fail: on each wrong hub, the cases of the clauses that it breaks say so.

What a fault breaks beside what it names is not looked at here: `make kill-matrix` runs everything on each.
"""

import pytest
from fault import all_faults
from run import RunFailedError, run_suite_on, verdicts

from conformance.commands import listing


@pytest.fixture(scope="session")
def modules():
    """The files in which the tests of each clause stand."""
    return {
        clause["id"]: {f"conformance/hub/{test.partition('::')[0]}" for test in clause["tests"]}
        for clause in listing.clauses()["clauses"]
    }


@pytest.mark.parametrize("fault", all_faults(), ids=str)
def test_a_fault_turns_its_clauses_red(fault, tmp_path, modules):
    """Each clause that it names is violated, none merely broken, and the exit code says so."""
    try:
        where = set().union(*(modules[clause] for clause in fault.breaks))
        statement = run_suite_on(fault.load, tmp_path, fault.breaks, where)
    except RunFailedError as failure:
        pytest.fail(str(failure), pytrace=False)

    named = {clause: verdict for clause, verdict in verdicts(statement).items() if clause in fault.breaks}
    assert named == dict.fromkeys(fault.breaks, "violation"), statement["output"][-6000:]
    assert statement["run"]["exit_code"] == 1
