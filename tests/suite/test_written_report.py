"""The verdict comes first, then the report; what happens to the report then never looks like a verdict."""

import pytest
from small_suite import SmallSuite

KEY = "Y2FuYXJ5LWtleS10aGF0LW5vYm9keS1tYXktc2Vl+/8="
BOTH_WAYS = pytest.mark.parametrize("distribution", [[], ["-n", "2"]], ids=["one-process", "n-2"])
WHOLE = '''
@clause("small.holds")
def test_holds():
    """The hub holds."""

@clause("small.other")
def test_other():
    """The hub does the other thing."""

@clause("small.disputed")
def test_disputed(readings):
    readings.match("closed")

@clause("small.observed")
def test_observed(observed):
    observed("closed")
'''
# The disk is full once the cases are over: no process may write a file of more than some bytes.
FULL_DISK = """
import resource
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
"""
# Whoever writes the first file of a report ends the process, so that all before it is seen.
ENDS_AT_THE_FIRST_FILE = """
import os
import pytest
from pathlib import Path

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):
        import builtins, io
        opened = io.open
        def open(file, mode="r", *args, **kwargs):
            if "w" in mode and "reports" in str(file):
                os._exit(42)
            return opened(file, mode, *args, **kwargs)
        io.open = builtins.open = open
"""
LEAKS = f"""
from conformance.target.credentials import Secret

@pytest.mark.parametrize("key", [Secret("{KEY}").reveal()])
"""


@pytest.fixture
def small(tmp_path):
    suite = SmallSuite(tmp_path)
    suite.cases(WHOLE)
    return suite


def last_lines(result):
    """Return what stands behind pytest's own last line."""
    lines = result.stdout.lines
    return lines[max(number for number, line in enumerate(lines) if line.startswith("=====")) + 1 :]


@BOTH_WAYS
def test_the_verdict_stands_in_the_terminal_before_any_file_is_written(small, distribution):
    (small.path / "ends.py").write_text(ENDS_AT_THE_FIRST_FILE)

    result = small.run("-p", "ends", *distribution)

    assert result.ret == 42
    result.stdout.fnmatch_lines(["6 clauses: pass 3*-> every claimed clause holds (exit code 0)"])
    assert not small.whole.exists()


@BOTH_WAYS
def test_a_full_disk_is_one_line_and_code_13(small, distribution):
    (small.path / "full.py").write_text(FULL_DISK)

    result = small.run("-p", "full", *distribution)

    assert result.ret == 13, result.stdout.str() + result.stderr.str()
    assert last_lines(result) == [
        (
            "the report could not be written (exit code 13): reports/small: File too large. "
            "Free some space, or name another place."
        )
    ]
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    result.stdout.fnmatch_lines(["*-> every claimed clause holds (exit code 0)"])
    assert list((small.path / "reports").iterdir()) == []


def test_a_report_that_cannot_be_written_leaves_the_old_one(small):
    small.run()
    before = (small.whole / "conformance.json").read_bytes()
    (small.path / "full.py").write_text(FULL_DISK)

    assert small.run("-p", "full").ret == 13

    assert (small.whole / "conformance.json").read_bytes() == before
    assert [entry.name for entry in (small.path / "reports").iterdir()] == ["small"]


def test_a_file_that_takes_the_place_of_the_folder_is_one_line(small):
    taken = "import shutil; shutil.rmtree('reports'); open('reports', 'w').close()"
    small.cases(WHOLE.replace('"""The hub holds."""', taken))

    result = small.run()

    assert result.ret == 13
    assert last_lines(result) == [
        (
            "the report could not be written (exit code 13): reports/small: Not a directory. "
            "Free some space, or name another place."
        )
    ]


def test_a_report_that_cannot_be_written_is_worse_than_a_violation(small):
    """Whoever reads the code alone would look for a report that is not there."""
    small.cases('@clause("small.holds")\ndef test_holds():\n    raise Violation("no", observed="no")')
    (small.path / "full.py").write_text(FULL_DISK)

    result = small.run("-p", "full")

    assert result.ret == 13
    result.stdout.fnmatch_lines(["*-> a clause is violated (exit code 1)"])


def test_a_file_of_junits_that_cannot_be_written_elsewhere_is_told(small):
    """The report itself is there, and says the same code."""
    (small.path / "file").write_text("")

    result = small.run("--junitxml=file/junit.xml")

    assert (result.ret, small.statement()["run"]["exit_code"]) == (13, 13)
    assert last_lines(result) == [
        (
            "a part of the report could not be written (exit code 13): --junitxml: file/junit.xml: "
            "File exists. Free some space, or name another place. See reports/small/junit.xml."
        ),
        "report: reports/small/conformance.html",
    ]


@BOTH_WAYS
def test_a_secret_is_told_behind_the_verdict(small, distribution):
    small.cases(
        WHOLE.replace(
            '\n@clause("small.holds")\ndef test_holds()',
            f'{LEAKS}@clause("small.holds")\ndef test_holds(key)',
        )
    )

    result = small.run(*distribution)

    assert (result.ret, small.statement()["run"]["exit_code"]) == (12, 12)
    result.stdout.fnmatch_lines(["*-> every claimed clause holds (exit code 0)"])
    secret, report = last_lines(result)
    assert secret.startswith("a secret was found, and blackened, in ")
    assert secret.endswith("(exit code 12)")
    assert report == "report: reports/small/conformance.html"


@pytest.mark.parametrize("option", ["--no-summary", "-p no:terminal"])
def test_a_run_that_says_nothing_writes_its_report(small, option):
    assert small.run(*option.split()).ret == 0
    assert small.whole.exists()


def test_no_file_of_junits_is_made_where_pytest_is_told_to_make_none(small):
    assert small.run("-p", "no:junitxml").ret == 0
    assert not (small.whole / "junit.xml").exists()
