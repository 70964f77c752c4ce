"""The words, signs, strings and numbers that a query consists of."""

import re
from dataclasses import dataclass
from typing import Final

from iothub_emulator.hub.query_tree import QueryRefused

LONGEST_NUMBER = 18
"""Digits of a whole number; 64 bits hold them."""

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<number>(?:0[xX][0-9A-Fa-f]+|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?))(?![\w$.])
    | (?P<path>[A-Za-z_$][\w$]*(?:\.[\w$]+)*)
    | (?P<sign><=|>=|<>|!=|[=<>(),*/%+\-\[\]])
    )""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_KEYWORDS = frozenset(
    {
        *("select", "top", "from", "where", "as", "and", "or", "not", "in", "nin"),
        *("group", "by", "order", "distinct", "join"),
    }
)


@dataclass(frozen=True, slots=True)
class Token:
    """One of them; kind is text, number, path, sign or end."""

    kind: str
    text: str

    @property
    def word(self) -> str:
        """The keyword that it is, in lower case; empty for everything else."""
        lower = self.text.lower()
        return lower if self.kind == "path" and lower in _KEYWORDS else ""


END: Final = Token("end", "the end")


def tokens(text: str, pattern: re.Pattern[str] = _TOKEN, subject: str = "query") -> list[Token]:
    """Return the tokens of a text, or raise `QueryRefused` where there is none.

    The groups of `pattern` are named after kinds of tokens; a refusal calls the text its `subject`.
    """
    found_so_far = []
    position, end = 0, len(text.rstrip())
    while position < end:
        found = pattern.match(text, position)
        if found is None or found.lastgroup is None:
            raise QueryRefused(f"The {subject} is not understood from character {position + 1} on.")
        found_so_far.append(Token(found.lastgroup, found[found.lastgroup]))
        position = found.end()
    return found_so_far


def text_of(text: str) -> str:
    """Return what a string stands for, its escapes resolved."""

    def character(found: re.Match[str]) -> str:
        if found[1]:
            return chr(int(found[1], 16))
        if found[2] in "'\"\\":
            return found[2]
        raise QueryRefused("A string has an escape that is not known.")

    return _ESCAPE.sub(character, text)


def number_of(text: str) -> int | float:
    """Return what a number stands for: decimal, or hexadecimal behind 0x."""
    if "x" in text.lower():
        return int(text, 16)
    if text.isdecimal():
        if len(text) > LONGEST_NUMBER:
            raise QueryRefused("A number is too long.")
        return int(text)
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise QueryRefused("A number is too large.")
    return number
