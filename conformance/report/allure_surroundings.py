"""What Allure shows beside the results: the run's identity, fact by fact, and the categories."""

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from conformance.report.statement import Statement

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


def write(statement: Statement, folder: Path) -> None:
    """Write both files into the folder of the results."""
    lines = [f"{key}={_property(value)}" for key, value in _environment(statement).items()]
    (folder / "environment.properties").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "categories.json").write_text(json.dumps(CATEGORIES, indent=2), encoding="utf-8")
    executor = _executor(os.environ)
    if executor:
        (folder / "executor.json").write_text(json.dumps(executor, indent=2), encoding="utf-8")


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


def _property(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", " ")
