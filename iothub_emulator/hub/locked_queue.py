"""A queue whose items are locked while somebody works on them: what mailboxes and feedback have in common.

An item waits, is taken under a lock, and is gone once it is completed. A lock that runs out lets the item
wait again, in its old place. Who may take what, and what a lock that ran out means, is decided by the owner.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(slots=True)
class Entry(Generic[Item]):
    """One item in the queue. Times are unix seconds."""

    number: int
    """Its place: rises by each item that was ever put in."""
    item: Item
    expires_at: float
    delivery_count: int = 0
    """How often a delivery failed in a way that counts."""
    times_taken: int = 0
    lock: int | None = None
    """The token of the present lock; None while the item waits."""
    locked_until: float = 0.0


class LockedQueue(Generic[Item]):
    """Items in the order they were put in."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry[Item]] = {}
        self._locked: dict[int, Entry[Item]] = {}
        self._put = 0
        self._taken = 0

    def __len__(self) -> int:
        """Count all items, those under a lock too."""
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry[Item]]:
        return iter(tuple(self._entries.values()))

    def waiting(self) -> list[Entry[Item]]:
        """Return what is under no lock, oldest first."""
        return [entry for entry in self._entries.values() if entry.lock is None]

    def put(self, item: Item, expires_at: float) -> Entry[Item]:
        """Append an item."""
        self._put += 1
        entry = self._entries[self._put] = Entry(self._put, item, expires_at)
        return entry

    def take(self, entry: Entry[Item], until: float) -> int:
        """Lock a waiting entry and return the token of the lock, which no other lock ever has."""
        self._taken += 1
        entry.lock, entry.locked_until = self._taken, until
        entry.times_taken += 1
        self._locked[self._taken] = entry
        return self._taken

    def locked(self, token: int) -> Entry[Item] | None:
        """Return the entry under this very lock; None: completed, expired, or locked anew since."""
        return self._locked.get(token)

    def release(self, entry: Entry[Item]) -> None:
        """Let an entry wait again."""
        if entry.lock is not None:
            del self._locked[entry.lock]
            entry.lock = None

    def remove(self, entry: Entry[Item]) -> None:
        """Take an entry out for good."""
        self.release(entry)
        del self._entries[entry.number]

    def expired(self, now: float) -> list[Entry[Item]]:
        """Return entries whose time is over, locked or not."""
        return [entry for entry in self._entries.values() if entry.expires_at <= now]

    def lapsed(self, now: float) -> list[Entry[Item]]:
        """Return entries whose lock ran out."""
        return [entry for entry in self._locked.values() if entry.locked_until <= now]

    def next_deadline(self) -> float | None:
        """Return when the next entry expires or the next lock runs out; None: neither will happen."""
        times = [entry.expires_at for entry in self._entries.values()]
        times += [entry.locked_until for entry in self._locked.values()]
        return min(times, default=None)
