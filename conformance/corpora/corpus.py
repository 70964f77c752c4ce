"""A corpus: values of one kind, each with its id, level and source, read from a file beside this. Pure.

A line of such a file is one value. What it is stands in one of these keys:

    text = "a b"                    a text: a name or a value of a property, the name of a member, an ending
    hex = "00ff"                    a body, byte by byte
    json = '{"a": 1.0}'             a member's value, or a payload, written as it travels

``times`` repeats a text or a body, and the text within a ``json`` that is one. ``on`` names the paths that
the value travels, all of its file where it is left out. ``large`` values travel in a case that is marked so.
"""

import re
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from conformance.errors import CatalogueError

Level = Literal["must", "disputed", "observe"]

HERE: Final = Path(__file__).parent
_WORD: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# Sentences of the document and of today's page, rows of what the field says, standards, Microsoft's pages.
_SOURCE: Final = re.compile(
    r"(S|T|F)[1-9][0-9]*|MQTT-\d+\.\d+\.\d+-\d+|RFC [0-9]+, [0-9.]+|Microsoft, [a-z -]+|seen, [^;]+"
)
_KINDS: Final = ("text", "hex", "json")
_KEYS: Final = frozenset({"id", "level", "source", "on", "times", "large", *_KINDS})


@dataclass(frozen=True, kw_only=True)
class Value:
    """One value. `content` is its text, its bytes, or its JSON as written."""

    id: str
    level: Level
    source: str
    content: str | bytes
    on: frozenset[str]
    large: bool = False

    def __str__(self) -> str:
        return self.id

    @property
    def text(self) -> str:
        """The content of a value that is a text, or JSON as written."""
        assert isinstance(self.content, str), self.id  # noqa: S101 - the file says which kind it is
        return self.content

    @property
    def body(self) -> bytes:
        """The content in bytes."""
        return self.content if isinstance(self.content, bytes) else self.content.encode()


@dataclass(frozen=True)
class Corpus:
    """The values of one file, in its order."""

    name: str
    paths: frozenset[str]
    values: tuple[Value, ...]

    def must(self, path: str, *, large: bool = False) -> tuple[Value, ...]:
        """Return what has to arrive on a path and travels together: the small values, or `large` ones."""
        return self._on(path, "must", large)

    def alone(self, path: str, level: Level) -> tuple[Value, ...]:
        """Return the values of another level on a path: each travels in a message of its own."""
        return self._on(path, level, large=False)

    def _on(self, path: str, level: Level, large: bool) -> tuple[Value, ...]:
        found = tuple(
            each for each in self.values if path in each.on and each.level == level and each.large == large
        )
        if not found:
            raise CatalogueError(f"{self.name}: has no value of level '{level}' for '{path}'")
        return found


def load(name: str) -> Corpus:
    """Read ``{name}.toml``; raises CatalogueError with every problem of the file, one line each."""
    file = f"{name}.toml"
    try:
        document = tomllib.loads((HERE / file).read_text(encoding="utf-8"))
        return parse(file, document)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{file}: {error}") from None


def parse(file: str, document: dict[str, object]) -> Corpus:
    """Return the corpus that a file's tables say; raises CatalogueError, likewise."""
    paths, entries = document.get("paths"), document.get("values")
    if not isinstance(paths, list) or not isinstance(entries, list):
        raise CatalogueError(f"{file}: needs paths = [...] and values = [{{...}}, ...]")
    problems: list[str] = []
    values: list[Value] = []
    for number, entry in enumerate(entries, 1):
        found = _problem(entry, paths)
        if found is None:
            values.append(_value(entry, paths))
        else:
            problems.append(f"{file}: value {entry.get('id', number)}: {found}")
    problems += [f"{file}: value {each}: stands twice" for each in _twice([value.id for value in values])]
    if problems:
        raise CatalogueError("\n".join(problems))
    return Corpus(file, frozenset(paths), tuple(values))


def _problem(entry: dict[str, object], paths: Collection[str]) -> str | None:
    """Say what is wrong with one line, None for nothing."""
    unknown = sorted(entry.keys() - _KEYS)
    kinds = [kind for kind in _KINDS if kind in entry]
    sources = str(entry.get("source", "")).split("; ")
    on = entry.get("on", [])
    problems = (
        (bool(unknown), f"unknown key {unknown}"),
        (_WORD.fullmatch(str(entry.get("id", ""))) is None, "id is not words joined by dashes"),
        (entry.get("level") not in get_args(Level), f"level is none of {', '.join(get_args(Level))}"),
        (any(_SOURCE.fullmatch(each) is None for each in sources), "source is in no known form"),
        (len(kinds) != 1, f"needs one of {', '.join(_KINDS)}"),
        (not isinstance(on, list) or not set(on) <= set(paths), "on names a path that the file does not"),
    )
    return next((words for is_wrong, words in problems if is_wrong), None)


def _value(entry: dict[str, object], paths: Collection[str]) -> Value:
    times = entry.get("times", 1)
    assert isinstance(times, int)  # noqa: S101 - TOML has no other number here
    content: str | bytes
    if "hex" in entry:
        content = bytes.fromhex(str(entry["hex"])) * times
    elif "text" in entry:
        content = str(entry["text"]) * times
    else:
        written = str(entry["json"])
        content = f'"{written[1:-1] * times}"' if times > 1 else written
    on = entry.get("on", paths)
    assert isinstance(on, Sequence)  # noqa: S101 - `_problem` has looked
    level = next(each for each in get_args(Level) if each == entry["level"])
    return Value(
        id=str(entry["id"]),
        level=level,
        source=str(entry["source"]),
        content=content,
        on=frozenset(on),
        large=bool(entry.get("large", False)),
    )


def _twice(ids: Sequence[str]) -> list[str]:
    return sorted({each for each in ids if ids.count(each) > 1})
