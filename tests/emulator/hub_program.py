"""`python -m iothub_emulator` as a process of its own, for the tests of this folder."""

import os
import subprocess
import sys
from pathlib import Path

from live_hub import PATIENCE

CHECKOUT = Path(__file__).parents[2]
FREE_PORTS = ("--mqtt-port", "0", "--https-port", "0", "--amqp-port", "0", "--amqp-plain-port", "0")


def command(*arguments):
    return [sys.executable, "-m", "iothub_emulator", *arguments]


def environment(tmp_path):
    return {**os.environ, "PYTHONPATH": os.pathsep.join((str(CHECKOUT), str(tmp_path)))}


def run(tmp_path, *arguments):
    return subprocess.run(
        command(*arguments),
        cwd=tmp_path,
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
