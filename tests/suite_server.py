"""Runs of the suite from a process that has its modules loaded already: most of a short run is loading them.

Each run is forked from a server that has no thread, and is then a ``pytest`` like any other.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[1]
# What a run loads before its first case. No test, no fixture: of those pytest rewrites the assertions.
LOADED = (
    "allure_pytest.plugin",
    "conformance.report.formats",
    "conformance.run.controller",
    "conformance.run.device_startup",
    "conformance.run.exploration",
    "conformance.run.fixtures",
    "conformance.run.reporting",
    "conformance.run.startup",
    "conformance.run.worker",
    "xdist.plugin",
)
# That they are loaded already is what this is for; and nobody reads what Python says of a failed case.
QUIET = ("-W", "ignore::pytest.PytestAssertRewriteWarning", "--tb=native")


class SuiteServer:
    """The server as a test meets it. Close it at the end.

    `paths` are where its runs find further modules: a plugin, wrong hubs or devices. One run at a time.
    """

    def __init__(self, *paths: Path) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        own.pop("PYTHONDONTWRITEBYTECODE", None)  # what is compiled is kept beside the runs
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=CHECKOUT,
            env={**own, "PYTHONPATH": os.pathsep.join(map(str, (*paths, CHECKOUT)))},
        )

    def run(self, arguments: Iterable[str], output: Path, deadline: int) -> int:
        """Run ``pytest``, what it writes into a file; return its exit code.

        It is killed after so many seconds: the code is then that of SIGALRM, -14.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        asked = {"arguments": [*arguments], "output": str(output), "deadline": deadline}
        stdin.write(json.dumps(asked) + "\n")
        stdin.flush()
        return int(stdout.readline())

    def close(self) -> None:
        """End the server."""
        self._process.communicate()


def serve() -> None:
    """Run what is asked for on stdin, one run at a time."""
    for name in LOADED:
        importlib.import_module(name)
    from conformance.report.html.templating import ENVIRONMENT

    for template in ENVIRONMENT.list_templates():
        ENVIRONMENT.get_template(template)
    for line in sys.stdin:
        asked: Mapping[str, Any] = json.loads(line)
        child = os.fork()
        if child == 0:
            signal.alarm(asked["deadline"])
            _run(asked["arguments"], asked["output"])
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _run(arguments: Sequence[str], output: str) -> None:
    import pytest

    written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(written, 1)
    os.dup2(written, 2)
    code = 3  # pytest's own for what went wrong inside
    try:
        code = int(pytest.main([*arguments, *QUIET]))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    serve()
