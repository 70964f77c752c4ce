"""A run in a terminal of its own: what is written to it, and what a person then sees."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

from small_suite import QUICK, environment_of_a_run

# However slow a machine is, a small suite is over by then.
PATIENCE = 120.0
_COLOURS = re.compile("\x1b\\[[0-9;]*m")
_ERASED = "\x1b[K"


class TerminalRun:
    """pytest, started with a pseudo terminal as its keyboard and screen."""

    def __init__(self, folder: Path, *arguments: str, columns: int = 100, **variables: str) -> None:
        self._screen, keyboard = pty.openpty()
        fcntl.ioctl(keyboard, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        environment = environment_of_a_run(folder) | {"TERM": "xterm"} | variables
        for name in ("COLUMNS", "LINES", "NO_COLOR", "CI"):
            environment.pop(name, None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *QUICK, *arguments],
            cwd=folder,
            env=environment,
            stdin=keyboard,
            stdout=keyboard,
            stderr=keyboard,
            start_new_session=True,
            # Ctrl-C reaches the group that a terminal controls, and only the new process can take it.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - starts no thread
        )
        os.close(keyboard)
        self._bytes = b""

    @property
    def written(self) -> str:
        """All that pytest wrote, control characters included."""
        return self._bytes.decode(errors="replace")

    def until(self, text: str) -> None:
        """Read until a text was written."""
        self._read(lambda: text in self.written)

    def press(self, key: bytes) -> None:
        """Type."""
        os.write(self._screen, key)

    def ended(self) -> int:
        """Read to the end, and return the exit code."""
        self._read(lambda: False)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """End the run, if it is not over, and the terminal."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._screen)

    @property
    def drawn(self) -> list[str]:
        """Every state of each line, also those that were written over, without colours."""
        plain = _COLOURS.sub("", self.written).replace(_ERASED, "")
        return [state for state in re.split("[\r\n]+", plain) if state]

    @property
    def lines(self) -> list[str]:
        """The lines as they stand on the screen in the end."""
        return [
            _as_it_stands(line) for line in _COLOURS.sub("", self.written).replace("\r\n", "\n").split("\n")
        ]

    def _read(self, enough) -> None:
        deadline = time.monotonic() + PATIENCE
        while not enough():
            readable, _, _ = select.select([self._screen], [], [], max(deadline - time.monotonic(), 0))
            if not readable:
                raise TimeoutError(f"after {PATIENCE} s the terminal shows: {self.written}")
            try:
                read = os.read(self._screen, 65536)
            except OSError:  # how Linux says that nobody writes any more
                return
            if not read:  # and how macOS says it
                return
            self._bytes += read


def _as_it_stands(line: str) -> str:
    standing = ""
    for state in line.split("\r"):
        before, erased, behind = state.rpartition(_ERASED)
        standing = before + behind + ("" if erased else standing[len(state) :])
    return standing.rstrip()
