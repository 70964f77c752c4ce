"""How many of the further ways a run looks at: all of them, or few, where each message costs money and time.

At depth ``live`` every case runs in its first way, and each value of each axis is seen once in each section.
A launched or attached hub is judged at depth ``whole``.
"""

from collections.abc import Sequence
from typing import Literal

from conformance.ways.way import FIRST, Way

Depth = Literal["live", "whole"]


def kept(cases: Sequence[tuple[str, str, Way]], depth: Depth) -> frozenset[str]:
    """Return the ids of the cases that run; each is given by id, section and way.

    Which ones they are follows from the ids alone, not from their order.
    """
    if depth == "whole":
        return frozenset(case_id for case_id, _, _ in cases)
    seen: set[tuple[str, str, str]] = set()
    taken = {case_id for case_id, _, way in cases if way == FIRST}
    further = [each for each in cases if each[2] != FIRST]
    # Those that show most values first, so that few are taken.
    for case_id, section, way in sorted(further, key=lambda each: (-str(each[2]).count("-"), each[0])):
        shows = {(section, axis, value) for axis, value in way if value != getattr(FIRST, axis)}
        if shows - seen:
            seen |= shows
            taken.add(case_id)
    return frozenset(taken)
