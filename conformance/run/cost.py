"""What cases cost: measured after a run, and estimated before one from what each test asks for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pytest

from conformance.documents.catalogue import Clause
from conformance.report.statement import CostPart, SlowCase
from conformance.verdict.clause import Case

# The statement names so many of the slowest cases.
SLOWEST: Final = 10

# Fixtures that make devices and modules, and how many.
_MAKERS: Final[Mapping[str, int]] = {
    "device": 1,
    "other_device": 1,
    "devices_alike": 2,
    "module": 1,
    "other_module": 1,
    "bystander": 1,
    "silent_client": 1,
    "register": 1,
    "register_module": 1,
}
# Messages of an average case on its devices' connections, by section or clause: what a whole run
# on the embedded hub came to. What a back end asks of twins, and a hub counts too, is not in it.
_MESSAGES: Final[Mapping[str, float]] = {
    "bag": 1.2,
    "c2d": 1.4,
    "d2c": 2.5,
    "desired": 1.9,
    "methods": 3.3,
    "monitoring": 1.2,
    "session": 3.8,
    "topics": 2.1,
    "twin": 5.9,
    "twin.throttled": 600.0,  # a burst, until one is refused
    "watch": 2.0,
    "websocket": 1.2,
}
_OTHERS: Final = 0.5
# A large case moves up to 256 KB, which a hub counts in blocks of 4 KB.
_LARGE: Final = 35.0


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a case is expected to ask of a hub; roughly."""

    identities: int = 0
    messages: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(identities=self.identities + other.identities, messages=self.messages + other.messages)


def estimate(item: pytest.Item, clause: Clause) -> Cost:
    """Return what a case is expected to cost."""
    fixtures = getattr(item, "fixturenames", ())
    large = item.get_closest_marker("large") is not None
    return Cost(
        identities=sum(_MAKERS.get(name, 0) for name in fixtures),
        messages=_LARGE if large else _MESSAGES.get(clause.id, _MESSAGES.get(clause.section, _OTHERS)),
    )


def over_budget(cost: Cost, budget: int | None) -> str | None:
    """Return why a run may not begin, if it would cost more messages than the profile admits."""
    if budget is None or cost.messages <= budget:
        return None
    return (
        f"this run would cost roughly {cost.messages:.0f} messages, and [limits] messages admits {budget}. "
        "Raise it, or choose fewer cases: --clause, --section."
    )


def measured(cases: Sequence[Case], sections: Mapping[str, str], *, seconds: float, workers: int) -> CostPart:
    """Return where a run's time went. `sections` names the section of each clause."""
    by_section = dict.fromkeys(sections.values(), 0.0)
    for case in cases:
        by_section[sections[case.clause]] += case.seconds
    return CostPart(
        seconds_by_section={name: round(spent, 3) for name, spent in by_section.items() if spent},
        slowest=[
            SlowCase(id=case.id, clause=case.clause, seconds=case.seconds) for case in slowest(cases, SLOWEST)
        ],
        slept_share=round(sum(case.slept for case in cases) / (seconds * workers), 4) if seconds else 0.0,
        messages=sum(case.messages for case in cases),
        identities=sum(case.identities for case in cases),
    )


def slowest(cases: Iterable[Case], most: int) -> list[Case]:
    """Return the cases that took longest, the slowest first."""
    ran = [case for case in cases if case.seconds]
    return sorted(ran, key=lambda case: case.seconds, reverse=True)[:most]
