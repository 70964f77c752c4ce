"""Every check of a device can fail: on each wrong device, the cases of the clauses that it breaks say so."""

import pytest
from device_run import started, verdicts
from wrong import all_wrong


@pytest.mark.parametrize("wrong", all_wrong(), ids=str)
def test_a_wrong_device_turns_its_clauses_red(wrong, judged):
    """Each clause that it names is violated, none merely broken, and the exit code says so."""
    statement = judged(started(wrong.load), wrong.breaks)

    named = {clause: verdict for clause, verdict in verdicts(statement).items() if clause in wrong.breaks}
    assert named == dict.fromkeys(wrong.breaks, "violation"), statement["output"][-6000:]
    assert statement["run"]["exit_code"] == 1
