"""A worker's supply of identities, made in bulk and never used twice, or a profile's ready-made ones.

A device is used up when its case is over, and deleted before others are made: few are there at once. Every id
is written down before the device is made and struck out after it is deleted. What a worker that died could
not delete, the controller does, from that list.
"""

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from conformance.errors import HarnessError, NotTested, ServiceError
from conformance.run.orders import MOST_AT_ONCE, PLAIN, Need, Order, Proof, ordered, window
from conformance.target.credentials import Enrolment, Identity, random_key

if TYPE_CHECKING:  # the controller reads the list alone
    from conformance.target.certificates import ClientCertificate, DeviceAuthority

# So many devices that nobody foresaw are made at once; of those with endings of their own, one.
UNFORESEEN: Final = 4
# The service takes up to 100 identities in one call.
LARGEST_BATCH: Final = 100
# Each failure has used up the service's own retries. A hub that is gone must not cost every case that time.
PATIENCE: Final = 3


@dataclass(frozen=True, kw_only=True)
class Made:
    """An identity that was made, two certificates that it is known by, and its modules by their own names."""

    enrolment: Enrolment
    certificates: "tuple[ClientCertificate, ClientCertificate] | None" = None
    modules: Mapping[str, "Made"] = field(default_factory=dict)

    @property
    def identity(self) -> Identity:
        """The device, or the module."""
        return self.enrolment.identity


class Registry(Protocol):
    """The part of the service's identity registry that a supply needs."""

    def enrol(self, enrolments: Sequence[Enrolment]) -> Mapping[str, str]:
        """Make identities and wait until they count; return why which, by its id, could not be made."""

    def delete(self, ids: Sequence[str]) -> None:
        """Delete up to 100 devices; one that is gone is none."""


class NewIdentities:
    """Identities made ahead, as the next cases need them, named ``{prefix}-{number}``.

    `needs` is what each case needs, `share` how many devices may be there at once. `journal` is the list of
    what exists; `authority` signs the certificates of what is known by one.
    """

    def __init__(
        self,
        registry: Registry,
        prefix: str,
        journal: Path,
        *,
        needs: Sequence[Need] = (),
        share: int = MOST_AT_ONCE,
        authority: "DeviceAuthority | None" = None,
    ) -> None:
        self._registry = registry
        self._prefix = prefix
        self._journal = journal
        self._authority = authority
        self._needs = needs
        self._share = share
        self._next_case = 0
        self._made: dict[str, None] = {}
        self._lent: list[str] = []
        self._used: list[str] = []
        self._number = 0
        self._fresh: dict[Order, list[Made]] = {}
        self._refused: dict[str, str] = {}
        self._failures = 0
        self._failure: HarnessError | None = None

    def begin(self, number: int) -> None:
        """Know which of the cases is next: what it and those behind it need is made together."""
        self._next_case = number

    def end(self) -> None:
        """Take what the case was lent for used up."""
        self._used += self._lent
        self._lent = []

    def take(self, order: Order = PLAIN, *, keep: bool = False) -> Made:
        """Return what was ordered, and nobody used; it is there until the case is over, or kept to the end.

        Raises ServiceError where the hub would not make it.
        """
        if not self._fresh.get(order):
            self._stock(order)
        made = self._fresh[order].pop()
        if not keep:
            self._lent.append(made.identity.device_id)
        return self._sound(made)

    def take_alike(self, orders: Sequence[Order]) -> list[Made]:
        """Return devices whose names differ in their endings alone: what comes before is the same."""
        name = self._next_name()
        made = [self._draft(order, f"{name}{order.ending}") for order in orders]
        self._lent += [each.identity.device_id for each in made]
        self._make(made)
        return [self._sound(each) for each in made]

    def reserve(self, endings: Sequence[str], *, length: int = 0) -> list[str]:
        """Return names, alike but for these endings, that no device has; what is made of them is deleted.

        Each is filled up to this length.
        """
        name = self._next_name()
        names = [f"{name}{ending}".ljust(length, "x") for ending in endings]
        self._lent += names
        self._note(names)
        return names

    def _stock(self, order: Order) -> None:
        """Have made what this case and the next ones need and is not there yet, and what is asked for.

        What was made for cases that others have taken over is not kept.
        """
        coming = self._needs[self._next_case :]
        wanted = ordered(coming[: window(coming, self._share)])
        if self._authority is None:  # whoever asks for what it vouches for is told so
            wanted = Counter({each: count for each, count in wanted.items() if each.proof != "authority"})
        if not wanted[order]:
            wanted[order] = 1 if order.ending else UNFORESEEN
        for each, some in self._fresh.items():
            while len(some) > wanted[each]:
                self._used.append(some.pop(0).identity.device_id)
        made = {
            each: [self._draft(each, f"{self._next_name()}{each.ending}") for _ in range(missing)]
            for each, count in wanted.items()
            if (missing := count - len(self._fresh.get(each, ()))) > 0
        }
        self._delete_used()
        self._make([each for some in made.values() for each in some])
        for each, some in made.items():
            self._fresh.setdefault(each, [])[:0] = reversed(some)

    def _delete_used(self) -> None:
        """Delete what is used up; what cannot be deleted now is tried again with the next ones."""
        with contextlib.suppress(HarnessError):
            delete_all(self._registry, self._used)
            for device_id in self._used:
                self._made.pop(device_id, None)
            self._used = []

    def _note(self, names: Sequence[str]) -> None:
        """Write down what is about to be made."""
        self._made |= dict.fromkeys(names)
        self._journal.write_text("\n".join(self._made), encoding="utf-8")

    def _next_name(self) -> str:
        self._number += 1
        return f"{self._prefix}-{self._number}"

    def _draft(self, order: Order, name: str) -> Made:
        modules = {module: self._known_by(proof, _identity(name, module)) for module, proof in order.modules}
        return self._known_by(order.proof, _identity(name), modules)

    def _known_by(self, proof: Proof, identity: Identity, modules: Mapping[str, Made] | None = None) -> Made:
        from conformance.target.certificates import two_certificates  # noqa: PLC0415 - see above

        modules = modules or {}
        if proof == "keys":
            return Made(enrolment=Enrolment(identity=identity), modules=modules)
        if proof == "authority":
            if self._authority is None:
                raise NotTested("needs [device-authority] in the profile")
            pair = self._authority.issue(identity.id), self._authority.issue(identity.id)
            enrolment = Enrolment(identity=identity, by_authority=True)
        else:
            pair = two_certificates(identity.id)
            enrolment = Enrolment(
                identity=identity, thumbprints=(pair[0].thumbprint(proof), pair[1].thumbprint(proof))
            )
        return Made(enrolment=enrolment, certificates=pair, modules=modules)

    def _make(self, made: Sequence[Made]) -> None:
        if self._failure is not None and self._failures >= PATIENCE:
            raise self._failure
        self._note([each.identity.device_id for each in made])
        try:
            refused = self._registry.enrol([entry for each in made for entry in _enrolments(each)])
        except HarnessError as error:
            self._failures, self._failure = self._failures + 1, error
            raise
        self._failures = 0
        self._refused |= refused

    def _sound(self, made: Made) -> Made:
        for each in (made, *made.modules.values()):
            if each.identity.id in self._refused:
                raise ServiceError(self._refused[each.identity.id])
        return made

    def unused_name(self) -> str:
        """Return a name in this worker's range that no device has."""
        return f"{self._prefix}-none"

    def close(self) -> None:
        """Delete every device made here."""
        delete_all(self._registry, list(self._made))
        self._made = {}
        self._journal.unlink(missing_ok=True)


class ReadyIdentities:
    """Ready-made devices of a profile, for a target without a service side; each worker has its own share."""

    def __init__(self, identities: Sequence[Identity], share: int, shares: int) -> None:
        self._identities = list(identities)[share::shares]
        self._next = 0

    def begin(self, number: int) -> None:
        """Nothing is made for a case."""

    def end(self) -> None:
        """Nothing is used up."""

    def take(self, order: Order = PLAIN, *, keep: bool = False) -> Made:  # noqa: ARG002 - all of them are kept
        """Return the next device of the share; after the last one the first comes again.

        Raises NotTested where something else is ordered: what a ready-made device is called, and known by, is
        not the suite's to say.
        """
        if order.ending:
            raise NotTested(
                f"needs a device whose id ends in {order.ending!r}: ready-made devices have their own ids"
            )
        if order != PLAIN:
            raise NotTested("needs an identity that ready-made devices are not")
        if not self._identities:
            raise NotTested(
                "the profile has fewer [[identity]] tables than workers: add some or use fewer workers"
            )
        self._next += 1
        return Made(enrolment=Enrolment(identity=self._identities[(self._next - 1) % len(self._identities)]))

    def take_alike(self, orders: Sequence[Order]) -> list[Made]:
        """Raise NotTested, likewise."""
        return [self.take(order) for order in orders]

    def reserve(self, endings: Sequence[str], *, length: int = 0) -> list[str]:  # noqa: ARG002 - it has none
        """Raise NotTested: a ready-made device cannot be made."""
        raise NotTested(f"needs a registry to make a device whose id ends in {endings[0]!r}")

    def unused_name(self) -> str:
        """Return a name that no device of the profile has."""
        return "conformance-none"

    def close(self) -> None:
        """Leave the devices as they are: they belong to the owner of the hub."""


def delete_all(registry: Registry, ids: Sequence[str]) -> None:
    """Delete devices, as many in a call as the service takes."""
    for start in range(0, len(ids), LARGEST_BATCH):
        registry.delete(ids[start : start + LARGEST_BATCH])


def left_behind(journals: Iterable[Path]) -> list[str]:
    """Return the ids in the journals of workers that did not delete their own."""
    return [line for journal in journals for line in journal.read_text(encoding="utf-8").splitlines() if line]


def _identity(device_id: str, module_id: str | None = None) -> Identity:
    return Identity(
        device_id=device_id, module_id=module_id, primary_key=random_key(), secondary_key=random_key()
    )


def _enrolments(made: Made) -> Iterator[Enrolment]:
    yield made.enrolment
    for module in made.modules.values():
        yield module.enrolment
