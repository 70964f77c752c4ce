"""A stop of this process, longer than what a check allows the hub, is never reported as the hub's fault.

Each case runs on the embedded hub and is stopped right where a late client looks like a wrong hub. The same
case on a hub that is wrong in earnest must stay a violation.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]

# The case, the method behind whose call the suite stops, for how many seconds, and a hub that is wrong there.
STALLS = [
    pytest.param(
        "test_c2d_acknowledge.py::test_what_was_acknowledged_does_not_come_again",
        "conformance.mqtt.connection:Connection.messages_until",
        1.6,
        "c2d_queue_faults:puback_is_not_heard",
        id="before-the-puback",
    ),
    pytest.param(
        "test_keep_alive.py::test_a_silent_client_is_dropped_in_time",
        "conformance.mqtt.raw:RawConnection.connect",
        4,
        "connection_faults:keep_alive_is_counted_three_times",
        id="while-a-client-is-silent",
    ),
    pytest.param(
        "test_keep_alive.py::test_publishing_alone_keeps_the_connection",
        "conformance.mqtt.conversation:Conversation.wait_closed",
        3,
        "connection_faults:only_pings_keep_a_connection",
        id="between-signs-of-life",
    ),
]
stalls = pytest.mark.parametrize(("case", "place", "seconds", "wrong"), STALLS)


@pytest.fixture
def run(tmp_path):
    """``run(case, place, seconds, times)``: how the case ends; with `load`, on that wrong hub."""

    def stalled(case, place, seconds, times, load=None):
        profile = tmp_path / "stalled.toml"
        wrong = f'[launch]\narguments = ["--load", "{load}"]\n' if load else ""
        profile.write_text(f'schema = 1\nextends = "{CHECKOUT / "profiles" / "emulator.toml"}"\n{wrong}')
        log = tmp_path / "stalls"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environment |= {
            "PYTHONPATH": f"{HERE}{os.pathsep}{HERE.parent / 'faults'}",
            "STALL_AT": place,
            "STALL_FOR": str(seconds),
            "STALL_TIMES": str(times),
            "STALL_LOG": str(log),
        }
        command = [sys.executable, "-m", "pytest", f"--profile={profile}", "--no-preflight", "-q"]
        command += ["-p", "no:cacheprovider", "-p", "stalls", f"--report-dir={tmp_path / 'report'}"]
        process = subprocess.run(
            [*command, f"conformance/hub/{case}"],
            cwd=CHECKOUT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert log.read_text().count("\n") == times, process.stdout
        statement = json.loads((tmp_path / "report" / "conformance.json").read_text())
        (found,) = [case for clause in statement["clauses"] for case in clause["cases"]]
        return process.returncode, found["verdict"], found["message"]

    return stalled


@stalls
def test_one_stop_changes_nothing(run, case, place, seconds, wrong):
    """The case runs again, and passes."""
    assert run(case, place, seconds, times=1)[:2] == (0, "pass")


@stalls
def test_a_stop_hides_no_fault(run, case, place, seconds, wrong):
    """On the wrong hub the second attempt is a violation like the first."""
    assert run(case, place, seconds, times=1, load=wrong)[:2] == (1, "violation")


def test_a_stop_in_each_attempt_leaves_the_case_broken(run):
    """Three attempts, all too late: nothing is said of the hub, and the run is inconclusive."""
    case, place, seconds, _ = STALLS[0].values
    code, verdict, message = run(case, place, seconds, times=3)
    assert (code, verdict) == (10, "broken")
    assert "held up" in message
