"""The same verdicts in any order, by any number of workers, section by section, and beside another run.

`make isolation` runs it: minutes, because the whole suite runs seven times over.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conformance.documents import catalogue
from conformance.profile import loading
from conformance.target import launch
from conformance.target.certificates import DeviceAuthority

CHECKOUT = Path(__file__).parents[2]
SECTIONS = [section.name for section in catalogue.load().sections]
SEED = int(os.environ.get("ISOLATION_SEED") or time.time())
READY_DEADLINE = 60


class Run:
    """A run of the suite in a process of its own."""

    def __init__(self, folder, *options, profile="emulator"):
        self.report = folder / "report" / "conformance.json"
        self.output = folder / "output"
        command = [
            *(sys.executable, "-m", "pytest", f"--profile={profile}", f"--report-dir={self.report.parent}"),
            *("-q", "-p", "no:cacheprovider", *options),
        ]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=CHECKOUT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def verdicts(self):
        """Wait for its end; return verdict, readings and number of cases of each clause that had a case."""
        self.process.wait()
        assert self.report.exists(), self.output.read_text(errors="replace")
        clauses = json.loads(self.report.read_text())["clauses"]
        # What a watched rule saw in passing, in a case of another clause, depends on which others ran.
        own = {each["id"]: [case for case in each["cases"] if not case.get("in_passing")] for each in clauses}
        return {
            each["id"]: (each["verdict"], each["readings"], len(own[each["id"]]))
            for each in clauses
            if own[each["id"]]
        }


@pytest.fixture(scope="module")
def in_order(tmp_path_factory):
    """The verdicts of a plain run: one process, in the order of the files."""
    return Run(tmp_path_factory.mktemp("in-order")).verdicts()


@pytest.fixture
def attached(tmp_path, monkeypatch):
    """Options and profile for an embedded hub that runs, started with the command of the profile."""
    profile, authority = loading.load("emulator"), DeviceAuthority.new()
    ready, own = tmp_path / "ready.json", tmp_path / "emulator.toml"
    command = launch.filled(
        profile.launch.command, ready, profile.timing, device_ca=authority.pem, place="[launch]"
    )
    # The file that the command names by {device_ca} lies beside the ready file.
    own.write_text(
        f'schema = 1\nextends = "{CHECKOUT / "profiles" / "emulator.toml"}"\n'
        '[device-authority]\ncertificate = "device-ca.pem"\nkey = "env:ISOLATION_KEY"\n'
    )
    monkeypatch.setenv("ISOLATION_KEY", authority.key.reveal())
    process = subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    end = time.monotonic() + READY_DEADLINE
    while not ready.exists():
        assert process.poll() is None
        assert time.monotonic() < end, "the hub does not get ready"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    yield {"profile": own, "option": f"--attach={ready}"}
    process.stdin.close()
    process.wait(10)


def test_a_plain_run_is_in_order(in_order):
    assert {verdict for verdict, _, _ in in_order.values()} <= {"pass", "observed"}


def test_any_order_comes_to_the_same_verdicts(in_order, tmp_path):
    assert Run(tmp_path, "--shuffle", str(SEED)).verdicts() == in_order, f"--shuffle {SEED}"


def test_four_workers_come_to_the_same_verdicts(in_order, tmp_path):
    assert Run(tmp_path, "-n", "4").verdicts() == in_order


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_alone_comes_to_the_same_verdicts(in_order, tmp_path, section):
    own = {clause: seen for clause, seen in in_order.items() if clause.startswith(f"{section}.")}

    assert Run(tmp_path, "--section", section).verdicts() == own


def test_two_runs_at_once_on_one_hub_come_to_the_same_verdicts(in_order, tmp_path, attached):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()

    runs = [Run(folder, attached["option"], profile=attached["profile"]) for folder in folders]

    assert [run.verdicts() for run in runs] == [in_order, in_order]


def test_two_distributed_runs_at_once_on_one_hub(in_order, tmp_path, attached):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()

    runs = [Run(folder, attached["option"], "-n", "4", profile=attached["profile"]) for folder in folders]

    assert [run.verdicts() for run in runs] == [in_order, in_order]
