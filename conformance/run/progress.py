"""Shows how far a run is: one line that is rewritten in a terminal, a line for each tenth in a log.

It stands in place of pytest's dots. Where pytest names every case (``-v``, ``--setup-show``), nothing stands
beside that.
"""

import os
import shutil
from collections.abc import Callable, Generator
from typing import Final

import pytest

from conformance.documents.catalogue import Catalogue
from conformance.report import progress
from conformance.report.progress import Pace, Progress
from conformance.run.cases import stopwatch
from conformance.run.records import Records
from conformance.verdict.needs import Claims, not_claimed

_ERASE_THE_REST: Final = "\x1b[K"


class ShownProgress:
    """The progress of one run. Registered in the process that was started; `claims` is asked once."""

    def __init__(
        self, config: pytest.Config, records: Records, catalogue: Catalogue, claims: Callable[[], Claims]
    ) -> None:
        self._config = config
        self._records = records
        self._catalogue = catalogue
        self._claims = claims
        self._reporter: pytest.TerminalReporter | None = None
        self._progress: Progress | None = None
        self._pace = Pace()
        self._total: Callable[[], int] = lambda: 0
        self._live = False

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Take the place of the dots while cases run; leave the cursor at the beginning of a line."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        named_by_pytest = getattr(self._config.option, "setupshow", False)
        if reporter is None or reporter.showlongtestinfo or named_by_pytest:  # -p no:terminal, -v
            return (yield)
        self._reporter, self._live = reporter, bool(reporter.isatty()) and self._owns_the_terminal()
        self._total = lambda: session.testscollected
        self._clock = stopwatch()
        reporter.showfspath = False
        if not self._config.pluginmanager.hasplugin("dsession"):  # xdist writes this empty line itself
            reporter.line("")
        try:
            return (yield)
        finally:
            self._draw()
            self._reporter = None
            reporter.ensure_newline()

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self) -> Generator[None, tuple[str, str, object], tuple[str, str, object]]:
        """Let pytest count each case and write no letter for it; its summary still has all words."""
        category, letter, word = yield
        return (category, letter, word) if self._reporter is None else (category, "", "")

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Show the section of a case that begins."""
        if self._reporter is not None:
            self._counted().begin(nodeid)
            self._draw()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a case at its end, also one whose worker died."""
        if self._reporter is None or report.when in {"setup", "call"}:
            return
        self._counted().end(report.nodeid, self._records.heard(report.nodeid))
        self._draw()

    def _counted(self) -> Progress:
        """Return what counts; with xdist, what was collected is known when the first case begins."""
        if self._progress is None:
            claims, clauses = self._claims(), self._catalogue.clauses
            self._progress = Progress(
                {node: clauses[each["clause"]].section for node, each in self._records.collected().items()},
                [section.name for section in self._catalogue.sections],
                {
                    clause.id
                    for clause in clauses.values()
                    if clause.level in {"must", "disputed"} and not_claimed(clause.needs, claims) is None
                },
            )
        return self._progress

    def _draw(self) -> None:
        if self._reporter is None or self._progress is None:
            return
        total, seconds = self._total(), self._clock()
        if self._live:
            self._rewrite(self._reporter, self._progress.now(total, seconds))
        elif self._pace.due(self._progress.since_last(total, seconds)):
            self._reporter.write_line(progress.line(self._progress.since_last(total, seconds)))
            self._progress.forget()

    def _rewrite(self, reporter: pytest.TerminalReporter, reached: progress.Reached) -> None:
        """Write over the line. Whatever pytest writes next then begins a line of its own."""
        width = shutil.get_terminal_size().columns - 1
        text = progress.live(reached, width)
        red = bool(reached.violated or reached.stale or reached.broken)
        # Not `rewrite`: pytest would keep every line ever written, to know how long the last one is.
        written = self._config.get_terminal_writer().markup(text, red=red)
        reporter.write_raw(f"\r{written}{_ERASE_THE_REST}", flush=True)
        reporter.currentfspath = -2  # what pytest itself puts there in the middle of a line

    def _owns_the_terminal(self) -> bool:
        """Say whether nothing else writes into the terminal while a case runs."""
        option = self._config.option
        chatty = ("usepdb", "trace", "log_cli_level")
        return (
            os.environ.get("TERM") != "dumb"
            and getattr(option, "capture", "no") not in {"no", "tee-sys"}
            and not any(getattr(option, name, None) for name in chatty)
            and not self._config.getini("log_cli")
        )
