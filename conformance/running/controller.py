"""The run as a whole: opens the target once, hears every case's record, decides, reports, clears up.

Registered by `conformance.plugin` in the process that was started, not in xdist's workers. With -n it runs
no case.
"""

import json
import secrets
import shutil
import tempfile
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.catalogue import DOCUMENT_DATE, DOCUMENT_LANGUAGE, DOCUMENT_TITLE, Catalogue
from conformance.errors import HarnessError
from conformance.plugin import covers, refuse, say_error
from conformance.report import allure, json_report, terminal
from conformance.report.folder import ALLURE, JUNIT, REPORT, ReportFolder
from conformance.report.junit import JunitReport
from conformance.report.statement import RunPart, make, suite_version
from conformance.running import run_state
from conformance.running.cases import case_id, died, from_json, stopwatch
from conformance.running.collaborators import Collaborators, OpenTarget, Options
from conformance.running.identities import left_behind
from conformance.running.interrupts import FirstInterruptOnly
from conformance.running.run_state import STATE, RunState
from conformance.verdict.clause import Case, Judgement, judge
from conformance.verdict.run import ExitCode, exit_code

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
        self.collects_only: bool = config.option.collectonly
        self.options: Options = run_state.options(config)
        self.collaborators: Collaborators = run_state.collaborators(config)
        self.catalogue: Catalogue = self.collaborators.load_catalogue()
        self.profile: Any = self.collaborators.load_profile(self.options)
        self.id = secrets.token_hex(4)
        self.target: OpenTarget | None = None
        self.folder: ReportFolder | None = None
        self.junit: JunitReport | None = None
        self.cases: dict[str, Case] = {}
        self.judgements: tuple[Judgement, ...] = ()
        self.ending: terminal.Ending | None = None
        self._usage: list[str] = []
        self._warnings: list[str] = []
        self._failed: set[str] = set()
        self._collection_errors: list[str] = []
        self._partial = False
        self._stopped_early = False
        self._interrupts = FirstInterruptOnly()
        if not self.collects_only:
            self._aim_reports()

    def _aim_reports(self) -> None:
        option = self.config.option
        given = option.report_dir
        place = Path(given) if given else Path("reports") / self.profile.name
        self.folder = ReportFolder(self.config.invocation_params.dir / place)
        self.config.add_cleanup(self._discard_report)
        # Notes between processes: what was collected, which devices exist. Never part of the report.
        self.notes = Path(tempfile.mkdtemp(prefix="conformance-"))
        self.config.add_cleanup(lambda: shutil.rmtree(self.notes, ignore_errors=True))
        if not getattr(option, "allure_report_dir", None):
            option.allure_report_dir = str(self.folder.fresh / ALLURE)
        if not option.xmlpath:
            self.junit = JunitReport(self.config, self.folder.fresh / JUNIT)

    # -- the target

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Launch or attach, and preflight, before xdist starts its workers."""
        self._clock = stopwatch()
        self._started = datetime.now(UTC)
        if self.folder is None:
            return
        self._interrupts.install()
        self.config.add_cleanup(self._interrupts.remove)
        try:
            self.target = self.collaborators.open_target(self.profile, self.options)
        except HarnessError as error:
            refuse(str(error), error.exit_code)
        self.config.add_cleanup(self._clear_up)
        option = self.config.option
        if self.target.workers is not None and len(getattr(option, "tx", ())) > self.target.workers:
            option.tx = option.tx[: self.target.workers]
            option.numprocesses = self.target.workers
        self.config.stash[STATE] = RunState(
            id=self.id,
            profile=self.target.profile,
            claims=self.target.claims,
            target=self.target.to_json(),
            folder=self.notes,
            allure=option.allure_report_dir,
        )
        self._clock = stopwatch()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Hand the run to a worker."""
        if STATE not in self.config.stash:  # xdist with --collect-only starts no worker, but may ask
            return
        node.workerinput[run_state.WORKER_INPUT] = self.config.stash[STATE].to_worker()

    def pytest_report_header(self) -> list[str]:
        """Say what is judged by what. Nothing here is a secret."""
        document = f"'{DOCUMENT_TITLE}' ({DOCUMENT_DATE}, {DOCUMENT_LANGUAGE})"
        suite = f"conformance: suite {suite_version()}; {len(self.catalogue.clauses)} clauses of {document}"
        if self.target is None:
            return [suite]
        about, claims = self.target.description, self.target.claims
        edition = f", edition {about['edition']}" if about.get("edition") else ""
        address = f"{about['host']}:{about.get('ports', {}).get('mqtt', '?')}"
        capabilities = ", ".join(sorted(claims.capabilities)) or "nothing beyond MQTT"
        timing = ", ".join(sorted(claims.timing)) or "none"
        return [
            suite,
            f"profile: {self.target.profile}; target: {about['name']} at {address}{edition}",
            f"claims: {capabilities}; timing: {timing}; large cases: {'yes' if claims.large else 'no'}",
            *(f"preflight: {remark}" for remark in self.target.remarks),
        ]

    # -- what the cases say

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a case's record from the report that carries it, or make one for a case whose worker died."""
        if report.failed:
            self._failed.add(report.nodeid)
        record = getattr(report, "conformance", None)
        if record is not None:
            self.cases[report.nodeid] = from_json(record)
        elif report.when not in {"setup", "call", "teardown"}:
            self._bury(report.nodeid, str(report.longrepr), report)

    def _bury(self, node_id: str, message: str, report: pytest.TestReport | None = None) -> None:
        known = self._collected().get(node_id)
        if known is None:
            return
        worker = getattr(getattr(getattr(report, "node", None), "gateway", None), "id", "")
        case = died(case_id(node_id), known["clause"], message, worker=worker)
        self.cases[node_id] = case
        self._failed.add(node_id)
        if report is not None and self.junit is not None:
            self.junit.add_died(report, {"clause": case.clause, "verdict": str(case.verdict)})
        results = self._allure()
        if results is not None:
            results.write_died(case, node_id, known["title"])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep a collection that failed: its cases are missing from everything else."""
        if report.failed:
            last = (report.longreprtext.strip().splitlines() or ["failed"])[-1]
            self._collection_errors.append(
                f"{report.nodeid or 'collection'}: {last.removeprefix('E').strip()}"
            )

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Read what a worker says at its end."""
        output = getattr(node, "workeroutput", None) or {}
        self._usage += [line for line in output.get(run_state.USAGE_OUTPUT, ()) if line not in self._usage]
        self._partial = self._partial or bool(output.get(run_state.PARTIAL_OUTPUT))

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Tell -x under xdist, which pytest calls an interruption, from a real one."""
        self._stopped_early = str(excinfo.value).startswith("stopping after")

    # -- the end

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int
    ) -> Generator[None, list[object], list[object]]:
        """Decide, report, clear up: behind every worker and bench, before the terminal's summary."""
        seconds = self._clock()
        try:
            return (yield)
        finally:
            self._end(session, exitstatus, seconds)

    def _end(self, session: pytest.Session, exitstatus: int, seconds: float) -> None:
        if self._usage:
            say_error("\n".join(self._usage))
            session.exitstatus = ExitCode.USAGE
        elif self.target is not None:
            session.exitstatus = self._conclude(session, exitstatus, seconds)
        self._clear_up()

    def _conclude(self, session: pytest.Session, exitstatus: int, seconds: float) -> int:
        assert self.folder is not None  # noqa: S101 - the caller has looked
        assert self.target is not None  # noqa: S101 - likewise
        trouble = self.target.trouble()
        if trouble is not None:
            self._warnings.append(f"the launched hub did not live to the end: {trouble}")
        cut_short = exitstatus in _CUT_SHORT and not self._stopped_early
        stopped = self._stopped_early or bool(session.shouldfail or session.shouldstop)
        if not cut_short and not stopped and not self._collection_errors:
            for node_id in self._collected():
                if node_id not in self.cases:
                    self._bury(node_id, "the worker that was to run it died")
        if not self.cases and not self._collection_errors:
            return exitstatus
        partial = cut_short or stopped or bool(self._collection_errors) or self._is_partial()
        order = {node_id: place for place, node_id in enumerate(self._collected())}
        cases = [self.cases[node_id] for node_id in sorted(self.cases, key=lambda each: order.get(each, 0))]
        self.judgements = judge(self.catalogue, cases, self.target.claims)
        code = self._exit_code(exitstatus, cases, cut_short=cut_short, partial=partial)
        run = RunPart(
            started=self._started.isoformat(timespec="seconds"),
            seconds=round(seconds, 3),
            workers=len(getattr(self.config.option, "tx", None) or ()) or 1,
            cases=len(cases),
            slept_seconds=round(sum(case.slept for case in cases), 3),
            exit_code=int(code),
            partial=partial,
        )
        self._write(run)
        return int(code)

    def _exit_code(self, exitstatus: int, cases: list[Case], *, cut_short: bool, partial: bool) -> int:
        if cut_short:
            return exitstatus
        if self._collection_errors:
            return ExitCode.INTERRUPTED
        if self._failed - self.cases.keys():
            return ExitCode.VIOLATED  # a test that is none of the suite's failed beside it: pytest's own code
        code = exit_code(self.judgements, cases, partial=partial)
        if code is ExitCode.USAGE:
            say_error(
                f"no case applies to what profile {self.options.profile} claims. "
                "Add to [claims] capabilities, or choose other cases."
            )
        return exitstatus if code is ExitCode.CONFORMS and exitstatus == ExitCode.WARNINGS else code

    def _write(self, run: RunPart) -> None:
        assert self.folder is not None  # noqa: S101 - the caller has looked
        assert self.target is not None  # noqa: S101 - likewise
        statement = make(
            self.catalogue,
            self.judgements,
            profile=self.target.profile,
            target=self.target.description,
            claims=self.target.claims,
            run=run,
        )
        json_report.write(statement, self.folder.fresh / REPORT)
        results = self._allure()
        if results is not None:
            for line in (*self._collection_errors, *allure.watch_errors(self.judgements)):
                results.write_error(line)
        surroundings = Path(self.config.option.allure_report_dir)
        if surroundings.is_dir():
            allure.write_surroundings(surroundings, statement)
        if self.junit is not None:
            self.junit.finish(self.folder.final / JUNIT)
        self.folder.publish()
        remarks = [f"preflight: {remark}" for remark in self.target.remarks]
        report = self._shown(self.folder.final / REPORT)
        self.ending = terminal.Ending(run=run, report=report, warnings=remarks)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the table by section and what follows it."""
        if self.ending is None:
            return
        terminalreporter.section("conformance", sep="=")
        for line in (*terminal.lines(self.catalogue, self.judgements, self.ending), *self._warnings):
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
        ids = left_behind(self.notes.glob("devices-*.txt"))
        if not ids:
            return
        try:
            target.delete_identities(ids)
        except HarnessError as error:
            self._warnings.append(f"{len(ids)} devices named conf-{self.id}-… are left on the hub: {error}")

    def _discard_report(self) -> None:
        if self.folder is not None and self.ending is None:
            self.folder.discard()

    # -- small questions

    def _is_partial(self) -> bool:
        option = self.config.option
        ignores = option.ignore or option.ignore_glob or option.keyword or option.markexpr or option.deselect
        runner = self.config.pluginmanager.get_plugin("conformance-runner")
        deselected = self._partial or bool(getattr(runner, "partial", False))
        return bool(ignores) or deselected or not covers(self.collaborators.package, self.config)

    def _collected(self) -> dict[str, dict[str, str]]:
        """Return what the workers collected: clause and title by node id, in order."""
        collected: dict[str, dict[str, str]] = {}
        for file in sorted(self.notes.glob("collected-*.json")):
            collected |= json.loads(file.read_text(encoding="utf-8"))
        return collected

    def _allure(self) -> allure.AllureResults | None:
        runner = self.config.pluginmanager.get_plugin("conformance-runner")
        results: allure.AllureResults | None = getattr(runner, "allure", None)
        return results

    def _shown(self, file: Path) -> str:
        here = self.config.invocation_params.dir
        return str(file.relative_to(here) if file.is_relative_to(here) else file)
