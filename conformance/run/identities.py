"""A worker's supply of devices, made in bulk and never used twice, or a profile's ready-made ones.

Every id is written down before the device is made and struck out after it is deleted. What a worker that
died could not delete, the controller does, from that list.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Protocol

from conformance.errors import HarnessError, NotTested
from conformance.target.credentials import Identity

# A worker begins with fewer devices than the service makes in one call: a run of three cases is common.
FIRST_BATCH: Final = 24
# The service takes up to 100 identities in one call.
LARGEST_BATCH: Final = 100
# Each failure has used up the service's own retries. A hub that is gone must not cost every case that time.
PATIENCE: Final = 3


class Registry(Protocol):
    """The part of the service's identity registry that a supply needs."""

    def create(self, ids: Sequence[str]) -> list[Identity]:
        """Make up to 100 devices."""

    def delete(self, ids: Sequence[str]) -> None:
        """Delete up to 100 devices; one that is gone is none."""


class NewIdentities:
    """Devices made as they are needed, named ``{prefix}-{number}``; `journal` is the list of what exists."""

    def __init__(
        self, registry: Registry, prefix: str, journal: Path, *, first_batch: int = FIRST_BATCH
    ) -> None:
        self._registry = registry
        self._prefix = prefix
        self._journal = journal
        self._made: list[str] = []
        self._fresh: list[Identity] = []
        self._batch = first_batch
        self._failures = 0
        self._failure: HarnessError | None = None

    def take(self) -> Identity:
        """Return a device that nobody has used."""
        if not self._fresh:
            first = len(self._made) + 1
            ids = [f"{self._prefix}-{number}" for number in range(first, first + self._batch)]
            self._note(ids)
            self._fresh = list(reversed(self._create(ids)))
            self._batch = LARGEST_BATCH
        return self._fresh.pop()

    def take_alike(self, endings: Sequence[str]) -> list[Identity]:
        """Return new devices whose names differ in these endings alone: what comes before is the same."""
        name = f"{self._prefix}-{len(self._made) + 1}"
        ids = [f"{name}{ending}" for ending in endings]
        self._note(ids)
        return self._create(ids)

    def reserve(self, endings: Sequence[str], *, length: int = 0) -> list[str]:
        """Return names, alike but for these endings, that no device has; what is made of them is deleted.

        Each is filled up to this length.
        """
        name = f"{self._prefix}-{len(self._made) + 1}"
        names = [f"{name}{ending}".ljust(length, "x") for ending in endings]
        self._note(names)
        return names

    def _note(self, ids: Sequence[str]) -> None:
        """Write down what is about to be made."""
        self._made += ids
        self._journal.write_text("\n".join(self._made), encoding="utf-8")

    def _create(self, ids: Sequence[str]) -> list[Identity]:
        if self._failure is not None and self._failures >= PATIENCE:
            raise self._failure
        try:
            made = self._registry.create(ids)
        except HarnessError as error:
            self._failures, self._failure = self._failures + 1, error
            raise
        self._failures = 0
        return made

    def unused_name(self) -> str:
        """Return a name in this worker's range that no device has."""
        return f"{self._prefix}-none"

    def close(self) -> None:
        """Delete every device made here."""
        delete_all(self._registry, self._made)
        self._made = []
        self._journal.unlink(missing_ok=True)


class ReadyIdentities:
    """Ready-made devices of a profile, for a target without a service side; each worker has its own share."""

    def __init__(self, identities: Sequence[Identity], share: int, shares: int) -> None:
        self._identities = list(identities)[share::shares]
        self._next = 0

    def take(self) -> Identity:
        """Return the next device of the share; after the last one the first comes again."""
        if not self._identities:
            raise NotTested(
                "the profile has fewer [[identity]] tables than workers: add some or use fewer workers"
            )
        self._next += 1
        return self._identities[(self._next - 1) % len(self._identities)]

    def take_alike(self, endings: Sequence[str]) -> list[Identity]:
        """Raise NotTested: what a ready-made device is called is not the suite's to say."""
        raise NotTested(
            f"needs a device whose id ends in {endings[0]!r}: ready-made devices have their own ids"
        )

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
