"""The program of a device under test: started for a case, heard, and ended with all that it started.

Whatever it does hurts nobody: what it prints is read and mostly forgotten, what it forks ends with it, and
each way of asking it to leave has a deadline. What it is told goes by its environment, never by its command.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from conformance.errors import ProfileError
from conformance.profile.values import PLACEHOLDER
from conformance.report.redaction import redact

# How long each way of asking it to leave may take before the next, ruder one, in seconds.
LEAVE: Final = 2.0
# A line of an adapter holds a message of 256 KB in base64, and a little more.
LONGEST_LINE: Final = 1024 * 1024
# Of what it says to nobody, the end is kept.
KEPT: Final = 8 * 1024
LONGEST_QUOTE: Final = 300
ADAPTERS: Final = Path(__file__).resolve().parents[1] / "adapters"
# The suite's own variables would tell a device things that no device has.
_NOT_HANDED_ON: Final = ("PYTEST_", "CONFORMANCE_", "IOTHUB_")


class Program:
    """A device that this process started. `hears` is handed each line of its stdout, without its end."""

    def __init__(
        self, command: Sequence[str], variables: Mapping[str, str], hears: Callable[[bytes], None]
    ) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_HANDED_ON)}
        try:
            self._process = subprocess.Popen(  # noqa: S603 - running the profile's command is what [device] is for
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**own, **variables},
                start_new_session=True,  # so that all that it starts can be ended
            )
        except OSError as error:
            raise ProfileError(
                f"[device] command: {command[0]} cannot be run ({error.strerror}). Correct the command."
            ) from None
        self._last_words: deque[bytes] = deque(maxlen=KEPT // 1024)
        self._readers = [
            threading.Thread(target=self._read_lines, args=(self._process.stdout, hears), daemon=True),
            threading.Thread(target=self._forget, args=(self._process.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def ended(self) -> int | None:
        """The code with which it ended by itself; None while it runs."""
        return self._process.poll()

    def write(self, line: bytes) -> None:
        """Hand it a line on stdin; one that reads none is left alone."""
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - a pipe, as asked for
        with contextlib.suppress(OSError, ValueError):
            stdin.write(line + b"\n")
            stdin.flush()

    def last_words(self) -> str:
        """Return the last line that it wrote to stderr, without any secret."""
        said = b"".join(self._last_words).decode("utf-8", errors="replace").splitlines()
        spoken = [line.strip() for line in said if line.strip()]
        return redact(spoken[-1])[:LONGEST_QUOTE].rstrip(".") if spoken else "it wrote nothing to stderr"

    def stop(self) -> None:
        """End it: close its stdin, ask, then kill, each with a deadline, and all that it started with it."""
        stdin = self._process.stdin
        if stdin is not None:
            with contextlib.suppress(OSError):
                stdin.close()
        for ruder in (signal.SIGTERM, signal.SIGKILL):
            if self._left():
                break
            self._signal(ruder)
        self._left()
        # What it forked may live on in its session.
        self._signal(signal.SIGKILL)
        for reader in self._readers:
            reader.join(LEAVE)

    def _left(self) -> bool:
        try:
            self._process.wait(LEAVE)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    @staticmethod
    def _read_lines(stream: IO[bytes], hears: Callable[[bytes], None]) -> None:
        """Hand on each line; one that is too long is cut, and its rest passed over."""
        is_rest = False
        with contextlib.suppress(OSError, ValueError):
            while line := stream.readline(LONGEST_LINE):
                if not is_rest:
                    hears(line.rstrip(b"\r\n"))
                is_rest = not line.endswith(b"\n")

    def _forget(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            while data := stream.readline(1024):
                self._last_words.append(data)


def filled(command: Sequence[str], timing: Mapping[str, float]) -> list[str]:
    """Return the command of a device, its placeholders filled.

    {python} is this interpreter, {adapters} where the suite's adapters are; others are of [device.timing].

    Raises ProfileError for a timing that is not stated.
    """
    values = {
        "python": sys.executable,
        "adapters": str(ADAPTERS),
        **{name: f"{seconds:g}" for name, seconds in timing.items()},
    }
    missing = sorted({name for name in PLACEHOLDER.findall(" ".join(command)) if name not in values})
    if missing:
        raise ProfileError(
            [
                f"[device] command: uses {{{name}}}, but [device.timing] does not state it. Add it there."
                for name in missing
            ]
        )
    return [PLACEHOLDER.sub(lambda match: values[match[1]], word) for word in command]
