"""What Allure shows beside the results: the run's identity, fact by fact, and the categories."""

import json
import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from conformance.report.allure import STATUS
from conformance.report.statement import Statement
from conformance.verdict.verdicts import Verdict

CATEGORY: Final = {
    Verdict.VIOLATION: "Violations",
    Verdict.STALE_DEVIATION: "Stale deviations",
    Verdict.BROKEN: "Broken: nothing can be said about the hub",
    Verdict.NOT_TESTED: "Not tested, though claimed",
    Verdict.KNOWN_DEVIATION: "Known deviations",
    Verdict.NOT_CLAIMED: "Not claimed",
    Verdict.OBSERVED: "Observed, without judgement",
}
"""What is not a pass, in the order that a reader wants."""


def write(statement: Statement, folder: Path) -> None:
    """Write both files into the folder of the results."""
    text = properties({**facts(statement), "Python": platform.python_version()})
    (folder / "environment.properties").write_text(text, encoding="utf-8")
    (folder / "categories.json").write_text(json.dumps(_categories(), indent=2), encoding="utf-8")
    executor = _executor(os.environ)
    if executor:
        (folder / "executor.json").write_text(json.dumps(executor, indent=2), encoding="utf-8")


def facts(statement: Statement) -> dict[str, str]:
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
    }


def properties(values: Mapping[str, str]) -> str:
    """Return the text of `environment.properties`, a file in the form of Java's properties."""
    lines = (f"{_ENDS_A_NAME.sub(_BACKSLASHED, name)}={_line(value)}\n" for name, value in values.items())
    return "".join(lines)


def _categories() -> list[dict[str, object]]:
    """Return Allure 2's rules: it files a result by the message's first words, which are the verdict."""
    return [
        {"name": name, "matchedStatuses": [STATUS[verdict]], "messageRegex": rf"(?s)^{verdict}\b.*"}
        for verdict, name in CATEGORY.items()
    ]


def _executor(environment: Mapping[str, str]) -> dict[str, str]:
    """Return which job of a CI server made the run, of the variables that two servers document for that."""
    if "GITHUB_RUN_ID" in environment:
        repository = f"{environment.get('GITHUB_SERVER_URL', '')}/{environment.get('GITHUB_REPOSITORY', '')}"
        return {
            "type": "github",
            "name": environment.get("GITHUB_WORKFLOW", ""),
            "buildName": f"run {environment.get('GITHUB_RUN_NUMBER', '')}",
            "buildUrl": f"{repository}/actions/runs/{environment['GITHUB_RUN_ID']}",
        }
    if "CI_JOB_URL" in environment:
        return {
            "type": "gitlab",
            "name": environment.get("CI_JOB_NAME", ""),
            "buildName": f"job {environment.get('CI_JOB_ID', '')}",
            "buildUrl": environment["CI_JOB_URL"],
        }
    return {}


def _line(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", " ")


# Java's properties read a name up to the first of these, but for those behind a backslash.
_ENDS_A_NAME: Final = re.compile(r"[\s:=#!\\]")
_BACKSLASHED: Final = r"\\\g<0>"
