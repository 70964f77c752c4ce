"""Runs cases: checks what each test cites, leaves out what is not claimed, settles each case's record.

Registered by `conformance.plugin` in every process that runs tests: the only one, or each worker of xdist.
"""

import contextlib
import gc
import json
import random
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.documents.catalogue import Catalogue, Clause
from conformance.errors import USAGE, CatalogueError, HarnessError
from conformance.evidence import asked
from conformance.evidence.case import Evidence
from conformance.plugin import refuse
from conformance.report.redaction import all_secrets
from conformance.report.redaction_hooks import clean_report, shorten
from conformance.run import run_state, sleeping
from conformance.run.case_maker import CaseMaker
from conformance.run.cases import CASE, RunningCase, to_json
from conformance.run.costs import Cost, estimate, over_budget
from conformance.run.dependencies import Bench, Collaborators, Place
from conformance.run.failures import is_brief
from conformance.run.halves import HALF, Half, is_of_another
from conformance.run.interrupts import FirstInterruptOnly
from conformance.run.long_waits import spread, waited
from conformance.run.orders import Need, needs_of
from conformance.run.phases import (
    comparing,
    served,
    show_as_settled,
    show_only_the_test,
    skip,
    skipping,
    take_down,
)
from conformance.run.retry import Again
from conformance.run.run_state import DEPTH, STATE, RunState
from conformance.run.selection import Selection, by_allure
from conformance.verdict.verdicts import Verdict
from conformance.ways.depth import Depth, kept

MARKERS: Final = (
    "clause(id): the one documented behaviour that the test checks, such as d2c.qos2",
    "large: a case that moves much data; on a live hub it runs with --large only",
    "needs(capability, ...): what a case needs beside what its clause does",
    "clock: a case that depends on the hub's clock; it runs where that is known",
    "writes_twin: a case that writes a twin; on a ready-made device it runs where the profile allows",
    "crossed: each case of the test runs in each of its further ways, where one alone would tell too little",
)
SINGLE_PROCESS: Final = "main"

# Modules with fixtures: the run's own, and those of each half's tests.
FIXTURES: Final[Mapping[Half, tuple[str, ...]]] = {
    "hub": (
        "conformance.run.fixtures",
        *(
            f"conformance.hub.fixtures.{subject}"
            for subject in (
                "bags",
                "c2d",
                "corpora",
                "events",
                "identities",
                "methods",
                "modules",
                "queries",
                "refusals",
                "topics",
                "twins",
                "values_of_json",
                "values_of_messages",
                "websocket",
                "wills",
                "x509",
            )
        ),
    ),
    "devices": ("conformance.run.fixtures", "conformance.devices.fixtures.device"),
}


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the part that keeps state, and the fixtures: no other run knows their names."""
    runner = Runner(config)
    config.pluginmanager.register(runner, "conformance-runner")
    config.pluginmanager.register(Again(runner), "conformance-again")
    config.add_cleanup(_spare_collections)
    for module in (
        *FIXTURES[config.stash[HALF]],
        "conformance.run.exploration",
        "conformance.report.redaction_hooks",
    ):
        config.pluginmanager.import_plugin(module)


def _spare_collections() -> None:
    """Collect garbage once: pytest does so five times when a process ends, whose heap holds a whole run."""
    gc.collect()
    gc.freeze()


class Runner:
    """The state of one process: the case that runs now, and what was wrong with the collection."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        # xdist's own attributes of a worker; empty in the only process, or in the controller.
        self._input: dict[str, Any] = getattr(config, "workerinput", {})
        self._output: dict[str, Any] = getattr(config, "workeroutput", {})
        self.is_worker = bool(self._input)
        self._workers: int = self._input.get("workercount", 1)
        self.worker: str = self._input.get("workerid", SINGLE_PROCESS)
        self.collaborators: Collaborators = run_state.collaborators(config)
        if self.is_worker:
            state = RunState.from_worker(self._input[run_state.WORKER_INPUT])
            config.stash[STATE] = state
            config.stash[HALF] = state.half
            config.stash[DEPTH] = state.depth
        self.catalogue: Catalogue = self.collaborators.catalogue(config.stash[HALF])
        self._maker = CaseMaker(config, self.collaborators.package, self.catalogue, self.worker)
        self.selection = Selection.of(config)
        self.current: RunningCase | None = None
        self.partial = False
        self._slept_before = 0.0
        self._bench: Bench | None = None
        self._needs: Sequence[Need] = ()
        self._no_bench: HarnessError | None = None
        self._interrupts = FirstInterruptOnly()
        for marker in MARKERS:
            config.addinivalue_line("markers", marker)
        if self.is_worker:
            config.option.allure_report_dir = state.allure
            config.option.clean_alluredir = False  # the controller has, before there was a worker
            self._interrupts.install()
            config.add_cleanup(self._interrupts.remove)

    @property
    def state(self) -> RunState:
        """The run that this process is part of."""
        return self.config.stash[STATE]

    @property
    def _number(self) -> int:
        """Which worker this is, from 0."""
        return int("".join(filter(str.isdigit, self.worker)) or 0)

    @property
    def _depth(self) -> Depth:
        return self.config.stash[DEPTH]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Keep the cases from allure-pytest, which writes the tests beside them."""
        if getattr(self.config.option, "allure_report_dir", None):
            from conformance.run import allure_plugin  # noqa: PLC0415 - of use where its results are asked for

            allure_plugin.keep_cases_from_it(self.config)

    # -- collection

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave out the half of the suite that this run does not judge."""
        is_other = is_of_another(collection_path, self.collaborators.package, self.config.stash[HALF])
        return True if is_other else None

    @pytest.hookimpl(wrapper=True)
    def pytest_pycollect_makeitem(self) -> Generator[None, Any, Any]:
        """Let one case of each test run again in each way that is dealt to the test."""
        made = yield
        cases = made if isinstance(made, list) else [made]
        if not cases or not all(isinstance(case, pytest.Function) for case in cases):
            return made
        return [*cases, *self._maker.in_further_ways(cases)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Give each test its case, before any selection; stop at a test without a clause of its own."""
        problems: list[str] = []
        label = self._label()
        for item in items:
            try:
                case = self._maker(item)
            except CatalogueError as error:
                problems.append(str(error))
            else:
                if case is not None:
                    item.stash[CASE] = case
                    item.user_properties.append(("clause", case.clause.id))
                    label(item, case.clause)
        if problems:
            items.clear()
            self._stop(list(dict.fromkeys(problems)))
        self._keep_to_depth(items)
        self._select(items)
        if self.config.option.shuffle is not None:  # every worker must come to the same order
            random.Random(self.config.option.shuffle).shuffle(items)  # noqa: S311 - an order, no secret

    def _label(self) -> Callable[[pytest.Item, Clause], None]:
        """Return what labels a case for allure-pytest's selection, where there is one."""
        if not by_allure(self.config):
            return lambda _item, _clause: None
        from conformance.run.allure_plugin import Labels  # noqa: PLC0415 - of use where it selects

        return Labels(self.catalogue).give

    def _keep_to_depth(self, items: list[pytest.Item]) -> None:
        """Leave out the further ways that a run of this depth does not look at: none is missing for that."""
        cases = [item.stash[CASE] for item in items if CASE in item.stash]
        runs = kept([(case.id, case.clause.section, case.way) for case in cases], self._depth)
        items[:] = [item for item in items if CASE not in item.stash or item.stash[CASE].id in runs]

    def _select(self, items: list[pytest.Item]) -> None:
        """Leave out what --clause and its like do not name; a test that is no case is never named."""
        if not self.selection:
            return
        taken = [CASE in item.stash and self.selection.takes(item.stash[CASE].clause) for item in items]
        left_out = [item for item, take in zip(items, taken, strict=True) if not take]
        items[:] = [item for item, take in zip(items, taken, strict=True) if take]
        if left_out:
            self.config.hook.pytest_deselected(items=left_out)

    @pytest.hookimpl(trylast=True, specname="pytest_collection_modifyitems")
    def pytest_keep_to_budget(self, items: list[pytest.Item]) -> None:
        """Stop a run that would cost more messages than the profile admits, before its first case."""
        state = self.config.stash.get(STATE, None)
        if state is None:
            return
        if self._workers > 1:
            waits = [self._waited(item) for item in items]
            items[:] = [items[number] for number in spread(waits, self._workers, apart=state.lanes > 1)]
        cases = [(item, item.stash[CASE]) for item in items if CASE in item.stash]
        will_run = ((item, case) for item, case in cases if case.unclaimed is None)
        far = state.depth == "live"
        cost = sum((estimate(item, case.clause, case.way, far=far) for item, case in will_run), Cost())
        too_much = over_budget(cost, state.messages)
        if too_much is not None:
            items.clear()
            self._stop([too_much])

    def _waited(self, item: pytest.Item) -> float:
        """Return for how many seconds an item waits, whatever the hub is like."""
        case = item.stash.get(CASE, None)
        if case is None or not case.will_run:
            return 0.0
        return waited(case.clause.id, case.clause.needs, self.state.claims.timing)

    def _stop(self, problems: Sequence[str]) -> None:
        if not self.is_worker:
            refuse("\n".join(problems), USAGE)
        # A usage error in a worker ends as an internal error; the controller says these lines instead.
        self._output[run_state.USAGE_OUTPUT] = list(problems)

    @pytest.hookimpl(wrapper=True, specname="pytest_collection_modifyitems")
    def pytest_report_wrong_selection(self, items: list[pytest.Item]) -> Generator[None, None, None]:
        """Carry a wrong -k or -m expression from a worker to the controller."""
        try:
            return (yield)
        except pytest.UsageError as error:
            if not self.is_worker:
                raise
            items.clear()
            self._stop([str(error)])

    @pytest.hookimpl(wrapper=True, specname="pytest_collection")
    def pytest_report_wrong_argument(self) -> Generator[None, object, object]:
        """Carry an argument that names no test from a worker to the controller."""
        try:
            return (yield)
        except pytest.UsageError as error:
            if not self.is_worker:
                raise
            self._stop([str(error)])
            return True

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Note that the selection left cases out."""
        self.partial = self.partial or any(CASE in item.stash for item in items)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Write down what is to run, before xdist tells: a worker that dies cannot say it any more."""
        state = self.config.stash.get(STATE, None)
        if state is None:
            return  # nothing will run: --collect-only
        collected = {
            item.nodeid: {
                "id": case.id,
                "clause": case.clause.id,
                "title": case.title,
                "will_run": case.will_run,
            }
            for item in session.items
            if (case := item.stash.get(CASE, None)) is not None
        }
        will_run = [item for item in session.items if CASE in item.stash and item.stash[CASE].will_run]
        for number, item in enumerate(will_run):
            item.stash[CASE].number = number
        ways = ((item, item.stash[CASE].way) for item in will_run)
        self._needs = needs_of(ways, live=state.depth == "live")
        file = state.folder / f"collected-{self.worker}.json"
        file.write_text(json.dumps(collected), encoding="utf-8")
        # Modules, cases and fixtures stay to the end: no collection of garbage need look at them again.
        gc.freeze()

    # -- the bench

    def bench(self) -> Bench:
        """Return this process's bench; the first case that needs it opens it."""
        if self._no_bench is not None:
            raise self._no_bench  # each case would wait for the same deadline again
        if self._bench is None:
            place = Place(
                run=self.state.id,
                worker=self.worker,
                number=self._number,
                workers=self._workers,
                needs=self._needs,
                relays=self.state.relays,
                folder=self.state.folder if self._workers > 1 else None,
                prefix=f"conf-{self.state.id}-{self.worker}",
                journal=self.state.folder / f"devices-{self.worker}.txt",
                twin_journal=self.state.folder / f"twins-{self.worker}.txt",
            )
            try:
                self._bench = self.collaborators.open_bench(self.state.target, place)
            except HarnessError as error:
                self._no_bench = error
                raise
        return self._bench

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Close the bench, once no fixture holds a connection; tell the controller about the selection."""
        if self.is_worker:
            self._output[run_state.PARTIAL_OUTPUT] = self.partial
        bench, self._bench = self._bench, None
        if bench is not None:
            # What cannot be deleted now stays in the journal, and the controller tries again.
            with contextlib.suppress(HarnessError, OSError):
                bench.close()
        if self.is_worker:
            # Through the pipe between the two processes, and nowhere else: the report is searched for them.
            self._output[run_state.SECRETS_OUTPUT] = list(all_secrets())
            self._output[run_state.ASKED_OUTPUT] = asked.so_far().to_json()

    # -- one case

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Know which case runs."""
        self.current = item.stash.get(CASE, None)
        if self.current is not None:
            self.current.evidence = Evidence()  # its time axis begins with the case
            self.current.began = time.time()
        self._slept_before = sleeping.slept_seconds()
        try:
            return (yield)
        finally:
            self.current = None

    def begin_again(self, item: pytest.Item, case: RunningCase) -> RunningCase:
        """Let a case begin anew; return its new record."""
        item.stash[CASE] = self.current = case.anew()
        return self.current

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Leave a case out before its fixtures, if the target does not claim what it needs, or is gone."""
        if CASE not in item.stash:
            return
        if item.stash[CASE].unclaimed is not None:
            skip(f"{Verdict.NOT_CLAIMED}: {item.stash[CASE].unclaimed}")
        if item.stash[CASE].shut is not None:
            skip(f"{Verdict.NOT_TESTED}: {item.stash[CASE].shut}")
        stopped = self.state.stopped()
        if stopped is not None:
            skip(f"{Verdict.NOT_TESTED}: {stopped}")

    @pytest.hookimpl(wrapper=True, specname="pytest_runtest_setup")
    def pytest_not_tested_in_setup(self) -> Generator[None, None, None]:
        """Show a case that could not see its clause as skipped, and keep what a comparison compared."""
        with skipping(), served(self.current), comparing(self.current):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, None, None]:
        """Show a case that could not see its clause as skipped, and keep what a comparison compared.

        A case whose calls of the service failed says nothing, whatever it found.
        """
        with skipping(), served(self.current), comparing(self.current):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Take down how a phase ended; after the last one, settle the case and send its record along."""
        case = item.stash.get(CASE, None)
        if case is None:
            return (yield)
        show_only_the_test(item, call)
        report = yield
        case.seconds += call.duration
        case.slept = sleeping.slept_seconds() - self._slept_before
        take_down(case, call, report)
        deviates = call.when == "call" and report.passed and any(case.own_deviations)
        if (case.problems and report.failed) or deviates:
            error = call.excinfo.value if call.excinfo is not None else None
            show_as_settled(case, report, error, in_brief=is_brief(item.config))
        clean_report(report)
        shorten(report)
        if call.when == "teardown":
            self._send_along(item, case, report)
        return report

    def _send_along(self, item: pytest.Item, case: RunningCase, report: pytest.TestReport) -> None:
        record = case.settle()
        # An attribute crosses to the controller and stays out of JUnit, whose properties hold short words.
        report.conformance = to_json(record)  # type: ignore[attr-defined] # ours, as said
        words = {"verdict": str(record.verdict), "reading": record.reading, "observed": record.observed}
        words["consequence"] = record.consequence
        words |= {f"breach of {breach.clause}": breach.message for breach in record.breaches}
        item.user_properties += [(name, word) for name, word in words.items() if word]
        report.user_properties = list(item.user_properties)
