"""One run of the suite's device half, or of a part of it, on a device, in a process of its own."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from suite_server import CHECKOUT, SuiteServer

HERE = Path(__file__).parent
# In seconds, on a machine that runs several.
DEADLINE = 900
TIMINGS = ("--keep-alive", "{keep-alive}", "--reconnect", "{reconnect}")


class Runs:
    """Runs on devices before one hub, whose ready file is `hub_behind`. `folder` gets their reports."""

    def __init__(self, server: SuiteServer, hub_behind: Path, folder: Path) -> None:
        self._server = server
        self._hub_behind = hub_behind
        self._folder = folder

    def judged(
        self,
        command: Iterable[str],
        clauses: Iterable[str] = (),
        *options: str,
        more: str = "",
    ) -> dict[str, Any]:
        """Judge a device that a command starts; return the statement, with the output as `output`.

        `more` is what else the table [device] says. Where there is no statement, `run` has the exit code
        alone.
        """
        profile = self._folder / "device.toml"
        right = CHECKOUT / "profiles" / "device-paho.toml"
        profile.write_text(
            f'schema = 1\nextends = "{right}"\n[device]\ncommand = {json.dumps([*command])}\n{more}'
        )
        report, output = self._folder / "report", self._folder / "output.txt"
        code = self._server.run(
            [
                *(f"--profile={profile}", f"--report-dir={report}", f"--attach={self._hub_behind}"),
                *("-q", "-p", "no:cacheprovider", "-p", "red_is_enough"),
                *(f"--clause={clause}" for clause in sorted(clauses)),
                *options,
            ],
            output,
            DEADLINE,
        )
        said = output.read_text(errors="replace")
        statement = report / "conformance.json"
        if not statement.exists():
            return {"run": {"exit_code": code}, "clauses": [], "output": said}
        return {**json.loads(statement.read_text()), "output": said}


def verdicts(statement: dict[str, Any]) -> dict[str, str]:
    """Return the verdict of every clause."""
    return {clause["id"]: clause["verdict"] for clause in statement["clauses"]}


def started(wrong: str) -> list[str]:
    """Return the command of a wrong device."""
    return ["{python}", str(HERE / "run_wrong.py"), wrong, *TIMINGS]
