"""A disputed clause: the outcome, as a word, held against the readings that its record names."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from conformance.errors import HarnessError, Violation


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
        raise Violation(
            f"{word} is none of the readings of {self._clause}",
            observed=word,
            expected=" | ".join(self._readings),
            actual=word,
        )

    def _remember(self, name: str, word: str) -> None:
        if self.seen is not None and self.seen != name:
            raise Violation(
                f"{word} is the reading {name!r}, but the same case saw {self.seen!r} before",
                observed=word,
                expected=self.seen,
                actual=name,
            )
        self.seen = name
