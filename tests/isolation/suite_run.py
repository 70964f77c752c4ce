"""Whole runs of the suite, each in a process of its own, and a hub for several of them."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.profile import loading
from conformance.target import launch
from conformance.target.certificates import DeviceAuthority

CHECKOUT = Path(__file__).parents[2]
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
        clauses = self.statement()["clauses"]
        # What a watched rule saw in passing, in a case of another clause, depends on which others ran.
        own = {each["id"]: [case for case in each["cases"] if not case.get("in_passing")] for each in clauses}
        return {
            each["id"]: (each["verdict"], each["readings"], len(own[each["id"]]))
            for each in clauses
            if own[each["id"]]
        }

    def statement(self):
        """Wait for its end; return conformance.json."""
        self.process.wait()
        assert self.report.exists(), self.output.read_text(errors="replace")
        return json.loads(self.report.read_text())


@dataclass(frozen=True)
class Hub:
    """An embedded hub that runs: its ready file, and the authority that it trusts for devices."""

    ready: Path
    authority: DeviceAuthority

    @property
    def facts(self) -> dict[str, Any]:
        """What the ready file says."""
        facts: dict[str, Any] = json.loads(self.ready.read_text())
        return facts


@contextmanager
def running_hub(folder: Path) -> Iterator[Hub]:
    """Start the embedded hub with the command of profiles/emulator.toml, and stop it in the end."""
    profile, authority = loading.load("emulator"), DeviceAuthority.new()
    ready = folder / "ready.json"
    command = launch.filled(
        profile.launch.command, ready, profile.timing, device_ca=authority.pem, place="[launch]"
    )
    process = subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    end = time.monotonic() + READY_DEADLINE
    while not ready.exists():
        assert process.poll() is None
        assert time.monotonic() < end, "the hub does not get ready"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    yield Hub(ready, authority)
    process.stdin.close()
    process.wait(10)
