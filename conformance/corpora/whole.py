"""What travels in one message, or in one row of messages, held as a whole against what came of it. Pure."""

import json
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from conformance.corpora import exact_json
from conformance.corpora.corpus import Value
from conformance.corpora.exact_json import Exact, Number
from conformance.errors import Violation

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

# A message names so many of the values that did not arrive as they were sent, and counts the others.
NAMED: Final = 3


@dataclass(frozen=True)
class Whole(Generic[K, T]):
    """What is sent: each part by the name that it travels under, with the id of its value.

    `compare` says in a line how what came differs from the part sent, None for not at all.
    """

    parts: Mapping[K, T]
    ids: Mapping[K, str]
    compare: Callable[[T, Any], str | None]

    def differences(self, came: Mapping[K, Any]) -> dict[str, str]:
        """Say of each value, by its id, how it differs; what came besides stands under ``?``."""
        found = {self.ids[name]: self._difference(name, came) for name in self.parts}
        besides = [repr(name) for name in came if name not in self.parts]
        if besides:
            found["?"] = f"{', '.join(besides[:NAMED])} came besides"
        return {value: words for value, words in found.items() if words is not None}

    def expect_same(self, came: Mapping[K, Any]) -> None:
        """Require that all of it arrived as it was sent; raises Violation, which names the values by id."""
        self._require(self.differences(came))

    def expect_everywhere(self, came: Mapping[str, Mapping[K, Any]]) -> None:
        """Require the same of each place, by its name, where it can be read."""
        self._require(
            {
                f"{value} ({place})": words
                for place, parts in came.items()
                for value, words in self.differences(parts).items()
            }
        )

    def _require(self, found: Mapping[str, str]) -> None:
        if found:
            shown = "; ".join(f"{value}: {words}" for value, words in list(found.items())[:NAMED])
            more = f"; and {len(found) - NAMED} more" if len(found) > NAMED else ""
            raise Violation(
                f"{shown}{more}",
                observed=f"other: {', '.join(found)}",
                expected=f"{len(self.parts)} values as they were sent",
                actual=f"{shown}{more}",
            )

    def half(self, *, first: bool) -> "Whole[K, T]":
        """Return the first or the second half of it."""
        names = list(self.parts)
        middle = len(names) // 2
        kept = names[:middle] if first else names[middle:]
        return Whole(
            {name: self.parts[name] for name in kept}, {name: self.ids[name] for name in kept}, self.compare
        )

    def __len__(self) -> int:
        return len(self.parts)

    def _difference(self, name: K, came: Mapping[K, Any]) -> str | None:
        return self.compare(self.parts[name], came[name]) if name in came else "did not arrive"


def as_values(values: Iterable[Value]) -> Whole[str, str]:
    """Let texts travel as values of properties, each under its own id."""
    parts = {value.id: value.text for value in values}
    return Whole(parts, {name: name for name in parts}, exact_json.text_difference)


def as_several_values(values: Iterable[Value], names: Iterable[str]) -> Whole[str, str]:
    """Let texts travel one behind the other, each as the value of several properties at once."""
    parts, several = {value.id: value.text for value in values}, list(names)
    return Whole(
        parts,
        {name: name for name in parts},
        lambda sent, came: exact_json.difference(dict.fromkeys(several, sent), came),
    )


def as_names(values: Iterable[Value]) -> Whole[str, str]:
    """Let texts travel as names of properties, each with its id for a value."""
    parts = {value.text: value.id for value in values}
    return Whole(parts, dict(parts), exact_json.text_difference)


def each_is(values: Iterable[Value], word: str) -> Whole[str, str]:
    """Expect one and the same word of each value, by its id."""
    parts = {value.id: word for value in values}
    return Whole(parts, {name: name for name in parts}, exact_json.text_difference)


def as_bodies(values: Iterable[Value]) -> Whole[int, bytes]:
    """Let bodies travel one behind the other, each by its place."""
    numbered = list(enumerate(values))
    return Whole(
        {number: value.body for number, value in numbered},
        {number: value.id for number, value in numbered},
        exact_json.text_difference,
    )


def as_members(values: Iterable[Value]) -> Whole[str, str]:
    """Let JSON travel, as it is written, as members of one object, each under its own id."""
    parts = {value.id: value.text for value in values}
    return Whole(parts, {name: name for name in parts}, _json_difference)


def as_member_names(values: Iterable[Value]) -> Whole[str, str]:
    """Let texts travel as names of members, each with its id for a value."""
    ids = {value.text: value.id for value in values}
    return Whole({name: json.dumps(value) for name, value in ids.items()}, ids, _json_difference)


def written_object(whole: Whole[str, str]) -> bytes:
    """Return the JSON object that has these members, each as it is written."""
    members = (f"{exact_json.write(name)}:{part}" for name, part in whole.parts.items())
    return f"{{{','.join(members)}}}".encode()


def number_in_words(sent: str, came: Iterable[Exact]) -> str:
    """Tell how a number came, wherever it can be read: ``as written``, ``in another form``, or what came."""
    return " and ".join(dict.fromkeys(_form_of(sent, each_one) for each_one in came))


def _form_of(sent: str, came: Exact) -> str:
    if not isinstance(came, Number):
        return str(exact_json.difference(exact_json.read(sent), came))
    if came.literal == sent:
        return "as written"
    return "in another form" if float(came.literal) == float(sent) else f"{came.literal} for {sent}"


def _json_difference(sent: str, came: Exact) -> str | None:
    return exact_json.difference(exact_json.read(sent), came)
