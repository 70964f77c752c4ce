"""What a query says, as a tree: `query_syntax.py` makes it from text, `query.py` asks it of twins."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from iothub_emulator.hub.conditions import Condition
from iothub_emulator.hub.query_values import Value


class QueryRefused(Exception):  # noqa: N818 - an answer, not a malfunction
    """A query that is not understood; the message says where. REST answers 400."""


@dataclass(frozen=True, slots=True)
class Path:
    """A property of a twin, from its root."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that the query itself holds."""

    value: Value


@dataclass(frozen=True, slots=True)
class Chain:
    """Values joined by arithmetic of one rank, from left to right."""

    first: "Operand"
    rest: "tuple[tuple[Sign, Operand], ...]"


@dataclass(frozen=True, slots=True)
class Call:
    """A function of values, named as in `query_functions.FUNCTIONS`."""

    name: str
    arguments: "tuple[Operand, ...]"


@dataclass(frozen=True, slots=True)
class Bracketed:
    """A condition that stands for a value: true, false or undefined."""

    condition: "Condition[Single]"


Operand: TypeAlias = Path | Constant | Chain | Call | Bracketed
Sign: TypeAlias = Literal["+", "-", "*", "/", "%"]
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
class Truth:
    """A value that stands for a condition: only `true` itself is one that holds."""

    operand: Operand


Single: TypeAlias = Comparison | Member | Truth


@dataclass(frozen=True, slots=True)
class Column:
    """A property to be returned, and its name in the answer."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What is computed of all twins of a group, and its name in the answer. Only a count has no path."""

    kind: Literal["count", "avg", "sum", "min", "max"]
    path: Path | None
    name: str


@dataclass(frozen=True, slots=True)
class Query:
    """A query that is understood. No columns: whole twins."""

    text: str
    source: Literal["devices", "modules"]
    columns: tuple[Column | Aggregate, ...]
    top: int | None
    condition: Condition[Single] | None
    group: Path | None
    """What GROUP BY names."""

    @property
    def is_aggregate(self) -> bool:
        """Tell whether a row of the answer stands for many twins."""
        return self.group is not None or any(isinstance(column, Aggregate) for column in self.columns)
