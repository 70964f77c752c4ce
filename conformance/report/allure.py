"""Allure results, written from the statement: one for each case, so that every format counts the same.

Feature = section, story = clause, severity = level. Nothing is written while cases run: what an Allure plugin
of pytest writes then (a file for each fixture of each case) took a fifth of a run's time, and misses the
cases whose worker died.
"""

import hashlib
import uuid
from collections.abc import Iterable, Iterator
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

from conformance.report.case_text import case_text, one_line
from conformance.report.statement import CasePart, ClausePart, Statement
from conformance.verdict.words import Verdict

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
_RED: Final = frozenset({Verdict.VIOLATION, Verdict.STALE_DEVIATION, Verdict.BROKEN})


@attr.s(auto_attribs=True)
class _Comparison(StatusDetails):
    """Status details with the two fields that Allure 3 shows as a difference."""

    expected: str | None = None
    actual: str | None = None


def write(statement: Statement, folder: Path, errors: Iterable[str] = ()) -> None:
    """Write the results of all cases into a folder; `errors` are those of the whole run."""
    files = AllureFileLogger(str(folder))
    sections = {section.name: section.title for section in statement.sections}
    for clause in statement.clauses:
        for case in clause.cases:
            if not case.in_passing:
                files.report_result(_result(statement, clause, case, sections[clause.section], files))
    for error in (*errors, *_broken_in_passing(statement)):
        files.report_globals(Globals(errors=[GlobalError(message=error)]))


def _result(
    statement: Statement, clause: ClausePart, case: CasePart, section: str, files: AllureFileLogger
) -> TestResult:
    start = datetime.fromisoformat(statement.run.started).timestamp() + case.began
    story = f"{clause.id} ({clause.level}): {clause.says}"
    bracket = case.id.partition("[")[2].removesuffix("]")
    result = TestResult(
        uuid=str(uuid.uuid4()),
        fullName=case.id,
        testCaseId=_digest(case.id.partition("[")[0]),
        historyId=_digest(case.id),
        name=case.title or case.id,
        status=STATUS[case.verdict],
        statusDetails=_details(clause, case),
        description=clause.says,
        parameters=[Parameter(name="case", value=bracket)] if bracket else [],
        links=[Link(type="link", url=clause.link, name=f"{clause.id} in the document")],
        titlePath=[section, story],
        start=round(start * 1000),
        stop=round((start + case.seconds) * 1000),
    )
    labels = {
        "epic": statement.document.title,
        "feature": section,
        "story": story,
        "severity": SEVERITY[clause.level],
        "clause": clause.id,
        "level": clause.level,
        "profile": statement.profile.name,
        "verdict": str(case.verdict),
        "reading": case.reading or "",
        "thread": case.worker,
        "framework": "pytest",
        "language": "python",
    }
    result.labels = [Label(name=name, value=value) for name, value in labels.items() if value]
    if case.deviation is not None and case.deviation.link:
        result.links.append(Link(type="issue", url=case.deviation.link, name="known deviation"))
    if case.transcript:
        result.steps = [TestStepResult(name=line, status=Status.PASSED) for line in _steps(case.transcript)]
        source = f"{uuid.uuid4()}-attachment.txt"
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
        message += f" ({case.deviation.reason}; until {case.deviation.expires})"
    details = _Comparison(message=message)
    if case.verdict in _RED:
        details.trace = case_text(case, clause)
        details.expected = case.expected or None
        details.actual = case.actual or None
    return details


def _steps(transcript: str) -> Iterator[str]:
    """Each packet and each observation is a step; what belongs to one stands indented below it."""
    return (line.strip() for line in transcript.splitlines() if any(glyph in line for glyph in "→←="))


def _broken_in_passing(statement: Statement) -> Iterator[str]:
    """Say which watched rule some case of another clause saw broken: no result of its own tells it."""
    return (
        f"{clause.id}: {case.message} (seen in {case.id})"
        for clause in statement.clauses
        for case in clause.cases
        if case.in_passing and case.verdict is Verdict.VIOLATION
    )


def _digest(text: str) -> str:
    # Allure's own way to tell cases apart: nothing secret depends on it.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
