"""Who reads a partition for a consumer group: up to five side by side, or one that holds it by an epoch.

An epoch, or owner level, is a number that a reader states when it attaches. Whoever states one reads alone
(Microsoft, "Event Hubs features", consumer groups and epochs).
"""

from collections.abc import Callable
from dataclasses import dataclass

from iothub_emulator.hub.link_refusals import INVALID_FIELD, LIMIT_EXCEEDED, STOLEN, LinkRefused
from iothub_emulator.settings import Settings


@dataclass(frozen=True)
class EventStream:
    """One partition of an Event Hubs-compatible entity, as one consumer group reads it."""

    entity: str
    consumer_group: str
    partition: int


@dataclass(eq=False)
class Reader:
    """One open link. `end` is called, once, when another reader takes its place."""

    stream: EventStream
    epoch: int | None
    end: Callable[[LinkRefused], None]


class ReaderRules:
    """Each decision about readers of the same stream. An epoch of None: the reader states none."""

    settings: Settings

    def is_epoch(self, epoch: int) -> bool:
        """Tell whether a number may be an epoch: none is below 0."""
        return epoch >= 0

    def is_outranked(self, newcomer: int | None, holder: int | None) -> bool:
        """Tell whether a reader that is there keeps another out.

        A higher epoch does, and any epoch keeps out whoever states none.
        """
        return holder is not None and (newcomer is None or newcomer < holder)

    def steals(self, newcomer: int | None, holder: int | None) -> bool:
        """Tell whether a newcomer ends a reader that is there: by an epoch as high, or higher.

        As high is enough: seen on Event Hubs in azure-sdk-for-js issue 15893, with 0 against 0.
        """
        return newcomer is not None and not self.is_outranked(newcomer, holder)

    def may_read_beside(self, readers: int) -> bool:
        """Tell whether one more reader may join so many that state no epoch."""
        return readers < self.settings.readers_per_partition

    def outranked(self, newcomer: int | None, holder: int | None) -> LinkRefused:
        """Return what a reader that is kept out is told."""
        if newcomer is None:
            return LinkRefused(
                STOLEN,
                f"A receiver with an epoch of '{holder}' exists already. "
                "A receiver without an epoch is not created beside it.",
            )
        return LinkRefused(
            STOLEN,
            f"A receiver with a higher epoch of '{holder}' exists already. "
            f"A receiver with epoch {newcomer} is not created.",
        )

    def stolen(self, newcomer: int | None, holder: int | None) -> LinkRefused:
        """Return what a reader that was ended is told. SDKs look for the words `New receiver`."""
        return LinkRefused(
            STOLEN,
            f"New receiver with higher epoch of '{newcomer}' is created hence current receiver "
            f"with epoch '{'none' if holder is None else holder}' is getting disconnected.",
        )

    def too_many(self, readers: int) -> LinkRefused:
        """Return what the sixth is told."""
        return LinkRefused(
            LIMIT_EXCEEDED,
            "Exceeded the maximum number of allowed receivers per partition in a consumer group "
            f"which is {readers}.",
        )


class Readers:
    """All readers of a hub, over all connections."""

    def __init__(self) -> None:
        self._by_stream: dict[EventStream, list[Reader]] = {}

    def enter(self, newcomer: Reader, rules: ReaderRules) -> None:
        """Let a reader in, ending those it outranks; `LinkRefused` if it may not come in."""
        present = self._by_stream.get(newcomer.stream, [])
        epoch = newcomer.epoch
        if epoch is not None and not rules.is_epoch(epoch):
            raise LinkRefused(INVALID_FIELD, f"An epoch is not negative, as {epoch} is.")
        for holder in present:
            if rules.is_outranked(epoch, holder.epoch):
                raise rules.outranked(epoch, holder.epoch)
        stolen = [holder for holder in present if rules.steals(epoch, holder.epoch)]
        if epoch is None and not rules.may_read_beside(len(present)):
            raise rules.too_many(len(present))
        for holder in stolen:
            self.leave(holder)
            holder.end(rules.stolen(epoch, holder.epoch))
        self._by_stream.setdefault(newcomer.stream, []).append(newcomer)

    def leave(self, reader: Reader) -> None:
        """Forget a reader whose link is gone; nothing happens if it was ended already."""
        present = self._by_stream.get(reader.stream, [])
        if reader in present:
            present.remove(reader)
            if not present:
                del self._by_stream[reader.stream]
