"""However a run ends, the hub that it launched and its workers end with it (pitfall 11)."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from small_suite import QUICK, environment_of_a_run

CHECKOUT = Path(__file__).parents[2]
BOTH_WAYS = pytest.mark.parametrize("distribution", [[], ["-n", "2"]], ids=["one-process", "n-2"])


@pytest.fixture
def start(tmp_path):
    """A run of the suite against the embedded hub, in the midst of its cases."""
    runs = []

    def start(*arguments):
        command = [sys.executable, "-m", "pytest", "--profile=emulator", "--section=session", "-v", *QUICK]
        run = subprocess.Popen(
            [*command, f"--report-dir={tmp_path / 'report'}", *arguments],
            cwd=CHECKOUT,
            env=environment_of_a_run(tmp_path) | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        runs.append(run)
        said = ""
        for line in run.stdout:
            said += line
            if "PASSED" in line:
                break
        return run, int(re.search(r"target: .* at localhost:(\d+)", said)[1])

    yield start
    for run in runs:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        run.stdout.close()
        run.stderr.close()


def refuses(port):
    """Wait for the end of whoever listens on a port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as stream:
            stream.settimeout(60)
            return not stream.recv(1)  # nothing is said before the TLS handshake, so this is its end
    except OSError:
        return True


@BOTH_WAYS
@pytest.mark.parametrize(
    ("stop", "code"),
    [(signal.SIGINT, 2), (signal.SIGTERM, 2), (signal.SIGKILL, -signal.SIGKILL)],
    ids=["sigint", "sigterm", "sigkill"],
)
def test_neither_hub_nor_worker_outlives_a_run(start, tmp_path, distribution, stop, code):
    run, port = start(*distribution)

    run.send_signal(stop)  # to pytest alone, as a CI server does

    # Every worker holds a pipe of these: they end when the last of them has.
    said, _ = run.communicate(timeout=120)
    assert run.returncode == code, said
    assert refuses(port)
