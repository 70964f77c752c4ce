"""JSON read and compared by type and by literal: 1, 1.0, true and "1" are four values. Pure.

RFC 8259 alone knows these types; Python's ``==`` takes true for 1, and 1 for 1.0.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

# A text that is longer is shown by where it differs.
LONGEST_TEXT: Final = 60
BEFORE, BEHIND = 8, 24


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written: ``1``, ``1.0``, ``-0``, ``1e2``."""

    literal: str


Exact: TypeAlias = "dict[str, Exact] | list[Exact] | str | Number | bool | None"


def read(text: str | bytes) -> Exact:
    """Return the value of a JSON text; raises ValueError where it is none, or has a name twice in one object.

    A byte order mark in front is no JSON (RFC 8259, 8.1), and neither are NaN and the infinities.
    """
    try:
        value: Exact = json.loads(
            text.decode() if isinstance(text, bytes) else text,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_refuse,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise ValueError("nested too deeply to be read") from None
    return value


def write(value: Exact) -> str:
    """Return a value as JSON, each number as it was written."""
    match value:
        case dict():
            return "{" + ",".join(f"{write(name)}:{write(inner)}" for name, inner in value.items()) + "}"
        case list():
            return "[" + ",".join(map(write, value)) + "]"
        case Number(literal):
            return literal
        case _:
            return json.dumps(value, ensure_ascii=False)


def difference(sent: Exact, came: Exact, path: str = "") -> str | None:
    """Say in one line where two values differ first; None where they are the same by type and by literal.

    The order of an object's members says nothing (RFC 8259, 4), that of an array's does.
    """
    match sent, came:
        case (dict(), dict()):
            return _first(_in_objects(sent, came, path))
        case (list(), list()):
            return _first(_in_arrays(sent, came, path))
        case (str(), str()):
            found = text_difference(sent, came)
        case (Number(), Number()):
            found = None if sent == came else f"{came.literal} for {sent.literal}"
        case _:
            same = sent is came  # true, false and null are one object each
            found = None if same else f"{_in_words(came)} for {_in_words(sent)}"
    return found and f"{path}: {found}".removeprefix(": ")


def text_difference(sent: str | bytes, came: str | bytes | None) -> str | None:
    """Say where two texts, or two bodies, differ: whole where they are short, else where, and how long."""
    if type(sent) is type(came) and sent == came:
        return None
    if came is None:
        return f"null for {_shown(sent)}"
    if max(len(sent), len(came)) <= LONGEST_TEXT or type(sent) is not type(came):
        return f"{_shown(came)} for {_shown(sent)}"
    pairs = enumerate(zip(sent, came, strict=False))
    at = next((index for index, (one, other) in pairs if one != other), min(len(sent), len(came)))
    part = slice(max(at - BEFORE, 0), at + BEHIND)
    return f"at {at}, {came[part]!r} for {sent[part]!r}, {len(came)} long for {len(sent)}"


def _in_objects(sent: dict[str, Exact], came: dict[str, Exact], path: str) -> Iterator[str | None]:
    for name, inner in sent.items():
        where = f"{path}.{name}".removeprefix(".") if name.isprintable() else f"{path}[{name!r}]"
        yield difference(inner, came[name], where) if name in came else f"{where}: not there"
    for name in came.keys() - sent.keys():
        yield f"{path}: {name!r} besides".removeprefix(": ")


def _in_arrays(sent: Sequence[Exact], came: Sequence[Exact], path: str) -> Iterator[str | None]:
    for index, (one, other) in enumerate(zip(sent, came, strict=False)):
        yield difference(one, other, f"{path}[{index}]")
    if len(sent) != len(came):
        yield f"{path}: {len(came)} items for {len(sent)}".removeprefix(": ")


def _first(found: Iterator[str | None]) -> str | None:
    return next((each for each in found if each is not None), None)


def _in_words(value: Exact) -> str:
    match value:
        case dict():
            return "an object" if value else "an empty object"
        case list():
            return "an array"
        case Number(literal):
            return f"the number {literal}"
        case str():
            return f"the text {_shown(value)}"
        case _:
            return write(value)


def _shown(text: str | bytes) -> str:
    if len(text) <= LONGEST_TEXT:
        return repr(text)
    return f"{text[:BEHIND]!r}… of {len(text)}"


def _object(pairs: list[tuple[str, Exact]]) -> Exact:
    read_object = dict(pairs)
    if len(read_object) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the name {next(name for name in names if names.count(name) > 1)!r} stands twice")
    return read_object


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
