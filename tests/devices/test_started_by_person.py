"""A device that a person starts: what is printed is enough for that; one that never comes is no verdict."""

import json
import os
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from device_run import verdicts
from suite_server import CHECKOUT

MINE = CHECKOUT / "profiles" / "my-device.toml"
CLAUSES = ("device-connect.client-id", "device-connect.module", "device-watch.connect-first")


@pytest.fixture
def begin(tmp_path, hub_behind):
    """``begin(start=60)`` begins a run on my-device.toml; it waits for a person for so many seconds."""
    runs = []

    def begin(*, start):
        profile = tmp_path / "device.toml"
        profile.write_text(f'schema = 1\nextends = "{MINE}"\n[device.timing]\nstart = {start}\n')
        command = [sys.executable, "-m", "pytest", f"--profile={profile}", f"--attach={hub_behind}", "-v"]
        command += [f"--report-dir={tmp_path / 'report'}", "-p", "no:cacheprovider"]
        command += [f"--clause={clause}" for clause in CLAUSES]
        own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        runs.append(subprocess.Popen(command, cwd=CHECKOUT, env=own, **output))
        return runs[-1]

    yield begin
    for run in runs:
        run.kill()
        run.communicate()


@pytest.fixture
def start_device():
    """``start_device(file)`` starts the reference device with what the file says, as a person does."""
    devices = []

    def start(file):
        told = dict(line.split("=", 1) for line in shlex.split(Path(file).read_text()))
        command = [sys.executable, "-m", "conformance.adapters.paho_device", "--reconnect", "1"]
        device = subprocess.Popen(
            command, env={**os.environ, **told}, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        devices.append(device)
        device.stdin.write('{"id": 1, "do": "connect"}\n')
        device.stdin.flush()
        return told

    yield start
    for device in devices:
        device.kill()
        device.communicate()


def file_in(run):
    """Return what a run has said up to the file that has the connection string, and that file."""
    said = ""
    for line in run.stdout:
        said += line
        found = re.search(r"connection string +in (\S+),", line)
        if found:
            return said, Path(found[1])
    raise AssertionError(said)


def test_what_is_printed_is_enough(begin, start_device, tmp_path):
    """The device comes, comes again for each case, and what needs no more of it is judged."""
    run = begin(start=60)
    said, file = file_in(run)
    mode = stat.S_IMODE(file.stat().st_mode)
    told = start_device(file)
    rest, _ = run.communicate(timeout=300)

    statement = json.loads((tmp_path / "report" / "conformance.json").read_text())
    verdict = verdicts(statement)
    key = told["IOTHUB_DEVICE_CONNECTION_STRING"].rpartition("SharedAccessKey=")[2]
    assert run.returncode == 0, rest
    assert (verdict["device-connect.client-id"], verdict["device-connect.module"]) == ("pass", "not claimed")
    assert mode == 0o600
    assert key not in said + rest + json.dumps(statement)
    assert not file.exists()


def test_a_device_that_nobody_starts_is_no_verdict(begin):
    """Exit code 10, with what it was told and what it did."""
    run = begin(start=1)
    said, _ = run.communicate(timeout=120)

    assert run.returncode == 10
    assert re.search(r"did not come within 1 s: it was told to connect to 127.0.0.1:\d+ as conf-", said)
    assert "it opened no connection to the tap" in said
