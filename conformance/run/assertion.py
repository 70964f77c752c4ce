"""The two sides of an assertion that failed, as text: short values whole, long ones by where they differ.

pytest would compare long values line by line, which takes minutes for 64 KB, and does so only where the
environment variable ``CI`` is set.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

LONGEST_VALUE: Final = 4096
# How much of a long value is shown on either side of the first difference.
BEFORE, BEHIND = 8, 24


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What the hub did beside what the rule expects."""

    expected: str
    actual: str
    explanation: tuple[str, ...] = ()
    """What the terminal shows where the values are too long to be shown whole; else nothing."""

    @classmethod
    def of(cls, operator: str, left: object, right: object) -> "Comparison":
        """Read ``assert left OPERATOR right``: by the suite's habit the left side is what the hub did."""
        actual, expected = repr(left), repr(right)
        if operator == "==" and max(len(actual), len(expected)) > LONGEST_VALUE:
            where, seen, wanted = _first_difference(left, right)
            return cls(
                expected=f"{where}: {wanted}",
                actual=f"{where}: {seen}",
                explanation=(
                    "two long values that are equal",
                    f"{where}: {seen} was got",
                    f"{where}: {wanted} was expected",
                ),
            )
        if operator == "in":
            return cls(expected=f"{_shown(actual)} in it", actual=_shown(expected))
        if operator == "not in":
            return cls(expected=f"no {_shown(actual)} in it", actual=_shown(expected))
        return cls(
            expected=_shown(expected) if operator in {"==", "is"} else f"{operator} {_shown(expected)}",
            actual=_shown(actual),
        )


def _first_difference(left: object, right: object, path: str = "") -> tuple[str, str, str]:
    """Return where two values differ first, and what stands there on either side."""
    match left, right:
        case (bytes() | str() as left, bytes() | str() as right) if type(left) is type(right):
            at = _first_index(zip(left, right, strict=False), min(len(left), len(right)))
            part = slice(max(at - BEFORE, 0), at + BEHIND)
            return f"{path or 'it'} at {at}", _part(left, part), _part(right, part)
        case (tuple() | list(), tuple() | list()) if len(left) == len(right):
            at = _first_index(zip(left, right, strict=True), len(left) - 1)
            return _first_difference(left[at], right[at], f"{path}[{at}]")
        case (dict(), dict()) if left.keys() == right.keys():
            key = next(key for key in left if left[key] != right[key])
            return _first_difference(left[key], right[key], f"{path}[{key!r}]")
        case _:
            return path or "it", _shown(repr(left)), _shown(repr(right))


def _first_index(pairs: Iterable[tuple[object, object]], otherwise: int) -> int:
    return next((index for index, (one, other) in enumerate(pairs) if one != other), otherwise)


def _part(value: bytes | str, part: slice) -> str:
    return f"{value[part]!r} of {len(value)}"


def _shown(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}… ({len(text)} characters)"
