"""What one case needs of a target: what its clause and its way say, and what its test asks for.

A clause names what none of its cases can do without. What only some of them need follows from their fixtures:
a device alone can show one side of many a rule, and the back end the other.
"""

from collections.abc import Mapping
from typing import Final

import pytest

from conformance.documents.catalogue import Clause
from conformance.verdict.needs import Claims, not_claimed
from conformance.ways.way import Way

# Fixtures that stand for the service side, or make devices, with the capabilities that this takes. What is
# sent to, desired of or called on a device is done to one that the run made: a ready-made one is its owner's.
_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "service": ("registry",),
    "registry": ("registry",),
    "twins": ("twin", "registry"),
    "methods": ("methods", "registry"),
    "c2d": ("c2d", "registry"),
    "feedback": ("feedback", "registry"),
    "devices_alike": ("registry",),
    "module": ("modules", "registry"),
    "register": ("registry",),
    "register_module": ("registry",),
    "register_vouched": ("registry",),
    "formerly_keyed": ("registry",),
    "formerly_keyed_vouched": ("registry",),
    "telemetry": ("telemetry",),
    "connection_events": ("telemetry", "registry"),  # those of an earlier connection would come late
    "routed": ("telemetry",),
}
# Fixtures with which no test can do anything but write the twin of a device.
_WRITERS: Final = frozenset({"reported", "reported_in_turn"})


def of_test(item: pytest.Item) -> tuple[str, ...]:
    """Return which capabilities a test takes for granted, whatever its clause says."""
    marked = [need for mark in item.iter_markers("needs") for need in mark.args]
    asked_for = [need for name in _fixtures(item) for need in _NEEDS.get(name, ())]
    values = getattr(item, "callspec", None)
    # A device whose id ends in a way that the test says is a new one.
    made = ["registry"] if values is not None and values.params.get("id_ending") else []
    return tuple(dict.fromkeys((*marked, *asked_for, *made)))


def unclaimed(item: pytest.Item, clause: Clause, way: Way, claims: Claims) -> str | None:
    """Return why a case does not apply to a target that claims this, or None if it does."""
    large, clock, writes = (
        item.get_closest_marker(name) is not None for name in ("large", "clock", "writes_twin")
    )
    return not_claimed(
        dict.fromkeys((*way.needs(clause.needs), *of_test(item))),
        claims,
        large=large,
        clock=clock,
        writes_twin=writes or not _WRITERS.isdisjoint(_fixtures(item)),
    )


def _fixtures(item: pytest.Item) -> list[str]:
    names: list[str] = getattr(item, "fixturenames", [])
    return names
