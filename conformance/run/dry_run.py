"""What a run costs: estimated before one, as ``--dry-run`` prints it, and measured after one.

A dry run starts and reaches no hub: what would run and what it would cost follows from what each test asks
for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import pytest

from conformance.documents.catalogue import Clause
from conformance.evidence.asked import Asked
from conformance.plugin import say_error
from conformance.report.printable import plural
from conformance.report.statement import CostPart, SlowCase
from conformance.run import costs
from conformance.run.case_needs import unclaimed
from conformance.run.cases import CASE
from conformance.run.costs import Cost
from conformance.run.dependencies import Stated
from conformance.run.run_state import LEFT
from conformance.verdict.clause import Case
from conformance.verdict.run import ExitCode
from conformance.ways.way import Way

_COLUMNS: Final = ("clauses", "cases", "not claimed", "identities", "messages", "connections")


class DryRun:
    """Registered in place of a run: counts what was collected."""

    def __init__(self, profile: str, stated: Stated, workers: int) -> None:
        self._profile = profile
        self._stated = stated
        self._wanted_workers = workers
        self._workers = workers
        self._lanes = 1
        self._rows: dict[str, list[float]] = {}
        self._cases: list[tuple[str, Cost | None]] = []
        self._will_run: list[tuple[pytest.Item, Clause, Way]] = []
        self._whole = Cost()
        self._too_much: str | None = None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count, section by section."""
        clauses: dict[str, set[str]] = {}
        stated = self._stated
        for item in session.items:
            if CASE not in item.stash:
                continue
            case = item.stash[CASE]
            row = self._rows.setdefault(case.clause.section, [0.0] * len(_COLUMNS))
            if unclaimed(item, case.clause, case.way, stated.claims) is not None or LEFT in item.stash:
                row[2] += 1
                self._cases.append((case.id, None))
                continue
            clauses.setdefault(case.clause.section, set()).add(case.clause.id)
            cost = costs.estimate(
                item, case.clause, case.way, far=stated.named, makes_devices=stated.makes_devices
            )
            row[0] = len(clauses[case.clause.section])
            row[1] += 1
            row[3] += cost.identities
            row[4] += cost.messages
            row[5] += cost.connections
            self._cases.append((case.id, cost))
            self._will_run.append((item, case.clause, case.way))
        self._workers = min(self._wanted_workers, stated.workers or self._wanted_workers)
        self._lanes = stated.lanes(self._workers)
        self._whole = costs.of_run(
            self._will_run,
            stated.claims,
            workers=self._workers * self._lanes,
            far=stated.named,
            makes_devices=stated.makes_devices,
        )
        self._too_much = costs.over_budget(self._whole, stated.messages)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run nothing, and keep nothing in a cache. An error of the collection is pytest's own business."""
        cache = getattr(session.config, "cache", None)
        if cache is not None:
            cache.set = lambda *_: None
        return None if session.testsfailed else True

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """End as the run would: refused, if it would cost too much."""
        if self._too_much is not None:
            say_error(self._too_much)
            session.exitstatus = ExitCode.USAGE

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the table; with -v every case too."""
        if not self._rows:
            return
        terminalreporter.section("dry run", sep="=")
        lines = [*(self._each() if terminalreporter.verbosity > 0 else ()), *self._table()]
        for line in lines:
            terminalreporter.write_line(line)

    def _each(self) -> Iterator[str]:
        for name, cost in self._cases:
            yield f"{name}: " + ("not claimed" if cost is None else f"{cost.identities} identities")
        yield ""

    def _table(self) -> Iterator[str]:
        width = max(len("section"), *(len(section) for section in self._rows))
        yield "  ".join([f"{'section':<{width}}", *_COLUMNS])
        totals = [sum(column) for column in zip(*self._rows.values(), strict=True)]
        for section, row in (*self._rows.items(), ("total", totals)):
            cells = (f"{round(cell) or '.':>{len(name)}}" for cell, name in zip(row, _COLUMNS, strict=True))
            yield "  ".join([f"{section:<{width}}", *cells])
        yield ""
        whole = self._whole
        yield (
            f"profile {self._profile}, depth {self._stated.depth}: {totals[1]:.0f} cases would run, with "
            f"{totals[3]:.0f} identities{self._at_once()}"
        )
        yield (
            f"with preflight and clearing up roughly {whole.messages:.0f} messages in blocks of 4 KB"
            f"{self._of_budget()}, {whole.registry_operations:.0f} registry operations, "
            f"{whole.connections:.0f} connections"
        )
        yield (
            f"on a hub of the free edition roughly {whole.free_messages:.0f} messages, in blocks of 0.5 KB, "
            f"of {FREE_DAY} a day"
        )
        workers = f"{plural(self._workers, 'worker')}{self._processes()}"
        yield f"roughly {self._minutes()} on {workers}{self._where()}"
        if self._stated.unset:
            yield f"not set, and a run needs it: {', '.join(self._stated.unset)}"

    def _at_once(self) -> str:
        at_once = self._whole.at_once
        return f", at most {at_once} devices at once" if at_once else ""

    def _minutes(self) -> str:
        minutes = self._whole.seconds / 60
        return f"{minutes:.0f} minutes" if minutes >= SOME else f"{max(minutes, 0.1):.1f} minutes"

    def _processes(self) -> str:
        return f" of {self._lanes} processes each" if self._lanes > 1 else ""

    def _where(self) -> str:
        if not self._stated.named:
            return ""
        return ", on a hub that is 80 ms away, with the figures of profiles/real-hub.toml"

    def _of_budget(self) -> str:
        budget = self._stated.messages
        return "" if budget is None else f", of {budget} that [limits] messages admits"


# What the free edition takes in a day ("Azure IoT Hub pricing").
FREE_DAY: Final = 8000
# The statement names so many of the slowest cases.
SLOWEST: Final = 10
# Minutes above which tenths of one say nothing.
SOME: Final = 10


def measured(
    cases: Sequence[Case], sections: Mapping[str, str], asked: Asked, *, seconds: float, workers: int
) -> CostPart:
    """Return where a run's time went, and what it asked of the hub. `sections` names that of each clause."""
    by_section = dict.fromkeys(sections.values(), 0.0)
    for case in cases:
        by_section[sections[case.clause]] += case.seconds
    return CostPart(
        seconds_by_section={name: round(spent, 3) for name, spent in by_section.items() if spent},
        slowest=[
            SlowCase(id=case.id, clause=case.clause, seconds=case.seconds) for case in slowest(cases, SLOWEST)
        ],
        slept_share=round(sum(case.slept for case in cases) / (seconds * workers), 4) if seconds else 0.0,
        messages=asked.messages,
        free_messages=asked.free_messages,
        registry_operations=asked.registry_operations,
        connections=asked.connections,
        identities=sum(case.identities for case in cases),
    )


def slowest(cases: Iterable[Case], most: int) -> list[Case]:
    """Return the cases that took longest, the slowest first."""
    ran = [case for case in cases if case.seconds]
    return sorted(ran, key=lambda case: case.seconds, reverse=True)[:most]
