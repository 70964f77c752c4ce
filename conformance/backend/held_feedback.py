"""Batches of feedback that a receiver holds: locked to it, until it settles them.

Source: Microsoft, "Send cloud-to-device messages with Azure IoT Hub", message feedback.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from conformance.backend.amqp import Incoming
from conformance.backend.amqp_connection import Receiver
from conformance.backend.pyamqp import text
from conformance.errors import ServiceError, TooLate, Violation
from conformance.report.redaction import redact


@dataclass(frozen=True)
class Record:
    """What became of a message; `time` in unix seconds, 0 where the hub names none that can be read."""

    message_id: object
    status: object
    device_id: object
    generation_id: object
    time: float


@dataclass(frozen=True)
class Batch:
    """A batch as it came, and its records as JSON has them."""

    incoming: Incoming
    entries: list[Mapping[str, Any]]

    def entry(self, message_id: str) -> Mapping[str, Any] | None:
        """Return the record about a message, if there is one."""
        return next((each for each in self.entries if each.get("originalMessageId") == message_id), None)


class HeldFeedback:
    """Batches that a receiver holds; what is told of them is about one device, `of`.

    `may_accept` says of the devices of a batch whether nobody misses it; `tell` hears what all batches say.
    """

    def __init__(
        self,
        receiver: Receiver,
        of: str,
        within: float,
        may_accept: Callable[[Collection[str]], bool],
        clock: Callable[[], float],
        tell: Callable[[Iterable[Mapping[str, Any]]], None],
    ) -> None:
        self._receiver = receiver
        self._of = of
        self._within = within
        self._may_accept = may_accept
        self._clock = clock
        self._tell = tell
        self._held: list[Batch] = []

    def until(self, *message_ids: str) -> list[str]:
        """Take batches until each of these messages was told of; return all of the device told of by then.

        In the order of arrival, each as often as it came. Raises Violation if one is not told of in time.
        """
        told: list[str] = []
        end = self._clock() + self._within
        while missing := [each for each in message_ids if each not in told]:
            arrived = self._receiver.next(max(end - self._clock(), 0.0))
            if arrived is None:
                raise Violation(
                    f"no feedback on message '{missing[0]}' within {self._within:g} s",
                    observed="no feedback",
                    expected=f"feedback on message '{missing[0]}'",
                    actual=f"feedback on {', '.join(told) or 'nothing'}",
                )
            batch = Batch(arrived, _entries(arrived.body))
            self._held.append(batch)
            self._tell(batch.entries)
            ours = (entry for entry in batch.entries if entry.get("deviceId") == self._of)
            told += [str(entry.get("originalMessageId")) for entry in ours]
        return told

    def record(self, message_id: str) -> Record:
        """Return what a batch, held now, tells of a message."""
        entry = self._batch(message_id).entry(message_id) or {}
        return Record(
            message_id=entry.get("originalMessageId"),
            # Hubs of different age call the outcome by either name.
            status=entry.get("statusCode") or entry.get("description"),
            device_id=entry.get("deviceId"),
            generation_id=entry.get("deviceGenerationId"),
            time=_time(entry.get("enqueuedTimeUtc")),
        )

    def properties(self, message_id: str, *names: str) -> dict[str, str]:
        """Return these of AMQP's own properties of the batch that tells of a message."""
        own = self._batch(message_id).incoming.properties
        return {name: text(own.get(name)) for name in names}

    def accept(self, message_id: str) -> None:
        """Settle the batch that tells of a message; raises TooLate where others would miss it."""
        batch = self._batch(message_id)
        if not self._is_ours(batch):
            raise TooLate(f"the feedback on '{message_id}' came together with that of others")
        self._settle(batch, "accepted")

    def release(self, message_id: str) -> None:
        """Give the batch that tells of a message back."""
        self._settle(self._batch(message_id), "released")

    def give_back(self) -> None:
        """Settle all that is held; what is of others too is given back."""
        self._receiver.stop()
        for batch in tuple(self._held):
            self._settle(batch, "accepted" if self._is_ours(batch) else "released")

    def _batch(self, message_id: str) -> Batch:
        return next(batch for batch in self._held if batch.entry(message_id) is not None)

    def _is_ours(self, batch: Batch) -> bool:
        return self._may_accept([str(entry.get("deviceId", "")) for entry in batch.entries])

    def _settle(self, batch: Batch, outcome: Literal["accepted", "released"]) -> None:
        self._held.remove(batch)
        self._receiver.settle(batch.incoming, outcome)


def _time(stated: object) -> float:
    try:
        when = datetime.fromisoformat(str(stated))
    except ValueError:
        return 0.0
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _entries(body: bytes) -> list[Mapping[str, Any]]:
    try:
        entries = json.loads(body)
        if all(isinstance(entry, dict) for entry in entries):
            return list(entries)
    except (ValueError, TypeError, RecursionError):
        pass
    start = redact(body[:80].decode(errors="replace"))
    raise ServiceError(f"feedback: not a JSON array of records: {start!r}.")
