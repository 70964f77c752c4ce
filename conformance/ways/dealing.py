"""Which ways a test runs in beside the first: a function of its own name, and of the axes that bear on it.

Every case runs in the first way. Two further ways are dealt to each test, so that with the first they show it
every value of every axis; one of its cases runs in each. Neither the profile nor any other test has a say, so
that an id of a case stays what it is.
"""

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

from conformance.ways.way import FIRST, VALUES, Way

# On an axis of two values at least one of the two ways has the second; of three values each has one of the
# others.
_OF_TWO = ((1, 0), (0, 1), (1, 1))
_OF_THREE = ((1, 2), (2, 1))


def further_ways(test: str, fixed: Collection[str] = ()) -> tuple[Way, ...]:
    """Return the ways of a test beside the first; `fixed` names the axes on which it keeps to that."""
    dealt: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for axis, values in VALUES.items():
        if axis in fixed:
            continue
        patterns = _OF_TWO if len(values) == len(_OF_TWO[0]) else _OF_THREE
        pattern = patterns[_digest(axis, test) % len(patterns)]
        for way, place in zip(dealt, pattern, strict=True):
            way[axis] = values[place]
    ways = dict.fromkeys(Way(**each) for each in dealt)
    return tuple(way for way in ways if way != FIRST)


def chosen(cases: Sequence[str], way: Way) -> str:
    """Return which of a test's cases, by name, runs in a further way."""
    return min(cases, key=lambda case: _digest(str(way), case))


def _digest(*words: str) -> int:
    return int.from_bytes(hashlib.sha256("\0".join(words).encode()).digest()[:8])
