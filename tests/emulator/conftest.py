"""A hub that a test starts as its users do."""

import json
import subprocess

import pytest
from hub_program import FREE_PORTS, command, environment
from live_hub import PATIENCE


@pytest.fixture
def start(tmp_path):
    """Start a hub that is ready when this returns; it does not outlive the test."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            command(*FREE_PORTS, "--ready-file", str(tmp_path / "ready.json"), *arguments),
            cwd=tmp_path,
            env=environment(tmp_path),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        process.said = []
        for line in process.stdout:
            process.said.append(line)
            if line.startswith("Ctrl-C"):  # the banner's last line: everything listens
                break
        return process, json.loads((tmp_path / "ready.json").read_text())

    yield start
    for process in started:
        process.kill()
        process.wait(PATIENCE)
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()
