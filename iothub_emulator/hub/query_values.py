"""Values in a query, and how two of them compare: JSON, and what is undefined."""

import enum
from typing import Final, Literal, TypeAlias

from iothub_emulator.hub.json_text import Json, is_number


class Undefined(enum.Enum):
    """Of what there is no value: a property that is not there, arithmetic with a text, a division by zero."""

    UNDEFINED = enum.auto()


UNDEFINED: Final = Undefined.UNDEFINED
Value: TypeAlias = Json | Literal[Undefined.UNDEFINED]


def kind_of(value: Value) -> str | None:
    """Return what sort of primitive a value is; None for objects, arrays and what is undefined."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case int() | float():
            return "number"
    return None


def compared(left: Value, operator: str, right: Value) -> bool | None:
    """Compare primitive values: things of different kinds are unequal and in no order; None: undefined."""
    kinds = kind_of(left), kind_of(right)
    if None in kinds:
        return None
    same_kind = kinds[0] == kinds[1]
    if operator in {"=", "!="}:
        return (same_kind and left == right) is (operator == "=")
    if isinstance(left, str) and isinstance(right, str):
        order = (left > right) - (left < right)
    elif same_kind and kinds[0] == "number":
        order = (left > right) - (left < right)  # type: ignore[operator] # both are numbers
    else:
        return None
    return {"<": order < 0, ">": order > 0, "<=": order <= 0, ">=": order >= 0}[operator]


def numbers(*values: Value) -> tuple[float, ...] | None:
    """Return values as numbers, None if one of them is none."""
    found = [value for value in values if value is not UNDEFINED and is_number(value)]
    return tuple(found) if len(found) == len(values) else None  # type: ignore[arg-type] # all are numbers
