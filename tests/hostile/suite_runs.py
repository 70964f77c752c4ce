"""Runs of the whole suite, or of a part of it, on the embedded hub with something loaded into it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
# The devices that the profile device-only names.
READY_MADE = [word for number in range(1, 9) for word in ("--device", f"ready-made-{number}")]


@dataclass
class Run:
    """How a run ended: its exit code, what it said, and its statement, empty where it was refused."""

    code: int
    said: str
    statement: dict

    @property
    def errors(self):
        """Why it was refused, line by line."""
        return [line.removeprefix("ERROR: ") for line in self.said.splitlines() if line.startswith("ERROR: ")]

    @property
    def remarks(self):
        return self.statement["run"]["remarks"]

    def clause(self, clause_id):
        return next(clause for clause in self.statement["clauses"] if clause["id"] == clause_id)

    def messages(self, verdict):
        """The different messages of the cases with a verdict."""
        return self._of_cases("message", verdict)

    def observed(self, verdict):
        """What the cases with a verdict saw, each once."""
        return self._of_cases("observed", verdict)

    def _of_cases(self, member, verdict):
        return {
            case[member]
            for clause in self.statement["clauses"]
            for case in clause["cases"]
            if case["verdict"] == verdict
        }


def run_suite(folder, *options, load, extends="emulator", profile=""):
    """Run it from the checkout; `profile` is laid over the one that is named."""
    hostile = folder / "hostile.toml"
    words = ["--load", load, *READY_MADE]
    hostile.write_text(
        f'schema = 1\nextends = "{CHECKOUT / "profiles" / extends}.toml"\n'
        f"[launch]\narguments = {json.dumps(words)}\n{profile}"
    )
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    # Compiling all modules anew takes as long as a few cases. What is compiled is kept beside the runs.
    outside.pop("PYTHONDONTWRITEBYTECODE", None)
    outside.setdefault("PYTHONPYCACHEPREFIX", str(folder.parent / "pycache"))
    process = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", f"--profile={hostile}", f"--report-dir={folder / 'report'}"),
            *("-q", "-p", "no:cacheprovider"),
            *options,
        ],
        cwd=CHECKOUT,
        env={**outside, "PYTHONPATH": str(HERE), "GITHUB_STEP_SUMMARY": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    statement = folder / "report" / "conformance.json"
    found = json.loads(statement.read_text()) if statement.exists() else {}
    return Run(process.returncode, process.stdout + process.stderr, found)
