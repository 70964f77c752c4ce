"""``make report`` and ``python -m conformance allure``: one clear message where something is missing."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from allure_rendering import ROOT, reports

TOOLS = ("sh", "rm", "mkdir", "cp", "touch", "make", "env", "dirname")


@pytest.fixture
def bare(tmp_path):
    """A folder of programs for PATH: those that a Makefile needs, and no Node."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        (folder / name).symlink_to(shutil.which(name))
    return folder


def program(folder, name, text):
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def command(folder, path, *words):
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    return subprocess.run(
        [str(word) for word in words], check=False, capture_output=True, text=True, cwd=folder, timeout=300,
        env=environment | {"PATH": str(path), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def rendering(folder, path, *words):
    return command(folder, path, sys.executable, "-m", "conformance", "allure", *words)


def refusal(done, code=4):
    """Return the one line that a refused command says."""
    assert done.returncode == code, done
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


def make_report(path, *words):
    ours = (f"BIN={Path(sys.executable).parent}", f"READY={sys.executable}", f"--old-file={sys.executable}")
    return command(ROOT, path, shutil.which("make"), "--no-print-directory", "report", *ours, *words)


def test_without_a_report_the_line_says_how_to_make_one(tmp_path, bare):
    assert refusal(rendering(tmp_path, bare)) == (
        "ERROR: reports/: holds no report of a whole run. Make one with `make conformance`, or "
        "`pytest --profile=NAME`, or name the folder of one."
    )


def test_parts_of_a_run_are_not_shown_beside_whole_ones(tmp_path, bare):
    """Unless they are named."""
    program(bare, "node", "echo v20.0.0")
    (tmp_path / "reports").mkdir()
    _, other = reports(tmp_path / "reports")
    part = other.rename(tmp_path / "reports" / "other.partial")

    checked = rendering(tmp_path, bare, "--check")
    named = rendering(tmp_path, bare, "--check", part)
    shutil.rmtree(tmp_path / "reports" / "one hub")

    assert checked.stdout == f"one hub: to be rendered with {bare / 'node'}\n"
    assert named.stdout == f"other.partial: to be rendered with {bare / 'node'}\n"
    assert "holds no report of a whole run" in refusal(rendering(tmp_path, bare, "--check"))


def test_what_ci_keeps_is_no_part_of_a_run():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()

    kept = re.search(r"path: \|\n((?: +reports/.*\n)+)", workflow)[1].split()
    assert kept == ["reports/emulator", "reports/allure.html"]


def test_a_folder_that_is_no_report_is_named(tmp_path, bare):
    assert refusal(rendering(tmp_path, bare, "nowhere")) == (
        "ERROR: nowhere: holds no conformance.json. Name the folder of a run's report."
    )


def test_a_broken_report_is_named(tmp_path, bare):
    one, _ = reports(tmp_path)
    (one / "conformance.json").write_text("{}")

    assert "no statement of a run" in refusal(rendering(tmp_path, bare, one))


def test_without_node_the_line_says_what_to_install(tmp_path, bare):
    one, _ = reports(tmp_path)

    assert refusal(rendering(tmp_path, bare, one)) == (
        "ERROR: node: not found in PATH. Allure's page wants Node 20 or newer with npm: install it, then run "
        "this again. Each run's own page, conformance.html, needs neither."
    )


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("echo v18.20.8", "is v18.20.8, older than Node 20."),
        ("exit 1", "is no Node that runs."),
        ("echo hello", "is hello, older than Node 20."),
    ],
    ids=["old", "silent", "other"],
)
def test_a_node_that_is_none_or_too_old_is_named(tmp_path, bare, said, told):
    program(bare, "node", said)

    line = refusal(rendering(tmp_path, bare, *reports(tmp_path)))
    assert line.startswith(f"ERROR: {bare / 'node'}: {told} Allure's page wants Node 20")


def test_without_the_generator_the_line_says_how_to_get_it(tmp_path, bare):
    program(bare, "node", "echo v20.0.0")

    line = refusal(rendering(tmp_path, bare, *reports(tmp_path)))
    assert line.startswith("ERROR: allure: not found in PATH. In a checkout `make report` installs")


@pytest.mark.parametrize(
    ("package", "told"),
    [
        (None, "is not a program of the npm package `allure`."),
        (
            {"name": "allure-commandline", "version": "2.46.1"},
            "is not a program of the npm package `allure`.",
        ),
        ({"name": "allure", "version": "3.0.0"}, "is version 3.0.0 of the npm package `allure`."),
    ],
    ids=["none", "Allure 2", "another version"],
)
def test_another_allure_is_refused(tmp_path, bare, package, told):
    program(bare, "node", "echo v20.0.0")
    program(bare, "allure", "exit 0")
    if package is not None:
        (bare / "package.json").write_text(json.dumps(package))

    line = refusal(rendering(tmp_path, bare, *reports(tmp_path)))
    assert line.startswith(f"ERROR: {bare / 'allure'}: {told}")


@pytest.mark.parametrize(
    ("generates", "told"),
    [
        ("echo 'no results' >&2; exit 1", "failed: no results."),
        ("exit 1", "failed: 1."),
        ("echo strange", "wrote no page as expected (strange)."),
        ("mkdir page; echo '<html>' > page/index.html", "wrote no page as expected (no "),
    ],
    ids=["says why", "silent", "no page", "another page"],
)
def test_a_generator_that_fails_is_told_in_one_line(tmp_path, bare, generates, told):
    # What stands for Node here runs the generator's part itself.
    program(bare, "node", f'if [ "$1" = --version ]; then echo v20.0.0; else {generates}; fi')
    program(bare, "allure", "exit 0")
    (bare / "package.json").write_text('{"name": "allure", "version": "3.18.0"}')

    assert told in refusal(rendering(tmp_path, bare, *reports(tmp_path), "-o", "page.html"))
    assert not (tmp_path / "page.html").exists()


def test_make_report_without_node_says_one_line(bare, tmp_path):
    one, _ = reports(tmp_path)
    (tmp_path / "one").symlink_to(one)  # make knows no folder with a space in its name
    done = make_report(bare, f"REPORTS={tmp_path / 'one'}", f"ALLURE={tmp_path / 'allure'}")

    assert done.returncode == 2
    first, *rest = done.stderr.splitlines()
    assert first.startswith("ERROR: node: not found in PATH. Allure's page wants Node 20 or newer with npm:")
    assert [line.startswith("make: ***") for line in rest] == [True]
    assert done.stdout == ""
    assert not (tmp_path / "allure").exists()


def test_make_report_without_npm_says_so_and_installs_nothing(bare, tmp_path):
    program(bare, "node", "echo v20.0.0")
    one, _ = reports(tmp_path)
    (tmp_path / "one").symlink_to(one)
    done = make_report(bare, f"REPORTS={tmp_path / 'one'}", f"ALLURE={tmp_path / 'allure'}")

    assert done.returncode == 2
    assert done.stderr.startswith(
        "make: npm: not found in PATH. Allure's page wants Node 20 or newer with npm:"
    )
    assert not (tmp_path / "allure").exists()


def test_make_report_says_where_npm_fails(bare, tmp_path):
    program(bare, "node", "echo v20.0.0")
    program(bare, "npm", "echo 'npm error network' >&2; exit 1")
    one, _ = reports(tmp_path)
    (tmp_path / "one").symlink_to(one)
    done = make_report(bare, f"REPORTS={tmp_path / 'one'}", f"ALLURE={tmp_path / 'allure'}")

    assert done.returncode == 2
    assert done.stderr.splitlines()[:2] == [
        "npm error network",
        "make: npm could not install Allure's generator, see above: it wants a registry the first time.",
    ]
    assert not (tmp_path / "allure" / ".ready").exists()


def test_the_lock_names_no_registry_and_the_version_that_pages_are_mended_for():
    from conformance.report.allure_generator import GENERATOR

    folder = ROOT / "requirements" / "allure"
    lock = json.loads((folder / "package-lock.json").read_text())

    assert json.loads((folder / "package.json").read_text())["dependencies"] == {"allure": GENERATOR}
    assert lock["packages"]["node_modules/allure"]["version"] == GENERATOR
    packages = [package for name, package in lock["packages"].items() if name]
    assert [package for package in packages if "resolved" in package] == []
    assert [package for package in packages if not package.get("integrity")] == []
