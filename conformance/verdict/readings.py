"""A disputed clause: the outcome, as a word, held against the readings that its record names."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final

from conformance.errors import HarnessError, Violation

# From how alike on a pattern is told as the nearest: one letter of another case, in some words.
NEAR: Final = 0.9


class Readings:
    """The readings of one clause. `seen` is the name of the one that the case met, None before `match`."""

    def __init__(self, clause: str, readings: Mapping[str, Sequence[str]]) -> None:
        self._clause = clause
        self._readings = readings
        self.seen: str | None = None

    def match(self, word: str) -> str:
        """Return the name of the first reading that the outcome fits.

        Patterns are those of `fnmatch`, case counts. Raises Violation outside every reading; it also stays
        one if a case matches several outcomes and they fit different readings, since a hub that wavers has
        none of them. Raises HarnessError where the clause is not disputed.
        """
        if not self._readings:
            raise HarnessError(
                f"{self._clause} is not disputed, so it has no readings: compare the outcome in the test"
            )
        for name, patterns in self._readings.items():
            if any(fnmatchcase(word, pattern) for pattern in patterns):
                self._remember(name, word)
                return name
        expected = self._expected(word)
        raise Violation(
            f"{word} is none of the readings of {self._clause}: {expected}",
            observed=word,
            expected=expected,
            actual=word,
        )

    def _expected(self, word: str) -> str:
        """Name the readings, and the pattern that comes nearest where that is another word."""
        patterns = [pattern for patterns in self._readings.values() for pattern in patterns]
        near = [
            each for each in get_close_matches(word, patterns, n=1, cutoff=NEAR) if each not in self._readings
        ]
        return " | ".join(self._readings) + (f" (nearest: {near[0]})" if near else "")

    def _remember(self, name: str, word: str) -> None:
        if self.seen is not None and self.seen != name:
            raise Violation(
                f"{word} is the reading {name!r}, but the same case saw {self.seen!r} before",
                observed=word,
                expected=self.seen,
                actual=name,
            )
        self.seen = name
