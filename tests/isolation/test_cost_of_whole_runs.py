"""What a dry run says of a whole run, at both depths, is within a quarter of what the run asks of its hub."""

import re
import subprocess
import sys

import pytest
from suite_run import CHECKOUT, Run, running_hub

WORKERS = ("-n", "4")
# An embedded hub that is named, as a live one is: few of the further ways, four scenarios, nothing large.
NAMED = """
schema = 1
extends = "{checkout}/profiles/real-hub.toml"
[target]
host = "localhost"
trust = "{facts[ca_file]}"
[target.ports]
mqtt = {facts[ports][mqtt]}
https = {facts[ports][https]}
amqp = {facts[ports][amqp]}
[timeouts]
connect = 10
reaction = 5
silence = 0
will-silence = 0
[timing]
keep-alive-tolerance = 1
c2d-lock = 1
method-timeout = 0.3
feedback = 0.2
"""


@pytest.fixture
def named(tmp_path, monkeypatch):
    """Return the profile of an embedded hub that is named."""
    with running_hub(tmp_path) as hub:
        own = tmp_path / "named.toml"
        own.write_text(NAMED.format(checkout=CHECKOUT, facts=hub.facts))
        for name in ("service_connection_string", "events_connection_string"):
            monkeypatch.setenv(f"IOTHUB_{name.upper()}", hub.facts[name])
        yield own


def said(profile):
    """Return messages, registry operations and connections, as a dry run says."""
    command = [sys.executable, "-m", "pytest", f"--profile={profile}", "--dry-run", "-q", *WORKERS]
    output = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    found = re.search(r"roughly (\d+) messages.*, (\d+) registry operations, (\d+) connections", output)
    return [int(number) for number in found.groups()]


def asked(folder, profile):
    """Return the same of a run."""
    cost = Run(folder, *WORKERS, profile=profile).statement()["run"]["cost"]
    return [cost["messages"], cost["registry_operations"], cost["connections"]]


def test_at_depth_whole(tmp_path):
    """As on a hub that is launched."""
    assert said("emulator") == pytest.approx(asked(tmp_path, "emulator"), rel=0.25)


def test_at_depth_live(tmp_path, named):
    """As on a hub that the profile names."""
    assert said(named) == pytest.approx(asked(tmp_path, named), rel=0.25)
