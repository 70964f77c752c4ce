"""`make setup` says what it does: a minute of silence looks like a machine that hangs."""

import os
import re
import subprocess

import pytest
from wheel_environment import CHECKOUT


@pytest.fixture
def clone(tmp_path):
    """A fresh clone, with what is not committed yet of the Makefile."""
    subprocess.run(["git", "clone", "--quiet", CHECKOUT, tmp_path / "clone"], check=True)
    (tmp_path / "clone" / "Makefile").write_text((CHECKOUT / "Makefile").read_text())
    return tmp_path / "clone"


def make_setup(folder, *settings):
    # `make wheel` runs these tests: a make within another one says which directory it is in.
    of_a_user = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", "setup", *settings],
        cwd=folder,
        env=of_a_user,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_it_says_each_step_and_how_far_it_is(clone):
    done = make_setup(clone)

    assert done.returncode == 0, done.stdout
    said = re.sub(r"\d+\.\d+\.\d+|\d+", "N", done.stdout).splitlines()
    assert said == [
        "make: an environment in .venv, of pythonN: Python N",
        "make: N packages, locked and hashed, by pip; a minute or two the first time",
        *["make:   N found"] * said.count("make:   N found"),
        "make:   installing them",
        "make: this checkout, editable",
        "make: ready. In a shell: . .venv/bin/activate",
    ]
    assert said.count("make:   N found") >= 2


def test_a_package_that_pip_cannot_get_ends_it(clone, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")

    done = make_setup(clone)

    assert done.returncode == 2
    assert "ERROR: No matching distribution found for" in done.stdout
    assert not (clone / ".venv" / ".ready").exists()
