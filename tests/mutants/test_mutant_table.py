"""What is made of the results: verdicts, classes, rates with their intervals."""

import dataclasses

import pytest
from classes import ClassError, Result, read_classes
from suite import Ran
from table import table, wilson

SAID = {"proof": None, "order": ["one"], "verdicts": {}, "violations_in_crash": 0}
PROOF = {"case": "one", "clause": "c2d.settle", "message": "expected 1, got 2"}


def ran(exit_code, proof=None, words="", **seen):
    board = {"case": 1, "reached": 3, "triggered": 3, "tracebacks": 0, **seen}
    return Ran(exit_code=exit_code, seen=board, said={**SAID, "proof": proof}, words=words, seconds=1.0)


@pytest.mark.parametrize(
    ("run", "verdict"),
    [
        (ran(1, proof=PROOF), "killed"),
        (ran(0), "survived"),
        (ran(10), "inconclusive: exit code 10"),
        (ran(14, tracebacks=1), "inconclusive: traceback"),
        (ran(1, tracebacks=2), "inconclusive: traceback"),
        (ran(0, tracebacks=1), "inconclusive: traceback"),
        (ran(None), "inconclusive: timeout"),
        (ran(1, proof=PROOF, triggered=0), "inconclusive: red without the mutant"),
        (ran(10, case=0, words="the hub was not ready after 30 s"), "inconclusive: hub not ready"),
        (ran(10, case=0, words="the CONNECT of a new device was refused"), "stopped by the preflight"),
        (dataclasses.replace(ran(1), said=None), "inconclusive: hang"),
    ],
)
def test_a_run_has_one_verdict(run, verdict):
    """Killed is a violation by a case that is none without the mutant; no crash and no silence is a kill."""
    assert run.verdict == verdict


@pytest.mark.parametrize("exit_code", [2, -15])
def test_a_run_that_somebody_stopped_has_no_line(exit_code):
    """Ctrl-C, or a signal; no mutant ends pytest so."""
    assert ran(exit_code).is_cut_short


@pytest.mark.parametrize(
    ("killed", "number", "interval"),
    [
        (0, 0, (0.0, 1.0)),
        (0, 10, (0.0, 0.2775)),
        (10, 10, (0.7225, 1.0)),
        (41, 117, (0.2700, 0.4405)),
    ],
)
def test_the_interval_is_wilsons(killed, number, interval):
    assert wilson(killed, number) == pytest.approx(interval, abs=0.0005)


def result(name, verdict, triggered=1):
    return Result(
        name=name,
        module="hub/twin.py",
        line_number=1,
        function="merged",
        number=7,
        change=0,
        operator="boundary",
        words="a < b → a <= b",
        trigger=None,
        verdict=verdict,
        clause="",
        case="",
        message="",
        reached=1,
        triggered=triggered,
        tracebacks=0,
        violations_in_crash=0,
        exit_code=0,
        seconds=1.0,
    )


def test_a_row_counts_the_survivors_of_its_class_and_of_those_above(tmp_path):
    """What is inconclusive, or stopped by the preflight, is on neither side."""
    file = tmp_path / "classes.toml"
    file.write_text(
        '[plain.2]\nclass = "document"\nsource = "S1"\nproof = "a"\n'
        '[plain.3]\nclass = "equivalent"\nproof = "b"\n'
    )
    results = [
        *(result(str(number), "killed") for number in (0, 1)),
        *(result(str(number), "survived") for number in (2, 3, 4)),
        result("5", "inconclusive: traceback"),
        result("6", "stopped by the preflight"),
    ]

    said = table("plain", "c0ffee", results, read_classes(file)).splitlines()

    assert [
        line for line in said if line.startswith(("| breaks the document", "| … or: the same", "| all"))
    ] == [
        "| breaks the document or MQTT 3.1.1 | 2 | 1 | 66.7% | 20.8% to 93.9% |",
        "| … or: the same program | 2 | 2 | 50.0% | 15.0% to 85.0% |",
        "| all | 2 | 3 | 40.0% | 11.8% to 76.9% |",
    ]
    assert said[-1] == "1 survivors without a class: 4"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('class = "fine"\nproof = "a"', "needs a class"),
        ('class = "equivalent"', "says no proof"),
        ('class = "document"\nproof = "a"', "names no source"),
    ],
)
def test_a_class_has_its_proof_and_a_breach_its_source(tmp_path, entry, message):
    file = tmp_path / "classes.toml"
    file.write_text(f"[plain.2]\n{entry}\n")

    with pytest.raises(ClassError, match=rf"classes\.toml: plain\.2: {message}"):
        read_classes(file)
