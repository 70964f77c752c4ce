"""A hub that stops answering behind the preflight: noticed, made sure of, and the rest of the run left out.

Each case by itself can only be broken: nobody answers it. That it is the hub which is gone shows in several
of them, of whatever worker, and in the preflight's connection, which is then made again. No further case
begins after that. The workers learn it from a note in the folder of the run.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from conformance.report.printable import visible
from conformance.run import run_state, sleeping
from conformance.run.records import Records
from conformance.verdict.clause import Case
from conformance.verdict.run import STOPPED
from conformance.verdict.verdicts import Verdict

# So many broken cases without a byte from the hub; the same number again where it answers after all.
BROKEN_CASES: Final = 3
# The preflight's connection is then tried so often, with so many seconds in between.
TRIES: Final = 2
BETWEEN_TRIES: Final = 10.0
# On a loaded machine a worker may read an answer so many seconds after the hub wrote it.
READ_LATE: Final = 1.0
# How a case ends that was not answered, or not as it should have been.
_IN_VAIN: Final = frozenset({Verdict.BROKEN, Verdict.VIOLATION})


class Silence:
    """Watches the records of a run, in the process that was started.

    `unanswered` makes the preflight's connection again: it says why nobody answers, None where the hub does.
    `notes` is the folder of the run. What the hub fell silent of is looked for in the end: the case may be
    under way still while others break.
    """

    def __init__(self, records: Records, notes: Path, unanswered: Callable[[], str | None]) -> None:
        self._records = records
        self._notes = notes
        self._unanswered = unanswered
        self._silent = 0
        self._enough = BROKEN_CASES
        self._reason: str | None = None

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Look at a case at its end."""
        case = None if report.when in {"setup", "call"} else self._records.heard(report.nodeid)
        if case is None or self._reason is not None:
            return
        if case.heard:
            self._silent, self._enough = 0, BROKEN_CASES
        elif case.verdict is Verdict.BROKEN:
            self._silent += 1
        if self._silent >= self._enough:
            self._make_sure()

    def _make_sure(self) -> None:
        for attempt in range(TRIES):
            if attempt:
                sleeping.pause(BETWEEN_TRIES)
            reason = self._unanswered()
            if reason is None:
                # What breaks the cases is not the hub's silence. So it is not asked three cases later again.
                self._enough += self._silent
                return
        self._reason = reason or ""
        run_state.stop(self._notes, STOPPED)

    def explained(self, cases: Sequence[Case]) -> tuple[list[Case], list[str]]:
        """Return all cases of a run, with what kept some from beginning, and what is to be said of it.

        Both are what they were, and nothing, where the hub answers.
        """
        if self._reason is None:
            return list(cases), []
        ran = [case for case in cases if case.message != STOPPED]
        lasts = last_cases(ran)
        others = [other for other in beside(lasts[0], ran) if other not in {case.id for case in lasts}]
        too = f" ({', '.join(others)} ran then too)" if others else ""
        why = f"{STOPPED} after {' or '.join(case.id for case in lasts)}"
        packets = "".join(f" The last packets of {case.id}: {_packets(case)}" for case in lasts)
        remark = visible(f"{why}{too}: {self._reason} No further case began.{packets}")
        return [replace(case, message=why) if case.message == STOPPED else case for case in cases], [remark]


def last_cases(cases: Sequence[Case]) -> list[Case]:
    """Return the case behind which nothing more came: what it said may be what the hub fell silent of.

    In each worker that is the case that was under way when the hub was last heard there, if it said something
    behind that. A hub that is gone mostly takes no connections either, so that nothing more is said to it.
    Where something in front of it takes them, and none of those cases was in vain, the hub may also have
    fallen silent of the first that was. There are several where it cannot be told which of them it was.
    """
    # One whose worker died never said when it began.
    ran = sorted((case for case in cases if case.began), key=_in_vain_since) or list(cases)
    moment = max(case.heard for case in ran)
    last_heard = {case.worker: case.heard for case in sorted(ran, key=lambda case: case.heard)}
    spoke = [case for case in ran if case.said > max(last_heard[case.worker], moment - READ_LATE)]
    under_way = [case for case in spoke if case.began <= last_heard[case.worker]]
    in_vain = [case for case in spoke if case.verdict in _IN_VAIN or case.breaches]
    if not any(case in under_way for case in in_vain):
        under_way = [*in_vain[:1], *under_way]
    return under_way or [max(ran, key=lambda case: (case.heard, -case.began))]


def _in_vain_since(case: Case) -> float:
    # A case goes on speaking behind what the hub fell silent of, and may be the last to.
    return case.unanswered or case.said


def beside(case: Case, cases: Iterable[Case]) -> list[str]:
    """Return the ids of the cases that were under way in other workers when one last said something."""
    moment = case.said or case.heard or case.began
    return [
        other.id
        for other in cases
        if other is not case and other.began and other.began <= moment <= other.began + other.seconds
    ]


def _packets(case: Case) -> str:
    return "; ".join(" ".join(line.split()) for line in case.tail.splitlines()) or "none"
