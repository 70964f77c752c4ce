"""Where two values differ, each place with what was expected there and what came. Pure.

Two large values are never shown as two beginnings, which may be the same: what a reader sees is the member,
the item or the offset that is wrong.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, is_dataclass
from itertools import islice
from typing import Any, Final, TypeVar

T = TypeVar("T")

# Values are shown whole where neither is longer than this; else by where they differ.
LONGEST_WHOLE: Final = 100
# What stands at one place is shown so far.
LONGEST_PART: Final = 60
# How much of a long text is shown on either side of the first difference.
BEFORE, BEHIND = 8, 24
# A message tells so many places, and how many more there are.
MOST_PLACES: Final = 3
# Places are counted up to here; a text of 64 KB has no more.
MOST_COUNTED: Final = 100
NOTHING: Final = "nothing"
_ADDRESS: Final = re.compile(r" at 0x[0-9a-f]+(?=>)")


@dataclass(frozen=True)
class Difference:
    """One place where two values differ, with what stands there on either side.

    `where` is a path of members and items, ``desired.limits[2]``, empty for the whole; `at` is the offset
    from which on two texts differ.
    """

    where: str
    expected: str
    actual: str
    at: int | None = None

    def of(self, quantity: str) -> str:
        """Say which part of a quantity this is: ``'desired.limits' in the twin, at 512``."""
        part = f"`{self.where}` in {quantity}" if self.where else quantity
        return part if self.at is None else f"{part}, at {self.at}"


def differences(expected: object, actual: object) -> list[Difference]:
    """Return the places where two values differ: the whole where both are short, `MOST_COUNTED` at most."""
    if expected == actual and type(expected) is type(actual):
        return []
    wanted, came = written(expected), written(actual)
    if max(len(wanted), len(came)) <= LONGEST_WHOLE:
        return [Difference("", wanted, came)]
    return list(islice(_places(expected, actual, ""), MOST_COUNTED))


def written(value: object) -> str:
    """Return a value as Python writes it, without the address at which an object lies: nobody looks there."""
    return _ADDRESS.sub("", repr(value))


def told(found: Sequence[T], side: Callable[[T], str]) -> str:
    """Return one side of the first few of what was found, and how many more there are."""
    more = f"; and {len(found) - MOST_PLACES} more" if len(found) > MOST_PLACES else ""
    return "; ".join(map(side, found[:MOST_PLACES])) + more


def _places(expected: Any, actual: Any, where: str) -> Iterator[Difference]:
    match expected, actual:
        case (bytes() | str(), bytes() | str()) if type(expected) is type(actual):
            yield _text(expected, actual, where)
        case (Mapping(), Mapping()):
            yield from _members(expected, actual, where)
        case (list() | tuple(), list() | tuple()):
            yield from _items(expected, actual, where)
        case (AbstractSet(), AbstractSet()):
            yield from (Difference(where, shown(each), NOTHING) for each in _sorted(expected - actual))
            yield from (Difference(where, NOTHING, shown(each)) for each in _sorted(actual - expected))
        case _ if is_dataclass(expected) and type(expected) is type(actual):
            names = [each.name for each in fields(expected) if each.compare]
            yield from _members(
                {name: getattr(expected, name) for name in names},
                {name: getattr(actual, name) for name in names},
                where,
            )
        case _:
            yield Difference(where, shown(expected), shown(actual))


def _members(
    expected: Mapping[Any, object], actual: Mapping[Any, object], where: str
) -> Iterator[Difference]:
    for name, value in expected.items():
        place = _member(where, name)
        if name not in actual:
            yield Difference(place, shown(value), NOTHING)
        elif not _same(value, actual[name]):
            yield from _places(value, actual[name], place)
    for name in actual:
        if name not in expected:
            yield Difference(_member(where, name), NOTHING, shown(actual[name]))


def _items(expected: Sequence[object], actual: Sequence[object], where: str) -> Iterator[Difference]:
    if len(expected) != len(actual):
        # One that is missing, or besides, moves all others: that alone is told, not each that moved.
        one = next(
            (place for place, pair in enumerate(zip(expected, actual, strict=False)) if not _same(*pair)),
            min(len(expected), len(actual)),
        )
        yield Difference(f"{where}[{one}]", _item(expected, one), _item(actual, one))
        return
    for place, (value, came) in enumerate(zip(expected, actual, strict=True)):
        if not _same(value, came):
            yield from _places(value, came, f"{where}[{place}]")


def _text(expected: bytes | str, actual: bytes | str, where: str) -> Difference:
    if max(len(expected), len(actual)) <= LONGEST_PART:
        return Difference(where, written(expected), written(actual))
    pairs = enumerate(zip(expected, actual, strict=False))
    at = next((index for index, (one, other) in pairs if one != other), min(len(expected), len(actual)))
    part = slice(max(at - BEFORE, 0), at + BEHIND)
    wanted, came = (f"{text[part]!r} of {len(text)}" for text in (expected, actual))
    return Difference(where, wanted, came, at)


def shown(value: object) -> str:
    """Return a value whole where it is short, else its beginning and how long it is."""
    text = written(value)
    if len(text) <= LONGEST_PART:
        return text
    if isinstance(value, bytes | str):
        return f"{value[:BEHIND]!r}… of {len(value)}"
    return f"{text[: LONGEST_PART - 1]}… ({len(text)} characters)"


def _same(one: object, other: object) -> bool:
    return one == other


def _item(items: Sequence[object], place: int) -> str:
    return f"{shown(items[place]) if place < len(items) else NOTHING} ({len(items)} in all)"


def _member(where: str, name: object) -> str:
    if isinstance(name, str) and name.isprintable() and name:
        short = name if len(name) <= LONGEST_PART else f"{name[:BEHIND]}… of {len(name)}"
        return f"{where}.{short}" if where else short
    return f"{where}[{shown(name)}]"


def _sorted(values: AbstractSet[object]) -> list[object]:
    return sorted(values, key=repr)
