"""What pytest lists at the end of a run: of cases that fail alike one, with the number of all.

Each case stays what it is in every count, in JUnit's file and in the report.
"""

import copy
from collections.abc import Generator, Hashable, Sequence
from typing import Any, Final

import pytest

from conformance.report.alike import likeness, own_part
from conformance.report.case_text import WIDTH
from conformance.report.printable import plural
from conformance.run.records import Records

# pytest's words for a failed call, and for a failed setup or teardown.
_KINDS: Final = ("failed", "error")
# So many of the others are named.
_MOST_NAMED: Final = 8


def is_brief(config: pytest.Config) -> bool:
    """Say whether failures are told in brief: --tb and --showlocals ask for pytest's own view of them."""
    option = config.option  # which has neither without a terminal
    return getattr(option, "tbstyle", "auto") == "auto" and not getattr(option, "showlocals", False)


class Failures:
    """Lists failures of the suite's cases once for each likeness; those of other tests as ever."""

    def __init__(self, records: Records) -> None:
        self._records = records

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None]:
        """Hand pytest one report of each likeness; behind its summary it has them all again."""
        stats = terminalreporter.stats
        whole = {kind: stats[kind] for kind in _KINDS if kind in stats}
        try:
            for kind, reports in whole.items():
                stats[kind] = self._once(reports)
            return (yield)
        finally:
            for kind, reports in whole.items():
                stats[kind] = reports

    def _once(self, reports: Sequence[Any]) -> list[Any]:
        groups: dict[Hashable, list[Any]] = {}
        for report in reports:
            groups.setdefault(self._likeness(report), []).append(report)
        # A case in the first way says most: what a further way adds to its name is not the matter.
        return [self._shown(*sorted(group, key=_is_of_a_further_way)) for group in groups.values()]

    def _likeness(self, report: Any) -> Hashable:
        record = self._records.heard(report.nodeid)
        if record is None:
            return report.nodeid, getattr(report, "when", None)
        return record.clause, report.when, likeness(record)

    def _shown(self, report: Any, *others: Any) -> Any:
        """Return the report of a case as the terminal shows it, with the names of those that are like it."""
        record = self._records.heard(report.nodeid)
        if record is None:
            return report
        shown = copy.copy(report)
        # Whose line says which worker it was, on which Python.
        vars(shown).pop("node", None)
        crash = getattr(report.longrepr, "reprcrash", None)
        if others and crash is not None:
            names = [_name(each.nodeid, report.nodeid) for each in others[:_MOST_NAMED]]
            more = [] if len(others) <= _MOST_NAMED else ["…"]
            shown.longrepr = copy.deepcopy(report.longrepr)
            shown.longrepr.reprcrash.message = f"{len(others) + 1} cases: {crash.message}"
            entry = shown.longrepr.reprtraceback.reprentries[-1]
            entry.lines.append(
                f"  {'Alike':<{WIDTH}}{plural(len(others), 'more case')}: {' '.join([*names, *more])}"
            )
        return shown


def _is_of_a_further_way(report: Any) -> bool:
    return "@" in report.nodeid.partition("[")[0]


def _name(node_id: str, first: str) -> str:
    """Return how a case is told from the first one: by its parameters where it is the same test's."""
    part = own_part(node_id)
    if node_id.removesuffix(part) == first.removesuffix(own_part(first)):
        return part
    file, _, name = node_id.rpartition("::")
    return name if first.startswith(f"{file}::") else node_id.rpartition("/")[2]
