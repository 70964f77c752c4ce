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

from iothub_emulator.hub.condition_reader import ConditionReader
from iothub_emulator.hub.conditions import Condition, truth
from iothub_emulator.hub.query_tokens import text_of, tokens
from iothub_emulator.hub.query_tree import QueryRefused

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<path>[^\s()<>@,;:\\"'/?={}!]+)
    | (?P<sign><>|!=|[=()])
    )""",
    re.VERBOSE | re.DOTALL,
)
_JOINTS: Final = frozenset({"and", "or", "not"})
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


Single: TypeAlias = Comparison | Constantly


@dataclass(frozen=True, slots=True)
class Route:
    """A route of device messages to the custom endpoint."""

    name: str
    condition: Condition[Single]


def parse_route(text: str) -> Route:
    """Return the route that `NAME:CONDITION` states, or raise `QueryRefused`."""
    name, colon, condition = text.partition(":")
    if not colon or not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name, re.ASCII):
        raise QueryRefused("a route is NAME:CONDITION, its name of letters, digits and . _ -")
    return Route(name, parse(condition))


def parse(text: str) -> Condition[Single]:
    """Return what a condition says, or raise `QueryRefused`."""
    reader = _Reader(tokens(text, _TOKEN, "condition"), "condition")
    condition = reader.any_of()
    reader.end()
    return condition


def holds(condition: Condition[Single], application: Mapping[str, str], system: Mapping[str, str]) -> bool:
    """Tell whether a condition is true of a message; names in both mappings are in lower case."""
    return truth(condition, lambda single: _truth(single, application, system)) is True


def _truth(single: Single, application: Mapping[str, str], system: Mapping[str, str]) -> bool | None:
    """Return whether one part of a condition holds; None: undefined."""
    if isinstance(single, Constantly):
        return single.value
    values = [_value(operand, application, system) for operand in (single.left, single.right)]
    return None if None in values else (values[0] == values[1]) is single.equal


def _value(operand: Property | Text, application: Mapping[str, str], system: Mapping[str, str]) -> str | None:
    if isinstance(operand, Text):
        return operand.value
    name = operand.name.lower()
    if name.startswith("$") and name[1:] in system:
        return system[name[1:]]
    # What is no property of the hub's may still be one of the application's whose name begins with $.
    return application.get(name)


class _Reader(ConditionReader[Single]):
    """Reads a condition from left to right."""

    def single(self) -> Single:
        token = self.peek()
        if token.kind == "path" and token.text.lower() in _CONSTANTS:
            return Constantly(_CONSTANTS[self.next().text.lower()])
        left = self._operand()
        for sign, equal in (("=", True), ("!=", False), ("<>", False)):
            if self.accept(sign):
                return Comparison(left, self._operand(), equal)
        raise self.unexpected()

    def _operand(self) -> Property | Text:
        token = self.peek()
        if token.kind == "text":
            return Text(text_of(self.next().text[1:-1]))
        if token.kind != "path" or token.word in _JOINTS:
            raise self.unexpected()
        if token.text.lower().startswith(_UNSERVED):
            raise QueryRefused("conditions on $body and $twin are not served here: only properties are")
        if _NUMBER.fullmatch(token.text):
            raise QueryRefused(f"{token.text} is a number: a property is a text, so write '{token.text}'")
        return Property(self.next().text)
