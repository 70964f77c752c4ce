"""Conditions joined by AND, OR and NOT: what queries of twins and conditions of routes share.

What stands between the joints differs; each language has its own. A condition is true, false or undefined.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

Single = TypeVar("Single")


@dataclass(frozen=True, slots=True)
class One(Generic[Single]):
    """A part that has no joints in it, in whatever form its language has."""

    single: Single


@dataclass(frozen=True, slots=True)
class Not(Generic[Single]):
    """The opposite; of undefined, undefined."""

    condition: "Condition[Single]"


@dataclass(frozen=True, slots=True)
class All(Generic[Single]):
    """Conditions joined by AND."""

    conditions: "tuple[Condition[Single], ...]"


@dataclass(frozen=True, slots=True)
class AnyOf(Generic[Single]):
    """Conditions joined by OR."""

    conditions: "tuple[Condition[Single], ...]"


Condition: TypeAlias = One[Single] | Not[Single] | All[Single] | AnyOf[Single]


def truth(condition: Condition[Single], of_single: Callable[[Single], bool | None]) -> bool | None:
    """Return whether a condition holds, None where that is undefined; `of_single` says it of one part."""
    match condition:
        case Not(inner):
            opposite = truth(inner, of_single)
            return None if opposite is None else not opposite
        case All(conditions):
            return _joined(conditions, of_single, decides=False)
        case AnyOf(conditions):
            return _joined(conditions, of_single, decides=True)
        case One(single):
            return of_single(single)


def _joined(
    conditions: tuple[Condition[Single], ...], of_single: Callable[[Single], bool | None], *, decides: bool
) -> bool | None:
    """Return what joined conditions come to; the first that decides is the last that is looked at."""
    is_undefined = False
    for each in conditions:
        found = truth(each, of_single)
        if found is decides:
            return decides
        is_undefined = is_undefined or found is None
    return None if is_undefined else not decides
