"""Whatever a hub sends, a terminal shows as escapes: nothing moves the cursor or hides what was written."""

import re

import pytest
from small_suite import SmallSuite

from conformance.__main__ import main
from conformance.report import json_report, printable

# Clears the screen, rings, turns the rest of a line round, clears it in eight bits, goes a step back.
SENT = "\x1b[2J\x1b[H\x07\u202e\x9b2J\x08\u061c"
SHOWN = r"\x1b[2J\x1b[H\x07\u202e\x9b2J\x08\u061c"

SAYS = f"""
import logging
import warnings

SENT = {SENT!r}

@clause("small.holds")
def test_violation(evidence):
    evidence.transcript.add("c1", "←", f"PUBLISH {{SENT}}")
    raise Violation(f"got {{SENT}}", observed=SENT, expected=SENT, actual=SENT)

@clause("small.holds")
def test_raises():
    raise OSError(f"cannot read {{SENT}}")

@clause("small.holds")
def test_not_tested():
    raise NotTested(f"only {{SENT}}")

@clause("small.other")
def test_prints():
    print(SENT)
    logging.getLogger("hub").warning("said %s", SENT)
    warnings.warn(SENT)
    raise HarnessError(SENT)

@pytest.fixture
def broken():
    raise Violation(SENT, observed=SENT)

@clause("small.other")
def test_stage(broken):
    pass

@clause("small.disputed")
def test_reading(readings):
    readings.match(SENT)

@clause("small.observed")
def test_observed(observed):
    observed(SENT)
"""
COLOURS = re.compile("\x1b\\[[0-9;]*m")


@pytest.fixture
def small(tmp_path):
    suite = SmallSuite(tmp_path)
    suite.cases(SAYS)
    return suite


def raw(text):
    """Return what is left of a text without pytest's own colours and the parts of it that may be shown."""
    plain = COLOURS.sub("", text)
    return [line for line in plain.split("\n") if printable.visible(line) != line]


@pytest.mark.parametrize(
    "options",
    [
        ("-rA",),
        ("-rA", "-n", "2"),
        ("-rA", "-vv", "-l", "--color=yes"),
        ("-rA", "--tb=native"),
        ("-rA", "--tb=line"),
        ("-rA", "--tb=short", "--show-capture=all"),
        ("-rA", "-o", "log_cli=true"),
    ],
    ids=" ".join,
)
def test_no_output_of_a_run_holds_a_sequence(small, options):
    """Not the ``E`` lines, not the reason behind FAILED, not what was captured, not a live log."""
    result = small.run(*options)

    assert result.ret == 1
    said = result.stdout.str() + result.stderr.str()
    assert raw(said) == []
    assert SHOWN in said


def test_nor_does_what_is_said_of_the_target(small):
    """The name of a hub stands in its ready file, and its last words in its stderr."""
    conftest = small.path / "conftest.py"
    text = conftest.read_text().replace('"pretended hub"', repr(SENT))
    conftest.write_text(text.replace("return None", f"return {'the hub wrote ' + SENT!r}"))

    result = small.run()

    said = result.stdout.str() + result.stderr.str()
    assert raw(said) == []
    assert f"the hub wrote {SHOWN}" in said
    assert f"target: {SHOWN} at hub.example" in said


def test_nor_does_a_line_that_refuses_a_run(small):
    conftest = small.path / "conftest.py"
    conftest.write_text(conftest.read_text().replace("refuses the service key", f"answers {SENT}"))

    result = small.run(profile="refused")

    assert result.stderr.lines == [f"ERROR: hub.example answers {SHOWN}. Correct env:HUB."]


def test_nor_does_a_fault_of_the_suite_itself(small):
    (small.path / "faulty.py").write_text(
        f"def pytest_runtest_logfinish():\n    raise RuntimeError({SENT!r})\n"
    )

    result = small.run("-p", "faulty")

    assert result.ret == 3
    said = result.stdout.str() + result.stderr.str()
    assert raw(said) == []
    assert SHOWN in said


def test_nor_does_a_command_on_reports(small, capsys):
    small.run()
    report = str(small.report / "conformance.json")
    statement = json_report.read(small.report / "conformance.json")
    target = statement.target.model_copy(update={"name": SENT})
    json_report.write(statement.model_copy(update={"target": target}), small.path / "other.json")

    main(["compare", report, str(small.path / "other.json")])
    main(["deviations", "--from", str(small.path / "other.json")])
    main(["merge", str(small.path / "other.json"), "-o", str(small.path / "merged")])

    assert raw(capsys.readouterr().out) == []
