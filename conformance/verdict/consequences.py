"""What a reading of a disputed clause keeps a known client from, in words.

A reading's name is compared by deviations and by comparisons of runs; its consequence is for people alone.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from conformance.documents.catalogue import Clause
from conformance.verdict.deviation import fits


class Seen(Protocol):
    """A case that was settled, in this run or in a statement that was read back."""

    @property
    def reading(self) -> str | None:
        """The name of the reading that it saw."""

    @property
    def consequence(self) -> str | None:
        """What that reading keeps a known client from, if anything."""


def consequence(clause: Clause, reading: str | None, case_id: str) -> str:
    """Return what the clause's record says of a reading that this case saw, or the empty text."""
    means = (
        each.means for each in clause.consequences if each.reading == reading and fits(case_id, each.case)
    )
    return "; ".join(dict.fromkeys(means))


def by_reading(cases: Iterable[Seen]) -> Mapping[str, tuple[str, ...]]:
    """Return the consequences that cases saw, each once, under the readings that have them."""
    found: dict[str, dict[str, None]] = {}
    for case in cases:
        if case.reading and case.consequence:
            found.setdefault(case.reading, {})[case.consequence] = None
    return {reading: tuple(found[reading]) for reading in sorted(found)}


def told(reading: str, consequences: Iterable[str]) -> str:
    """Return a reading with what it keeps known clients from behind it: ``refused (X cannot connect)``."""
    words = "; ".join(consequences)
    return f"{reading} ({words})" if words else reading
