"""Reads conditions from tokens: AND, OR, NOT and parentheses, and how far it understood."""

import abc
from collections.abc import Sequence
from typing import ClassVar, Final, Generic

from iothub_emulator.hub.conditions import All, AnyOf, Condition, Not, One, Single
from iothub_emulator.hub.query_tokens import END, Token
from iothub_emulator.hub.query_tree import QueryRefused

DEEPEST_CONDITION: Final = 64
"""Parentheses and NOT inside each other; ours, so that no text exhausts the stack."""
LONGEST_QUOTE: Final = 64


class ConditionReader(abc.ABC, Generic[Single]):
    """Reads tokens from left to right, each at most once; `subject` is what a refusal calls the text."""

    deepest: ClassVar[int] = DEEPEST_CONDITION

    def __init__(self, read: Sequence[Token], subject: str) -> None:
        self._tokens = read
        self._subject = subject
        self._position = 0
        self._depth = 0

    @abc.abstractmethod
    def single(self) -> Single:
        """Read what stands between the joints, or raise `QueryRefused`."""

    def any_of(self) -> Condition[Single]:
        """Read a condition up to where none of the joints goes on."""
        conditions = [self._all()]
        while self.accept_word("or"):
            conditions.append(self._all())
        return conditions[0] if len(conditions) == 1 else AnyOf(tuple(conditions))

    def end(self) -> None:
        """Require that all was read."""
        if self.peek() is not END:
            raise self.unexpected()

    def _all(self) -> Condition[Single]:
        conditions = [self._one()]
        while self.accept_word("and"):
            conditions.append(self._one())
        return conditions[0] if len(conditions) == 1 else All(tuple(conditions))

    def _one(self) -> Condition[Single]:
        self._depth += 1
        if self._depth > self.deepest:
            raise QueryRefused(f"The {self._subject} is nested deeper than {self.deepest}.")
        condition = self._inner()
        self._depth -= 1
        return condition

    def _inner(self) -> Condition[Single]:
        return Not(self._one()) if self.accept_word("not") else self.part()

    def part(self) -> Condition[Single]:
        """Read a condition in parentheses, or what stands between the joints."""
        return self.bracketed() if self.accept("(") else One(self.single())

    def bracketed(self) -> Condition[Single]:
        """Read a condition behind its opening parenthesis, and the closing one."""
        inner = self.any_of()
        self.expect(")")
        return inner

    # Tokens

    def peek(self) -> Token:
        """Return the token that comes next, or `END`."""
        return self._tokens[self._position] if self._position < len(self._tokens) else END

    def next(self) -> Token:
        """Return the token that comes next, and pass it."""
        token = self.peek()
        self._position += token is not END
        return token

    def accept(self, sign: str) -> bool:
        """Pass this sign if it comes next."""
        token = self.peek()
        found = token.kind == "sign" and token.text == sign
        self._position += found
        return found

    def accept_word(self, word: str) -> bool:
        """Pass this keyword if it comes next."""
        found = self.peek().word == word
        self._position += found
        return found

    def expect(self, sign: str) -> None:
        """Pass this sign, or raise `QueryRefused`."""
        if not self.accept(sign):
            raise self.unexpected()

    def unexpected(self) -> QueryRefused:
        """unspecified: the wording of a real hub; this one says which part of the text it is."""
        token = self.peek()
        where = f"at {token.text[:LONGEST_QUOTE]!r}, its part {self._position + 1}"
        return QueryRefused(
            f"The {self._subject} is not understood {'at its end' if token is END else where}."
        )
