"""The run as a whole: opens the target once, hears every case's record, decides, reports, clears up.

Registered by `conformance.plugin` in the process that was started, not in xdist's workers. With -n it runs
no case.
"""

import dataclasses
import functools
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.documents.catalogue import Catalogue
from conformance.errors import HarnessError, NotWritten
from conformance.evidence import asked
from conformance.plugin import refuse, say_error
from conformance.report import terminal
from conformance.report.printable import plural
from conformance.report.redaction import redact
from conformance.report.redaction_hooks import clean
from conformance.report.statement import RunPart
from conformance.run import dry_run, exploration, run_state
from conformance.run.cases import stopwatch
from conformance.run.dependencies import Collaborators, OpenTarget, Options
from conformance.run.dry_run import DryRun
from conformance.run.failures import Failures, is_brief
from conformance.run.halves import HALF, check_places, covers, folder, half_of
from conformance.run.identities import left_behind
from conformance.run.interrupts import FirstInterruptOnly
from conformance.run.leftovers import new_id
from conformance.run.long_waits import SHORTER, SaidBeforehand
from conformance.run.progress import ShownProgress
from conformance.run.records import Records
from conformance.run.reporting import Reporting, Written, aim, command, header
from conformance.run.run_state import DEPTH, STATE, RunState
from conformance.run.selection import Selection, left_out_by
from conformance.run.silence import Silence
from conformance.verdict import deviation
from conformance.verdict.clause import Case, Judgement, judge
from conformance.verdict.deviation_states import Found, State, states
from conformance.verdict.needs import Claims, is_shut
from conformance.verdict.run import ExitCode, exit_code
from conformance.ways.way import entrance_of

NAME: Final = "conformance-controller"
# pytest ended before the cases did; its code says why.
_CUT_SHORT: Final = frozenset({ExitCode.INTERRUPTED, ExitCode.INTERNAL_ERROR, ExitCode.USAGE})


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read clauses, profile and options; aim the report writers before they open their files."""
    try:
        config.pluginmanager.register(Controller(config), NAME)
    except HarnessError as error:
        refuse(str(error), error.exit_code)


class Controller:
    """The state of one run."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.collects_only: bool = config.option.collectonly or config.option.dry_run
        self.options: Options = run_state.options(config)
        self.collaborators: Collaborators = run_state.collaborators(config)
        self.profile: Any = self.collaborators.load_profile(self.options)
        config.stash[HALF] = half_of(self.profile)
        self.catalogue: Catalogue = self.collaborators.catalogue(config.stash[HALF])
        self.selection = Selection.of(config)
        self.selection.check(self.catalogue)
        check_places(config, self.collaborators.package, config.stash[HALF])
        self.stated = self.collaborators.stated(self.profile, self.options)
        config.stash[DEPTH] = self.stated.depth
        deviation.check(self.profile.deviations, self.catalogue, self.profile.file)
        self.id = new_id()
        self.target: OpenTarget | None = None
        self.records = Records(config)
        self.reporting: Reporting | None = None
        self.silence: Silence | None = None
        self.judgements: tuple[Judgement, ...] = ()
        self.deviations: tuple[Found, ...] = ()
        self.ending: terminal.Ending | None = None
        self._write_report: Callable[[], Written] | None = None
        self._stopped_early = False
        self._claims = Claims()
        self._interrupts = FirstInterruptOnly(signal.SIGINT, signal.SIGTERM)
        if not self.collects_only:
            # Before anything is made that has to be taken away again.
            self._interrupts.install()
            config.add_cleanup(self._interrupts.remove)
            self.reporting = Reporting(config, self.profile, self.records, self._selection())
            config.add_cleanup(self._discard_report)
            # Notes between processes: what was collected, which devices exist. Never part of the report.
            self.notes = self.records.notes = _folder_for_notes()
            config.add_cleanup(lambda: shutil.rmtree(self.notes, ignore_errors=True))
            config.pluginmanager.register(
                SaidBeforehand(
                    config,
                    self.records,
                    self.catalogue,
                    lambda: self._claims.timing,
                    advice=SHORTER if self.options.attach is not None else "",
                )
            )
            config.pluginmanager.register(
                ShownProgress(config, self.records, self.catalogue, lambda: self._claims)
            )
            if is_brief(config):
                config.pluginmanager.register(Failures(self.records))
        else:
            # What another run wrote there must not be replaced by a list of no cases.
            config.option.xmlpath = config.option.allure_report_dir = None
        if config.option.dry_run:
            aim(config, self.profile, self._selection())
            self.collaborators.check_place(self.profile, self.options)
            workers = config.option.workers_meant
            config.pluginmanager.register(DryRun(self.profile.name, self.stated, workers))

    # -- the target

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Launch or attach, and preflight, before xdist starts its workers."""
        self._clock = stopwatch()
        self._started = datetime.now(UTC)
        if self.reporting is None:
            return
        try:
            self.target = self.collaborators.open_target(
                self.profile, dataclasses.replace(self.options, told=self._tell)
            )
        except HarnessError as error:
            refuse(str(error), error.exit_code)
        self.config.add_cleanup(self._clear_up)
        option = self.config.option
        relays: Mapping[str, str] = {}
        lanes = 1
        if getattr(option, "tx", None):
            workers = option.tx[: self.target.workers]
            lanes = self.stated.lanes(len(workers))
            option.tx = workers * lanes
            option.numprocesses = len(option.tx)
            try:
                relays = self.target.share_readers(self.notes)
            except HarnessError as error:
                refuse(str(error), error.exit_code)
        self.config.stash[STATE] = RunState(
            id=self.id,
            profile=self.target.profile,
            claims=self.target.claims,
            target=self.target.to_json(),
            folder=self.notes,
            deviations=self.profile.deviations,
            today=self._started.date().isoformat(),
            messages=self.stated.messages,
            half=self.config.stash[HALF],
            allure=getattr(option, "allure_report_dir", None),
            depth=self.stated.depth,
            shut=self.target.shut,
            lanes=lanes,
            relays=relays,
        )
        self._claims = self.target.claims
        if self.options.preflight:
            self.silence = Silence(self.records, self.notes, self.target.unanswered)
            self.config.pluginmanager.register(self.silence)
        self._clock = stopwatch()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Hand the run to a worker."""
        if STATE not in self.config.stash:  # xdist with --collect-only starts no worker, but may ask
            return
        node.workerinput[run_state.WORKER_INPUT] = self.config.stash[STATE].to_worker()

    def pytest_report_header(self) -> list[str]:
        """Say what is judged by what."""
        return [
            *(clean(line) for line in header(self.catalogue, self.target, self._selection())),
            *self._processes(),
        ]

    def _tell(self, line: str) -> None:
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(clean(line))

    def _processes(self) -> list[str]:
        state = self.config.stash.get(STATE, None)
        if state is None or state.lanes == 1:
            return []
        workers = len(self.config.option.tx) // state.lanes
        return [f"{plural(workers, 'worker')} of {state.lanes} processes each, which wait most of their time"]

    # -- what the cases say

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a case's record from the report that carries it; the run ends here if it was asked to."""
        self.records.hear(report)
        self._interrupts.remind()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep a collection that failed."""
        self.records.hear_collection(report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Read what a worker says at its end."""
        self.records.hear_end(getattr(node, "workeroutput", None) or {})

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Tell -x under xdist, which pytest calls an interruption, from a real one."""
        self._stopped_early = str(excinfo.value).startswith("stopping after")

    # -- the end

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int
    ) -> Generator[None, list[object], list[object]]:
        """Decide and clear up: behind every worker and bench, before the terminal's summary."""
        seconds = self._clock()
        self._interrupts.only_note()
        try:
            return (yield)
        finally:
            self._end(session, exitstatus, seconds)

    @pytest.hookimpl(wrapper=True, tryfirst=True, specname="pytest_sessionfinish")
    def pytest_write_report(self, session: pytest.Session) -> Generator[None, list[object], list[object]]:
        """Write the report: behind the terminal's summary, where the verdict stands whatever comes now."""
        try:
            return (yield)
        finally:
            self._write(session)

    def _end(self, session: pytest.Session, exitstatus: int, seconds: float) -> None:
        if self.records.usage:
            say_error("\n".join(self.records.usage))
            session.exitstatus = ExitCode.USAGE
        elif self.target is not None and self.reporting is not None:
            session.exitstatus = self._conclude(session, exitstatus, seconds, self.target, self.reporting)
        self._clear_up()

    def _write(self, session: pytest.Session) -> None:
        if self.reporting is None:
            return
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.flush()
        try:
            if self._write_report is None:  # nothing was judged, and the tests beside the suite may have run
                written = self.reporting.search(session.exitstatus)
            else:
                written = self._write_report()
        except Exception:  # noqa: BLE001 - a fault of the suite must not look like a verdict
            self.config.notify_exception(pytest.ExceptionInfo.from_current())
            session.exitstatus = ExitCode.INTERNAL_ERROR
            return
        session.exitstatus = written.exit_code
        if reporter is not None:
            for line in written.lines:
                reporter.write_line(clean(line))

    def _nothing_selected(self) -> str:
        named = self.config.args_source is pytest.Config.ArgsSource.ARGS
        if not named and not self.records.deselected:
            return (
                f"no case is below {self.config.invocation_params.dir}, where this run was started. "
                "From any directory: pytest --pyargs conformance"
            )
        words = ", ".join(self._selection()) or "the command line"
        return f"no case is selected by {words}. Clauses and their tests: python -m conformance clauses"

    def _conclude(
        self,
        session: pytest.Session,
        exitstatus: int,
        seconds: float,
        target: OpenTarget,
        reporting: Reporting,
    ) -> int:
        records = self.records
        trouble = target.trouble()
        if trouble is not None:
            records.warnings.append(f"{trouble}. What it closed by then may look like a refusal.")
        cut_short = exitstatus in _CUT_SHORT and not self._stopped_early
        stopped = self._stopped_early or bool(session.shouldfail or session.shouldstop)
        if not cut_short and not stopped and not records.collection_errors:
            records.bury_missing()
        cases, remarks = (
            (records.cases, []) if self.silence is None else self.silence.explained(records.cases)
        )
        records.warnings += remarks
        if not cases and not records.collection_errors:
            if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
                say_error(self._nothing_selected())
            return exitstatus
        selection = self._selection()
        is_cut = cut_short or stopped or bool(records.collection_errors)
        partial = is_cut or records.deselected or bool(selection)
        self.judgements = judge(self.catalogue, cases, target.claims)
        today = self._started.date().isoformat()
        self.deviations = states(self.profile.deviations, self.judgements, today)
        crashed = target.crashed()
        code = self._exit_code(exitstatus, cases, cut_short=cut_short, partial=partial, crashed=crashed)
        workers = len(getattr(self.config.option, "tx", None) or ()) or 1
        sections = {clause.id: clause.section for clause in self.catalogue.clauses.values()}
        run = RunPart(
            started=self._started.isoformat(timespec="seconds"),
            seconds=round(seconds, 3),
            workers=workers,
            cases=len(cases),
            slept_seconds=round(sum(case.slept for case in cases), 3),
            exit_code=int(code),
            partial=partial,
            selection=selection,
            remarks=[*self._remarks(target), *_shut_ways(cases)],
            cost=dry_run.measured(
                cases, sections, asked.so_far() + records.asked, seconds=seconds, workers=workers
            ),
        )
        place = reporting.place(partial=partial, is_cut=is_cut)
        self._write_report = functools.partial(
            reporting.write,
            self.catalogue,
            self.judgements,
            self.deviations,
            target,
            run,
            place=place,
            command=command(
                self.config,
                self.profile,
                package=self.collaborators.package,
                same_hub=target.same_hub,
                report=place,
            ),
            sentences=self.collaborators.load_sentences(),
            depth=self.stated.depth,
        )
        remarks = [*(f"preflight: {remark}" for remark in target.remarks), *_shut_ways(cases)]
        self.ending = terminal.Ending(
            run=run,
            deviations=self.deviations,
            warnings=remarks,
            slowest=dry_run.slowest(cases, self.config.option.slowest or 0),
        )
        return run.exit_code

    def _remarks(self, target: OpenTarget) -> list[str]:
        """Return what the statement says of the run itself, beside the clauses."""
        preflight = [f"preflight: {remark}" for remark in target.remarks]
        return [
            redact(line) for line in (*self.records.collection_errors, *self.records.warnings, *preflight)
        ]

    def _exit_code(
        self, exitstatus: int, cases: list[Case], *, cut_short: bool, partial: bool, crashed: bool
    ) -> int:
        if cut_short:
            return exitstatus
        if self.records.collection_errors:
            return ExitCode.INTERRUPTED
        if self.records.strangers_failed:
            return ExitCode.VIOLATED  # a test that is none of the suite's failed beside it: pytest's own code
        unmatched = any(each.state is State.UNMATCHED for each in self.deviations)
        code = exit_code(self.judgements, cases, partial=partial, unmatched=unmatched, crashed=crashed)
        if code is ExitCode.USAGE:
            say_error(
                f"no case applies to what profile {self.options.profile} claims. "
                "Add to [claims] capabilities, or choose other cases."
            )
        return exitstatus if code is ExitCode.CONFORMS and exitstatus == ExitCode.WARNINGS else code

    def _selection(self) -> list[str]:
        """Return what the command line says to leave cases out, word by word."""
        judged = folder(self.collaborators.package, self.config.stash[HALF])
        narrow = () if covers(judged, self.config) else tuple(self.config.args)
        here = str(self.config.invocation_params.dir) + "/"
        places = [str(place).removeprefix(here) for place in narrow]
        return [*left_out_by(self.config, self.selection, places=places), *exploration.left_out(self.config)]

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the table by section and what follows it."""
        if self.ending is None:
            return
        terminalreporter.section("conformance", sep="=")
        width = shutil.get_terminal_size().columns if terminalreporter.isatty() else None
        ending = terminal.lines(self.catalogue, self.judgements, self.ending, width)
        for line in (*ending, *map(clean, self.records.warnings)):
            terminalreporter.write_line(line)

    # -- clearing up

    def _clear_up(self) -> None:
        """Delete what workers left behind, then close the target: the launched hub stops. Runs once."""
        target, self.target = self.target, None
        if target is None:
            return
        try:
            self._sweep(target)
        finally:
            target.close()

    def _sweep(self, target: OpenTarget) -> None:
        ids = left_behind(self.notes.glob("twins-*.txt"))
        if ids:
            try:
                target.clear_twins(ids, self.id)
            except HarnessError as error:
                self.records.warnings.append(
                    f"conformance-{self.id} may be left in ready-made devices' twins; set it to null: {error}"
                )
        ids = left_behind(self.notes.glob("devices-*.txt"))
        if not ids:
            return
        try:
            target.delete_identities(ids)
        except HarnessError as error:
            self.records.warnings.append(
                f"{len(ids)} devices named conf-{self.id}-… are left on the hub: {error}"
            )

    def _discard_report(self) -> None:
        if self.reporting is not None:
            self.reporting.discard()


def _shut_ways(cases: Sequence[Case]) -> list[str]:
    """Say in one line for each way in which no session opens how many cases are not tested for that."""
    counts = Counter((entrance_of(case.id), case.message) for case in cases if is_shut(case.message))
    return [
        f"{plural(count, 'case')} {way} not tested: {message}"
        for (way, message), count in sorted(counts.items())
    ]


def _folder_for_notes() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="conformance-"))
    except OSError as error:
        raise NotWritten(
            f"TMPDIR: {error.strerror}. A run keeps notes there: free some space, or name another folder."
        ) from None
