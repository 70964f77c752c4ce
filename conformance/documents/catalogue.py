"""The documented behaviours, as data: loads and validates ``clauses/*.toml``, one file per section.

A record's key is the second half of its id: ``[clause.qos2]`` in ``d2c.toml`` is the clause ``d2c.qos2``.
Files are read as if a stranger wrote them: every problem of every file is reported, one line each, with
file, clause and next step.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from conformance.errors import CatalogueError
from conformance.ways.way import IMPOSSIBLE, VALUES

_PACKAGE: Final = Path(__file__).resolve().parents[1]
CLAUSES: Final = _PACKAGE / "hub" / "clauses"
DEVICE_CLAUSES: Final = _PACKAGE / "devices" / "clauses"
DOCUMENT_TITLE: Final = "Communicate with your IoT hub using the MQTT protocol"
DOCUMENT_DATE: Final = "2018-10-12"
DOCUMENT_LANGUAGE: Final = "pt-BR"
DOCUMENT_URL: Final = "https://learn.microsoft.com/azure/iot-hub/iot-mqtt-connect-to-iot-hub"

# The document's sections in its own order; a section that is not named here follows, by name.
SECTION_ORDER: Final = (
    "transport", "websocket", "connect", "sas", "x509", "x509-ca", "connection", "monitoring", "will",
    "module", "d2c", "bag", "c2d", "session", "topics", "twin", "desired", "methods", "packets",
    "explore", "watch",
    # What other pages of Microsoft's say of the side of the back end comes last.
    "presence", "registry", "service-twins", "queries", "feedback", "events", "partitions",
    # What a device must do: a catalogue of its own.
    "device-transport", "device-connect", "device-telemetry", "device-bag", "device-subscriptions",
    "device-c2d", "device-twin", "device-methods", "device-endings", "device-renewal", "device-watch",
)  # fmt: skip
WATCH_SECTION: Final = "watch"
WATCH_SECTIONS: Final = frozenset({WATCH_SECTION, "device-watch"})

Level = Literal["must", "disputed", "observe", "untestable"]
Source = Literal["document", "mqtt", "rfc6455", "microsoft", "seen", "inferred"]

# What a target may claim.
CAPABILITIES: Final = (
    "registry", "telemetry", "c2d", "twin", "methods", "modules", "x509", "x509-ca", "websocket", "feedback",
    "connection-events", "routing", "throttling", "x509-over-websocket", "x509-modules",
    "registry-reference", "queries", "twin-events", "lifecycle-events", "model-id",
)  # fmt: skip
# What a device under test may claim; "adapter" is that it takes orders and tells what it was told.
DEVICE_CAPABILITIES: Final = (
    "adapter", "telemetry", "c2d", "twin", "methods", "modules", "x509", "websocket", "reconnects", "will",
)  # fmt: skip
TIMING: Final = "timing."

_ALL_CAPABILITIES: Final = tuple(dict.fromkeys((*CAPABILITIES, *DEVICE_CAPABILITIES)))
_WORD = r"[a-z0-9]+(-[a-z0-9]+)*"
_Word = Annotated[str, StringConstraints(pattern=rf"^{_WORD}$")]
_Line = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\n]+$")]
_Need = Annotated[str, StringConstraints(pattern=rf"^({'|'.join(_ALL_CAPABILITIES)}|timing\.{_WORD})$")]
_Statement = Annotated[str, StringConstraints(pattern=r"^S[1-9][0-9]*$")]
_Mqtt = Annotated[str, StringConstraints(pattern=r"^MQTT-\d+\.\d+\.\d+-\d+$")]


class _Consequence(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    reading: _Line
    case: _Line = "*"
    means: _Line


_Fixed = dict[Literal["transport", "credential", "kind", "clean_session", "session", "key"], _Line]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    level: Level
    source: Source
    says: _Line
    statements: list[_Statement] = []
    mqtt: list[_Mqtt] = []
    needs: list[_Need] = []
    anchor: _Word | None = None
    note: _Line | None = None
    untestable: _Line | None = None
    fixed: _Fixed = {}
    readings: dict[_Line, Annotated[list[_Line], Field(min_length=1)]] = {}
    consequence: list[_Consequence] = []

    @model_validator(mode="after")
    def _agrees_with_its_level(self) -> "_Record":
        if (self.level == "disputed") != bool(self.readings):
            raise ValueError(
                "a disputed clause needs a table of readings: add [clause.NAME.readings]"
                if self.level == "disputed"
                else 'only a disputed clause has readings: remove them or set level = "disputed"'
            )
        if (self.level == "untestable") != (self.untestable is not None):
            raise ValueError(
                'level = "untestable" and the reason in untestable = "…" go together: give both or none'
            )
        for each in self.consequence:
            if each.reading not in self.readings:
                raise ValueError(
                    f"a consequence of {each.reading!r}, which is no reading: "
                    f"name one of {', '.join(self.readings) or 'its readings'}"
                )
        return self


class _SectionFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    title: _Line
    anchor: _Word
    needs: list[_Need] = []
    fixed: _Fixed = {}
    clause: Annotated[dict[_Word, _Record], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class Consequence:
    """What a reading keeps a known client from, in words.

    `case` is the id of the case that saw the reading; ``*`` stands for any text.
    """

    reading: str
    case: str
    means: str


@dataclass(frozen=True, kw_only=True)
class Clause:
    """One documented behaviour. `needs` and `fixed` hold the section's too.

    `readings` maps names to patterns. `fixed` names the axes on which its cases keep to the first way, with
    the reason (`conformance.ways`).
    `consequences` are apart from the readings' names, which deviations and comparisons of runs compare.
    """

    id: str
    section: str
    level: Level
    source: Source
    says: str
    statements: tuple[str, ...] = ()
    mqtt: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    anchor: str = ""
    note: str | None = None
    untestable: str | None = None
    readings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    consequences: tuple[Consequence, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)

    @property
    def link(self) -> str:
        """Address of the paragraph of the document that states the behaviour."""
        return f"{DOCUMENT_URL}#{self.anchor}" if self.anchor else DOCUMENT_URL

    @property
    def is_watched(self) -> bool:
        """Whether every packet of every case is held against this clause."""
        return self.section in WATCH_SECTIONS


@dataclass(frozen=True, kw_only=True)
class Section:
    """One file of clauses."""

    name: str
    title: str
    anchor: str
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Every section, in the document's order; `digest` is the SHA-256 over the files."""

    sections: tuple[Section, ...]
    digest: str = ""

    @cached_property
    def clauses(self) -> Mapping[str, Clause]:
        """Every clause by its id, in order."""
        return {clause.id: clause for section in self.sections for clause in section.clauses}

    def __getitem__(self, clause_id: str) -> Clause:
        return self.clauses[clause_id]

    def __contains__(self, clause_id: object) -> bool:
        return clause_id in self.clauses


def load(folder: Path = CLAUSES) -> Catalogue:
    """Read every ``*.toml`` of a folder. Raises CatalogueError with one line for each problem."""
    files = sorted(folder.glob("*.toml"), key=_position)
    if not files:
        raise CatalogueError(f"{folder}: no clause file in it (*.toml). Install the suite again.")
    problems: list[str] = []
    sections: list[Section] = []
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.name}\0{len(content)}\0".encode() + content)
        try:
            sections.append(_section(file, content))
        except CatalogueError as error:
            problems.append(str(error))
    if problems:
        raise CatalogueError("\n".join(problems))
    return Catalogue(sections=tuple(sections), digest=digest.hexdigest())


def _position(file: Path) -> tuple[int, str]:
    known = file.stem in SECTION_ORDER
    return (SECTION_ORDER.index(file.stem) if known else len(SECTION_ORDER), file.stem)


def _section(file: Path, content: bytes) -> Section:
    where = f"{file.parent.name}/{file.name}"
    if re.fullmatch(_WORD, file.stem) is None:
        raise CatalogueError(f"{where}: a section is named in small letters and dashes. Rename the file.")
    try:
        record = _SectionFile.model_validate(tomllib.loads(content.decode("utf-8")))
    except UnicodeDecodeError as error:
        raise CatalogueError(f"{where}: not UTF-8 (byte {error.start}). Save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{where}: not TOML: {error}. Correct that line.") from None
    except ValidationError as error:
        raise CatalogueError("\n".join(_lines(where, file.stem, error))) from None
    clauses = tuple(_clause(file.stem, name, record) for name in record.clause)
    return Section(name=file.stem, title=record.title, anchor=record.anchor, clauses=clauses)


def _clause(section: str, name: str, file: _SectionFile) -> Clause:
    record = file.clause[name]
    return Clause(
        id=f"{section}.{name}",
        section=section,
        level=record.level,
        source=record.source,
        says=record.says,
        statements=tuple(record.statements),
        mqtt=tuple(record.mqtt),
        needs=tuple(dict.fromkeys((*file.needs, *record.needs))),
        anchor=record.anchor or file.anchor,
        note=record.note,
        untestable=record.untestable,
        readings={reading: tuple(patterns) for reading, patterns in record.readings.items()},
        fixed=_fixed(file, record),
        consequences=tuple(Consequence(**each.model_dump()) for each in record.consequence),
    )


def _fixed(file: _SectionFile, record: _Record) -> dict[str, str]:
    fixed = dict(IMPOSSIBLE[need] for need in (*file.needs, *record.needs) if need in IMPOSSIBLE)
    for stated in (file.fixed, record.fixed):
        fixed |= {str(axis): reason for axis, reason in stated.items()}
    return fixed


# What to do about a problem, by pydantic's word for it.
_NEXT_STEP: Final = {
    "missing": "add it",
    "extra_forbidden": "remove it or correct its spelling",
    "string_pattern_mismatch": "correct it",
    "too_short": "add at least one",
}


def _lines(where: str, section: str, error: ValidationError) -> Iterator[str]:
    """Write one line for each problem of a file: file, clause, field, what is wrong, next step."""
    for problem in error.errors():
        place = [str(step) for step in problem["loc"]]
        clause = ""
        if place[:1] == ["clause"] and len(place) > 1:
            clause, place = f" clause {section}.{place[1]}:", place[2:]
        key = f" {'.'.join(place)}:" if place else ""
        kind = problem["type"]
        if kind == "missing":
            what = "is missing"
        elif kind == "extra_forbidden":
            what = "no such field"
        elif kind == "literal_error":
            what = f"{problem['input']!r} is none of {_choices(place)}"
        elif kind == "string_pattern_mismatch":
            what = f"{problem['input']!r} has not the form {problem['ctx']['pattern']}"
        else:
            what = problem["msg"].removeprefix("Value error, ")
        yield f"{where}:{clause}{key} {what}; {_NEXT_STEP.get(kind, 'correct it')}."


def _choices(place: Sequence[str]) -> str:
    if "fixed" in place:
        return ", ".join(VALUES)
    return ", ".join(get_args(Level if place[-1:] == ["level"] else Source))
