"""What a case needs of the registry, known before it runs: so that it is made in bulk, ahead.

A test asks for fixtures, and its way says by what its devices are known: an order follows from both. A worker
has made what its next cases order, in a few calls, with one wait behind them until they count. How far ahead
that is follows from how many devices may be there at once.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pytest

from conformance.ways.way import FIRST, Way

# By what an identity is known: two keys, two thumbprints made by such a digest, or its name in a certificate
# of the profile's authority.
Proof = Literal["keys", "SHA-1", "SHA-256", "authority"]


@dataclass(frozen=True, kw_only=True)
class Order:
    """A device whose id ends so, known by this, and its modules: their names, and what each is known by."""

    ending: str = ""
    proof: Proof = "keys"
    modules: tuple[tuple[str, Proof], ...] = ()


PLAIN: Final = Order()

# The modules that fixtures make of a device, by the fixture of that device; a name may end as `device`'s.
_MODULES: Final[Mapping[str, Mapping[str, str]]] = {
    "device": {"module": "module-1{}", "other_module": "module-2", "register_module": "module-x509"},
    "other_device": {"namesake": "module-1"},
}
# The fixtures that make a device in the way of the case.
_IN_ITS_WAY: Final = ("device", "other_device", "bystander", "silent_client")
# The fixtures that make devices known by a certificate, whatever the way; each asks one of _MAKERS.
_BY_CERTIFICATE: Final[Mapping[str, Proof]] = {
    "certified": "SHA-1",
    "other_certified": "SHA-1",
    "vouched": "authority",
    "other_vouched": "authority",
}
_MAKERS: Final[Mapping[str, Proof]] = {"register": "SHA-1", "register_vouched": "authority"}
# Those that make a device with keys, which a certificate replaces.
_KEYED: Final = frozenset({"formerly_keyed", "formerly_keyed_vouched"})
# The fixtures that make devices when they are asked to, and how many.
_BY_THEMSELVES: Final[Mapping[str, int]] = {
    "devices_alike": 2,
    "family": 25,  # beside the two of devices_alike, of which it is made; on a live hub it is nine in all
    "exploration": 3,
    "free_name": 1,
    "free_names": 2,
    "longest_name": 1,
    "fleet_names": 5,
}
ALIKE_LIVE: Final = 9
# So many devices of a run are there at once, at most: a hub of the free edition holds 500, others' among them
# ("IoT Hub quotas and throttling").
MOST_AT_ONCE: Final = 300
# What a worker keeps to its end: two that no case is about, and what a look at own state is tried on.
KEPT: Final = 4


@dataclass(frozen=True, kw_only=True)
class Need:
    """What one case needs: its orders, and how many more devices it makes itself."""

    orders: tuple[Order, ...] = ()
    more: int = 0

    @property
    def devices(self) -> int:
        """How many devices that is."""
        return len(self.orders) + self.more


def share_of(workers: int) -> int:
    """Return how many devices each of so many workers may have at once, beside those that it keeps."""
    return max(MOST_AT_ONCE // workers - KEPT, 1)


def order_of(fixture: str, fixtures: Collection[str], way: Way = FIRST, ending: str = "") -> Order:
    """Return what a fixture that makes a device in the case's way orders; `fixtures` are all of the case."""
    proof: Proof = "keys" if way.credential == "sas" else "SHA-1"
    if way.kind == "module":
        return Order(ending=ending, modules=((f"module-0{ending}", proof),))
    named = {name: made for name, made in _MODULES.get(fixture, {}).items() if name in fixtures}
    modules = (
        (made.format(ending), "SHA-1" if name == "register_module" else proof) for name, made in named.items()
    )
    return Order(ending=ending, proof=proof, modules=tuple(modules))


def orders_of(fixtures: Collection[str], way: Way = FIRST, ending: str = "") -> Iterator[Order]:
    """Yield all that is known before a case runs of what it orders."""
    for fixture in _IN_ITS_WAY:
        if fixture in fixtures:
            yield order_of(fixture, fixtures, way, ending if fixture == "device" else "")
    for _ in _KEYED.intersection(fixtures):
        yield PLAIN
    proofs = [proof for name, proof in _BY_CERTIFICATE.items() if name in fixtures]
    proofs += [proof for name, proof in _MAKERS.items() if name in fixtures and proof not in proofs]
    for proof in proofs:
        yield Order(proof=proof)


def needs_of(cases: Iterable[tuple[pytest.Item, Way]], *, live: bool = False) -> list[Need]:
    """Return what each case needs, in their order; `live` where the hub is a live one."""
    return [_need(item, way, live=live) for item, way in cases]


def window(needs: Sequence[Need], share: int) -> int:
    """Return for how many of the next cases a share is enough: for the first in any case."""
    devices = 0
    for number, need in enumerate(needs):
        devices += need.devices
        if devices > share and number:
            return number
    return len(needs)


def ordered(needs: Iterable[Need]) -> Counter[Order]:
    """Return how many of each order that is."""
    return Counter(order for need in needs for order in need.orders)


def _need(item: pytest.Item, way: Way, *, live: bool) -> Need:
    fixtures: Collection[str] = getattr(item, "fixturenames", ())
    callspec = getattr(item, "callspec", None)
    ending = "" if callspec is None else str(callspec.params.get("id_ending", ""))
    more = sum(count for name, count in _BY_THEMSELVES.items() if name in fixtures)
    if live and "family" in fixtures:
        more = ALIKE_LIVE
    return Need(orders=tuple(orders_of(fixtures, way, ending)), more=more)
