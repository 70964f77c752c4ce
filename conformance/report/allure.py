"""Allure results: the same verdicts, sections and clauses as every other report.

allure-pytest writes one file for each case when the case is over. Just before, the hook `report_result` of
Allure's own plugin manager hands the result over; here it takes its status, labels and evidence from the
settled case. So no test mentions Allure, and a status cannot differ from the verdict.
"""

import hashlib
import json
import platform
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import allure_commons
import attr
from allure_commons.model2 import Attachment, Label, Link, Status, StatusDetails, TestResult

from conformance.catalogue import DOCUMENT_TITLE, Catalogue, Clause
from conformance.report.case_text import case_text, one_line
from conformance.report.statement import Statement
from conformance.verdict.clause import Case, Judgement
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
# Allure files a result under every category that fits: by the message's first words, which are the verdict.
CATEGORIES: Final = (
    {"name": "Violations", "matchedStatuses": ["failed"], "messageRegex": r"(?s)^violation\b.*"},
    {"name": "Stale deviations", "matchedStatuses": ["failed"], "messageRegex": r"(?s)^stale deviation\b.*"},
    {"name": "Broken: nothing can be said about the hub", "matchedStatuses": ["broken"]},
    {
        "name": "Not tested, though claimed",
        "matchedStatuses": ["skipped"],
        "messageRegex": r"(?s)^not tested\b.*",
    },
    {"name": "Not claimed", "matchedStatuses": ["skipped"], "messageRegex": r"(?s)^not claimed\b.*"},
    {"name": "Known deviations", "matchedStatuses": ["passed"], "messageRegex": r"(?s)^known deviation\b.*"},
)
# The order of labels is random in allure-pytest (a set), and the suite labels repeat the folder's name.
_UNWANTED: Final = frozenset(
    {"epic", "feature", "story", "severity", "parentSuite", "suite", "subSuite", "tag"}
)


@attr.s(auto_attribs=True)
class _Comparison(StatusDetails):
    """Status details with the two fields that Allure 3 shows as a difference."""

    expected: str | None = None
    actual: str | None = None


class AllureResults:
    """Shapes the results of one process; the controller also writes those of cases whose worker died."""

    def __init__(self, catalogue: Catalogue, profile: str) -> None:
        self._catalogue = catalogue
        self._profile = profile
        self._titles = {section.name: section.title for section in catalogue.sections}
        self._case: Case | None = None
        self._title = ""

    def register(self) -> Callable[[], None]:
        """Register with Allure; return what undoes it."""
        allure_commons.plugin_manager.register(self)
        return self._unregister

    def _unregister(self) -> None:
        allure_commons.plugin_manager.unregister(self)

    def settled(self, case: Case, title: str) -> None:
        """Name the case whose result comes next."""
        self._case, self._title = case, title

    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: TestResult) -> None:
        """Make a result say what the settled case says, right before it is written."""
        case, self._case = self._case, None
        if case is not None and case.clause in self._catalogue:
            self._shape(result, case, self._title)

    @allure_commons.hookimpl(tryfirst=True)
    def report_container(self, container: Any) -> None:
        """Keep only fixtures that went wrong: the rest is the harness's own business."""
        for fixtures in (container.befores, container.afters):
            fixtures[:] = [
                fixture for fixture in fixtures if fixture.status in {Status.FAILED, Status.BROKEN}
            ]

    def write_died(self, case: Case, node_id: str, title: str) -> None:
        """Write the result that a worker could not: allure-pytest knows nothing of it."""
        now = round(time.time() * 1000)
        name = node_id.replace("/", ".").replace(".py::", "#")
        result = TestResult(
            uuid=str(uuid.uuid4()),
            fullName=name,
            testCaseId=_digest(name.partition("[")[0]),
            historyId=_digest(name),
            name=title or node_id,
            start=now,
            stop=now,
        )
        self.settled(case, title)
        allure_commons.plugin_manager.hook.report_result(result=result)

    def write_error(self, message: str) -> None:
        """Write an error of the whole run: a failed collection, a watched rule broken in passing."""
        allure_commons.plugin_manager.hook.global_error(message=message, trace=None)

    def _shape(self, result: TestResult, case: Case, title: str) -> None:
        clause = self._catalogue[case.clause]
        result.name = title
        result.status = STATUS[case.verdict]
        result.description = clause.says
        result.statusDetails = _details(case, clause)
        kept = [label for label in result.labels if label.name not in _UNWANTED]
        result.labels = sorted(kept + self._labels(case, clause), key=lambda label: (label.name, label.value))
        result.links = [Link(type="link", url=clause.link, name=f"{clause.id} in the document")]
        if case.transcript:
            source = f"{uuid.uuid4()}-attachment.txt"
            hook = allure_commons.plugin_manager.hook
            hook.report_attached_data(body=case.transcript, file_name=source)
            result.attachments.append(Attachment(name="Transcript", source=source, type="text/plain"))

    def _labels(self, case: Case, clause: Clause) -> list[Label]:
        values = {
            "epic": DOCUMENT_TITLE,
            "feature": self._titles[clause.section],
            "story": f"{clause.id} ({clause.level}): {clause.says}",
            "severity": SEVERITY[clause.level],
            "clause": clause.id,
            "level": clause.level,
            "profile": self._profile,
            "verdict": str(case.verdict),
            "reading": case.reading or "",
        }
        return [Label(name=name, value=value) for name, value in values.items() if value]


def _details(case: Case, clause: Clause) -> StatusDetails | None:
    if case.verdict is Verdict.PASS:
        return None
    if case.verdict is Verdict.OBSERVED:
        return StatusDetails(message=f"{case.verdict}: {case.observed}")
    message = f"{case.verdict}: {one_line(case)}" if case.message or case.expected else str(case.verdict)
    details = _Comparison(message=message)
    if case.verdict in {Verdict.VIOLATION, Verdict.STALE_DEVIATION, Verdict.BROKEN}:
        details.trace = case_text(case, clause)
        details.expected = case.expected or None
        details.actual = case.actual or None
    return details


def write_surroundings(folder: Path, statement: Statement) -> None:
    """Write what Allure shows beside the results: the run's identity, fact by fact, and categories."""
    lines = [f"{key}={_property(value)}" for key, value in _environment(statement).items()]
    (folder / "environment.properties").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "categories.json").write_text(json.dumps(CATEGORIES, indent=2), encoding="utf-8")


def _environment(statement: Statement) -> dict[str, str]:
    """Return the facts that may be shown; nothing comes from the environment of the process."""
    document, target, run = statement.document, statement.target, statement.run
    return {
        "Profile": statement.profile.name,
        "Target": f"{target.name} ({target.host})",
        "Edition": target.edition or "not stated",
        "Claims": ", ".join(statement.claims.capabilities),
        "Document": f"{document.title} ({document.date}, {document.language})",
        "Suite": statement.suite.version,
        "Clauses": f"{len(statement.clauses)}, sha256 {statement.suite.clauses_digest}",
        "Selection": " ".join(["partial", *run.selection]) if run.partial else "all cases",
        "Started": run.started,
        "Workers": str(run.workers),
        "Python": platform.python_version(),
    }


def watch_errors(judgements: Sequence[Judgement]) -> list[str]:
    """Return one line for each watched rule that some case saw broken in passing."""
    return [
        f"{judgement.clause.id}: {case.message} (seen in {case.id})"
        for judgement in judgements
        if judgement.clause.is_watched
        for case in judgement.cases
        if case.verdict is Verdict.VIOLATION
    ]


def _digest(text: str) -> str:
    # Allure's own way to tell cases apart: nothing secret depends on it.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _property(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", " ")
