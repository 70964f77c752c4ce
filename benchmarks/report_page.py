"""Seconds to render one page of 600 cases from its statement, and the size of the page.

A tenth of the cases is violated, each with a transcript of 3 KB; another tenth is observed.
"""

import argparse
import statistics
import time
from typing import Any

from conformance.report import summary
from conformance.report.html.page import render
from conformance.report.statement import Statement

CASES_A_CLAUSE = 4
CLAUSES_A_SECTION = 10
WIRE = "\n".join(
    f"{number:>6}.0 ms  c1 → PUBLISH  qos=1 packet={number} devices/conf-1/messages/events/ (3 bytes)"
    for number in range(40)
)


def main() -> None:
    """Measure, and print one line per round and the median."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()

    made = statement(arguments.cases)
    seconds = []
    for number in range(arguments.rounds):
        begin, begin_busy = time.perf_counter(), time.process_time()
        page = render(made)
        seconds.append(time.perf_counter() - begin)
        print(f"round {number + 1}: {seconds[-1]:.3f} s, {time.process_time() - begin_busy:.3f} s of a core")
    begin = time.perf_counter()
    short = summary.render(made)
    print(f"summary: {time.perf_counter() - begin:.3f} s, {len(short.encode()) / 1024:.0f} KiB")
    size = len(page.encode()) / 1024
    median = statistics.median(seconds)
    print(f"page of {arguments.cases} cases: median {median:.3f} s, {size:.0f} KiB (goal: below 2 s)")


def statement(cases: int) -> Statement:
    """Return a statement of about so many cases."""
    clauses = [clause(number) for number in range(cases // CASES_A_CLAUSE)]
    sections = dict.fromkeys(each["section"] for each in clauses)
    return Statement.model_validate(
        {
            "schema": 1,
            "suite": {"name": "suite", "version": "1", "clauses_digest": "c" * 64, "digest": "d" * 64},
            "document": {
                "title": "The document",
                "date": "2018-10-12",
                "language": "pt-BR",
                "url": "https://x",
            },
            "target": {"name": "hub", "host": "hub.example"},
            "profile": {"name": "small"},
            "claims": {"capabilities": [], "timing": {}, "large": False},
            "run": {
                "started": "2026-11-23T00:00:00+00:00",
                "seconds": 60.0,
                "workers": 1,
                "cases": len(clauses) * CASES_A_CLAUSE,
                "slept_seconds": 0.0,
                "exit_code": 1,
                "partial": False,
            },
            "summary": {},
            "sections": [{"name": name, "title": name, "link": "https://x"} for name in sections],
            "clauses": clauses,
        }
    )


def clause(number: int) -> dict[str, Any]:
    """Return one clause with its cases."""
    verdict = {0: "violation", 1: "observed"}.get(number % 10, "pass")
    section = f"section{number // CLAUSES_A_SECTION}"
    return {
        "id": f"{section}.clause{number}",
        "section": section,
        "level": "observe" if verdict == "observed" else "must",
        "source": "document",
        "says": "The hub hands what is published to its events topic to the back end.",
        "link": "https://x#y",
        "note": None,
        "statements": ["S1"],
        "mqtt": [],
        "accepted": [],
        "verdict": verdict,
        "reason": "",
        "readings": [],
        "sightings": 0,
        "cases": [case(f"test_x.py::test_{number}[{each}]", verdict) for each in range(CASES_A_CLAUSE)],
    }


def case(name: str, verdict: str) -> dict[str, Any]:
    """Return one case, with evidence where it is not a pass."""
    evidence = {"expected": "closed", "actual": "PUBREC", "transcript": WIRE} if verdict != "pass" else {}
    return {
        "id": name,
        "title": "A message published to the events topic arrives at the back end.",
        "verdict": verdict,
        "reading": None,
        "observed": "pubrec" if evidence else "",
        "seconds": 0.01,
        "message": "PUBREC instead of a close" if evidence else "",
        **evidence,
    }


if __name__ == "__main__":
    main()
