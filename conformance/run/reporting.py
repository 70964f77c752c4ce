"""What a run reports: its first lines, the command that runs it again, and the files that it leaves.

The files are aimed before the first case, written and put into place when the verdict is told. The command
names the same hub from any folder of this machine. Nothing in any of them is a secret.
"""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.documents.catalogue import DOCUMENT_DATE, DOCUMENT_LANGUAGE, DOCUMENT_TITLE, Catalogue
from conformance.documents.document import Statement as Sentence
from conformance.errors import HarnessError, UsageError
from conformance.report import allure, allure_environment, formats, report_folder, secret_scan, summary
from conformance.report.junit import JunitReport
from conformance.report.publication import UNKNOWN, make, suite_version
from conformance.report.report_folder import ALLURE, JUNIT, PAGE, SUMMARY, ReportFolder
from conformance.report.statement import CommandPart, ProfilePart, RunPart, Statement
from conformance.run.dependencies import OpenTarget
from conformance.run.options import PACKAGE
from conformance.run.records import Records
from conformance.verdict.clause import Judgement
from conformance.verdict.deviation_states import Found
from conformance.verdict.run import ExitCode, worst
from conformance.ways.depth import Depth


@dataclass(frozen=True, kw_only=True)
class Written:
    """What became of a report: the exit code that the run has now, and what is to be said, line by line."""

    exit_code: int
    lines: tuple[str, ...]


def aim(config: pytest.Config, profile: Any, selection: Sequence[str]) -> Path:
    """Return the folder that the report of a whole run goes to.

    Raises UsageError where it is of use to nobody: it holds something else, the report of a whole run that a
    selection would replace, or lies in a folder that --clean-alluredir would remove.
    """
    option = config.option
    place = Path(option.report_dir) if option.report_dir else Path("reports") / profile.name
    final = (config.invocation_params.dir / place).absolute()
    report_folder.check(final)
    report_folder.check(report_folder.place_of_part(final))
    if option.report_dir and selection and report_folder.is_whole(final):
        raise UsageError(
            f"--report-dir {place}: holds the report of a whole run, which a part of one "
            f"({' '.join(selection)}) must not replace. Name another folder."
        )
    named = getattr(option, "allure_report_dir", None)
    if named and option.clean_alluredir:
        cleaned = (config.invocation_params.dir / named).resolve()
        if cleaned in final.resolve().parents:
            raise UsageError(
                f"--alluredir {named}: --clean-alluredir would remove it with the report's folder, {place}. "
                "Name another folder."
            )
    return final


class Reporting:
    """Every file of one run's report. `discard` it where the run comes to no statement."""

    def __init__(
        self, config: pytest.Config, profile: Any, records: Records, selection: Sequence[str]
    ) -> None:
        self._config = config
        self._records = records
        self._argument: str = profile.argument
        option, here = config.option, config.invocation_params.dir
        self._is_named = bool(option.report_dir)
        self._whole = aim(config, profile, selection)
        place = self._place_for_allure()
        self._folder = ReportFolder(self._whole)
        self._allure = self._folder.fresh / place
        if getattr(option, "allure_report_dir", None):  # allure-pytest has not looked yet
            option.allure_report_dir = str(self._allure)
        named = os.path.expandvars(getattr(option, "xmlpath", None) or "")
        self._junit = here / Path(named).expanduser() if named else None
        records.junit = self._junit_report = JunitReport(config)

    def _place_for_allure(self) -> Path:
        """Return where Allure's results go, those of other tests too: relative where that is in the report.

        There they come into place with it. Raises UsageError where no folder can be made elsewhere.
        """
        named = getattr(self._config.option, "allure_report_dir", None)
        if not named:
            return Path(ALLURE)
        place: Path = self._config.invocation_params.dir / named
        for report in (self._whole, report_folder.place_of_part(self._whole)):
            if place.resolve().is_relative_to(report.resolve()):
                return place.resolve().relative_to(report.resolve())
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--alluredir: {self._why(error, place)}") from None
        return place

    def place(self, *, partial: bool, is_cut: bool) -> Path:
        """Return where the report goes: what is less than whole never where a whole one is, or is due.

        `is_cut`: the run did not come to its end. A selection that did has the folder that was named for it.
        """
        if partial and (is_cut or not self._is_named or report_folder.is_whole(self._whole)):
            return report_folder.place_of_part(self._whole)
        return self._whole

    def write(
        self,
        catalogue: Catalogue,
        judgements: Sequence[Judgement],
        deviations: Sequence[Found],
        target: OpenTarget,
        run: RunPart,
        *,
        place: Path,
        command: CommandPart,
        sentences: Sequence[Sentence] = (),
        depth: Depth = "whole",
    ) -> Written:
        """Write every format, search all of it for secrets, and put the folder into place.

        A secret, and what cannot be written, are told and change the exit code; there is no report then, or
        only a part of what was asked for is missing.
        """
        statement = make(
            catalogue,
            judgements,
            deviations=deviations,
            profile=ProfilePart(name=target.profile, argument=self._argument),
            sentences=sentences,
            target=target.description,
            claims=target.claims,
            run=run,
            command=command,
            depth=depth,
        )
        code, lines = run.exit_code, list[str]()
        try:
            missing = self._write_all(statement)
            code, lines = self._searched(code, self._folder.fresh, self._allure)
            missing += self._copy_junit(place)
            if missing:
                code = worst(code, ExitCode.NOT_WRITTEN)
            if code != run.exit_code:
                run = run.model_copy(update={"exit_code": int(code)})
                formats.write(statement.model_copy(update={"run": run}), self._folder.fresh)
                self._searched(code, self._folder.fresh, self._allure)
            lines += [
                f"a part of the report could not be written (exit code {code}): {why}" for why in missing
            ]
            lines += summary.publish(self._folder.fresh / SUMMARY, os.environ)
            self._folder.publish(place)
        except (OSError, HarnessError) as error:
            self.discard()
            code, found = self._searched(code, self._allure)
            lines += found
            code = worst(code, ExitCode.NOT_WRITTEN)
            lines.append(f"the report could not be written (exit code {code}): {self._why(error, place)}")
        else:
            lines.append(f"report: {self._shown(place / PAGE)}")
        return Written(exit_code=code, lines=tuple(lines))

    def _write_all(self, statement: Statement) -> list[str]:
        """Write every format; say where that fails for Allure's results, which may go elsewhere."""
        self._junit_report.write(self._folder.fresh / JUNIT, partial=statement.run.partial)
        formats.write(statement, self._folder.fresh)
        try:
            errors = (*self._records.collection_errors, *self._records.others_died)
            allure.write(statement, self._allure, errors)
            allure_environment.write(statement, self._allure)
        except OSError as error:
            if self._allure.is_relative_to(self._folder.fresh):
                raise
            return [f"--alluredir: {self._why(error, self._allure)}"]
        return []

    def _copy_junit(self, place: Path) -> list[str]:
        """Put JUnit's file, searched for secrets, where --junitxml says; say where that fails."""
        written = self._folder.fresh / JUNIT
        if self._junit is None or not written.exists():
            return []
        inside = self._junit.is_relative_to(self._whole)
        copy = self._folder.fresh / self._junit.relative_to(self._whole) if inside else self._junit
        if copy == written:
            return []
        try:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(written, copy)
        except OSError as error:
            return [f"--junitxml: {self._why(error, self._junit)} See {self._shown(place / JUNIT)}."]
        return []

    def search(self, exit_code: int) -> Written:
        """Search what allure-pytest wrote for secrets, in a run that has nothing to report."""
        code, lines = self._searched(exit_code, self._allure)
        return Written(exit_code=code, lines=tuple(lines))

    def _searched(self, exit_code: int, *folders: Path) -> tuple[int, list[str]]:
        """Blacken every secret in some folders; return the exit code of the run, and what is to be said."""
        leaks = secret_scan.scrub(folders)
        if not leaks:
            return exit_code, []
        # Another plugin may have made up a code of its own.
        code = worst(ExitCode.SECRET_FOUND, *(known for known in ExitCode if known == exit_code))
        told = (
            f"a secret was found, and blackened, in {', '.join(leaks)}: this run is invalid. "
            f"Whatever wrote it there must not; give the keys that it used new values (exit code {code})"
        )
        return code, [told]

    def discard(self) -> None:
        """Remove what was begun; the report of an earlier run stays as it was."""
        self._folder.discard()

    def _shown(self, file: Path) -> str:
        here = self._config.invocation_params.dir
        return str(file.relative_to(here) if file.is_relative_to(here) else file)

    def _why(self, error: Exception, place: Path) -> str:
        """Say what is in the way of a file, and what to do."""
        if not isinstance(error, OSError):
            return str(error)
        return f"{self._shown(place)}: {error.strerror or error}. Free some space, or name another place."


_EMBEDDED: Final = ("{python}", "-m", "iothub_emulator")


def command(
    config: pytest.Config, profile: Any, *, package: Path, same_hub: str, report: Path
) -> CommandPart:
    """Return the words. `same_hub` is the id of the hub that was judged, `report` where its report goes."""
    option, here = config.option, config.invocation_params.dir
    given = {
        "--profile": profile.argument,
        "--hub-url": option.hub_url,
        "--attach": str((here / option.attach).resolve()) if option.attach else None,
        "--timeout-factor": option.timeout_factor and f"{option.timeout_factor:g}",
        "--same-hub": same_hub,
    }
    flags = {"--large": option.large, "--thorough": option.thorough, "--no-preflight": option.no_preflight}
    starts_it = profile.launch is not None and not (option.attach or option.hub_url)
    is_installed = package == PACKAGE and suite_version() != UNKNOWN
    anywhere = is_installed and profile.is_shipped and _is_found_anywhere(profile.launch)
    return CommandPart(
        cases=["--pyargs", "conformance"] if is_installed else [str(package)],
        words=[
            *(f"{name}={value}" for name, value in given.items() if value),
            *(name for name, is_given in flags.items() if is_given),
        ],
        folder=str(here) if starts_it and not anywhere else "",
        variables=list(profile.variables),
        report=str(report if option.report_dir else report.relative_to(here)),
    )


def _is_found_anywhere(launch: Any) -> bool:
    """Say whether a command starts the same hub in any folder: the embedded one, as it is."""
    words = () if launch is None else (*launch.command, *launch.arguments)
    return words[:3] == _EMBEDDED and "--load" not in words


def header(catalogue: Catalogue, target: OpenTarget | None, selection: Sequence[str]) -> list[str]:
    """Return the lines; `target` is None where none is reached, `selection` what leaves cases out."""
    document = f"'{DOCUMENT_TITLE}' ({DOCUMENT_DATE}, {DOCUMENT_LANGUAGE})"
    suite = f"conformance: suite {suite_version()}; {len(catalogue.clauses)} clauses of {document}"
    if target is None:
        return [suite]
    about, claims = target.description, target.claims
    edition = f", edition {about['edition']}" if about.get("edition") else ""
    version = f", version {about['version']}" if about.get("version") else ""
    address = f"{about['host']}:{about.get('ports', {}).get('mqtt', '?')}"
    behind = about.get("hub_behind")
    target_line = f"profile: {target.profile}; target: {about['name']}{version} at {address}{edition}"
    if behind is not None:
        target_line = f"profile: {target.profile}; device: {about['name']}{version}; hub behind: {behind}"
    capabilities = ", ".join(sorted(claims.capabilities)) or "nothing beyond MQTT"
    timing = ", ".join(sorted(claims.timing)) or "none"
    return [
        suite,
        target_line,
        f"claims: {capabilities}; timing: {timing}; large cases: {'yes' if claims.large else 'no'}",
        *([f"partial: {' '.join(selection)}; no claim of conformance"] if selection else []),
        *(f"preflight: {remark}" for remark in target.remarks),
    ]
