"""One run of the whole suite on a right hub that differs, in a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latitude import COUNTER, Variant

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]

# Seconds: one case, and the whole suite, on a busy machine and a hub that may be slow or far away.
HANG, WHOLE = 180, 2400


@dataclass(frozen=True)
class Run:
    """What came of it."""

    code: int
    output: str
    """All that it wrote."""
    statement: dict[str, Any]
    """conformance.json."""
    acts: int
    """How often the hub did what the embedded hub would not."""

    @property
    def red(self) -> dict[str, str]:
        """The clauses that have no verdict to be content with, and theirs."""
        content = {"pass", "observed", "untestable", "not claimed"}
        verdicts = {clause["id"]: clause["verdict"] for clause in self.statement["clauses"]}
        return {clause: verdict for clause, verdict in verdicts.items() if verdict not in content}


def run_suite_on(variant: Variant, directory: Path, *, workers: int = 2) -> Run:
    """Run the whole suite on the embedded hub, made other by `variant`."""
    right = CHECKOUT / "profiles" / f"{variant.base}.toml"
    load = ["--load", variant.load] if variant.load else []
    edition = ["--edition", "current"] if variant.base == "emulator-current" else []
    arguments = json.dumps([*edition, *load, *variant.arguments])
    own = directory / "right.toml"
    own.write_text(
        f'schema = 1\nextends = "{right}"\n[launch]\narguments = {arguments}\n',
        encoding="utf-8",
    )
    command = [
        *(sys.executable, "-m", "pytest", f"--profile={own}", f"--report-dir={directory / 'report'}"),
        *("-q", "-p", "no:cacheprovider", "-n", str(workers)),
        *("-o", f"faulthandler_timeout={HANG}"),
    ]
    counter, output = directory / "acts", directory / "output"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment.setdefault("PYTHONPYCACHEPREFIX", str(directory.parent / "pycache"))
    environment |= {
        "PYTHONPATH": os.pathsep.join(map(str, (HERE, HERE.parent / "field"))),
        COUNTER: str(counter),
        "GITHUB_STEP_SUMMARY": "",
    }
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=CHECKOUT, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
        try:
            code = process.wait(WHOLE)
        except subprocess.TimeoutExpired:
            process.terminate()
            code = process.wait()
    statement = directory / "report" / "conformance.json"
    return Run(
        code,
        output.read_text(errors="replace"),
        json.loads(statement.read_text()) if statement.exists() else {"clauses": []},
        counter.stat().st_size if counter.exists() else 0,
    )
