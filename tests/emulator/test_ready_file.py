"""The ready file appears whole or not at all, and no draft of it, with every key of the hub, stays behind."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from iothub_emulator import ready
from iothub_emulator.net.errors import StartError

ABOUT = {"service_connection_string": "HostName=h;SharedAccessKeyName=iothubowner;SharedAccessKey=c2VjcmV0"}


def left_in(folder):
    """Return the names of all files below a folder."""
    return [file.name for file in folder.rglob("*") if file.is_file()]


def test_it_is_there_while_the_block_runs(tmp_path):
    with ready.ready_file(tmp_path / "ready.json", ABOUT):
        assert left_in(tmp_path) == ["ready.json"]

    assert left_in(tmp_path) == []


def test_a_folder_in_its_place_is_refused_and_no_draft_stays(tmp_path):
    (tmp_path / "ready.json").mkdir()

    with (
        pytest.raises(StartError, match="cannot be written"),
        ready.ready_file(tmp_path / "ready.json", ABOUT),
    ):
        pass

    assert left_in(tmp_path) == []


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()], ids=["disk", "ctrl-c"]
)
@pytest.mark.parametrize("step", ["chmod", "replace"])
def test_whatever_comes_in_between_no_draft_stays(tmp_path, monkeypatch, step, error):
    def fails(*_):
        raise error

    monkeypatch.setattr(Path, step, fails)

    with (
        pytest.raises((StartError, KeyboardInterrupt)),
        ready.ready_file(tmp_path / "ready.json", ABOUT),
    ):
        pass

    assert left_in(tmp_path) == []


def test_a_full_disk_leaves_no_draft(tmp_path, monkeypatch):
    class Full:
        def __init__(self, handle, mode):
            self.handle = handle

        def __enter__(self):
            return self

        def __exit__(self, *_):
            os.close(self.handle)

        def write(self, text):
            os.write(self.handle, text[:10].encode())
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ready.os, "fdopen", Full)

    with (
        pytest.raises(StartError, match="No space left on device"),
        ready.ready_file(tmp_path / "ready.json", ABOUT),
    ):
        pass

    assert left_in(tmp_path) == []


def test_a_hub_that_cannot_write_it_says_so_in_a_line_and_leaves_nothing(tmp_path):
    (tmp_path / "ready.json").mkdir()
    ports = ("--mqtt-port", "0", "--https-port", "0", "--amqp-port", "0", "--amqp-plain-port", "0")

    done = subprocess.run(
        [sys.executable, "-m", "iothub_emulator", *ports, "--ready-file", "ready.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode != 0
    assert len(done.stderr.splitlines()) == 1
    assert "name a file in a writable folder" in done.stderr
    assert left_in(tmp_path) == []
