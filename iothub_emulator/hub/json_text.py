"""JSON as the hub reads and writes it: RFC 8259 to the letter, UTF-8, without Python's extensions."""

import json
import math
from typing import NoReturn, TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Object: TypeAlias = dict[str, Json]

DEEPEST = 64
"""Containers inside each other that are read; a guard of the reader, above every limit of the hub's own."""


class NotJson(ValueError):  # noqa: N818 - an answer, not a malfunction
    """Bytes that are not one JSON text in UTF-8."""


def parse(text: bytes) -> Json:
    """Return the value of a JSON text, or raise `NotJson`.

    NaN, the infinities, numbers beyond a double, lone surrogates and anything nested deeper than `DEEPEST`
    are refused too: Python would read them, and they could not be handed on. The last of equal names wins.
    """
    try:
        decoded = text.decode()
        value: Json = json.loads(decoded, parse_constant=_refuse, parse_float=_finite)
        if "\\u" in decoded:
            dump(value)
    except (ValueError, RecursionError):
        raise NotJson from None
    if _is_deeper(value, DEEPEST):
        raise NotJson
    return value


def dump(value: Json) -> bytes:
    """Return compact JSON in UTF-8; `ValueError` if a string holds a lone surrogate."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def is_number(value: Json) -> bool:
    """Tell whether a value is a JSON number; Python counts booleans as integers."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_deeper(value: Json, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: Json) -> list[Json]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError
    return number


def _refuse(_constant: str) -> NoReturn:
    raise ValueError
