"""A suite of a few clauses on a pretended hub, for tests of the plugin that need no hub."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

CLAUSES = """
title = "Small things"
anchor = "small-things"

[clause.holds]
level = "must"
source = "document"
statements = ["S1"]
says = "The hub holds."

[clause.other]
level = "must"
source = "mqtt"
says = "The hub does the other thing."

[clause.disputed]
level = "disputed"
source = "document"
says = "The hub closes or answers."
readings = { closed = ["closed"], answered = ["puback", "suback *"] }

[clause.observed]
level = "observe"
source = "seen"
says = "What the hub does."

[clause.needs-c2d]
level = "must"
source = "document"
needs = ["c2d"]
says = "The hub delivers."

[clause.never]
level = "untestable"
source = "document"
says = "The hub fails inside."
untestable = "5xx cannot be provoked from outside"
"""

WATCH = """
title = "What must hold on every connection"
anchor = "small-things"

[clause.ids]
level = "must"
source = "mqtt"
says = "The hub acknowledges only what waits for it."
"""

CONFTEST = '''
"""Puts the small catalogue and a pretended hub into the run."""
import json
import os
from pathlib import Path

from conformance.documents import catalogue
from conformance.documents.document import Statement
from conformance.run.dependencies import Collaborators, Stated
from conformance.errors import CredentialsRefused, ProfileError, TargetUnreachable
from conformance.verdict.deviation import Deviation
from conformance.verdict.needs import Claims

HERE = Path(__file__).parent


class Profile:
    def __init__(self, name):
        self.name = name
        self.file = f"profiles/{name}.toml"
        self.argument = name
        self.launch = None
        self.device = {} if (HERE / "device").exists() else None
        self.is_shipped = True
        self.variables = ()
        stated = HERE / "deviations.json"
        entries = json.loads(stated.read_text()) if stated.exists() else []
        self.deviations = tuple(Deviation(**entry) for entry in entries)


class Target:
    def __init__(self, profile, options):
        self.profile = profile.name
        self.same_hub = "c0ffee"
        self.description = {"name": "pretended hub", "host": "hub.example", "ports": {"mqtt": 8883}}
        self.claims = Claims(capabilities=frozenset({"telemetry"}), large=options.large)
        self.workers = None
        self.remarks = ()
        self.shut = {}
        (HERE / "opened").touch()

    def to_json(self):
        return {"key": "c2VjcmV0IG9mIGEgaHVi"}

    def trouble(self):
        return None

    def crashed(self):
        return (HERE / "crashed").exists()

    def unanswered(self):
        with (HERE / "asked-again").open("a") as file:
            file.write("asked\\n")
        return "hub.example:8883 refuses connections." if (HERE / "gone").exists() else None

    def delete_identities(self, ids):
        with (HERE / "deleted-by-controller").open("a") as file:
            file.write("\\n".join(ids) + "\\n")

    def clear_twins(self, ids, run):
        with (HERE / "cleared-by-controller").open("a") as file:
            file.write("\\n".join(ids) + "\\n")
        if (HERE / "twins-stay").exists():
            raise TargetUnreachable("hub.example:8883 refuses connections.")

    def share_readers(self, folder):
        return {}

    def close(self):
        with (HERE / "closed").open("a") as file:
            file.write("closed\\n")


class Bench:
    def __init__(self, target, place):
        self.place = place
        place.journal.write_text(f"{place.prefix}-1")

    def close(self):
        if (HERE / "closing").exists():
            (HERE / "closing").write_text("closing")  # a pipe: waits for the test to read it
            (HERE / "go-on").read_text()
        with (HERE / "benches-closed").open("a") as file:
            file.write(self.place.worker + "\\n")
        self.place.journal.unlink()


def load_profile(options):
    if options.profile == "no-such":
        raise ProfileError("no profile named 'no-such'. Known: small.")
    return Profile("small" if options.profile == "emulator" else options.profile)


def open_target(profile, options):
    if profile.name == "unreachable":
        raise TargetUnreachable("hub.example:8883 refuses connections. Start the hub, or correct [target].")
    if profile.name == "refused":
        raise CredentialsRefused("hub.example refuses the service key. Correct env:HUB.")
    return Target(profile, options)


def stated(profile, options):
    claims = Claims(capabilities=frozenset({"telemetry"}), large=options.large)
    return Stated(
        claims=claims, messages=2 if profile.name == "poor" else None, named=profile.name == "far"
    )


def pytest_conformance_collaborators():
    return Collaborators(
        package=HERE / "cases",
        load_catalogue=lambda: catalogue.load(HERE / "clauses"),
        load_sentences=lambda: [Statement(id="S1", lines="21", says="The hub works.")],
        load_profile=load_profile,
        open_target=open_target,
        open_bench=Bench,
        stated=stated,
    )
'''

# Plugins that take a second to import and that a conformance run has no use for.
QUICK = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:anyio")

PREAMBLE = """
import os
import pytest
from conformance.errors import HarnessError, NotTested, StageFailed, Violation
clause = pytest.mark.clause
"""


class Result:
    """How a run ended, and what it said."""

    def __init__(self, process: "subprocess.CompletedProcess[str]") -> None:
        self.ret = process.returncode
        self.stdout = pytest.LineMatcher(process.stdout.splitlines())
        self.stderr = pytest.LineMatcher(process.stderr.splitlines())


class SmallSuite:
    """Files of a run, and what it left."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (self.path / "clauses").mkdir()
        (self.path / "cases").mkdir()
        (self.path / "clauses" / "small.toml").write_text(CLAUSES)
        (self.path / "conftest.py").write_text(CONFTEST)

    def watch(self) -> None:
        (self.path / "clauses" / "watch.toml").write_text(WATCH)

    def cases(self, source: str, name: str = "test_small.py") -> None:
        (self.path / "cases" / name).write_text(PREAMBLE + source)

    def deviations(self, *entries: dict[str, str]) -> None:
        (self.path / "deviations.json").write_text(json.dumps(entries))

    def run(self, *arguments: str, profile: str | None = "small", where: str = "cases") -> Result:
        named = [] if profile is None else [f"--profile={profile}"]
        return run_pytest(self.path, *named, where, *arguments, summary=self.path / "step.md")

    @property
    def report(self) -> Path:
        """The report of a whole run; where there is none, that of a part."""
        return self.whole if self.whole.exists() or not self.part.exists() else self.part

    @property
    def whole(self) -> Path:
        return self.path / "reports" / "small"

    @property
    def part(self) -> Path:
        return self.path / "reports" / "small.partial"

    def statement(self) -> dict:
        return self.statement_of(self.report)

    def statement_of(self, report: Path) -> dict:
        return json.loads((report / "conformance.json").read_text())

    def verdicts(self) -> dict[str, str]:
        return {clause["id"]: clause["verdict"] for clause in self.statement()["clauses"]}

    def clause(self, clause_id: str) -> dict:
        return next(clause for clause in self.statement()["clauses"] if clause["id"] == clause_id)

    def junit(self) -> ET.Element:
        return ET.parse(self.report / "junit.xml").getroot()

    def allure(self) -> list[dict]:
        return [
            json.loads(file.read_text())
            for file in sorted((self.report / "allure-results").glob("*-result.json"))
        ]

    def allure_errors(self) -> list[str]:
        files = (self.report / "allure-results").glob("*-globals.json")
        return [error["message"] for file in files for error in json.loads(file.read_text())["errors"]]


def run_pytest(
    folder: Path,
    *arguments: str,
    summary: Path | None = None,
    quick: tuple[str, ...] = QUICK,
    **variables: str,
) -> Result:
    """Run pytest in a folder as a user would, in a process of its own."""
    command = [sys.executable, "-m", "pytest", *quick, *arguments]
    environment = environment_of_a_run(folder) | {"GITHUB_STEP_SUMMARY": str(summary or "")} | variables
    process = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return Result(process)


def environment_of_a_run(folder: Path) -> dict[str, str]:
    """Return the environment of a run in a folder: nothing of the run around it."""
    # That one may be distributed itself.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    # Compiling all modules anew takes longer than a small suite. What is compiled is kept beside the runs.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment.setdefault("PYTHONPYCACHEPREFIX", str(folder.parent / "pycache"))
    # Nor is what it finds a summary of the job that runs these tests.
    environment["GITHUB_STEP_SUMMARY"] = ""
    return environment
