"""The page that Allure makes of two runs: installed as `make report` does it, and rendered once."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from sample import case, clause, holding, statement, violation

from conformance.report import json_report
from conformance.report.statement import Statement

ROOT = Path(__file__).parents[2]
GENERATOR = ROOT / ".venv-allure" / "node_modules" / "allure" / "cli.js"
BUILD_SECONDS = 600

DEVIATION = {
    "clause": "twin.get",
    "case": "*known*",
    "observed": "status 200",
    "reason": "the table says 200 (and [so] does $ the hub)",
    "since": "2026-01-01",
    "expires": "2027-01-01",
    "link": "https://tracker.example/12",
}
STALE = DEVIATION | {"clause": "twin.patch", "reason": "it was so once"}


def judged(**fields) -> Statement:
    """Return a statement with every verdict of a case, a crashed worker and an error of collection."""
    known = violation("known", deviation=DEVIATION, observed="status 200") | {"verdict": "known deviation"}
    stale = case("stale", "stale deviation", message="the clause holds now", deviation=STALE)
    crashed = case("crash", "broken", message="worker gw1 died: Not properly terminated", worker="gw1")
    return statement(
        clause("d2c.qos2", case(1), violation(2), violation(3)),
        clause("d2c.order", case(7, "observed", observed="in order"), level="observe"),
        clause("twin.get", known, violation("other", message="(until 2027-01-01)")),
        clause("twin.patch", stale),
        clause("twin.broken", case(8, "broken", message="setting the stage: no CONNACK"), crashed),
        clause("twin.unseen", case(9, "not tested", message="the hub never asked")),
        clause("c2d.deliver", case(10, "not claimed", message="needs c2d"), reason="needs c2d"),
        clause("watch.ids", case(11), violation(3, in_passing=True), sightings=12),
        deviations=[
            DEVIATION | {"state": "known", "cases": [known["id"]]},
            STALE | {"state": "stale", "cases": [stale["id"]]},
        ],
        run={"remarks": ["test_half.py: SyntaxError: '(' was never closed"]},
        **fields,
    )


def reports(folder: Path) -> tuple[Path, Path]:
    """Write the reports of two runs into a folder."""
    found = folder / "one hub", folder / "other hub"
    for place, made in zip(found, (judged(), holding()), strict=True):
        place.mkdir()
        json_report.write(made, place / "conformance.json")
    return found


def six_hundred() -> Statement:
    """Return a statement of 600 cases, 60 violated and 60 observed, each with 3 KB of packets."""
    wire = "\n".join(
        f"{number:>6}.0 ms  c1 → PUBLISH  qos=1 packet={number} devices/conf-1/messages/events/ (3 bytes)"
        for number in range(40)
    )
    kinds = {
        0: lambda name: violation(name, transcript=wire),
        1: lambda name: case(name, "observed", observed="closed", transcript=wire),
    }
    return statement(
        *(
            clause(
                f"s{number // 10}.clause-{number}",
                *(kinds.get(number % 10, case)(f"{number}-{each}") for each in range(4)),
                level="observe" if number % 10 == 1 else "must",
                says="The hub hands what is published to its events topic to the back end.",
            )
            for number in range(150)
        )
    )


def rendered(python: str, shared: Path) -> Path:
    """Return the folder of both, one and large, .html; a test fails here where they cannot be made."""
    folder = shared / "allure"
    with (shared / "allure.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _run(["make", "--no-print-directory", ".venv-allure/.ready"], ROOT)
            _render(python, shared / "allure-new")
            (shared / "allure-new").rename(folder)
    return folder


def _render(python: str, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    one, other = reports(folder)
    (folder / "elsewhere").mkdir()
    large = folder / "six hundred"
    large.mkdir()
    json_report.write(six_hundred(), large / "conformance.json")
    for name, shown in (("both", [one, other]), ("one", [one]), ("large", [large])):
        command = [python, "-m", "conformance", "allure", *shown, "-o", folder / f"{name}.html"]
        _run([*command, "--generator", GENERATOR], folder / "elsewhere")


def _run(command: list[object], folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(
        [str(word) for word in command], check=False, capture_output=True, text=True, cwd=folder,
        env=environment, timeout=BUILD_SECONDS,
    )  # fmt: skip
    if done.returncode:
        pytest.fail(f"{command}: {done.stdout}{done.stderr}", pytrace=False)
