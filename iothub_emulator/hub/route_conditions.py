"""The condition of a route: which messages it takes, by their properties.

Source: Microsoft, "IoT Hub message routing query syntax". Understood are properties, texts in either kind of
quotes, `true`, `false`, `=`, `!=`, `<>`, `AND`, `OR`, `NOT` and parentheses; `true` alone takes all messages.
Queries of the body (`$body`) or the twin (`$twin`), numbers, orderings and functions are refused.

A condition is true, false or undefined; only true lets a message through. Undefined is what a comparison with
an absent property gives.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from iothub_emulator.hub.query_tokens import text_of
from iothub_emulator.hub.query_tree import QueryRefused

DEEPEST_CONDITION: Final = 64
"""Parentheses and NOT inside each other; ours, so that no condition exhausts the stack."""

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<name>[^\s()<>@,;:\\"'/?={}!]+)
    | (?P<sign><>|!=|[=()])
    )""",
    re.VERBOSE | re.DOTALL,
)
_WORDS: Final = frozenset({"and", "or", "not"})
_CONSTANTS: Final = {"true": True, "false": False}
_NUMBER: Final = re.compile(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?", re.ASCII)
_UNSERVED: Final = ("$body", "$twin")


@dataclass(frozen=True, slots=True)
class Property:
    """A property of the message: one of the hub's with `$`, else of the application. Case is ignored."""

    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text that the condition itself holds."""

    value: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two operands that are equal, or are not."""

    left: Property | Text
    right: Property | Text
    equal: bool


@dataclass(frozen=True, slots=True)
class Constantly:
    """True or false, whatever the message."""

    value: bool


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; of undefined, undefined."""

    condition: "Condition"


@dataclass(frozen=True, slots=True)
class All:
    """Conditions joined by AND."""

    conditions: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Conditions joined by OR."""

    conditions: "tuple[Condition, ...]"


Condition: TypeAlias = Comparison | Constantly | Not | All | AnyOf


@dataclass(frozen=True, slots=True)
class Route:
    """A route of device messages to the custom endpoint."""

    name: str
    condition: Condition


def parse_route(text: str) -> Route:
    """Return the route that `NAME:CONDITION` states, or raise `QueryRefused`."""
    name, colon, condition = text.partition(":")
    if not colon or not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name, re.ASCII):
        raise QueryRefused("a route is NAME:CONDITION, its name of letters, digits and . _ -")
    return Route(name, parse(condition))


def parse(text: str) -> Condition:
    """Return what a condition says, or raise `QueryRefused`."""
    return _Parser(text).condition()


def holds(condition: Condition, application: Mapping[str, str], system: Mapping[str, str]) -> bool:
    """Tell whether a condition is true of a message; names in both mappings are in lower case."""
    return _truth(condition, application, system) is True


def _truth(condition: Condition, application: Mapping[str, str], system: Mapping[str, str]) -> bool | None:
    """Return true, false, or None for undefined."""
    match condition:
        case Comparison(left, right, equal):
            values = [_value(operand, application, system) for operand in (left, right)]
            return None if None in values else (values[0] == values[1]) is equal
        case Constantly(value):
            return value
        case Not(inner):
            truth = _truth(inner, application, system)
            return None if truth is None else not truth
        case All(conditions):
            truths = [_truth(inner, application, system) for inner in conditions]
            return False if False in truths else None if None in truths else True
        case AnyOf(conditions):
            truths = [_truth(inner, application, system) for inner in conditions]
            return True if True in truths else None if None in truths else False


def _value(operand: Property | Text, application: Mapping[str, str], system: Mapping[str, str]) -> str | None:
    if isinstance(operand, Text):
        return operand.value
    name = operand.name.lower()
    if name.startswith("$") and name[1:] in system:
        return system[name[1:]]
    # What is no property of the hub's may still be one of the application's whose name begins with $.
    return application.get(name)


class _Parser:
    """Reads a condition from left to right."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._position = 0
        self._depth = 0
        at, end = 0, len(text.rstrip())
        while at < end:
            found = _TOKEN.match(text, at)
            if found is None or found.lastgroup is None:
                raise QueryRefused(f"the condition is not understood from character {at + 1} on")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            at = found.end()

    def condition(self) -> Condition:
        """Read all of it."""
        whole = self._any_of()
        if self._position < len(self._tokens):
            raise self._unexpected()
        return whole

    def _any_of(self) -> Condition:
        conditions = [self._all()]
        while self._accept_word("or"):
            conditions.append(self._all())
        return conditions[0] if len(conditions) == 1 else AnyOf(tuple(conditions))

    def _all(self) -> Condition:
        conditions = [self._one()]
        while self._accept_word("and"):
            conditions.append(self._one())
        return conditions[0] if len(conditions) == 1 else All(tuple(conditions))

    def _one(self) -> Condition:
        self._depth += 1
        if self._depth > DEEPEST_CONDITION:
            raise QueryRefused(f"the condition is nested deeper than {DEEPEST_CONDITION}")
        try:
            if self._accept_word("not"):
                return Not(self._one())
            if self._accept("("):
                inner = self._any_of()
                if not self._accept(")"):
                    raise self._unexpected()
                return inner
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Condition:
        kind, text = self._peek()
        if kind == "name" and text.lower() in _CONSTANTS:
            self._position += 1
            return Constantly(_CONSTANTS[text.lower()])
        left = self._operand()
        for sign, equal in (("=", True), ("!=", False), ("<>", False)):
            if self._accept(sign):
                return Comparison(left, self._operand(), equal)
        raise self._unexpected()

    def _operand(self) -> Property | Text:
        kind, text = self._peek()
        if kind == "text":
            self._position += 1
            return Text(text_of(text[1:-1]))
        if kind != "name" or text.lower() in _WORDS:
            raise self._unexpected()
        if text.lower().startswith(_UNSERVED):
            raise QueryRefused("conditions on $body and $twin are not served here: only properties are")
        if _NUMBER.fullmatch(text):
            raise QueryRefused(f"{text} is a number: a property is a text, so write '{text}'")
        self._position += 1
        return Property(text)

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._position] if self._position < len(self._tokens) else ("end", "")

    def _accept(self, sign: str) -> bool:
        found = self._peek() == ("sign", sign)
        self._position += found
        return found

    def _accept_word(self, word: str) -> bool:
        kind, text = self._peek()
        found = kind == "name" and text.lower() == word
        self._position += found
        return found

    def _unexpected(self) -> QueryRefused:
        kind, text = self._peek()
        where = "at its end" if kind == "end" else f"at {text[:64]!r}, its part {self._position + 1}"
        return QueryRefused(f"the condition is not understood {where}")
