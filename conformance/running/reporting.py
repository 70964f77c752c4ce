"""The report of a run: aimed before the first case, written and put into place after the last."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import Catalogue
from conformance.document import Statement as Sentence
from conformance.report import allure, allure_surroundings, formats, secret_scan, summary
from conformance.report.folder import ALLURE, JUNIT, PAGE, SUMMARY, ReportFolder
from conformance.report.junit import JunitReport
from conformance.report.publication import make
from conformance.report.statement import ProfilePart, RunPart, Statement
from conformance.running.collaborators import OpenTarget
from conformance.running.records import Records
from conformance.verdict.clause import Judgement
from conformance.verdict.deviation_states import Found
from conformance.verdict.run import run_with_secret


@dataclass(frozen=True, kw_only=True)
class Written:
    """A report in its place: what the run says now, where the statement lies, which files held a secret."""

    run: RunPart
    place: str
    leaks: tuple[str, ...]


class Reporting:
    """Every file of one run's report. `discard` it where the run comes to no statement."""

    def __init__(self, config: pytest.Config, profile: Any, records: Records) -> None:
        self._config = config
        self._records = records
        self._argument: str = profile.argument
        option = config.option
        place = Path(option.report_dir) if option.report_dir else Path("reports") / profile.name
        self._folder = ReportFolder(config.invocation_params.dir / place)
        # Where an Allure plugin is installed: its option names the place, and it writes nothing itself.
        named = getattr(option, "allure_report_dir", None)
        option.allure_report_dir = None
        self._allure = config.invocation_params.dir / named if named else self._folder.fresh / ALLURE
        named = os.path.expandvars(option.xmlpath or "")
        self._junit = config.invocation_params.dir / Path(named).expanduser() if named else None
        records.junit = self._junit_report = JunitReport(config, self._folder.fresh / JUNIT)

    def write(
        self,
        catalogue: Catalogue,
        judgements: Sequence[Judgement],
        deviations: Sequence[Found],
        target: OpenTarget,
        run: RunPart,
        sentences: Sequence[Sentence] = (),
    ) -> Written:
        """Write every format, search all of it for secrets, and put the folder into place."""
        statement = make(
            catalogue,
            judgements,
            deviations=deviations,
            profile=ProfilePart(name=target.profile, argument=self._argument),
            sentences=sentences,
            target=target.description,
            claims=target.claims,
            run=run,
        )
        self._junit_report.finish(self._junit or self._folder.final / JUNIT, partial=run.partial)
        allure.write(statement, self._allure, self._records.collection_errors)
        allure_surroundings.write(statement, self._allure)
        self._render(statement)
        leaks = self._scrub()
        if leaks:
            run = run.model_copy(update={"exit_code": int(run_with_secret(run.exit_code))})
            self._render(statement.model_copy(update={"run": run}))
            self._scrub()
        self._records.warnings += summary.publish(self._folder.fresh / SUMMARY, os.environ)
        self._folder.publish()
        self._copy_junit()
        return Written(run=run, place=self._shown(self._folder.final / PAGE), leaks=leaks)

    def _copy_junit(self) -> None:
        """Put JUnit's file where --junitxml says, too; behind the search for secrets."""
        written = self._folder.final / JUNIT
        if self._junit is None or not written.exists():
            return
        try:
            self._junit.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(written, self._junit)
        except OSError as error:
            self._records.warnings.append(f"--junitxml {self._junit}: {error.strerror}; see {written}.")

    def _render(self, statement: Statement) -> None:
        """Write what says how the run ended."""
        formats.write(statement, self._folder.fresh)

    def _scrub(self) -> tuple[str, ...]:
        return secret_scan.scrub([self._folder.fresh, self._allure])

    def discard(self) -> None:
        """Remove what was begun; the report of an earlier run stays as it was."""
        self._folder.discard()

    def _shown(self, file: Path) -> str:
        here = self._config.invocation_params.dir
        return str(file.relative_to(here) if file.is_relative_to(here) else file)
