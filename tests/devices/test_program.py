"""The program of a device: whatever it does hurts nobody, and nothing of it is left."""

import os
import sys
import threading
from pathlib import Path

import pytest

from conformance.errors import ProfileError
from conformance.target.credentials import random_key
from conformance.under_test.program import ADAPTERS, LONGEST_LINE, Program, filled

PATIENCE = 30.0


class Ears:
    """Takes lines, and says when so many have come."""

    def __init__(self):
        self.lines = []
        self._changed = threading.Condition()

    def hear(self, line):
        with self._changed:
            self.lines.append(line)
            self._changed.notify_all()

    def until(self, count):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.lines) >= count, PATIENCE)
        return self.lines[:count]


@pytest.fixture
def ears():
    return Ears()


@pytest.fixture
def start(ears):
    started = []

    def start(text, **variables):
        started.append(Program([sys.executable, "-u", "-c", text], variables, ears.hear))
        return started[-1]

    yield start
    for program in started:
        program.stop()


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A child of a child that has ended may wait to be taken note of.
    return "zombie" not in Path(f"/proc/{pid}/status").read_text()


def test_it_is_told_what_it_needs_and_nothing_of_the_suite(start, ears, monkeypatch):
    monkeypatch.setenv("IOTHUB_CONNECTION_STRING", "the back end's own")
    start(
        "import os; print(sorted(n for n in os.environ if n.startswith(('IOTHUB', 'PYTEST'))))",
        IOTHUB_ADDRESS="localhost",
    )

    assert ears.until(1) == [b"['IOTHUB_ADDRESS']"]


def test_it_hears_lines_and_is_heard(start, ears):
    program = start("import sys\nfor line in sys.stdin: print('heard', line.strip())")
    program.write(b"one")
    program.write(b"two")

    assert ears.until(2) == [b"heard one", b"heard two"]


def test_it_ends_when_its_stdin_does(start):
    program = start("import sys; sys.stdin.read()")
    program.stop()

    assert program.ended == 0


def test_one_that_passes_over_everything_ends_all_the_same(start, ears):
    program = start(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); time.sleep(3600)"
    )
    ears.until(1)
    program.stop()

    assert program.ended is not None


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_what_it_started_ends_with_it(start, ears):
    program = start(
        # Each line in one write: two processes print, and print() writes its end by itself.
        "import os, time\nos.fork()\nos.write(1, b'%d\\n' % os.getpid())\ntime.sleep(3600)"
    )
    pids = [int(line) for line in ears.until(2)]
    program.stop()

    assert [pid for pid in pids if is_running(pid)] == []


def test_a_line_that_never_ends_is_cut(start, ears):
    """And what stands behind it is heard."""
    start(f"import sys; sys.stdout.write('x' * {3 * LONGEST_LINE} + '\\nnext\\n'); sys.stdout.flush()")

    assert [len(line) for line in ears.until(2)] == [LONGEST_LINE, 4]


def test_its_last_words_hold_no_secret(start, ears):
    """Megabytes of them are read, and forgotten."""
    key = random_key().reveal()
    program = start(
        "import os, sys\n"
        "for _ in range(20000): sys.stderr.write('x' * 99 + '\\n')\n"
        "sys.stderr.write('cannot connect with SharedAccessKey=' + os.environ['KEY'] + '\\n')\n"
        "print('done')",
        KEY=key,
    )
    ears.until(1)
    program.stop()

    assert program.last_words() == "cannot connect with SharedAccessKey=***"


def test_a_command_that_cannot_be_run_is_said_in_a_line():
    with pytest.raises(ProfileError, match=r"\[device\] command: ./no-such cannot be run"):
        Program(["./no-such"], {}, lambda _line: None)


def test_placeholders_of_a_command_are_filled():
    command = filled(["{python}", "{adapters}/x.py", "--keep-alive={keep-alive}"], {"keep-alive": 2.0})

    assert command == [sys.executable, f"{ADAPTERS}/x.py", "--keep-alive=2"]


def test_a_timing_that_is_not_stated_is_said_in_a_line():
    with pytest.raises(ProfileError, match=r"uses \{reconnect\}, but \[device.timing\] does not state it"):
        filled(["x", "{reconnect}"], {})
