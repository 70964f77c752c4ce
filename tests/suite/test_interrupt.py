"""Ctrl-C, once or twice, or a cancelled job: exit code 2, and neither a hub nor a device is left behind."""

import os
import signal
import subprocess
import sys

import pytest
from patience import PATIENCE
from small_suite import QUICK, SmallSuite

BOTH_WAYS = pytest.mark.parametrize("distribution", [[], ["-n", "1"]], ids=["one-process", "n-1"])

# A case that says that it runs, and then waits to be interrupted.
WAITS = """
import threading
from pathlib import Path

@clause("small.holds")
def test_waits(request):
    request.config.pluginmanager.get_plugin("conformance-runner").bench()
    Path("running").write_text("running")
    threading.Event().wait(600)
"""


@pytest.fixture
def running(tmp_path):
    """A run in its own process group, as a terminal has it; pipes say when it got where."""
    small = SmallSuite(tmp_path)
    small.cases(WAITS)
    started = []

    def start(*distribution):
        os.mkfifo(small.path / "running")
        command = [sys.executable, "-m", "pytest", "--profile=small", "cases", *QUICK, *distribution]
        process = subprocess.Popen(
            command, cwd=small.path, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        started.append(process)
        assert (small.path / "running").read_text() == "running"
        return small, process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def ended(process):
    output, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, output.decode()


def assert_nothing_is_left(small):
    assert (small.path / "benches-closed").read_text().count("\n") == 1
    assert (small.path / "closed").read_text() == "closed\n"
    assert not (small.path / "deleted-by-controller").exists()
    assert not list(small.path.glob("reports/.*"))


@BOTH_WAYS
def test_one_interrupt_ends_the_run_and_clears_up(running, distribution):
    small, process = running(*distribution)

    os.killpg(process.pid, signal.SIGINT)

    code, output = ended(process)
    assert code == 2, output
    assert_nothing_is_left(small)


@BOTH_WAYS
def test_a_job_that_is_cancelled_clears_up_too(running, distribution):
    """By SIGTERM, to the process that was started and to no other."""
    small, process = running(*distribution)

    process.terminate()

    code, output = ended(process)
    assert code == 2, output
    assert_nothing_is_left(small)


@BOTH_WAYS
def test_a_second_interrupt_does_not_stop_the_clearing_up(running, distribution):
    small, process = running(*distribution)
    os.mkfifo(small.path / "closing")
    os.mkfifo(small.path / "go-on")

    os.killpg(process.pid, signal.SIGINT)
    assert (small.path / "closing").read_text() == "closing"
    os.killpg(process.pid, signal.SIGINT)
    os.killpg(process.pid, signal.SIGINT)
    (small.path / "go-on").write_text("")

    code, output = ended(process)
    assert code == 2, output
    assert_nothing_is_left(small)


def test_devices_of_a_worker_that_was_killed_are_deleted_by_the_controller(tmp_path):
    small = SmallSuite(tmp_path)
    small.cases(
        """
@clause("small.holds")
def test_dies(request):
    request.config.pluginmanager.get_plugin("conformance-runner").bench()
    os._exit(1)
"""
    )

    small.run("-n", "1")

    (left,) = (small.path / "deleted-by-controller").read_text().split()
    assert left.startswith("conf-")
    assert left.endswith("-gw0-1")


WRITES_A_TWIN_AND_DIES = """
@clause("small.holds")
def test_dies(request):
    runner = request.config.pluginmanager.get_plugin("conformance-runner")
    runner.bench().place.twin_journal.write_text("ready-made-1")
    os._exit(1)
"""


def test_twins_that_a_killed_worker_wrote_are_cleared_by_the_controller(tmp_path):
    small = SmallSuite(tmp_path)
    small.cases(WRITES_A_TWIN_AND_DIES)

    small.run("-n", "1")

    assert (small.path / "cleared-by-controller").read_text() == "ready-made-1\n"


def test_where_that_fails_the_run_names_what_is_left(tmp_path):
    small = SmallSuite(tmp_path)
    small.cases(WRITES_A_TWIN_AND_DIES)
    (small.path / "twins-stay").touch()

    result = small.run("-n", "1")

    result.stdout.fnmatch_lines(
        [
            (
                "conformance-* may be left in ready-made devices' twins; set it to null: "
                "hub.example:8883 refuses connections."
            )
        ]
    )


# A destructor in which the signal arrives: Python makes a message of what is raised there.
SWALLOWS = """
import signal

class Careless:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

@clause("small.holds")
def test_swallows():
    Careless()

@clause("small.other")
def test_must_not_run():
    open("went-on", "w").close()
"""


def test_an_interrupt_that_was_swallowed_ends_the_run_all_the_same(tmp_path):
    small = SmallSuite(tmp_path)
    small.cases(SWALLOWS)

    result = small.run("-W", "ignore::pytest.PytestUnraisableExceptionWarning")

    assert result.ret == 2
    assert not (small.path / "went-on").exists()
    assert (small.path / "closed").read_text() == "closed\n"


# A signal once all cases have run: while the bench is closed, or the report written.
INTERRUPTS_THE_END = """
import signal
import pytest

@pytest.hookimpl(trylast=True)
def pytest_sessionfinish():
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGINT)
"""


def test_an_interrupt_behind_the_last_case_loses_nothing(tmp_path):
    """The report says what the run found, and the exit code says the same."""
    small = SmallSuite(tmp_path)
    small.cases('@clause("small.holds")\ndef test_holds(): pass')
    (small.path / "late.py").write_text(INTERRUPTS_THE_END)

    result = small.run("-p", "late", "--level=must", "-k", "holds")

    assert (result.ret, small.report.exists()) == (0, True)
    assert (small.path / "closed").read_text() == "closed\n"


# As a dataclass is made, or a named tuple.
PASSES_THROUGH_EXEC = """
import sys
from conformance.run.interrupts import FirstInterruptOnly

handler = FirstInterruptOnly()
try:
    exec("raise KeyboardInterrupt")
except KeyboardInterrupt:
    handler.remove()
sys.exit(2)
"""


def test_an_interrupt_that_passed_through_exec_ends_with_the_code_of_the_run(tmp_path):
    """Python would end itself by the signal, which a shell shows as 130."""
    (tmp_path / "passes.py").write_text(PASSES_THROUGH_EXEC)
    command = [sys.executable, "-m", "passes"]

    assert subprocess.run(command, cwd=tmp_path, check=False, timeout=PATIENCE).returncode == 2


# The lock of this condition sends the signal at the moment when it should be given up.
AT_A_LOCK = """
import functools, signal, threading, traceback
from conformance.run.interrupts import FirstInterruptOnly

class Lock:
    acquire = staticmethod(lambda *_: False)
    release = staticmethod(functools.partial(signal.raise_signal, signal.SIGINT))

handler = FirstInterruptOnly()
handler.install()
try:
    threading.Condition(Lock()).wait(60)
except KeyboardInterrupt as error:
    print([frame.name for frame in traceback.extract_tb(error.__traceback__)])
"""


def test_ctrl_c_at_a_lock_waits_until_the_lock_is_whole():
    """Raised in `_release_save`, it would leave a lock that nobody can release."""
    command = [sys.executable, "-c", AT_A_LOCK]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE)

    assert (done.stdout, done.stderr) == ("['<module>', 'wait', '_handle']\n", "")
