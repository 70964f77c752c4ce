"""What the cases of a run said: one record for each, and a record for each that could not speak any more."""

import json
from pathlib import Path
from typing import Any

import pytest

from conformance.evidence.asked import Asked
from conformance.report.junit import JunitReport
from conformance.report.redaction import register
from conformance.run import run_state
from conformance.run.cases import died, from_json
from conformance.verdict.clause import Case


class Records:
    """The records of one run, as the controller hears them. `notes` is where the workers leave theirs.

    `asked` is what workers, those that are processes of their own, asked of the hub.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._cases: dict[str, Case] = {}
        self._failed: set[str] = set()
        self._deselected = False
        self.asked = Asked()
        self.notes: Path | None = None
        self.junit: JunitReport | None = None
        self.collection_errors: list[str] = []
        self.others_died: list[str] = []
        self.usage: list[str] = []
        self.warnings: list[str] = []

    def hear(self, report: pytest.TestReport) -> None:
        """Take a case's record from the report that carries it, or make one for a case whose worker died."""
        if report.failed:
            self._failed.add(report.nodeid)
        record = getattr(report, "conformance", None)
        if record is not None:
            self._cases[report.nodeid] = from_json(record)
        elif report.when not in {"setup", "call", "teardown"}:
            self._bury(report.nodeid, str(report.longrepr), report)

    def hear_collection(self, report: pytest.CollectReport) -> None:
        """Keep a collection that failed: its cases are missing from everything else."""
        if report.failed:
            last = (report.longreprtext.strip().splitlines() or ["failed"])[-1]
            self.collection_errors.append(
                f"{report.nodeid or 'collection'}: {last.removeprefix('E').strip()}"
            )

    def hear_end(self, output: dict[str, Any]) -> None:
        """Take what a worker says at its end."""
        self.usage += [line for line in output.get(run_state.USAGE_OUTPUT, ()) if line not in self.usage]
        self._deselected = self._deselected or bool(output.get(run_state.PARTIAL_OUTPUT))
        self.asked += Asked.from_json(output.get(run_state.ASKED_OUTPUT, {}))
        for secret in output.get(run_state.SECRETS_OUTPUT, ()):
            register(secret)

    def bury_missing(self) -> None:
        """Make a record of each case that was to run and of which nothing was heard."""
        for node_id in self.collected():
            if node_id not in self._cases:
                self._bury(node_id, "the worker that was to run it died")

    def _bury(self, node_id: str, message: str, report: pytest.TestReport | None = None) -> None:
        known = self.collected().get(node_id)
        if known is None:
            self.others_died.append(f"{node_id}: {message}")
            return
        worker = getattr(getattr(getattr(report, "node", None), "gateway", None), "id", "")
        case = died(known["id"], known["clause"], message, worker=worker, title=known["title"])
        self._cases[node_id] = case
        self._failed.add(node_id)
        if report is not None and self.junit is not None:
            self.junit.add_died(report, {"clause": case.clause, "verdict": str(case.verdict)})

    @property
    def cases(self) -> list[Case]:
        """Every record, in the order of collection."""
        order = {node_id: place for place, node_id in enumerate(self.collected())}
        return [self._cases[node_id] for node_id in sorted(self._cases, key=lambda each: order.get(each, 0))]

    @property
    def strangers_failed(self) -> bool:
        """Whether a test failed that is none of the suite's, beside it."""
        return bool(self._failed - self._cases.keys())

    @property
    def deselected(self) -> bool:
        """Whether a selection left cases out, here or in a worker."""
        return self._deselected or bool(getattr(self._runner, "partial", False))

    @property
    def _runner(self) -> object:
        return self._config.pluginmanager.get_plugin("conformance-runner")

    def heard(self, node_id: str) -> Case | None:
        """Return the record of a case that ended; None for a test that is none of the suite's."""
        return self._cases.get(node_id)

    def collected(self) -> dict[str, dict[str, Any]]:
        """Return what is to run, as the workers wrote it down, by node id, in order.

        Each has an id, a clause and a title; `will_run` is false where it only says why it does not.
        """
        collected: dict[str, dict[str, Any]] = {}
        for file in sorted(self.notes.glob("collected-*.json")) if self.notes is not None else ():
            collected |= json.loads(file.read_text(encoding="utf-8"))
        return collected
