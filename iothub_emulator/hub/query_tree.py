"""What a query says, as a tree: `query_syntax.py` makes it from text, `query.py` asks it of twins."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from iothub_emulator.hub.conditions import Condition


class QueryRefused(Exception):  # noqa: N818 - an answer, not a malfunction
    """A query that is not understood; the message says where. REST answers 400."""


@dataclass(frozen=True, slots=True)
class Path:
    """A property of a twin, from its root."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that the query itself holds."""

    value: str | int | float | bool | None


Operand: TypeAlias = Path | Constant
Operator: TypeAlias = Literal["=", "!=", "<", ">", "<=", ">="]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two values compared."""

    left: Operand
    operator: Operator
    right: Operand


@dataclass(frozen=True, slots=True)
class Member:
    """A value looked for among constants; `negated` for NIN."""

    operand: Operand
    among: tuple[Constant, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class IsDefined:
    """Whether a property is there, if only as null."""

    path: Path


@dataclass(frozen=True, slots=True)
class Truth:
    """A value that stands for a condition: only `true` itself is one that holds."""

    operand: Operand


Single: TypeAlias = Comparison | Member | IsDefined | Truth


@dataclass(frozen=True, slots=True)
class Column:
    """A property to be returned, and its name in the answer."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Count:
    """The number of twins, and its name in the answer."""

    name: str


@dataclass(frozen=True, slots=True)
class Query:
    """A query that is understood. No columns: whole twins."""

    source: Literal["devices", "modules"]
    columns: tuple[Column, ...]
    count: Count | None
    top: int | None
    condition: Condition[Single] | None
