"""What the document asserts, sentence by sentence, as data: loads and validates ``document.toml``.

A clause names the statements that it covers; `uncovered` finds what is left over, in both directions.
"""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from conformance.documents.catalogue import Catalogue
from conformance.errors import CatalogueError

DOCUMENT: Final = Path(__file__).resolve().parent / "document.toml"
ASIDES: Final = "untestable"

_Id = Annotated[str, StringConstraints(pattern=r"^S[1-9][0-9]*$")]
_Lines = Annotated[str, StringConstraints(pattern=r"^\d+(-\d+)?$")]
_Line = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\n]+$")]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    lines: _Lines
    says: _Line
    untestable: _Line | None = None


class _Aside(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    lines: _Lines
    says: _Line
    reason: _Line


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One sentence of the document. `untestable` is why no clause can cover it; None where one must."""

    id: str
    lines: str
    says: str
    untestable: str | None = None


@dataclass(frozen=True, kw_only=True)
class Aside:
    """Lines of the document that state nothing about a hub that could be seen from outside."""

    lines: str
    says: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Statements:
    """The whole document, in its order of numbers: what a hub does, and what is said beside that."""

    statements: tuple[Statement, ...]
    asides: tuple[Aside, ...] = ()


def load(file: Path = DOCUMENT) -> Statements:
    """Read the statements. Raises CatalogueError with one line for each problem."""
    try:
        contents: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        asides = TypeAdapter(list[_Aside]).validate_python(contents.pop(ASIDES, []))
        records = TypeAdapter(dict[_Id, _Record]).validate_python(contents)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{file.name}: not TOML: {error}. Correct that line.") from None
    except ValidationError as error:
        raise CatalogueError(
            "\n".join(
                f"{file.name}: {'.'.join(map(str, problem['loc']))}: {problem['msg']}; correct it."
                for problem in error.errors()
            )
        ) from None
    return Statements(
        statements=tuple(
            Statement(id=name, lines=record.lines, says=record.says, untestable=record.untestable)
            for name, record in sorted(records.items(), key=lambda pair: _number(pair[0]))
        ),
        asides=tuple(Aside(lines=each.lines, says=each.says, reason=each.reason) for each in asides),
    )


def uncovered(
    statements: Statements, catalogue: Catalogue, tests: Mapping[str, Collection[str]]
) -> Iterator[str]:
    """Yield one line for each gap between the document, the clauses and the tests.

    `tests` maps a clause to the tests that cite it, as pytest collected them. A test that cites no clause, or
    one that does not exist, stops the collection itself.
    """
    covered: dict[str, list[str]] = {statement.id: [] for statement in statements.statements}
    for clause in catalogue.clauses.values():
        for statement_id in clause.statements:
            if statement_id in covered:
                covered[statement_id].append(clause.id)
            else:
                yield f"{clause.id}: names statement {statement_id}, which does not exist. Correct it."
        if not tests.get(clause.id) and clause.untestable is None:
            yield f"{clause.id}: no test cites it. Write one, or say why it is untestable."
    for statement in statements.statements:
        clauses = covered[statement.id]
        if not clauses and statement.untestable is None:
            words = statement.says.removesuffix(".")
            yield f"{statement.id}: no clause names it ({words}). Add it to a clause's statements."
        if clauses and statement.untestable is not None:
            yield f"{statement.id}: untestable, and yet named by {', '.join(clauses)}. Remove one."


def _number(statement_id: str) -> int:
    return int(re.sub(r"\D", "", statement_id))
