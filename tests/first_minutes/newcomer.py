"""Somebody who begins: an empty folder, a home with nothing in it, and what the README says to type."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

PATIENCE = 300.0
"""Seconds for one command: a shared machine may stand still for half a minute."""

CHECKOUT = Path(__file__).parents[2]
FREE_PORTS = ("--mqtt-port=0", "--https-port=0", "--amqp-port=0", "--amqp-plain-port=0")


class Newcomer:
    """Types commands in `folder`; `environment` is all that they know."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        home = folder / "home"
        for each in (self.folder, home):
            each.mkdir()
        self.environment = {
            "HOME": str(home),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
            "PYTHONPATH": str(CHECKOUT),
            # A run starts its own hub, workers and reports: each would compile all modules anew.
            "PYTHONPYCACHEPREFIX": os.environ.get("PYTHONPYCACHEPREFIX", str(folder / "pycache")),
        }

    def types(self, *words, code=0, **variables):
        """Run a command to its end and return what it said, standard error behind standard output."""
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == code, done.stdout
        return done.stdout

    def judges(self, *options, code=0, **variables):
        """Run the suite, and return what it said."""
        return self.types("pytest", "--pyargs", "conformance", *options, code=code, **variables)

    def judges_until(self, words, *options, **variables):
        """Run the suite until it has said this, then end it as a cancelled job ends; return what it said."""
        with subprocess.Popen(
            ["pytest", "--pyargs", "conformance", *options],
            cwd=self.folder,
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            said = ""
            for line in process.stdout:
                said += line
                if words in line:
                    process.terminate()
            assert process.wait(PATIENCE) == 2, said
        return said

    def statement(self, name):
        """Return the statement that a run left under this name."""
        return json.loads((self.folder / "reports" / name / "conformance.json").read_text())

    @contextlib.contextmanager
    def hub(self, *options):
        """A hub that this person started: yields its ready file, read."""
        with subprocess.Popen(
            [sys.executable, "-m", "iothub_emulator", *options, *FREE_PORTS, "--exit-with-stdin"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            for line in process.stdout:
                if line.startswith("Ctrl-C"):  # the banner's last line: everything listens
                    break
            yield json.loads((self.folder / "ready.json").read_text())
            process.communicate(timeout=PATIENCE)
