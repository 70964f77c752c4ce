"""Allure's own generator, a program for Node: found, asked for its version, and run.

It runs in a folder of its own with a bare environment: no file of it appears anywhere else, and nothing of
the environment of this process appears in the page.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from conformance.errors import UsageError
from conformance.report import allure, allure_page
from conformance.report.allure_page import Run, UnknownPageError
from conformance.report.html.page import render

NODE: Final = 20
"""The oldest Node that the generator's packages declare; tried with 20.0, 20.20, 22 and 24."""
GENERATOR: Final = "3.18.0"
"""The version of the npm package `allure` that pages are mended for; requirements/allure locks it."""

_SECONDS: Final = 600
_ENVIRONMENT: Final = ("PATH", "HOME", "TMPDIR", "LANG", "NODE_OPTIONS")


def node() -> str:
    """Return the Node of this machine. Raises UsageError where there is none, or one that is too old."""
    found = shutil.which("node")
    if found is None:
        raise UsageError(f"node: not found in PATH. {_NODE_WANTED}")
    try:
        said = subprocess.run(  # noqa: S603 - the program that a shell would find under this name
            [found, "--version"], check=False, capture_output=True, text=True, timeout=_SECONDS
        )
        version = said.stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        version = ""
    major = version.removeprefix("v").partition(".")[0]
    if not major.isdecimal() or int(major) < NODE:
        what = f"is {version}, older than Node {NODE}" if version else "is no Node that runs"
        raise UsageError(f"{found}: {what}. {_NODE_WANTED}")
    return found


def generator(named: str | None) -> Path:
    """Return the program of the npm package: the named one, or `allure` in PATH. Raises UsageError."""
    found = named or shutil.which("allure")
    if found is None:
        raise UsageError(f"allure: not found in PATH. {_GENERATOR_WANTED}")
    program = Path(found).resolve()
    try:
        package = json.loads(program.with_name("package.json").read_text(encoding="utf-8"))
        version = package["version"] if package["name"] == "allure" else None
    except (OSError, ValueError, KeyError, TypeError):
        version = None
    if not program.is_file() or version != GENERATOR:
        what = f"version {version} of" if version else "not a program of"
        raise UsageError(f"{found}: is {what} the npm package `allure`. {_GENERATOR_WANTED}")
    return program


def page(shown: Sequence[Run], program: Path, runtime: str) -> str:
    """Return the page of some runs. Raises UsageError where the generator fails."""
    with tempfile.TemporaryDirectory(prefix="allure-page-") as name:
        folder = Path(name).resolve()
        results = folder / "results"
        results.mkdir()
        for run in shown:
            _write(run, results)
        (results / "environment.properties").write_text(allure_page.first_screen(shown), encoding="utf-8")
        config = folder / "allurerc.mjs"
        config.write_text(allure_page.configuration(shown, folder), encoding="utf-8")
        said = _generate([runtime, str(program), "generate", "--config", str(config), str(results)], folder)
        try:
            return allure_page.mended((folder / "page" / "index.html").read_text(encoding="utf-8"))
        except (OSError, UnknownPageError) as error:
            raise UsageError(
                f"{program}: wrote no page as expected ({said or error}). {_GENERATOR_WANTED}"
            ) from None


def _write(run: Run, results: Path) -> None:
    allure.write_for_page(run.statement, results, run.key)
    attachment = f"{run.key}-attachment.html"
    (results / attachment).write_text(render(allure_page.page_inside(run.statement)), encoding="utf-8")
    surroundings = json.dumps(allure_page.surroundings(run, attachment))
    (results / f"{run.key}-globals.json").write_text(surroundings, encoding="utf-8")


def _generate(command: Sequence[str], folder: Path) -> str:
    """Run the generator; return the first line of what it said, if it said anything."""
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603 - the programs found above, with arguments of ours
            command, check=False, capture_output=True, text=True, errors="replace", timeout=_SECONDS,
            cwd=folder, env=environment,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise UsageError(f"{command[1]}: took longer than {_SECONDS} seconds. Render fewer runs.") from None
    lines = (done.stderr or done.stdout).strip().splitlines()
    said = lines[0] if lines else ""
    if done.returncode:
        raise UsageError(f"{command[1]}: failed: {said or done.returncode}. {_GENERATOR_WANTED}")
    return said


_WITHOUT: Final = "Each run's own page, conformance.html, needs neither."
_NODE_WANTED: Final = (
    f"Allure's page wants Node {NODE} or newer with npm: install it, then run this again. {_WITHOUT}"
)
_GENERATOR_WANTED: Final = (
    f"In a checkout `make report` installs version {GENERATOR}; elsewhere do that with "
    f"`npm install --global allure@{GENERATOR}`, or name its cli.js with --generator. {_WITHOUT}"
)
