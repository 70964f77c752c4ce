"""A whole report is never replaced by a part: a selection, or a run that did not come to its end."""

import json
import os
import signal
import subprocess
import sys

import pytest
from patience import PATIENCE
from small_suite import QUICK, SmallSuite, environment_of_a_run, run_pytest

TWO_CASES = """
@clause("small.holds")
def test_a():
    raise Violation("no", observed="no")

@clause("small.other")
def test_b():
    raise Violation("no", observed="no")
"""
# A case that is interrupted, behind one that is over.
INTERRUPTED = """
import signal

@clause("small.holds")
def test_a():
    pass

@clause("small.other")
def test_b():
    signal.raise_signal(signal.SIGINT)
"""
# One that waits to be cancelled.
CANCELLED = """
from pathlib import Path
from threading import Event

@clause("small.holds")
def test_a():
    pass

@clause("small.other")
def test_b():
    Path("running").write_text("")
    Event().wait(600)
"""
SELECTION = "--clause=small.holds"


@pytest.fixture
def small(tmp_path):
    suite = SmallSuite(tmp_path)
    suite.cases(TWO_CASES)
    return suite


def errors(result):
    return [line for line in result.stderr.lines if line.startswith("ERROR")]


def files(folder):
    """Return every file below a folder, with what is in it."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def is_partial(folder):
    return json.loads((folder / "conformance.json").read_text())["run"]["partial"]


@pytest.mark.parametrize(
    "part", [[SELECTION], ["-k", "test_a"], ["-x"]], ids=["clause", "keyword", "stopped-at-a-failure"]
)
@pytest.mark.parametrize("distribution", [[], ["-n", "2"]], ids=["one-process", "n-2"])
def test_a_part_lies_beside_the_whole_report(small, part, distribution):
    small.run()
    before = files(small.whole)

    result = small.run(*part, *distribution)

    assert files(small.whole) == before
    assert (is_partial(small.whole), is_partial(small.part)) == (False, True)
    result.stdout.fnmatch_lines(["report: reports/small.partial/conformance.html"])


def test_an_interrupted_run_lies_beside_the_whole_report(small):
    small.run()
    before = files(small.whole)
    small.cases(INTERRUPTED)

    assert small.run().ret == 2

    assert files(small.whole) == before
    assert [clause["id"] for clause in small.statement_of(small.part)["clauses"] if clause["cases"]]


def test_a_job_that_is_cancelled_leaves_the_whole_report(small):
    """By SIGTERM, as a CI server does."""
    small.run()
    before = files(small.whole)
    small.cases(CANCELLED)
    os.mkfifo(small.path / "running")
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", "--profile=small", "cases", *QUICK],
        cwd=small.path,
        env=environment_of_a_run(small.path),
        stdout=subprocess.DEVNULL,
    )
    (small.path / "running").read_text()

    run.send_signal(signal.SIGTERM)

    assert run.wait(PATIENCE) == 2
    assert files(small.whole) == before
    assert is_partial(small.part)


def test_a_selection_is_refused_where_a_whole_report_lies(small):
    """Before the run: nothing is opened, and nothing is written."""
    small.run("--report-dir=out")
    before = files(small.path / "out")
    (small.path / "opened").unlink()

    result = small.run("--report-dir=out", SELECTION)

    assert (result.ret, errors(result)) == (
        4,
        [
            (
                "ERROR: --report-dir out: holds the report of a whole run, which a part of one "
                "(--clause small.holds) must not replace. Name another folder."
            )
        ],
    )
    assert files(small.path / "out") == before
    assert not (small.path / "opened").exists()


def test_a_selection_has_a_folder_of_its_own_where_one_is_named(small):
    first, second = small.run("--report-dir=out", SELECTION), small.run("--report-dir=out", SELECTION)

    assert (first.ret, second.ret) == (1, 1)
    assert is_partial(small.path / "out")
    assert not (small.path / "reports").exists()


def test_a_run_that_is_interrupted_writes_beside_the_folder_that_is_named(small):
    small.run("--report-dir=out")
    before = files(small.path / "out")
    small.cases(INTERRUPTED)

    result = small.run("--report-dir=out")

    assert result.ret == 2
    assert files(small.path / "out") == before
    assert is_partial(small.path / "out.partial")
    result.stdout.fnmatch_lines(["report: out.partial/conformance.html"])


@pytest.mark.parametrize("written", ["{", "{}", '{"run": {}}', "[]"])
def test_a_report_that_cannot_be_read_may_be_whole(small, written):
    (small.path / "out").mkdir()
    (small.path / "out" / "conformance.json").write_text(written)

    assert small.run("--report-dir=out", SELECTION).ret == 4
    assert (small.path / "out" / "conformance.json").read_text() == written


def test_what_is_no_report_is_not_replaced_by_a_part(small):
    small.part.mkdir(parents=True)
    (small.part / "letters.txt").write_text("dear")

    result = small.run(SELECTION)

    assert result.ret == 4
    assert "holds something that is no report" in errors(result)[0]
    assert files(small.part) == {"letters.txt": b"dear"}


def test_a_dry_run_refuses_the_same_places(small):
    small.run("--report-dir=out")

    result = small.run("--report-dir=out", "--dry-run", SELECTION)

    assert result.ret == 4
    assert errors(result)[0].startswith("ERROR: --report-dir out: holds the report of a whole run")


@pytest.mark.parametrize("options", [[], ["--junitxml=junit.xml"], ["-n", "2"]], ids=" ".join)
def test_a_dry_run_writes_nothing(tmp_path, options):
    """No report, no file of JUnit's, no cache, in the folder that a user is in."""
    (tmp_path / "junit.xml").write_text("yesterday's")

    command = ["--pyargs", "conformance", "--dry-run", "--section=transport", *options]
    result = run_pytest(tmp_path, *command, quick=())

    assert result.ret == 0, result.stdout.str() + result.stderr.str()
    assert files(tmp_path) == {"junit.xml": b"yesterday's"}
    assert list(tmp_path.iterdir()) == [tmp_path / "junit.xml"]


def test_looking_at_what_would_run_replaces_no_file_of_junits(small):
    (small.path / "junit.xml").write_text("yesterday's")

    assert small.run("--collect-only", "--junitxml=junit.xml").ret == 0

    assert (small.path / "junit.xml").read_text() == "yesterday's"
