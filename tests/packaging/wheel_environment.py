"""An environment of its own where the wheel is installed."""

import os
import subprocess
import venv
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
REQUIREMENTS = CHECKOUT / "requirements"


class Environment:
    """An environment with the wheel, and with what other files of requirements name."""

    def __init__(self, folder: Path, wheel: Path, *others: str) -> None:
        venv.create(folder, with_pip=True)
        self.programs = folder / "bin"
        pip = ("python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        self.run(*pip, "--require-hashes", "--requirement", REQUIREMENTS / "lock.txt")
        for name in others:
            self.run(*pip, "--require-hashes", "--no-deps", "--requirement", REQUIREMENTS / name)
        self.run(*pip, "--no-deps", wheel)

    def run(self, program, *arguments, cwd=None, code=0):
        """Run a program of the environment, and return what it said."""
        return self._done([str(self.programs / program), *map(str, arguments)], cwd, code)

    def shell(self, line, cwd, code=0):
        """Run a line as somebody who is in the environment, and return what it said."""
        return self._done(line, cwd, code)

    def _done(self, command, cwd, code):
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        done = subprocess.run(
            command,
            cwd=cwd,
            env=inherited | {"PATH": path},
            shell=isinstance(command, str),
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done
