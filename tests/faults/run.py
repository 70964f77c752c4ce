"""One run of the whole suite on a wrong hub, in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]


def run_suite_on(load: str, directory: Path) -> dict[str, Any]:
    """Run the suite on the embedded hub with `--load`; return the statement, with the output as `output`."""
    profile = directory / "faulty.toml"
    launch = (CHECKOUT / "profiles" / "emulator.toml").read_text()
    assert '"iothub_emulator",' in launch
    profile.write_text(launch.replace('"iothub_emulator",', f'"iothub_emulator", "--load", "{load}",'))

    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", f"--profile={profile}", f"--report-dir={directory / 'report'}"),
            *("--no-preflight", "-q", "-p", "no:cacheprovider"),
        ],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(HERE)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    statement = directory / "report" / "conformance.json"
    assert statement.exists(), run.stdout[-3000:] + run.stderr[-3000:]
    return {**json.loads(statement.read_text()), "output": run.stdout}


def clauses_with(verdict: str, statement: dict[str, Any]) -> set[str]:
    """Return the ids of the clauses that have a verdict."""
    return {clause["id"] for clause in statement["clauses"] if clause["verdict"] == verdict}
