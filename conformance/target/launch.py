"""Start a hub for one run, and make sure that it ends with the run.

The hub runs in a session of its own, so that Ctrl-C does not reach it before the run has deleted its devices.
Its stdin is a pipe from this process: when this process ends, the pipe closes and the hub leaves.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final, Self

from conformance.errors import ProfileError, TargetUnreachable
from conformance.profile.values import DEVICE_CA, PLACEHOLDER
from conformance.report.redaction import redact

# An embedded hub is ready in half a second; a machine that starts ten of them at once needs longer.
START_DEADLINE: Final = 30.0
# How long each way of asking a hub to leave may take before the next, ruder one.
STOP_DEADLINE: Final = 3.0
# Between two looks at the process and the ready file.
LOOK_AGAIN: Final = 0.02

LONGEST_QUOTE: Final = 300

# A hub written in Python says so where it crashes: the line that is not indented names the exception.
_TRACEBACK: Final = re.compile(r"^Traceback \(most recent call last\):\n(?:[ \t].*\n)*(\S.*)$", re.MULTILINE)
# Of a group of exceptions, each line stands behind a bar.
_GROUP: Final = re.compile(
    r"^ *\+ Exception Group Traceback \(most recent call last\):\n(?: *\|  .*\n)* *\| (\S.*)$", re.MULTILINE
)


class LaunchedHub:
    """A hub that this process started. `ready` is what its ready file holds, unchecked."""

    def __init__(self, process: subprocess.Popen[bytes], ready: Mapping[str, Any], stderr: IO[bytes]) -> None:
        self._process = process
        self._stderr = stderr
        self.ready = ready

    @property
    def pid(self) -> int:
        """The hub's process id."""
        return self._process.pid

    def trouble(self) -> str | None:
        """Say how the hub ended by itself, or on what it crashed inside; None while all is well.

        A hub that crashes on a packet and closes looks like one that refuses it. Not to be asked after
        `stop`.
        """
        if self._process.poll() is not None:
            return f"the launched hub ended with code {self._process.returncode}: {_last_line(self._stderr)}"
        crashes = _crashes(self._stderr)
        if not crashes:
            return None
        count = "a traceback" if len(crashes) == 1 else f"{len(crashes)} tracebacks, the first of them"
        return f"the launched hub wrote {count}: {crashes[0]}"

    def crashed(self) -> bool:
        """Tell whether the hub wrote a traceback, whether or not it went on. Not to be asked after `stop`."""
        return bool(_crashes(self._stderr))

    def stop(self) -> None:
        """End the hub: close its stdin, then ask, then kill, each with a deadline. May be called twice."""
        _stop(self._process)
        self._stderr.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def launch(
    command: Sequence[str],
    *,
    timing: Mapping[str, float],
    device_ca: str = "",
    place: str = "[launch] command",
    deadline: float = START_DEADLINE,
) -> LaunchedHub:
    """Start a hub and wait until its ready file is there.

    Placeholders in the command are filled: {python}, {ready_file}, {device_ca} by a file that holds
    `device_ca`, and the names of `timing`. `place` names the setting in a message.

    Raises ProfileError for a command that cannot be run, TargetUnreachable for a
    hub that ends or does not get ready in time, with the last line that it wrote to stderr.
    """
    stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the hub; it has no name that could be left
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        ready_file = Path(folder) / "ready.json"
        process = _start(filled(command, ready_file, timing, device_ca=device_ca, place=place), stderr, place)
        with _stopped_on_error(process):
            ready = _wait_until_ready(process, ready_file, stderr, place, deadline)
            return LaunchedHub(process, ready, stderr)


def filled(
    command: Sequence[str],
    ready_file: Path,
    timing: Mapping[str, float],
    *,
    device_ca: str = "",
    place: str,
) -> list[str]:
    """Return the command, its placeholders filled; raises ProfileError for a timing that is not stated.

    {device_ca} is a file beside the ready file, written here if the command names it.
    """
    values = {"python": sys.executable, "ready_file": str(ready_file)}
    if wants_device_ca(command):
        file = ready_file.with_name("device-ca.pem")
        file.write_text(device_ca, encoding="ascii")
        values[DEVICE_CA] = str(file)
    values |= {name: f"{seconds:g}" for name, seconds in timing.items()}
    missing = sorted({name for name in PLACEHOLDER.findall(" ".join(command)) if name not in values})
    if missing:
        raise ProfileError(
            [f"{place}: uses {{{name}}}, but [timing] does not state it. Add it there." for name in missing]
        )
    return [PLACEHOLDER.sub(lambda match: values[match[1]], word) for word in command]


def wants_device_ca(command: Sequence[str]) -> bool:
    """Tell whether a command asks for the certificate of the authority that signs devices."""
    return DEVICE_CA in PLACEHOLDER.findall(" ".join(command))


def _start(command: list[str], stderr: IO[bytes], place: str) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - running the profile's command is what [launch] is for
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,  # what it prints for a person holds connection strings
            stderr=stderr,
            start_new_session=True,
        )
    except OSError as error:
        raise ProfileError(
            f"{place}: {command[0]} cannot be run ({error.strerror}). Correct the command."
        ) from None


@contextlib.contextmanager
def _stopped_on_error(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    except BaseException:  # Ctrl-C while it starts is one of them
        _stop(process)
        raise


def _wait_until_ready(
    process: subprocess.Popen[bytes], ready_file: Path, stderr: IO[bytes], place: str, deadline: float
) -> Mapping[str, Any]:
    """Watch the process and the file until the file is there and whole."""
    end = time.monotonic() + deadline
    while True:
        ready = _read_if_whole(ready_file)
        if ready is not None:
            return ready
        if process.poll() is not None:
            raise TargetUnreachable(
                f"{place}: the hub ended with code {process.returncode} before it was ready: "
                f"{_last_line(stderr)}. Run the command by hand to see more."
            )
        if time.monotonic() >= end:
            raise TargetUnreachable(
                f"{place}: the hub was not ready after {deadline:g} s: {_last_line(stderr)}. "
                "Run the command by hand to see more."
            )
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_AGAIN)


def _read_if_whole(ready_file: Path) -> Mapping[str, Any] | None:
    try:
        values = json.loads(ready_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None


def _crashes(stderr: IO[bytes]) -> list[str]:
    """Return the last line of each traceback."""
    written = _written(stderr)
    last_lines = [*_TRACEBACK.findall(written), *_GROUP.findall(written)]
    return [redact(line)[:LONGEST_QUOTE].rstrip(".") for line in last_lines]


def _written(stderr: IO[bytes]) -> str:
    """Read all that the hub wrote. Its place in the file is shared with us, so it is not moved."""
    size = os.fstat(stderr.fileno()).st_size
    return os.pread(stderr.fileno(), size, 0).decode("utf-8", errors="replace")


def _last_line(stderr: IO[bytes]) -> str:
    spoken = [line.strip() for line in _written(stderr).splitlines() if line.strip()]
    return redact(spoken[-1])[:LONGEST_QUOTE].rstrip(".") if spoken else "it wrote nothing to stderr"


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    for ruder in (process.terminate, process.kill):
        if _ended(process, STOP_DEADLINE):
            return
        ruder()
    _ended(process, STOP_DEADLINE)


def _ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
