"""One run of the suite, or of a part of it, on a wrong hub, in a process of its own."""

import atexit
import json
import re
import threading
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suite_server import CHECKOUT, SuiteServer

from conformance.report.counts import causes_of
from conformance.report.statement import Statement
from conformance.verdict.verdicts import Verdict

HERE = Path(__file__).parent
_OWN = threading.local()

# A case ends within seconds; where one hangs, every stack is written to stderr and the run ends.
HANG = 60
# In seconds, on a machine that runs several: the cases of a few clauses, and the whole suite.
PART, WHOLE = 240, 1800


# What the suite says of a hub that crashed inside: it then closed what it should have judged.
CRASHED = re.compile(r"^the launched hub (wrote|ended) .*$", re.MULTILINE)


class RunFailedError(Exception):
    """A run that came to no statement, or whose hub crashed; the message is all that it wrote."""


def run_suite_on(
    load: str | None,
    directory: Path,
    clauses: Iterable[str] = (),
    modules: Iterable[str] = (),
    *,
    extends: str = "emulator",
) -> dict[str, Any]:
    """Run the suite on the embedded hub with `--load`; with `clauses`, their cases alone, until each is red.

    `modules` are the files in which those cases stand: collecting all others takes longer than running some.
    `extends` is the profile whose hub is made wrong.
    Returns the statement, with the output as `output`. Raises RunFailedError where there is none, and where
    the hub crashed: a close that is a crash proves nothing about the fault.
    """
    some = [f"--clause={clause}" for clause in sorted(clauses)]
    deadline = PART if some else WHOLE
    profile = directory / "faulty.toml"
    right = CHECKOUT / "profiles" / f"{extends}.toml"
    launched = tomllib.loads(right.read_text()).get("launch", {}).get("arguments", [])
    wrong = f"[launch]\narguments = {json.dumps([*launched, '--load', load])}\n" if load else ""
    profile.write_text(f'schema = 1\nextends = "{right}"\n{wrong}')
    arguments = [
        *(f"--profile={profile}", f"--report-dir={directory / 'report'}", "-q", "-p", "no:cacheprovider"),
        *("-o", f"faulthandler_timeout={HANG}", "-o", "faulthandler_exit_on_timeout=true"),
        *(["-p", "red_is_enough"] if some else []),
        *some,
        *sorted(modules),
    ]
    output, statement = directory / "output.txt", directory / "report" / "conformance.json"
    code = _server().run(arguments, output, deadline)
    said = output.read_text(errors="replace")
    if not statement.exists():
        raise RunFailedError(f"{load}: exit code {code}\n{said}")
    crash = CRASHED.search(said)
    if crash is not None:
        raise RunFailedError(f"{load}: {crash[0]}\n{said}")
    return {**json.loads(statement.read_text()), "output": said}


def _server() -> SuiteServer:
    """Return this thread's: `make kill-matrix` runs several at once."""
    if not hasattr(_OWN, "server"):
        _OWN.server = SuiteServer(HERE)
        atexit.register(_OWN.server.close)
    return _OWN.server


@dataclass(frozen=True)
class Told:
    """What a run says: each clause's verdict, which are red by their own cases, and the first named."""

    verdicts: dict[str, str]
    own: list[str]
    first: str


def told(statement: dict[str, Any]) -> Told:
    """Return what a reader of the run's end is told."""
    judged = Statement.model_validate({name: part for name, part in statement.items() if name != "output"})
    red = (
        clause.id
        for clause in judged.clauses
        if any(case.verdict is Verdict.VIOLATION and not case.in_passing for case in clause.cases)
    )
    first = next((cause.first for cause in causes_of(judged)), "")
    return Told(verdicts(statement), list(red), first)


def verdicts(statement: dict[str, Any]) -> dict[str, str]:
    """Return the verdict of every clause."""
    return {clause["id"]: clause["verdict"] for clause in statement["clauses"]}
