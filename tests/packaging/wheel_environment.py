"""An environment of its own where the wheel is installed."""

import os
import re
import subprocess
import venv
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
REQUIREMENTS = CHECKOUT / "requirements"


def locked(*names: str) -> str:
    """Return what the lock says of these packages, versions and digests: a file of requirements."""
    entries = re.split(r"^(?=[A-Za-z0-9])", (REQUIREMENTS / "lock.txt").read_text(), flags=re.MULTILINE)
    wanted = {name.lower().replace("_", "-") for name in names}
    return "".join(entry for entry in entries if entry.partition("==")[0] in wanted)


class Environment:
    """An environment with the wheel, and with what other files of requirements name."""

    def __init__(
        self, folder: Path, wheel: Path, *others: str, lock: Path = REQUIREMENTS / "lock.txt"
    ) -> None:
        venv.create(folder, with_pip=True)
        self.folder = folder
        self.programs = folder / "bin"
        pip = ("python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        self.run(*pip, "--require-hashes", "--requirement", lock)
        for name in others:
            self.run(*pip, "--require-hashes", "--no-deps", "--requirement", REQUIREMENTS / name)
        self.run(*pip, "--no-deps", wheel)

    def run(self, program, *arguments, cwd=None, code=0):
        """Run a program of the environment, and return what it said."""
        return self._done([str(self.programs / program), *map(str, arguments)], cwd, code)

    def shell(self, line, cwd, code=0):
        """Run a line as somebody who is in the environment, and return what it said."""
        return self._done(line, cwd, code)

    @property
    def path(self):
        """The PATH of somebody who is in the environment."""
        return f"{self.programs}{os.pathsep}{os.environ['PATH']}"

    def _done(self, command, cwd, code):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        done = subprocess.run(
            command,
            cwd=cwd,
            env=inherited | {"PATH": self.path},
            shell=isinstance(command, str),
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done
