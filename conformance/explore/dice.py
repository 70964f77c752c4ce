"""The generator's only source of chance: numbers drawn from a name, the same on every machine and Python.

`random.Random` keeps its stream of floats over versions, but not what `choice` and `sample` make of it. Here
each number is a piece of the SHA-256 of the name and of how many pieces were drawn before.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TypeVar

Item = TypeVar("Item")


class Dice:
    """An endless row of numbers that depends on `name` alone."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._hashed = 0
        self._ready: list[int] = []

    def below(self, limit: int) -> int:
        """Return a number from 0 to `limit` - 1. Of 64 bits, none is favoured that anybody could see."""
        if not self._ready:
            self._hashed += 1
            digest = hashlib.sha256(f"{self._name} {self._hashed}".encode()).digest()
            self._ready = [int.from_bytes(digest[place : place + 8], "big") for place in (24, 16, 8, 0)]
        return self._ready.pop() % limit

    def one_of(self, items: Sequence[Item]) -> Item:
        """Return one of these; all are as likely."""
        return items[self.below(len(items))]

    def chance(self, in_a_hundred: int) -> bool:
        """Tell whether what happens so often in a hundred happens now."""
        return self.below(100) < in_a_hundred

    def weighted(self, weights: Mapping[str, int]) -> str:
        """Return a word, each as likely as its weight says; at least one weight is above 0."""
        place = self.below(sum(weights.values()))
        for word, weight in weights.items():
            place -= weight
            if place < 0:
                return word
        raise AssertionError("a place below the sum of all weights lies in one of them")

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """Return these in another order."""
        left, order = list(items), []
        while left:
            order.append(left.pop(self.below(len(left))))
        return order
