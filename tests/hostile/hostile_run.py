"""One run of a part of the suite on a hub that says too much: what it took, and left."""

import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]

# A run that needs more would be killed on a small machine; it ends with a MemoryError here.
MOST_MEMORY = 6 * 1024**3
# A run that never ends is killed; all of them together take two minutes.
SECONDS = 240


@dataclass(frozen=True)
class Left:
    """What a run left behind: its report in `folder`, and how it ended. Sizes in bytes, `took` in seconds.

    `memory` is the most that one process of the run had at any time, of the controller, its workers and the
    hub.
    """

    folder: Path
    code: int
    memory: int
    took: float
    output: str

    @property
    def size(self) -> int:
        """All files of the report together."""
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())

    @property
    def statement(self) -> dict[str, Any]:
        """The statement of the run."""
        return json.loads((self.folder / "conformance.json").read_text())


def run_suite_on(
    hub: str,
    directory: Path,
    *arguments: str,
    plugins: Sequence[str] = (),
    path: Sequence[Path] = (),
    within: float = SECONDS,
) -> Left:
    """Run the suite on the embedded hub with `--load hostile_hubs:HUB`, and wait for its end.

    `plugins` are further modules of the run, which lie in folders of `path`. A run that has not ended
    `within` so many seconds is killed, and has no report.
    """
    profile = directory / "hostile.toml"
    right = CHECKOUT / "profiles" / "emulator.toml"
    load = json.dumps(["--load", f"hostile_hubs:{hub}"])
    profile.write_text(f'schema = 1\nextends = "{right}"\n[launch]\narguments = {load}\n')
    command = [
        *(sys.executable, "-m", "pytest", f"--profile={profile}", f"--report-dir={directory / 'report'}"),
        *("--no-preflight", "-q", "-p", "no:cacheprovider"),
        # A case that was held up need not be in time here: what it comes to is not looked at.
        *("-p", "no:conformance-again"),
        *(word for plugin in plugins for word in ("-p", plugin)),
        *arguments,
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PYTHONPATH"] = os.pathsep.join(map(str, [HERE, *path]))
    output = directory / "output"
    with output.open("wb") as stdout:
        began = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY)),  # noqa: PLW1509
        )
        too_late = threading.Timer(within, process.kill)
        too_late.start()
        _, status, used = os.wait4(process.pid, 0)
        too_late.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return Left(
        folder=directory / "report",
        code=process.returncode,
        memory=used.ru_maxrss * 1024,
        took=time.monotonic() - began,
        output=output.read_text(errors="replace"),
    )
