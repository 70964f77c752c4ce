"""Allure results, written from the statement: one for each case, so that every format counts the same.

Feature = section, story = clause, severity = level. Nothing is written while cases run: what allure-pytest
writes then (a file for each fixture of each case) takes a part of the run's time, and misses the cases whose
worker died. It writes the tests beside the suite, see `conformance/run/allure_plugin.py`.
"""

import hashlib
import itertools
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import attr
from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import (
    Attachment,
    GlobalError,
    Globals,
    Label,
    Link,
    Parameter,
    Status,
    StatusDetails,
    TestResult,
    TestStepResult,
)

from conformance.documents.catalogue import Clause
from conformance.report.case_text import case_text, one_line
from conformance.report.counts import own, own_cases
from conformance.report.limits import lines_of
from conformance.report.printable import plural
from conformance.report.statement import CasePart, ClausePart, DeviationPart, SectionPart, Statement
from conformance.verdict.verdicts import Verdict

SEVERITY: Final = {"must": "critical", "disputed": "normal", "observe": "minor", "untestable": "trivial"}
STATUS: Final = {
    Verdict.VIOLATION: Status.FAILED,
    Verdict.STALE_DEVIATION: Status.FAILED,
    Verdict.BROKEN: Status.BROKEN,
    Verdict.NOT_TESTED: Status.SKIPPED,
    Verdict.NOT_CLAIMED: Status.SKIPPED,
    Verdict.UNTESTABLE: Status.SKIPPED,
    Verdict.KNOWN_DEVIATION: Status.PASSED,
    Verdict.PASS: Status.PASSED,
    Verdict.OBSERVED: Status.PASSED,
}
RED: Final = frozenset({Verdict.VIOLATION, Verdict.STALE_DEVIATION, Verdict.BROKEN, Verdict.KNOWN_DEVIATION})
# Allure has four words for nine verdicts: of these three its own says it.
_SAID_BY_STATUS: Final = frozenset({Verdict.PASS, Verdict.VIOLATION, Verdict.BROKEN})
_TIME: Final = re.compile(r"(\d+(?:\.\d+)?) ms ")
# Allure shows steps one below the other, and takes 150 bytes for each beside its text.
MOST_STEPS: Final = 400
RUN: Final = "run"
"""The label that says of which run a result is, on a page that shows several."""


@attr.s(auto_attribs=True)
class _Comparison(StatusDetails):
    """Status details with the two fields that Allure 3 shows as a difference."""

    expected: str | None = None
    actual: str | None = None


def write(statement: Statement, folder: Path, errors: Iterable[str] = ()) -> None:
    """Write the results of all cases into a folder; `errors` are those of the whole run."""
    files = AllureFileLogger(str(folder))
    sections = {section.name: section.title for section in statement.sections}
    for result in _results(statement, sections, files, lambda: str(uuid.uuid4())):
        files.report_result(result)
    for error in (*errors, *broken_in_passing(statement)):
        files.report_globals(Globals(errors=[GlobalError(message=error)]))


def write_for_page(statement: Statement, folder: Path, run: str) -> None:
    """Write the results of one run of a page, in the order of the statement.

    A known deviation is failed there, since Allure resolves no other result: the page's configuration
    accepts it. Who reads results without that configuration gets them from `write`.
    """
    files = AllureFileLogger(str(folder))
    numbers = itertools.count(1)
    most = lines_of(own_cases(statement), MOST_STEPS)
    for result in _results(
        statement, _numbered(statement.sections), files, lambda: f"{run}-{next(numbers):05}"
    ):
        verdict = Verdict(next(label.value for label in result.labels if label.name == "verdict"))
        if verdict is Verdict.KNOWN_DEVIATION:
            result.status = Status.FAILED
        if verdict not in _SAID_BY_STATUS:
            result.name += f" ({verdict})"
        # A step takes more room than its line: a red case has its packets as steps, one that was observed as
        # an attachment, and one that passed, in which a watched rule was broken, in `conformance.json`.
        if verdict not in RED:
            result.steps = []
        if verdict is Verdict.PASS or 0 < len(result.steps) <= most:
            result.attachments = []
        result.titlePath = []  # the tree is made of labels
        result.labels.append(Label(name=RUN, value=run))
        result.file_pattern = f"{result.uuid}-result.json"  # Allure reads files by name, in order
        files.report_result(result)


def broken_in_passing(statement: Statement) -> Iterator[str]:
    """Say which watched rules cases of other clauses saw broken: no result of its own tells it."""
    for clause in statement.clauses:
        seen = [case for case in clause.cases if case.in_passing and case.verdict is Verdict.VIOLATION]
        if seen:
            more = f" and {plural(len(seen) - 1, 'more case')}" if len(seen) > 1 else ""
            yield f"{clause.id}: {seen[0].message} (seen in {seen[0].id}{more})"


def accepted_as(deviation: DeviationPart) -> str:
    """Return how the message of a case ends to which a deviation applies."""
    return f" ({deviation.reason}; until {deviation.expires})"


def story(clause: ClausePart | Clause) -> str:
    """Return the name of a clause in Allure's tree."""
    return f"{clause.id} ({clause.level}): {clause.says}"


def allure_id(case: str) -> str:
    """Return the id under which Allure knows the test of a case, without its parameters."""
    return _digest(case.partition("[")[0])


def _numbered(sections: Sequence[SectionPart]) -> Mapping[str, str]:
    """Return the titles, numbered: Allure sorts by name, and a reader expects the document's order."""
    width = len(str(len(sections)))
    return {section.name: f"{number:0{width}} {section.title}" for number, section in enumerate(sections, 1)}


def _results(
    statement: Statement, sections: Mapping[str, str], files: AllureFileLogger, new_id: Callable[[], str]
) -> Iterator[TestResult]:
    steps = lines_of(own_cases(statement), MOST_STEPS)
    for clause in statement.clauses:
        for case in own(clause):
            yield _result(statement, clause, case, sections[clause.section], files, new_id, steps)


def _result(
    statement: Statement,
    clause: ClausePart,
    case: CasePart,
    section: str,
    files: AllureFileLogger,
    new_id: Callable[[], str],
    steps: int,
) -> TestResult:
    start = datetime.fromisoformat(statement.run.started).timestamp() + case.began
    bracket = case.id.partition("[")[2].removesuffix("]")
    result = TestResult(
        uuid=new_id(),
        fullName=case.id,
        testCaseId=allure_id(case.id),
        historyId=_digest(case.id),
        name=case.title or case.id,
        status=STATUS[case.verdict],
        statusDetails=_details(clause, case),
        description=clause.says,
        parameters=[Parameter(name="case", value=bracket)] if bracket else [],
        links=[Link(type="link", url=clause.link, name=f"{clause.id} in the document")],
        titlePath=[section, story(clause)],
        start=round(start * 1000),
        stop=round((start + case.seconds) * 1000),
    )
    labels = {
        "epic": statement.document.title,
        "feature": section,
        "story": story(clause),
        "severity": SEVERITY[clause.level],
        "clause": clause.id,
        "level": clause.level,
        "profile": statement.profile.name,
        "verdict": str(case.verdict),
        "reading": case.reading or "",
        "consequence": case.consequence or "",
        "thread": case.worker,
        "framework": "pytest",
        "language": "python",
    }
    result.labels = [Label(name=name, value=value) for name, value in labels.items() if value]
    if case.deviation is not None and case.deviation.link:
        result.links.append(Link(type="issue", url=case.deviation.link, name="known deviation"))
    if case.transcript:
        result.steps = list(_steps(case.transcript, result.start, steps))
        source = f"{new_id()}-attachment.txt"
        files.report_attached_data(case.transcript, source)
        result.attachments.append(Attachment(name="Transcript", source=source, type="text/plain"))
    return result


def _details(clause: ClausePart, case: CasePart) -> StatusDetails | None:
    if case.verdict is Verdict.PASS:
        return None
    if case.verdict is Verdict.OBSERVED:
        return StatusDetails(message=f"{case.verdict}: {case.observed}")
    message = f"{case.verdict}: {one_line(case)}" if case.message or case.expected else str(case.verdict)
    if case.deviation is not None:
        message += accepted_as(case.deviation)
    details = _Comparison(message=message)
    if case.verdict in RED:
        # The transcript is attached, and its lines are the steps.
        details.trace = case_text(case.model_copy(update={"transcript": None}), clause)
        details.expected = case.expected or None
        details.actual = case.actual or None
    return details


def _steps(transcript: str, start: int, most: int) -> Iterator[TestStepResult]:
    """Each packet and each observation is a step; what belongs to one stands indented below it.

    A step lasts until the next one; `start` is that of the case, in milliseconds since 1970. Of more than
    `most` the first and the last are there: the attachment has the others.
    """
    lines = [line.strip() for line in transcript.splitlines() if any(glyph in line for glyph in "→←=")]
    if len(lines) > most:
        omitted = f"… {len(lines) - most} more in the attachment …"
        lines = [*lines[: most // 2], omitted, *lines[len(lines) - (most - most // 2) :]]
    times = [_milliseconds(line) for line in lines]
    for line, begun, ended in zip(lines, times, [*times[1:], *times[-1:]], strict=True):
        step = TestStepResult(name=line, status=Status.PASSED)
        if begun is not None and ended is not None:
            step.start, step.stop = round(start + begun), round(start + max(begun, ended))
        yield step


def _milliseconds(line: str) -> float | None:
    """Return the time at which a line of a transcript begins, in milliseconds since the case did."""
    found = _TIME.match(line)
    return None if found is None else float(found[1])


def _digest(text: str) -> str:
    # Allure's own way to tell cases apart: nothing secret depends on it.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
