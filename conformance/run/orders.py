"""What a case needs of the registry, known before it runs: so that all of it is made in bulk, ahead.

A test asks for fixtures, and its way says by what its devices are known: an order follows from both. A run
counts the orders of its cases, and a worker has its share made in a few calls, with one wait behind them
until they count.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
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
# As many are few.
FEW: Final = 100
# A worker is dealt somewhat more or less than its share.
MARGIN: Final = 1.25


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


def planned(cases: Iterable[tuple[pytest.Item, Way]], workers: int) -> Mapping[Order, int]:
    """Return how many of each order one of so many workers has made ahead, of the cases that run.

    Which of the cases a worker comes by, nobody knows before: cases of a kind stand together, and are dealt
    together. Of a kind of which there are few, each worker has as many as all of them need.
    """
    own = list(cases)
    orders = _ordered(own)
    neighbours = any("untouched" in _fixtures(item) for item, _ in own)
    shares = {
        order: count if count <= FEW else math.ceil(count * MARGIN / workers) if workers > 1 else count
        for order, count in orders.items()
    }
    return Counter(shares) + Counter({PLAIN: 2 if neighbours else 0})


def _ordered(cases: Iterable[tuple[pytest.Item, Way]]) -> Counter[Order]:
    orders: Counter[Order] = Counter()
    for item, way in cases:
        callspec = getattr(item, "callspec", None)
        ending = "" if callspec is None else str(callspec.params.get("id_ending", ""))
        orders.update(orders_of(_fixtures(item), way, ending))
    return orders


def _fixtures(item: pytest.Item) -> Collection[str]:
    names: Collection[str] = getattr(item, "fixturenames", ())
    return names
