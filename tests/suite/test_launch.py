"""A launched hub is waited for with open eyes, and never outlives the run.

The hubs here are small scripts. Each opens a connection to the test and keeps it: when it ends, in whatever
way, the test reads the end of that stream.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE

from conformance.errors import ProfileError, TargetUnreachable
from conformance.profile import loading as profile
from conformance.target import launch, opening
from conformance.target.credentials import Secret

BEGIN = """
import json, os, signal, socket, sys
witness = socket.create_connection(("127.0.0.1", {port}))
witness.sendall(str(os.getpid()).encode() + b"\\n")
"""
BE_READY = """
open(sys.argv[1] + ".part", "w").write(json.dumps({"host": "localhost"}))
os.replace(sys.argv[1] + ".part", sys.argv[1])
"""
UNTIL_STDIN_ENDS = "sys.stdin.read()\n"
DEAF_TO_STDIN = "signal.pause()\n"
DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + BE_READY + "while True: signal.pause()\n"


RUN = """
import signal, sys
from conformance.target import launch
hub = launch.launch(sys.argv[1:], timing={})
signal.pause()
"""


class Witness:
    """Sees a hub begin and end."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)
        self.port = self._listener.getsockname()[1]
        self._stream = None

    def pid(self):
        connection, _ = self._listener.accept()
        connection.settimeout(PATIENCE)
        self._stream = connection.makefile("rb")
        return int(self._stream.readline())

    def sees_it_end(self):
        try:
            return self._stream.read() == b""
        except ConnectionResetError:
            return True

    def close(self):
        self._listener.close()


@pytest.fixture
def witness():
    seen = Witness()
    yield seen
    seen.close()


@pytest.fixture
def hub_script(witness, tmp_path):
    def write(*parts):
        path = tmp_path / "hub.py"
        path.write_text(BEGIN.format(port=witness.port) + "".join(parts))
        return ["{python}", str(path), "{ready_file}"]

    return write


def test_a_hub_is_ready_when_its_file_is_there_and_leaves_with_its_stdin(hub_script, witness):
    hub = launch.launch(hub_script(BE_READY, UNTIL_STDIN_ENDS), timing={})

    assert hub.ready == {"host": "localhost"}
    assert hub.pid == witness.pid()
    assert hub.trouble() is None
    hub.stop()
    assert witness.sees_it_end()
    hub.stop()


def test_a_hub_runs_in_a_session_of_its_own(hub_script):
    with launch.launch(hub_script(BE_READY, UNTIL_STDIN_ENDS), timing={}) as hub:
        assert os.getsid(hub.pid) == hub.pid != os.getsid(0)


@pytest.mark.parametrize(
    "stubborn", [BE_READY + DEAF_TO_STDIN, DEAF], ids=["deaf-to-stdin", "deaf-to-sigterm"]
)
def test_a_hub_that_does_not_leave_is_made_to(hub_script, witness, monkeypatch, stubborn):
    monkeypatch.setattr(launch, "STOP_DEADLINE", 0.1)
    hub = launch.launch(hub_script(stubborn), timing={})
    witness.pid()

    hub.stop()

    assert witness.sees_it_end()


def test_a_hub_that_dies_at_once_is_quoted_without_its_secrets(hub_script):
    secret = Secret("a-secret-of-the-hub")
    words = f"'first\\n\\nport 8883 in use, key {secret.reveal()}.\\n\\n'"

    with pytest.raises(TargetUnreachable) as caught:
        launch.launch(
            hub_script(f"sys.stderr.write({words}); sys.exit(3)"), timing={}, place="p.toml: [launch]"
        )

    assert str(caught.value) == (
        "p.toml: [launch]: the hub ended with code 3 before it was ready: port 8883 in use, key ***. "
        "Run the command by hand to see more."
    )


def test_a_hub_that_says_nothing_is_told_so(hub_script):
    with pytest.raises(
        TargetUnreachable, match="ended with code 0 before it was ready: it wrote nothing to stderr"
    ):
        launch.launch(hub_script(""), timing={})


def test_a_hub_that_never_gets_ready_is_ended(hub_script, witness, monkeypatch):
    def find_nothing(_):
        witness.pid()

    monkeypatch.setattr(launch, "_read_if_whole", find_nothing)

    with pytest.raises(TargetUnreachable, match="not ready after 0 s: it wrote nothing to stderr"):
        launch.launch(hub_script(UNTIL_STDIN_ENDS), timing={}, deadline=0)

    assert witness.sees_it_end()


def test_ctrl_c_while_a_hub_starts_ends_it(hub_script, witness, monkeypatch):
    def interrupt(_):
        witness.pid()
        raise KeyboardInterrupt

    monkeypatch.setattr(launch, "_read_if_whole", interrupt)

    with pytest.raises(KeyboardInterrupt):
        launch.launch(hub_script(UNTIL_STDIN_ENDS), timing={})

    assert witness.sees_it_end()


def test_a_hub_ends_when_the_run_is_killed(hub_script, witness):
    runner = subprocess.Popen(
        [
            sys.executable,
            "-c",
            RUN,
            *hub_script(BE_READY, UNTIL_STDIN_ENDS),
        ],
        cwd=Path(launch.__file__).parents[1],
    )
    witness.pid()

    runner.send_signal(signal.SIGKILL)

    assert witness.sees_it_end()
    runner.wait(PATIENCE)


def test_a_hub_that_ends_by_itself_is_noticed(hub_script, witness):
    last_words = "sys.stderr.write('out of memory\\n'); sys.stderr.flush()\n"
    hub = launch.launch(hub_script(last_words, BE_READY, DEAF_TO_STDIN), timing={})
    witness.pid()
    os.kill(hub.pid, signal.SIGTERM)

    assert witness.sees_it_end()
    hub._process.wait(PATIENCE)
    assert hub.trouble() == "the launched hub ended with code -15: out of memory"
    hub.stop()


CRASH = """
import traceback
try:
    {}["no such key"]
except KeyError:
    traceback.print_exc()
sys.stderr.write("12 WARNING something else\\n")
sys.stderr.flush()
"""


# What asyncio's TaskGroup raises.
GROUP = """
import traceback
try:
    raise ExceptionGroup("two tasks", [ValueError("no")])
except ExceptionGroup:
    traceback.print_exc()
sys.stderr.flush()
"""


@pytest.mark.parametrize(
    ("crashes", "told"),
    [
        (CRASH, "the launched hub wrote a traceback: KeyError: 'no such key'"),
        (CRASH * 3, "the launched hub wrote 3 tracebacks, the first of them: KeyError: 'no such key'"),
        (GROUP, "the launched hub wrote a traceback: ExceptionGroup: two tasks (1 sub-exception)"),
    ],
    ids=["once", "three-times", "group"],
)
def test_a_hub_that_crashes_inside_and_lives_on_is_noticed(hub_script, witness, crashes, told):
    with launch.launch(hub_script(crashes, BE_READY, UNTIL_STDIN_ENDS), timing={}) as hub:
        witness.pid()

        assert hub.trouble() == told
        assert hub.crashed()


def test_a_hub_that_crashed_and_then_ended_has_crashed_too(hub_script, witness):
    hub = launch.launch(hub_script(CRASH, BE_READY, "sys.stdin.readline()"), timing={})
    witness.pid()
    hub._process.stdin.close()
    hub._process.wait(PATIENCE)

    assert hub.trouble() == "the launched hub ended with code 0: 12 WARNING something else"
    assert hub.crashed()
    hub.stop()


def test_looking_at_what_a_hub_wrote_leaves_no_trace(hub_script, witness):
    begin = "sys.stderr.write('begin\\n'); sys.stderr.flush()\n"
    go_on = "sys.stdin.readline(); sys.stderr.write('more\\n'); sys.stderr.flush()\n"
    hub = launch.launch(hub_script(begin, BE_READY, go_on), timing={})
    witness.pid()

    assert hub.trouble() is None
    assert not hub.crashed()
    hub._process.stdin.write(b"go on\n")
    hub._process.stdin.flush()

    hub._process.wait(PATIENCE)
    assert hub.trouble() == "the launched hub ended with code 0: more"
    hub.stop()


def test_placeholders_are_filled():
    filled = launch.filled(
        ["{python}", "--skew", "{sas-skew}", "--at={ready_file}"],
        Path("/r.json"),
        {"sas-skew": 1.0},
        place="p",
    )

    assert filled == [sys.executable, "--skew", "1", "--at=/r.json"]


def test_the_authority_of_devices_is_a_file_where_the_command_asks_for_one(tmp_path):
    file = tmp_path / "device-ca.pem"

    without = launch.filled(["x", "{ready_file}"], tmp_path / "r.json", {}, device_ca="PEM", place="p")
    assert (without[1], file.exists()) == (str(tmp_path / "r.json"), False)
    filled = launch.filled(["x", "--ca={device_ca}"], tmp_path / "r.json", {}, device_ca="PEM", place="p")
    assert (filled, file.read_text()) == (["x", f"--ca={file}"], "PEM")


def test_a_timing_that_is_not_stated_is_named():
    with pytest.raises(ProfileError, match=r"^p: uses \{sas-grace\}, but \[timing\] does not state it"):
        launch.filled(["x", "{sas-grace}"], Path("/r.json"), {}, place="p")


def test_a_command_that_does_not_exist_is_one_line():
    with pytest.raises(
        ProfileError, match=r"^\[launch\] command: no-such-program cannot be run \(No such file"
    ):
        launch.launch(["no-such-program", "{ready_file}"], timing={})


def test_a_ready_file_that_lacks_something_stops_the_hub(hub_script, witness, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        'schema = 1\n[target]\nname = "x"\n[claims]\ncapabilities = ["registry"]\n'
        f"[launch]\ncommand = {json.dumps(hub_script(BE_READY, UNTIL_STDIN_ENDS))}\n"
    )

    with pytest.raises(ProfileError, match="not the ready file of a hub"):
        opening.open_target(profile.load(str(path)))

    witness.pid()
    assert witness.sees_it_end()


def test_the_embedded_hub_is_launched_as_its_profile_says():
    with opening.open_target(profile.load("emulator")) as opened:
        target = opened.target
        assert (target.origin, target.edition, target.host) == ("launched", "document", "localhost")
        assert target.timing == {
            "sas-skew": 0.5,
            "sas-grace": 0.5,
            "keep-alive-tolerance": 1.4,
            "c2d-lock": 1.0,
            "c2d-expiry": 0.0,
            "method-timeout": 0.3,
            "feedback": 0.2,
            "connection-events": 0.1,
            "connection-state": 0.0,
        }
        assert opened.trouble() is None
        stream = socket.create_connection(("127.0.0.1", target.ports.mqtt), timeout=PATIENCE)

    with stream, contextlib.suppress(ConnectionResetError):
        assert stream.recv(1) == b""
