"""One run of exploration on a hub, in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
FAULTS = HERE.parent / "faults"
# In seconds, on a busy machine: a dozen scenarios, one of them shrunk.
LONGEST = 240


def explore_on(load: str | None, directory: Path, *words: str) -> dict[str, Any]:
    """Play scenarios on the embedded hub with `--load`; return the statement, with the output as `output`."""
    profile = directory / "explored.toml"
    right = CHECKOUT / "profiles" / "emulator.toml"
    wrong = f'[launch]\narguments = ["--load", "{load}"]\n' if load else ""
    profile.write_text(f'schema = 1\nextends = "{right}"\n{wrong}')
    report = directory / "report"
    command = [
        *(sys.executable, "-m", "pytest", f"--profile={profile}", f"--report-dir={report}"),
        *("conformance/hub/test_explore.py", "-q", "-p", "no:cacheprovider", *words),
    ]
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        env={"PYTHONPATH": os.pathsep.join((str(HERE), str(FAULTS))), "PATH": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    statement = json.loads((report / "conformance.json").read_text(encoding="utf-8"))
    return {**statement, "output": done.stdout + done.stderr}


def violated(statement: dict[str, Any]) -> list[str]:
    """Return the clauses that are violated."""
    return [clause["id"] for clause in statement["clauses"] if clause["verdict"] == "violation"]


def case(statement: dict[str, Any], case_id: str) -> dict[str, Any]:
    """Return a case's own entry."""
    (found,) = (
        case
        for clause in statement["clauses"]
        for case in clause["cases"]
        if case["id"] == case_id and not case.get("in_passing")
    )
    return found


def scenario_in(transcript: str) -> str:
    """Return the text of the scenario that a transcript ends with."""
    lines = (line.partition("scenario = | ")[2] for line in transcript.splitlines())
    return "\n".join(line for line in lines if line) + "\n"
