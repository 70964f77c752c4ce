"""What the suite checks, as lists: each clause with its tests, each profile with its claims."""

import contextlib
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.documents import catalogue
from conformance.documents.catalogue import Clause
from conformance.errors import CatalogueError
from conformance.profile import loading as profile
from conformance.run.cases import CASE
from conformance.run.dependencies import PACKAGE
from conformance.run.halves import Half

# Columns of the tables; the lists of JSON hold everything.
_COLUMNS: Final = {"clauses": ("id", "level", "source", "statements", "needs", "fixed", "tests", "says")}
_VARIABLE: Final = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")


# Of each half, a profile with which its tests are collected.
PROFILES: Final[Mapping[Half, str]] = {"hub": "emulator", "devices": "device-paho"}


def clauses(package: Path = PACKAGE, *, half: Half = "hub") -> dict[str, list[dict[str, Any]]]:
    """Return every clause of a half with the ids of the tests that cite it, found by collecting them.

    Raises CatalogueError where a record is wrong or a test cites what does not exist.
    """
    known = catalogue.load(catalogue.DEVICE_CLAUSES if half == "devices" else catalogue.CLAUSES)
    tests = _tests(package, PROFILES[half])
    return {"clauses": [_row(clause, tests.get(clause.id, [])) for clause in known.clauses.values()]}


def _row(clause: Clause, tests: Sequence[str]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": clause.id,
        "section": clause.section,
        "level": clause.level,
        "source": clause.source,
        "says": clause.says,
        "statements": list(clause.statements),
        "needs": list(clause.needs),
        "fixed": dict(clause.fixed),
        "tests": list(tests),
    }
    if clause.untestable is not None:
        row["untestable"] = clause.untestable
    return row


class _Collector:
    """Takes the cases out of a collection, by clause."""

    def __init__(self) -> None:
        self.tests: dict[str, list[str]] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            if CASE in item.stash:
                self.tests.setdefault(item.stash[CASE].clause.id, []).append(item.stash[CASE].id)


def _tests(package: Path, profile: str) -> Mapping[str, list[str]]:
    collector = _Collector()
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = pytest.main(
            [str(package), f"--profile={profile}", "--collect-only", "-qq", "-p", "no:cacheprovider"],
            plugins=[collector],
        )
    if code not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        lines = [line.removeprefix("ERROR: ") for line in said.getvalue().splitlines() if line.strip()]
        raise CatalogueError(
            "\n".join(lines)
            or f"the tests in {package.name} cannot be collected. Run pytest on them to see why."
        )
    return collector.tests


def profiles(environment: Mapping[str, str] | None = None) -> dict[str, list[dict[str, Any]]]:
    """Return every profile that a name can mean: its hub, its claims, the variables that it reads.

    A variable that is not set is listed, not demanded. Raises ProfileError where a profile is wrong.
    """
    known = os.environ if environment is None else environment
    return {"profiles": [_profile_row(name, file, known) for name, file in profile.known().items()]}


def _profile_row(name: str, file: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    contents = profile.contents(file)
    target: object
    claims: object
    reads = list(dict.fromkeys(_variables(contents)))
    missing = [variable for variable in reads if not environment.get(variable)]
    if not missing:
        loaded = profile.load(str(file), environment=environment)
        device = loaded.device
        target = loaded.target.name if device is None else device.name
        claims = sorted(loaded.claims if device is None else device.claims)
        if loaded.claims_what_is_stated:
            claims = ["what the ready file states"]
    else:  # its other keys cannot all be judged without them
        is_device = "device" in contents
        target = _written(contents, "device" if is_device else "target", "name")
        claims = _written(contents, "device" if is_device else "claims", "capabilities")
    row = {"name": name, "target": target, "claims": claims, "reads": reads, "not set": missing}
    return {**row, "file": str(file)}


def _written(contents: Mapping[str, Any], table: str, key: str) -> object:
    """Return what a profile that cannot be judged yet says; None where it says nothing."""
    values = contents.get(table)
    return values.get(key) if isinstance(values, Mapping) else None


def _variables(value: object) -> Iterator[str]:
    """Yield the name in each "env:NAME" of a profile."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _variables(each)
    elif isinstance(value, str) and (match := _VARIABLE.fullmatch(value)) is not None:
        yield match[1]


def as_table(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return a list as aligned columns."""
    return "\n".join(_aligned(rows))


def as_markdown(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return a list as a Markdown table."""
    head, *body = _cells(rows)
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _aligned(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    cells = list(_cells(rows))
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    for line in cells:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()


def _cells(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[list[str]]:
    ((name, entries),) = rows.items()
    columns = _COLUMNS.get(name) or tuple(entries[0])
    yield list(columns)
    for entry in entries:
        yield [_cell(column, entry[column]) for column in columns]


def _cell(column: str, value: object) -> str:
    if column == "tests" and isinstance(value, list):
        return str(len(value))
    if isinstance(value, list | tuple):
        return ", ".join(str(each) for each in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {each}" for key, each in value.items())
    return "" if value is None else str(value)
