"""A case that failed while the suite itself was held up runs again: our lateness is never the hub's fault.

It runs anew from its fixtures on, with new devices, three times at most. If the suite was held up each time,
the case is broken: nothing is known of the hub.
"""

import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Final

import pytest
from _pytest.runner import runtestprotocol  # what pytest itself runs a test with; it has no public name

from conformance.run.watchdog import Pulse

if TYPE_CHECKING:
    from conformance.run.cases import RunningCase
    from conformance.run.worker import Runner

ATTEMPTS: Final = 3


class Again:
    """Runs each case of the suite, and runs it again where it says nothing."""

    def __init__(self, runner: "Runner") -> None:
        self._runner = runner
        self._pulse = Pulse()
        self._began = 0.0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run a case as often as it takes; report the last attempt alone."""
        case = self._runner.current
        if case is None:
            return None
        self._pulse.start()
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self._last_attempt(item, nextitem, case):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Tell the case, before anything is made of how its phase ended, whether we were in time."""
        if self._runner.current is not None:
            self._runner.current.held_up = self._pulse.held_up_since(self._began)
        return (yield)

    def pytest_sessionfinish(self) -> None:
        """End the heartbeat."""
        self._pulse.stop()

    def _last_attempt(
        self, item: pytest.Item, nextitem: pytest.Item | None, case: "RunningCase"
    ) -> list[pytest.TestReport]:
        properties = tuple(item.user_properties)
        while True:
            self._began = time.monotonic()
            reports = runtestprotocol(item, log=False, nextitem=nextitem)
            if not case.says_nothing or case.attempt == ATTEMPTS:
                return reports
            properties = (*properties, ("ran again", case.why_again))
            item.user_properties[:] = properties
            case = self._runner.begin_again(item, case)
