"""What is no device passes nothing: a run of it is inconclusive, or red, and ends in bounded time."""

import shutil
import subprocess

import pytest
from device_run import HERE, verdicts

QUICK = "[device.timing]\nkeep-alive = 2\nreconnect = 1\n[timeouts]\nconnect = 1.5\n"
AS_IT_IS = "adapter = false\ncapabilities = []\n"
# What needs no more than a connection.
SOME = ("device-connect.*", "device-transport.*", "device-watch.*")


def impostor(name):
    return ["{python}", str(HERE / "no_devices.py"), name]


def green(statement):
    return [clause for clause, verdict in verdicts(statement).items() if verdict == "pass"]


@pytest.mark.parametrize("adapter", [AS_IT_IS, ""], ids=["as-it-is", "adapter"])
@pytest.mark.parametrize("name", ["never_connects", "ends", "prints_rubbish", "ignores_all"])
def test_who_never_comes_ends_the_run_before_its_first_case(name, adapter, tmp_path, judged):
    """Exit code 10, with what it was told and what it did; no secret in any word."""
    command = [*impostor(name), str(tmp_path)]  # by which it is found again
    statement = judged(command, more=adapter + QUICK)

    assert (statement["run"]["exit_code"], green(statement)) == (10, []), statement["output"]
    assert "SharedAccessKey=" not in statement["output"].replace("SharedAccessKey=***", "")
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert [line for line in running.splitlines() if str(tmp_path) in line] == []


@pytest.mark.parametrize("name", ["connects_and_says_nothing", "connects_and_closes", "connects_without_tls"])
def test_who_comes_and_says_nothing_passes_nothing(name, tmp_path, judged):
    """What it is seen to do, TLS, may be right; it is no device for that."""
    clauses = [clause for clause in SOME if clause != "device-transport.*"]
    statement = judged(impostor(name), clauses, more=AS_IT_IS + QUICK)

    assert (statement["run"]["exit_code"], green(statement)) == (10, [])


def test_who_says_yes_to_all_passes_nothing(tmp_path, judged):
    """It never comes to the tap."""
    statement = judged(impostor("says_that_it_is_ready"), more=QUICK)

    assert (statement["run"]["exit_code"], green(statement)) == (10, [])


@pytest.mark.skipif(shutil.which("mosquitto_sub") is None, reason="mosquitto_sub is not installed")
def test_a_general_client_of_mqtt_is_no_device(tmp_path, judged):
    """mosquitto_sub connects, under a name and without a password: it passes no prohibition."""
    program = tmp_path / "general.sh"
    program.write_text(
        "#!/bin/sh\n"
        'exec mosquitto_sub -h localhost -p "$IOTHUB_MQTT_PORT" --cafile "$IOTHUB_CA_FILE" -t "#" -i me\n'
    )
    program.chmod(0o755)
    statement = judged([str(program)], SOME, more=AS_IT_IS + QUICK)

    assert statement["run"]["exit_code"] == 1
    assert not [clause for clause in green(statement) if clause.startswith("device-watch.")]
