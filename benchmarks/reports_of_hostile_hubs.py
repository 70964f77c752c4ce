"""Seconds to write the report of each hub of tests/hostile, its size, and the memory of the run.

First of a report that is as full as its limits let it be, without a hub: 900 cases, each violated, with the
longest texts and transcript, and four watched rules broken in each. It is read and compared, too. Then of a
part of the suite on each hub, the one that `make hostile` runs; with --whole, of all of it, for an hour.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from conformance.documents import catalogue as clauses
from conformance.evidence.transcript import LIMIT_BYTES
from conformance.evidence.watch import CLAUSES
from conformance.report import formats, json_report, secret_scan
from conformance.report.comparison import compare
from conformance.report.html import comparison as comparison_page
from conformance.report.limits import fitted
from conformance.report.publication import make
from conformance.report.statement import ProfilePart, RunPart, Statement
from conformance.run.reporting import Reporting
from conformance.verdict.clause import Breach, Case, judge
from conformance.verdict.needs import Claims
from conformance.verdict.verdicts import Verdict

HERE = Path(__file__).parent
HOSTILE = HERE.parent / "tests" / "hostile"
SECONDS = "REPORT_SECONDS"
CASES = 900
# Seconds that all cases may take on the worst of them.
PATIENCE = 3600

T = TypeVar("T")


def main() -> None:
    """Measure, and print one line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hubs", nargs="*", metavar="HUB", help="by default all of them")
    parser.add_argument("--whole", action="store_true", help="all cases, on two workers")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        fullest(Path(folder))
    sys.path.insert(0, str(HOSTILE))
    from hostile_run import run_suite_on  # noqa: PLC0415 - they lie beside their tests
    from test_reports_open import PARTS  # noqa: PLC0415

    parts = {hub.__name__: words for hub, words in PARTS.items()}
    for hub in arguments.hubs or parts:
        words = ("-n", "2") if arguments.whole else parts[hub]
        with tempfile.TemporaryDirectory() as folder:
            os.environ[SECONDS] = str(Path(folder, "seconds"))
            left = run_suite_on(
                hub, Path(folder), *words, plugins=[Path(__file__).stem], path=[HERE], within=PATIENCE
            )
            seconds = float(Path(folder, "seconds").read_text())
            print(
                f"{hub}: written in {seconds:.1f} s (goal: 10 s), {left.size / 1e6:.1f} MB (goal: 20 MB), "
                f"{left.memory / 1e6:.0f} MB of memory (goal: 1000 MB), {left.took:.0f} s in all"
            )


def pytest_configure() -> None:
    """Measure how long the report of a run takes: as a plugin of the run."""
    write = Reporting.write

    def measured(self: Reporting, *arguments: Any, **named: Any) -> Any:
        begin = time.perf_counter()
        try:
            return write(self, *arguments, **named)
        finally:
            Path(os.environ[SECONDS]).write_text(str(time.perf_counter() - begin))

    Reporting.write = measured  # type: ignore[method-assign]


def fullest(folder: Path) -> None:
    """Measure a report that is as full as its limits let it be."""
    made = timed("judged and fitted", statement)
    timed("written", lambda: formats.write_all(made, folder))
    timed("searched for secrets", lambda: secret_scan.scrub([folder]))
    read = timed("read", lambda: json_report.read(folder / "conformance.json"))
    page = timed("compared with itself", lambda: comparison_page.render(compare(read, other(read))))
    timed("fitted again, as after merging", lambda: fitted(read))
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(
        f"the fullest report: {size / 1e6:.1f} MB (goal: 20 MB), its comparison {len(page) / 1e6:.1f} MB, "
        f"{memory:.0f} MB of memory"
    )


def timed(what: str, do: Callable[[], T]) -> T:
    """Do something, and print how long it took."""
    begin, begin_busy = time.perf_counter(), time.process_time()
    done = do()
    print(f"{what}: {time.perf_counter() - begin:.2f} s, {time.process_time() - begin_busy:.2f} s of a core")
    return done


def statement() -> Statement:
    """Return what a run says that found everything wrong, everywhere, at length."""
    catalogue = clauses.load()
    ids = [clause.id for clause in catalogue.clauses.values() if clause.level == "must" and not clause.needs]
    claims = Claims()
    cases = [case(number, ids[number % len(ids)]) for number in range(CASES)]
    run = RunPart(
        started="2026-11-23T02:00:00+00:00", seconds=60.0, workers=2, cases=CASES, slept_seconds=0.0,
        exit_code=1, partial=False,
    )  # fmt: skip
    return make(
        catalogue,
        judge(catalogue, cases, claims),
        profile=ProfilePart(name="hostile"),
        target={"name": "hub", "host": "hub.example"},
        claims=claims,
        run=run,
    )


def case(number: int, clause: str) -> Case:
    """Return one case with all that it may hold."""
    line = (
        'c1 ← PUBLISH  qos=1 packet={} devices/conf-0a1b2c3d-gw0-{}/messages/devicebound/ (5 bytes) "hello"'
    )
    lines = [f"{at:>6} ms  {line.format(at, number)}" for at in range(LIMIT_BYTES // 110)]
    breaches = [
        Breach(clause=watched, message=f"{number} {'b' * 990}", observed="puback", count=5000)
        for watched in CLAUSES[:4]
    ]
    return Case(
        id=f"test_everything.py::test_a_rule_is_kept_by_the_hub_in_each_of_many_ways[way-{number}]",
        clause=clause,
        verdict=Verdict.VIOLATION,
        observed="publish, " * 44,
        began=1.8e9,
        seconds=1.5,
        message=f"{number} {'m' * 4000}",
        expected="e" * 4096,
        actual=f"{number} {'a' * 4000}",
        transcript="\n".join(lines),
        worker="gw0",
        breaches=tuple(breaches),
        title="A rule is kept by the hub in each of many ways.",
    )


def other(made: Statement) -> Statement:
    """Return a statement every case of which says something else."""
    cases = [
        clause.model_copy(
            update={"cases": [each.model_copy(update={"observed": "closed"}) for each in clause.cases]}
        )
        for clause in made.clauses
    ]
    return made.model_copy(update={"clauses": cases})


if __name__ == "__main__":
    main()
