"""Run one package's script as a process with a deadline; keep what it says of each step."""

import contextlib
import json
import os
import signal
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

from counterpart import Counterpart
from environments import Environment

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Step:
    """One line of a script."""

    ok: bool
    detail: str
    seconds: float


@dataclass
class Performance:
    """All that one script said, in its order, and how it ended."""

    steps: dict[str, Step] = field(default_factory=dict)
    ending: str = ""

    def failure(self, name):
        """Return an empty text, or why that step did not pass."""
        step = self.steps.get(name)
        if step is None:
            return f"the script did not get there: {self.ending or 'it ended without it'}"
        return "" if step.ok else step.detail


def perform(script: str, environment: Environment, hub: dict, *, deadline: float) -> Performance:
    """Run a script against a hub; what it asks of the other end is done here."""
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
        **environment.variables,
        # Published ways to name a certificate authority: OpenSSL's, requests' and Node's.
        "SSL_CERT_FILE": hub["ca_file"],
        "REQUESTS_CA_BUNDLE": hub["ca_file"],
        "NODE_EXTRA_CA_CERTS": hub["ca_file"],
        "INTEROP_HUB": json.dumps(hub),
    }
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy"):
        variables.pop(name, None)
    performance = Performance()
    with Counterpart(hub) as counterpart:
        process = subprocess.Popen(
            [environment.program, HERE / script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=variables,
            start_new_session=True,
        )
        said = []
        errors = threading.Thread(target=lambda: said.extend(process.stderr))
        errors.start()
        late = threading.Event()
        watchdog = threading.Timer(deadline, lambda: (late.set(), _kill(process)))
        watchdog.start()
        try:
            for line in process.stdout:
                _heard(line, process, counterpart, performance)
        finally:
            watchdog.cancel()
            _kill(process)
            code = process.wait()
            errors.join()
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            process.stdout.close()
            process.stderr.close()
    last = " | ".join(text.strip() for text in said[-6:])
    if late.is_set():
        performance.ending = f"killed after {deadline} seconds; {last}"
    elif code:
        performance.ending = f"exit code {code}; {last}"
    return performance


def _kill(process):
    """End the script and all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _heard(line, process, counterpart, performance):
    """Take one line: a step that is over, a question, or what the package itself prints."""
    try:
        said = json.loads(line)
    except ValueError:
        return
    if not isinstance(said, dict):
        return
    if "step" in said:
        assert said["step"] not in performance.steps, f"{said['step']} performed twice"
        performance.steps[said["step"]] = Step(said["ok"], said["detail"], said["seconds"])
    elif "ask" in said:
        try:
            answer = {"answer": counterpart.do(said["ask"], **said["with"])}
        except Exception as error:  # noqa: BLE001 - the script reports it as its step's failure
            answer = {"failed": f"{said['ask']}: {type(error).__name__}: {error}"}
        with contextlib.suppress(BrokenPipeError):  # it ended meanwhile; its exit code tells
            process.stdin.write(json.dumps({"number": said["number"], **answer}) + "\n")
            process.stdin.flush()
