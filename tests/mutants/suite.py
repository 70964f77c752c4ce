"""One run of a commit's suite on that commit's hub, with a mutant in it or with probes."""

import json
import os
import re
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from board import Board
from first_violation import PLAN

HERE: Final = Path(__file__).parent
CHECKOUT: Final = HERE.parents[1]
# Where a checkout has what is run; the one place that knows.
PROFILE: Final = "profiles/emulator.toml"

# Seconds. A case that hangs ends with every stack; a whole run takes 45 s on an idle machine.
HANG: Final = 60
WHOLE: Final = 900

_NOT_READY: Final = re.compile(r"the hub (?:was not ready|ended with code)")


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a run came to. `exit_code` is pytest's, None where its time was over.

    `seen` are the numbers of the board, `said` is what the plugin wrote down at the end, None where it came
    to none; `words` the line of the output that says why.
    """

    exit_code: int | None
    seen: dict[str, int]
    said: dict[str, Any] | None
    words: str
    seconds: float

    @property
    def is_cut_short(self) -> bool:
        """Whether somebody stopped it: by Ctrl-C, which is pytest's 2, or by a signal."""
        return self.exit_code is not None and (self.exit_code == 2 or self.exit_code < 0)

    @property
    def verdict(self) -> str:  # noqa: PLR0911 - one line for each
        """Say it in a word: killed, survived, inconclusive, or stopped by the preflight."""
        if self.exit_code is None:
            return "inconclusive: timeout"
        if not self.seen["case"]:
            is_hub = _NOT_READY.search(self.words) is not None
            return "inconclusive: hub not ready" if is_hub else "stopped by the preflight"
        if self.said is None:
            return "inconclusive: hang"
        if self.exit_code == 1 and self.said["proof"] is not None:
            # A case that is red where the mutant never acted says something of the suite, not of the mutant.
            return "killed" if self.seen["triggered"] else "inconclusive: red without the mutant"
        if self.seen["tracebacks"]:
            return "inconclusive: traceback"
        if self.exit_code == 0:
            return "survived"
        return f"inconclusive: exit code {self.exit_code}"


def run(
    checkout: Path,
    directory: Path,
    hub: dict[str, Any],
    *,
    first: tuple[str, ...] = (),
    violated: tuple[str, ...] = (),
    alone: bool = False,
    stops: bool = True,
    only: tuple[str, ...] = (),
) -> Ran:
    """Run the suite of a checkout on its hub, as `hub` says it is to be changed, in one process.

    `first` are the cases to begin with; with `alone` no others follow. With `stops`, the first violation of
    a case that is not in `violated` ends it; nothing else does. `only` are options that select cases; then
    nothing is known of the others.
    """
    directory.mkdir(parents=True, exist_ok=True)
    plan, result, board = directory / "plan.json", directory / "result.json", directory / "board"
    cells = Board.new(board)
    wanted = {"first": first, "alone": alone, "violated": violated, "stops": stops, "result": str(result)}
    plan.write_text(json.dumps({**hub, **wanted, "board": str(board)}))
    profile = directory / "mutant.toml"
    profile.write_text(_profile(checkout, plan))
    command = [
        *(sys.executable, "-m", "pytest", f"--profile={profile}", f"--report-dir={directory / 'report'}"),
        *("-q", "-p", "no:cacheprovider", "-p", "first_violation"),
        *("-o", f"faulthandler_timeout={HANG}", "-o", "faulthandler_exit_on_timeout=true"),
        *only,
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment.pop("GITHUB_STEP_SUMMARY", None)
    environment.setdefault("PYTHONPYCACHEPREFIX", str(directory.parent / "pycache"))
    environment |= {"PYTHONPATH": os.pathsep.join((str(HERE), str(checkout))), PLAN: str(plan)}
    began = time.monotonic()
    with (directory / "output").open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=checkout,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        code: int | None
        try:
            code = process.wait(WHOLE)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
            code = None
    said = json.loads(result.read_text()) if result.exists() else None
    lines = (directory / "output").read_text(errors="replace").splitlines()
    words = next((line for line in reversed(lines) if "exit code" in line), lines[-1] if lines else "")
    if said is None:
        words = " ".join(line for line in lines if line.strip())[-2000:]
    seconds = round(time.monotonic() - began, 1)
    return Ran(exit_code=code, seen=cells.numbers(), said=said, words=words, seconds=seconds)


def _profile(checkout: Path, plan: Path) -> str:
    """Return the profile of the embedded hub, with the program that carries the mutant in its place."""
    right = checkout / PROFILE
    command = tomllib.loads(right.read_text())["launch"]["command"]
    at = command.index("-m")
    changed = [*command[:at], str(HERE / "hub.py"), str(plan), *command[at + 2 :]]
    return f'schema = 1\nextends = "{right}"\n[launch]\ncommand = {json.dumps(changed)}\n'
