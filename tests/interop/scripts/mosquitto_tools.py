"""mosquitto's command line tools, run to their end or watched while they run."""

import contextlib
import subprocess

from steps import PATIENCE

# How mosquitto_sub prints what it receives, so that `received` finds it among its other lines.
AS_MESSAGES = ("-F", "MESSAGE %t %p")


def call(tool, *options, **given):
    """Run a tool to its end; return what it printed."""
    done = subprocess.run(
        [tool, *options], check=False, capture_output=True, text=True, timeout=PATIENCE / 2, **given
    )
    if done.returncode:
        raise AssertionError(f"exit code {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


@contextlib.contextmanager
def subscribed(*options):
    """Run mosquitto_sub in the block, from its SUBACK on; yield the process."""
    # What it says to a pipe would stay in its buffer.
    command = ["stdbuf", "-oL", "mosquitto_sub", "-d", *AS_MESSAGES, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            said = []
            while "Subscribed (mid: " not in "".join(said[-1:]):
                said.append(process.stdout.readline())
                if not said[-1]:
                    raise AssertionError(" ".join("".join(said).split()))
            yield process
        finally:
            process.kill()


def received(process):
    """Return topic and body of the next message that mosquitto_sub prints."""
    for line in process.stdout:
        if line.startswith("MESSAGE "):
            _, topic, body = line.rstrip("\n").split(" ", 2)
            return topic, body
    raise AssertionError("mosquitto_sub ended")
