"""Shows how far a run is: one line that is rewritten in a terminal, a line for each tenth in a log.

It stands in place of pytest's dots. Where pytest names every case (``-v``, ``--setup-show``), nothing stands
beside that. Time shows too: cases may wait for minutes, and then a thread draws what no case would.
"""

import contextlib
import os
import shutil
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Final, TextIO

import pytest

from conformance.documents.catalogue import Catalogue
from conformance.report import progress
from conformance.report.progress import Pace, Progress
from conformance.run.cases import stopwatch
from conformance.run.records import Records
from conformance.verdict.needs import Claims, not_claimed

_ERASE_THE_REST: Final = "\x1b[K"
# How often time is looked at, in seconds: a clock in a terminal shall go.
_TICK: Final = 1.0


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
        self._lock = threading.RLock()

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
            with self._clock_that_goes():
                return (yield)
        finally:
            self._draw()
            self._reporter = None
            reporter.ensure_newline()

    @contextlib.contextmanager
    def _clock_that_goes(self) -> Iterator[None]:
        """Draw while no case begins or ends, on a stream of its own: pytest takes standard output away.

        Where that is no file, as in a test of pytest's own, time shows with the next case alone.
        """
        try:
            out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding=sys.stdout.encoding, errors="replace")
        except (AttributeError, OSError, ValueError):
            yield
            return
        over = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(out, over), name="progress", daemon=True)
        ticker.start()
        try:
            yield
        finally:
            over.set()
            ticker.join()
            with contextlib.suppress(OSError):  # whoever read it has gone
                out.close()

    def _tick(self, out: TextIO, over: threading.Event) -> None:
        while not over.wait(_TICK):
            with self._lock:
                text = self._due()
                if text is not None:
                    with contextlib.suppress(OSError):
                        out.write(text if self._live else f"{text}\n")
                        out.flush()

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self) -> Generator[None, tuple[str, str, object], tuple[str, str, object]]:
        """Let pytest count each case and write no letter for it; its summary still has all words."""
        category, letter, word = yield
        return (category, letter, word) if self._reporter is None else (category, "", "")

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Show the section of a case that begins."""
        if self._reporter is not None:
            with self._lock:
                self._counted().begin(nodeid, self._clock())
            self._draw()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a case at its end, also one whose worker died."""
        if self._reporter is None or report.when in {"setup", "call"}:
            return
        with self._lock:
            self._counted().end(report.nodeid, self._records.heard(report.nodeid))
        self._draw()

    def _counted(self) -> Progress:
        """Return what counts; with xdist, what was collected is known when the first case begins."""
        if self._progress is None:
            claims, clauses = self._claims(), self._catalogue.clauses
            cited = {node: each["clause"] for node, each in self._records.collected().items()}
            self._progress = Progress(
                {node: clauses[clause].section for node, clause in cited.items()},
                [section.name for section in self._catalogue.sections],
                {
                    clause.id
                    for clause in clauses.values()
                    if clause.level in {"must", "disputed"} and not_claimed(clause.needs, claims) is None
                },
                cited,
            )
        return self._progress

    def _draw(self) -> None:
        with self._lock:
            reporter, text = self._reporter, self._due()
            if reporter is None or text is None:
                return
            if self._live:
                # Not `rewrite`: pytest would keep every line ever written, to know how long the last one is.
                reporter.write_raw(text, flush=True)
                reporter.currentfspath = -2  # what pytest itself puts there in the middle of a line
            else:
                reporter.write_line(text)
                reporter.flush()

    def _due(self) -> str | None:
        """Return what is to be written now: a line of a log, or what writes over that of a terminal."""
        if self._reporter is None or self._progress is None:
            return None
        total, seconds = self._total(), self._clock()
        if self._live:
            return self._rewritten(self._progress.now(total, seconds))
        reached = self._progress.since_last(total, seconds)
        if not self._pace.due(reached):
            return None
        self._progress.forget()
        return progress.line(reached)

    def _rewritten(self, reached: progress.Reached) -> str:
        """Return what writes over the line. Whatever pytest writes next then begins a line of its own."""
        width = shutil.get_terminal_size().columns - 1
        text = progress.live(reached, width)
        red = bool(reached.violated or reached.stale or reached.broken)
        written = self._config.get_terminal_writer().markup(text, red=red)
        return f"\r{written}{_ERASE_THE_REST}"

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
