"""What a run is expected to ask of a hub, and how long it takes: from what each test asks for, before one.

The averages are what whole runs came to: on the embedded hub, and on one that is 80 ms away with the figures
of profiles/real-hub.toml. A test holds the sums against runs.
"""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

import pytest

from conformance.documents.catalogue import Clause
from conformance.run.identities import LARGEST_BATCH
from conformance.run.long_waits import least, waited
from conformance.run.orders import KEPT, Need, Order, needs_of, ordered, share_of, window
from conformance.run.run_state import LEFT
from conformance.verdict.needs import Claims
from conformance.ways.way import FIRST, Way, entrances


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What is expected to be asked of a hub; roughly. `seconds` is of one worker.

    Of the `identities`, devices and modules, so many devices are there `at_once`. `free_messages` are the
    messages as the free edition counts them.
    """

    identities: int = 0
    at_once: int = 0
    messages: float = 0.0
    free_messages: float = 0.0
    registry_operations: float = 0.0
    connections: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            **{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)}
        )


@dataclass(frozen=True)
class Average:
    """Of a section's or clause's cases: messages, connections, seconds on the embedded hub and far away."""

    messages: float
    connections: float
    seconds: float
    far: float


_AVERAGES: Final[Mapping[str, Average]] = {
    "bag": Average(1.6, 1.2, 0.02, 1.0),
    "c2d": Average(1.5, 1.1, 0.09, 3.8),
    "c2d.ids-alike": Average(54.0, 27.0, 0.55, 32.0),
    "c2d.order": Average(20.0, 1.0, 0.08, 2.2),
    "c2d.queue-depth": Average(51.0, 1.7, 0.22, 2.7),
    "connect": Average(0.2, 1.7, 0.04, 1.2),
    "connection": Average(0.3, 2.0, 0.18, 4.1),
    "connection.ids-alike": Average(0.0, 27.0, 0.25, 79.5),
    "d2c": Average(1.1, 1.3, 0.04, 1.9),
    "d2c.ids-alike": Average(27.0, 27.0, 0.22, 25.2),
    "d2c.order": Average(20.0, 1.0, 0.13, 2.0),
    "d2c.order-pipelined": Average(20.0, 1.0, 0.06, 0.3),
    "desired": Average(2.7, 1.2, 0.04, 1.4),
    "explore.certificates": Average(41.3, 5.6, 0.22, 18.0),
    "explore.device": Average(24.8, 13.8, 0.50, 14.8),
    "explore.messages": Average(42.0, 6.9, 0.31, 18.2),
    "explore.methods": Average(21.6, 5.9, 0.27, 18.7),
    "explore.mixed": Average(27.3, 5.1, 0.18, 18.0),
    "explore.modules": Average(30.0, 6.8, 0.27, 18.0),
    "explore.registry": Average(14.0, 11.1, 0.31, 18.0),
    "explore.twins": Average(23.9, 4.8, 0.18, 19.3),
    "methods": Average(2.4, 1.1, 0.09, 1.5),
    "methods.ids-alike": Average(27.0, 27.0, 0.74, 26.4),
    "methods.request-ids-differ": Average(12.5, 1.0, 0.08, 2.3),
    "module": Average(1.4, 1.4, 0.02, 0.8),
    "monitoring": Average(1.2, 1.7, 0.14, 1.7),
    "packets": Average(0.5, 2.0, 0.04, 0.9),
    "sas": Average(0.0, 1.8, 0.11, 0.7),
    "service-twins.refused": Average(75.0, 0.5, 0.30, 12.0),
    "service-twins.sizes": Average(35.0, 0.5, 0.20, 6.0),
    "session": Average(1.8, 2.5, 0.07, 5.8),
    "session.pending-order": Average(7.7, 2.0, 0.04, 2.0),
    "topics": Average(1.7, 1.8, 0.02, 2.7),
    "topics.subtopic-wildcards": Average(9.2, 2.0, 0.05, 2.1),
    "transport": Average(0.2, 1.0, 0.01, 0.6),
    "twin": Average(4.0, 1.0, 0.02, 0.9),
    "twin.ids-alike": Average(54.0, 27.0, 0.59, 30.4),
    "twin.throttled": Average(300.8, 1.4, 0.18, 2.3),
    "twin.too-large": Average(17.0, 1.3, 0.02, 0.3),
    "watch": Average(1.4, 1.3, 0.02, 1.1),
    "websocket": Average(0.4, 1.3, 0.05, 1.5),
    "will": Average(0.5, 1.5, 0.07, 5.2),
    "x509": Average(0.3, 1.8, 0.05, 2.3),
    "x509-ca": Average(0.1, 2.0, 0.04, 0.5),
}
# What of it a live hub is asked where devices are alike: nine of twenty-seven.
ALIKE_THERE: Final = 1 / 3
# Messages of a look at the two devices that no case is about.
_LOOK: Final = 2.0
# Of a section's or clause's blocks of 4 KB, how many of 0.5 KB each comes to, where that is more than one.
FREE_PER_BLOCK: Final = 8.0
_FREE: Final[Mapping[str, float]] = {
    "explore.device": 4.0,
    "service-twins.refused": 1.7,
    "service-twins.sizes": 6.2,
    "twin.too-large": 4.2,
}
# What a new section costs, until it is measured.
_OTHERS: Final = Average(0.5, 2.0, 0.1, 3.0)
# A large case moves up to 256 KB, which a hub counts in blocks of 4 KB.
_LARGE: Final = 35.0
# Whole corpora of bodies, each in a message of its own.
_WHOLES: Final[Mapping[str, float]] = {
    "test_every_body_arrives_as_it_was_sent": 51.0,
    "test_every_body_reaches_the_device_as_it_was_sent": 50.0,
}
# Calls about identities that a test makes itself, in its body: of its clause, each.
_CHANGES: Final[Mapping[str, float]] = {
    "connect.deleted-device": 1.5,
    "connect.disabled-device": 4.0,
    "connect.special-characters": 0.4,
    "connection.changed-under-way": 1.3,
    "explore.mixed": 3.0,
    "explore.registry": 20.0,
    "module.of-disabled-device": 2.0,
    "monitoring.registry-state": 2.0,
    "x509-ca.token-instead": 2.0,
    "x509.disabled": 4.0,
    "x509.replaced": 2.0,
    "x509.token-instead": 2.0,
}
# Seconds in which a live hub makes devices ahead, and these come to count.
_WINDOW_FAR: Final = 6.5
# Calls of a worker for devices of cases that it takes over.
_TAKEN_OVER: Final = 3
# And what the preflight comes to, where a registry is claimed: what it tries of each claim, and the devices
# that it lets in once in each way.
_PREFLIGHT: Final = Cost(messages=6, free_messages=6, registry_operations=9, connections=8)


def estimate(
    item: pytest.Item, clause: Clause, way: Way = FIRST, *, far: bool = False, makes_devices: bool = True
) -> Cost:
    """Return what a case is expected to cost; `far` where its hub is a live one."""
    if LEFT in item.stash:
        return Cost()
    fixtures: Collection[str] = getattr(item, "fixturenames", ())
    (need,) = needs_of([(item, way)])
    average = _AVERAGES.get(clause.id, _AVERAGES.get(clause.section, _OTHERS))
    alike = ALIKE_THERE if far and "family" in fixtures else 1.0
    messages = average.messages * alike
    if item.get_closest_marker("large") is not None:
        messages = _LARGE
    else:
        messages = _WHOLES.get(getattr(item, "originalname", "").partition("@")[0], messages)
    # Behind a refusal the worker's two other devices are looked at, but not on a live hub.
    messages += _LOOK if "untouched" in fixtures and makes_devices and not far else 0.0
    modules = 0 if way.kind == "module" else sum(len(order.modules) for order in need.orders)
    earlier = sum(name in fixtures for name in ("device", "other_device")) if way.session == "later" else 0
    bulk = "devices_alike" in fixtures or "exploration" in fixtures
    return Cost(
        identities=round((need.devices + modules) * alike),
        messages=messages,
        free_messages=messages * _free(item, clause),
        registry_operations=_CHANGES.get(clause.id, 0.0) + bulk,
        connections=average.connections * alike + earlier,
        seconds=(average.far if far else average.seconds) * alike,
    )


def _free(item: pytest.Item, clause: Clause) -> float:
    """Return how many blocks of 0.5 KB a case's blocks of 4 KB come to."""
    if item.get_closest_marker("large") is not None:
        return FREE_PER_BLOCK
    return _FREE.get(clause.id, _FREE.get(clause.section, 1.0))


def of_run(
    cases: Sequence[tuple[pytest.Item, Clause, Way]],
    claims: Claims,
    *,
    workers: int,
    far: bool,
    makes_devices: bool,
) -> Cost:
    """Return what a run comes to, with its preflight, what is made ahead and what is deleted behind it.

    `cases` are those that run. `seconds` is by the clock, and no less than what has to be waited for.
    """
    each = (estimate(item, clause, way, far=far, makes_devices=makes_devices) for item, clause, way in cases)
    cost = sum(each, Cost())
    calls = at_once = windows = 0
    if makes_devices:
        needs = needs_of(((item, way) for item, _, way in cases), live=far)
        calls, at_once, windows = _supplied(needs, workers)
        cost += _PREFLIGHT if "registry" in claims.capabilities else Cost()
        cost += Cost(connections=sum(1 for _ in entrances(claims.capabilities)))
    waits = [waited(clause.id, clause.needs, claims.timing) for _, clause, _ in cases]
    # The averages of a hub that is far away have the waits in them, those of the embedded one hardly any.
    seconds = cost.seconds / workers + (windows * _WINDOW_FAR if far else sum(waits) / workers)
    return Cost(
        identities=cost.identities,
        at_once=at_once,
        messages=cost.messages,
        free_messages=cost.free_messages,
        registry_operations=cost.registry_operations + calls if makes_devices else 0.0,
        connections=cost.connections,
        seconds=max(seconds, least(waits, workers)),
    )


def _supplied(needs: Sequence[Need], workers: int) -> tuple[int, int, int]:
    """Return in how many calls devices are made and deleted, how many there are at once, how often one waits.

    Each worker is dealt cases that stand together; towards the end it takes some over from another.
    """
    share, dealt = share_of(workers), math.ceil(len(needs) / workers) or 1
    calls, at_once, windows = _TAKEN_OVER * workers if workers > 1 else 0, 0, 0
    for start in range(0, len(needs), dealt):
        left, most, waits = list(needs[start : start + dealt]), 0, 0
        while left:
            waits += 1
            number = window(left, share)
            calls += _calls(ordered(left[:number]))
            most = max(most, sum(need.devices for need in left[:number]))
            left = left[number:]
        at_once += most + KEPT
        windows = max(windows, waits)
    return calls, at_once, windows


def _calls(orders: Mapping[Order, int]) -> int:
    """Return in how many calls what was ordered is made and deleted: each kind goes by itself."""
    kinds: Counter[str] = Counter()
    for order, count in orders.items():
        kinds["device" if order.proof == "keys" else "device with a certificate"] += count
        for _, proof in order.modules:
            kinds["module" if proof == "keys" else "module with a certificate"] += count
    devices = kinds["device"] + kinds["device with a certificate"]
    return sum(math.ceil(count / LARGEST_BATCH) for count in (*kinds.values(), devices))


def over_budget(cost: Cost, budget: int | None) -> str | None:
    """Return why a run may not begin, if it would cost more messages than the profile admits."""
    if budget is None or cost.messages <= budget:
        return None
    return (
        f"this run would cost roughly {cost.messages:.0f} messages, and [limits] messages admits {budget}. "
        "Raise it, or choose fewer cases: --clause, --section."
    )
