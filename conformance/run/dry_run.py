"""``--dry-run``: what would run and what it would cost. No hub is started or reached."""

from collections.abc import Iterator
from typing import Final

import pytest

from conformance.plugin import say_error
from conformance.run.cost import Cost, estimate, over_budget
from conformance.run.dependencies import Stated
from conformance.run.worker import CASE
from conformance.verdict.needs import not_claimed
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
            large = item.get_closest_marker("large") is not None
            if not_claimed(case.clause.needs, self._stated.claims, large=large) is not None:
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
