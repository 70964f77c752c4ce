"""What a device can see, it is told: these hubs are red with ready-made devices and no service side."""

import pytest
from fault import all_faults
from run import RunFailedError, run_suite_on, verdicts

from conformance.commands import listing

# Whose twin it is, who hears of it, and what comes of a request: each by its clause.
SEEN = {
    "cross_device_twin_faults:all_devices_share_a_twin": "topics.cross-device-twin",
    "cross_device_twin_faults:answers_go_to_all_subscribers": "topics.cross-device-twin",
    "cross_device_twin_faults:answer_goes_to_all_who_used_its_request_id": "topics.cross-device-twin",
}


@pytest.fixture(scope="session")
def modules():
    """The files in which the tests of each clause stand."""
    return {
        clause["id"]: {f"conformance/hub/{test.partition('::')[0]}" for test in clause["tests"]}
        for clause in listing.clauses()["clauses"]
    }


@pytest.mark.parametrize(("load", "clause"), SEEN.items(), ids=lambda word: word.rpartition(":")[2])
def test_a_device_alone_sees_the_fault(load, clause, tmp_path, modules):
    """The clause is violated, and the exit code says so."""
    try:
        statement = run_suite_on(load, tmp_path, {clause}, modules[clause], extends="device-only")
    except RunFailedError as failure:
        pytest.fail(str(failure), pytrace=False)

    assert verdicts(statement)[clause] == "violation", statement["output"][-6000:]
    assert statement["run"]["exit_code"] == 1


def test_each_is_a_fault():
    assert SEEN.keys() - {fault.load for fault in all_faults()} == set()
