"""Stops this process for a while, as a busy or frozen machine does: by hand, or as a pytest plugin.

`STALL_AT` names the method behind whose call it stops (``module:Class.method``), `STALL_FOR` for how many
seconds, `STALL_TIMES` how often. Each time is a line in the file `STALL_LOG`.
"""

import functools
import os
import signal
import subprocess
from importlib import import_module
from pathlib import Path


def hold_up(seconds):
    """Stop the whole process; another one lets it go on."""
    subprocess.Popen(["sh", "-c", f"sleep {seconds}; kill -CONT {os.getpid()}"])
    os.kill(os.getpid(), signal.SIGSTOP)


def pytest_configure():
    if "STALL_AT" not in os.environ:
        return
    module, _, path = os.environ["STALL_AT"].partition(":")
    owner, _, name = path.rpartition(".")
    of = getattr(import_module(module), owner)
    method = getattr(of, name)
    log = Path(os.environ["STALL_LOG"])

    @functools.wraps(method)
    def late(*arguments, **options):
        result = method(*arguments, **options)
        done = log.read_text().count("\n") if log.exists() else 0
        if done < int(os.environ["STALL_TIMES"]):
            with log.open("a") as file:
                file.write("held up\n")
            hold_up(float(os.environ["STALL_FOR"]))
        return result

    setattr(of, name, late)
