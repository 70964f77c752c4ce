"""The functions and the arithmetic of queries, each from values to a value.

Source: Microsoft, "IoT Hub query language", operators and functions. That page says of most functions that
they are for the conditions of routes, and of `IS_DEFINED` alone that it is for twins; users call others on
twins too, so all of them are here. Two stand in tools alone: `STARTSWITH` in Azure IoT Explorer,
`ARRAY_CONTAINS` in azure-iot-cli-extension.

unspecified: what a function gives for values of other kinds than it is for. It is undefined here, as in the
service's own language for documents; whether a value is of a kind is false of what is undefined.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from iothub_emulator.hub.query_values import UNDEFINED, Value, compared, kind_of, numbers

ANY_NUMBER: Final = 1000
"""Of arguments: no query holds as many."""

_NUMBER = re.compile(r"\s*[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Function:
    """What a function computes, and how many arguments it takes."""

    of: Callable[..., Value]
    fewest: int = 1
    most: int = 1


def calculated(sign: str, left: Value, right: Value) -> Value:
    """Return a sum, difference, product, quotient or remainder; undefined for what are no numbers."""
    operands = numbers(left, right)
    if operands is None:
        return UNDEFINED
    return _finite(_ARITHMETIC[sign], *operands)


def _finite(of: Callable[..., float], *values: float) -> Value:
    """Return what a computation gives; undefined where that is no number, or beyond all that are known."""
    try:
        result = of(*values)
        return result if math.isfinite(result) else UNDEFINED
    except (ArithmeticError, ValueError):
        return UNDEFINED


_ARITHMETIC: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
    "%": math.fmod,
}


def _of_numbers(of: Callable[..., float], count: int = 1) -> Function:
    def function(*values: Value) -> Value:
        operands = numbers(*values)
        return UNDEFINED if operands is None else _finite(of, *operands)

    return Function(function, count, count)


def _of_texts(of: Callable[..., Value], fewest: int = 1, most: int | None = None) -> Function:
    def function(*values: Value) -> Value:
        return of(*values) if all(isinstance(value, str) for value in values) else UNDEFINED

    return Function(function, fewest, most or fewest)


def _is(*kinds: str) -> Function:
    return Function(lambda value: kind_of(value) in kinds)


def _as_number(value: Value) -> Value:
    if isinstance(value, str):
        return _finite(float, value) if _NUMBER.fullmatch(value) else UNDEFINED  # type: ignore[arg-type] # a text
    return value if kind_of(value) == "number" else UNDEFINED


def _substring(text: Value, *where: Value) -> Value:
    """Return a part of a text: from a position on, the first being 0, to its end or as long as is said."""
    if not isinstance(text, str):
        return UNDEFINED
    whole = [value for value in where if type(value) is int and value >= 0]
    if len(whole) < len(where):
        return UNDEFINED
    begin, *length = whole
    return text[begin : begin + length[0]] if length else text[begin:]


def _array_contains(array: Value, wanted: Value) -> Value:
    if not isinstance(array, list):
        return UNDEFINED
    return any(compared(item, "=", wanted) for item in array)


_STARTS_WITH = _of_texts(lambda text, beginning: text.startswith(beginning), 2)

FUNCTIONS: Final[Mapping[str, Function]] = {
    "abs": _of_numbers(abs),
    "exp": _of_numbers(math.exp),
    "power": _of_numbers(math.pow, 2),
    "square": _of_numbers(lambda number: number * number),
    "ceiling": _of_numbers(math.ceil),
    "floor": _of_numbers(math.floor),
    "sign": _of_numbers(lambda number: (number > 0) - (number < 0)),
    "sqrt": _of_numbers(math.sqrt),
    "as_number": Function(_as_number),
    "is_array": Function(lambda value: isinstance(value, list)),
    "is_bool": _is("boolean"),
    "is_defined": Function(lambda value: value is not UNDEFINED),
    "is_null": _is("null"),
    "is_number": _is("number"),
    "is_object": Function(lambda value: isinstance(value, dict)),
    "is_primitive": _is("null", "boolean", "number", "string"),
    "is_string": _is("string"),
    "concat": _of_texts(lambda *texts: "".join(texts), 2, ANY_NUMBER),
    "length": _of_texts(len),
    "lower": _of_texts(str.lower),
    "upper": _of_texts(str.upper),
    "substring": Function(_substring, 2, 3),
    "index_of": _of_texts(lambda text, fragment: text.find(fragment), 2),
    "starts_with": _STARTS_WITH,
    "startswith": _STARTS_WITH,
    "ends_with": _of_texts(lambda text, end: text.endswith(end), 2),
    "contains": _of_texts(lambda text, fragment: fragment in text, 2),
    "array_contains": Function(_array_contains, 2, 2),
}
"""By their names in small letters; queries write them in any case."""
