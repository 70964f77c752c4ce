"""What a run costs: estimated before one, as ``--dry-run`` prints it, and measured after one.

A dry run starts and reaches no hub: what would run and what it would cost follows from what each test asks
for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pytest

from conformance.documents.catalogue import Clause
from conformance.plugin import say_error
from conformance.report.statement import CostPart, SlowCase
from conformance.run.case_needs import unclaimed
from conformance.run.cases import CASE
from conformance.run.dependencies import Stated
from conformance.verdict.clause import Case
from conformance.verdict.run import ExitCode

_COLUMNS: Final = ("clauses", "cases", "not claimed", "identities", "messages")


class DryRun:
    """Registered in place of a run: counts what was collected."""

    def __init__(self, profile: str, stated: Stated) -> None:
        self._profile = profile
        self._stated = stated
        self._rows: dict[str, list[float]] = {}
        self._cases: list[tuple[str, Cost | None]] = []
        self._too_much: str | None = None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count, section by section."""
        clauses: dict[str, set[str]] = {}
        total = Cost()
        for item in session.items:
            if CASE not in item.stash:
                continue
            case = item.stash[CASE]
            row = self._rows.setdefault(case.clause.section, [0.0] * len(_COLUMNS))
            if unclaimed(item, case.clause, case.way, self._stated.claims) is not None:
                row[2] += 1
                self._cases.append((case.id, None))
                continue
            clauses.setdefault(case.clause.section, set()).add(case.clause.id)
            cost = estimate(item, case.clause)
            total += cost
            row[0] = len(clauses[case.clause.section])
            row[1] += 1
            row[3] += cost.identities
            row[4] += cost.messages
            self._cases.append((case.id, cost))
        self._too_much = over_budget(total, self._stated.messages)

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
        yield (
            f"profile {self._profile}: {totals[1]:.0f} cases would run, with {totals[3]:.0f} identities and "
            f"roughly {totals[4]:.0f} messages in blocks of 4 KB{self._of_budget()}"
        )

    def _of_budget(self) -> str:
        budget = self._stated.messages
        return "" if budget is None else f", of {budget} that [limits] messages admits"


# The statement names so many of the slowest cases.
SLOWEST: Final = 10

# Fixtures that make devices and modules, and how many.
_MAKERS: Final[Mapping[str, int]] = {
    "device": 1,
    "other_device": 1,
    "devices_alike": 2,
    "family": 25,  # beside the two of devices_alike, of which it is made
    "module": 1,
    "other_module": 1,
    "bystander": 1,
    "silent_client": 1,
    "register": 1,
    "register_module": 1,
    "exploration": 3,
    "register_vouched": 1,
    "other_vouched": 1,
    "free_name": 1,
    "free_names": 2,
    "longest_name": 1,
    "fleet_names": 5,
}
# Messages of an average case on its devices' connections, by section or clause: what a whole run
# on the embedded hub came to. What a back end asks of twins, and a hub counts too, is not in it.
_MESSAGES: Final[Mapping[str, float]] = {
    "bag": 1.2,
    "c2d": 1.4,
    "d2c": 2.5,
    "desired": 1.9,
    "explore": 23.0,
    "feedback": 0.0,
    "methods": 3.3,
    "monitoring": 1.2,
    "partitions": 1.4,
    "queries": 0.1,
    "registry": 0.0,
    "service-twins": 0.1,
    "session": 3.8,
    "topics": 2.1,
    "twin": 5.9,
    "twin.throttled": 600.0,  # a burst, until one is refused
    "watch": 2.0,
    "websocket": 1.2,
}
_OTHERS: Final = 0.5
# A large case moves up to 256 KB, which a hub counts in blocks of 4 KB.
_LARGE: Final = 35.0


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a case is expected to ask of a hub; roughly."""

    identities: int = 0
    messages: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(identities=self.identities + other.identities, messages=self.messages + other.messages)


def estimate(item: pytest.Item, clause: Clause) -> Cost:
    """Return what a case is expected to cost."""
    fixtures = getattr(item, "fixturenames", ())
    large = item.get_closest_marker("large") is not None
    return Cost(
        identities=sum(_MAKERS.get(name, 0) for name in fixtures),
        messages=_LARGE if large else _MESSAGES.get(clause.id, _MESSAGES.get(clause.section, _OTHERS)),
    )


def over_budget(cost: Cost, budget: int | None) -> str | None:
    """Return why a run may not begin, if it would cost more messages than the profile admits."""
    if budget is None or cost.messages <= budget:
        return None
    return (
        f"this run would cost roughly {cost.messages:.0f} messages, and [limits] messages admits {budget}. "
        "Raise it, or choose fewer cases: --clause, --section."
    )


def measured(cases: Sequence[Case], sections: Mapping[str, str], *, seconds: float, workers: int) -> CostPart:
    """Return where a run's time went. `sections` names the section of each clause."""
    by_section = dict.fromkeys(sections.values(), 0.0)
    for case in cases:
        by_section[sections[case.clause]] += case.seconds
    return CostPart(
        seconds_by_section={name: round(spent, 3) for name, spent in by_section.items() if spent},
        slowest=[
            SlowCase(id=case.id, clause=case.clause, seconds=case.seconds) for case in slowest(cases, SLOWEST)
        ],
        slept_share=round(sum(case.slept for case in cases) / (seconds * workers), 4) if seconds else 0.0,
        messages=sum(case.messages for case in cases),
        identities=sum(case.identities for case in cases),
    )


def slowest(cases: Iterable[Case], most: int) -> list[Case]:
    """Return the cases that took longest, the slowest first."""
    ran = [case for case in cases if case.seconds]
    return sorted(ran, key=lambda case: case.seconds, reverse=True)[:most]
