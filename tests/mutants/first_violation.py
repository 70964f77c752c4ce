"""A pytest plugin for a run on a mutant: cases that reach it come first, and the first proof ends the run.

It also tells the hub, on the board, which case is under way.
"""

import json
import os
from pathlib import Path

import pytest
from board import Board

# So many red cases in which the hub crashed end a run: it will not be told from a crash any more.
CRASHES = 5

# Where the plan of the run stands.
PLAN = "MUTANTS_PLAN"


class FirstViolation:
    """`first` in the plan are ids of cases, `alone`: no others run; `violated` are red without a mutant."""

    def __init__(self, plan: dict) -> None:
        self._board = Board(Path(plan["board"]))
        self._place = {case: at for at, case in enumerate(plan["first"])}
        self._alone = plan["alone"]
        self._violated = set(plan["violated"])
        self._stops = plan["stops"]
        self._result = Path(plan["result"])
        self._order: list[str] = []
        self._tracebacks = 0
        self._verdicts: dict[str, str] = {}
        self._proof: dict | None = None
        self._red_in_crash: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config, items):
        if self._alone:
            others = [item for item in items if _case(item.nodeid) not in self._place]
            config.hook.pytest_deselected(items=others)
            items[:] = [item for item in items if _case(item.nodeid) in self._place]
        items.sort(key=lambda item: self._place.get(_case(item.nodeid), len(self._place)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid):
        self._order.append(_case(nodeid))
        self._board["case"] = len(self._order)
        self._tracebacks = self._board["tracebacks"]

    def pytest_sessionstart(self, session):
        self._session = session

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report):
        record = getattr(report, "conformance", None)
        if record is None or self._proof is not None:
            return
        found = [breach["clause"] for breach in record["breaches"] if self._is_violation(breach)]
        if record["verdict"] == "violation":
            found.insert(0, record["clause"])
        self._verdicts[record["id"]] = "violation" if found else record["verdict"]
        # A close that is a crash proves nothing about the mutant.
        crashed = self._board["tracebacks"] > self._tracebacks
        if crashed and self._verdicts[record["id"]] in {"violation", "broken"}:
            self._red_in_crash.append(self._verdicts[record["id"]])
        if not self._stops:
            return
        if found and not crashed and record["id"] not in self._violated:
            self._proof = {"case": record["id"], "clause": found[0], "message": record["message"]}
            self._session.shouldfail = "a violation was found"
        elif len(self._red_in_crash) >= CRASHES:
            self._session.shouldfail = "the hub crashes"

    def _is_violation(self, breach):
        """A watched clause of level observe is described by what breaks it, and never violated."""
        runner = self._session.config.pluginmanager.get_plugin("conformance-runner")
        is_observed = runner.catalogue.clauses[breach["clause"]].level == "observe"
        return breach["verdict"] == "violation" and not is_observed

    def pytest_sessionfinish(self):
        said = {
            "proof": self._proof,
            "order": self._order,
            "verdicts": self._verdicts,
            "violations_in_crash": self._red_in_crash.count("violation"),
        }
        self._result.write_text(json.dumps(said))


def _case(nodeid):
    """Return the id that the suite gives the case: it begins with the file, not with its folders."""
    path, colons, rest = nodeid.partition("::")
    return f"{Path(path).name}{colons}{rest}"


def pytest_configure(config):
    config.pluginmanager.register(FirstViolation(json.loads(Path(os.environ[PLAN]).read_text())))
