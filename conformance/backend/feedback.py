"""What became of cloud-to-device messages whose sender asked: the hub's feedback, by message id.

Source: Microsoft, "Understand cloud-to-device messaging from an IoT hub", message feedback: batches, each a
JSON array of records. A batch goes to one receiver alone, and may hold what other workers, other runs and
other programs wait for. What is other workers' is written down for them. The link is open only while a case
waits, a batch that holds anything of other runs and programs is given back after our own records are taken
from it, and then they get time to fetch it.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, Final

from conformance.backend.addresses import Addressee, name_of
from conformance.backend.amqp import Incoming
from conformance.backend.call_log import Journal
from conformance.backend.feedback_records import FeedbackNotes, FeedbackRecord
from conformance.backend.held_feedback import HeldFeedback
from conformance.backend.links import Links
from conformance.errors import ServiceError, Violation
from conformance.report.redaction import redact
from conformance.run.sleeping import pause

ADDRESS: Final = "/messages/servicebound/feedback"

# After a batch of others was given back: time for them to take it, and twice as long each time it comes
# again, because a hub gives a batch up after its tenth delivery.
FIRST_PAUSE: Final = 0.1
# What the hub has ready comes at once; after this long without a batch there is none, in seconds.
GATHERING: Final = 0.05
# How often one looks for what other workers have written down, in seconds.
LOOKING: Final = 0.2
# The pause grows no more beyond so many times: it is longer than any time to wait for feedback.
MOST_TIMES: Final = 16

# Cases that hold what they were given until the hub has sent once more: feedback.each-once, feedback.settled.
HOLDING_CASES: Final = 2


def patience(*, reaction: float, interval: float) -> float:
    """Return how long to wait for feedback, in seconds, on a hub that sends it once in an `interval`.

    A batch may have our records, and be with another run whose case holds it until the next one comes.
    """
    return reaction + interval * (1 + HOLDING_CASES)


class FeedbackReader:
    """Waits for feedback. `within` is for how long, in seconds; `accepts` says which devices are ours.

    `notes` are of a worker beside others.
    """

    def __init__(
        self,
        links: Links,
        journal: Journal,
        *,
        within: float,
        accepts: Callable[[str], bool] = lambda _: True,
        notes: FeedbackNotes | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = pause,
    ) -> None:
        self._links = links
        self._journal = journal
        self._within = within
        self._accepts = accepts
        self._notes = notes
        self._clock = clock
        self._pause = sleep
        self._records: dict[FeedbackRecord, None] = {}
        self._given_back: Counter[bytes] = Counter()

    @property
    def received(self) -> tuple[FeedbackRecord, ...]:
        """All records of our own devices so far, in the order in which they came, each once."""
        self._hear()
        return tuple(self._records)

    def received_for(self, device: Addressee) -> list[tuple[str, str]]:
        """Return message id and status of each record on a device's messages so far."""
        name = name_of(device)
        self._hear()
        return [(record.message_id, record.status) for record in self._records if record.device_id == name]

    def expect(self, message_id: str, *, noticed_after: float = 0.0) -> FeedbackRecord:
        """Return the first record on a message; raises Violation if none comes in time.

        `noticed_after` so many seconds the hub may take to notice what became of it, beside its usual time.
        """
        within = self._within + noticed_after
        end = self._clock() + within
        while (record := self._first(message_id)) is None:
            rest = self._fetch(message_id, end)
            left = end - self._clock()
            if left <= 0 and self._first(message_id) is None:
                raise Violation(
                    f"no feedback on message '{message_id}' within {within:g} s",
                    observed="no feedback",
                    expected=f"feedback on message '{message_id}' within {within:g} s",
                    actual="none came",
                )
            if rest and self._first(message_id) is None:
                # Ours may come meanwhile: there must be time left to fetch it.
                self._pause(max(min(rest, left / 2), FIRST_PAUSE))
        return record

    def open_once(self) -> None:
        """Open a link for feedback and end it again; raises CredentialsRefused or ServiceError."""
        with self._links.receiver(ADDRESS):
            pass

    @contextmanager
    def holding(self, of: Addressee) -> Iterator[HeldFeedback]:
        """Take batches and settle none but as the block says; what it tells is of one device's messages."""
        name = name_of(of)
        kept = nullcontext() if self._notes is None else self._notes.holding(name)
        with kept, self._links.receiver(ADDRESS) as receiver:
            held = HeldFeedback(receiver, name, self._within, self._may_accept, self._clock, self._tell)
            yield held
            held.give_back()

    def _fetch(self, message_id: str, end: float) -> float:
        """Take what the hub has until it holds the record.

        Returns how long others should be let alone to fetch theirs, in seconds. What belongs to them is held
        until nothing more comes, because what may be ours waits behind it.
        """
        others: list[Incoming] = []
        with self._links.receiver(ADDRESS) as receiver:
            # A hub that never runs out of batches has no more time than any other.
            while self._first(message_id) is None and (left := end - self._clock()) > -GATHERING:
                long = left if self._notes is None else min(left, LOOKING)
                arrived = receiver.next(GATHERING if others else max(long, GATHERING))
                if arrived is None and not others and long < left:
                    continue
                if arrived is None:
                    break
                if self._take(arrived):
                    receiver.settle(arrived, "accepted")
                else:
                    others.append(arrived)
            receiver.stop()
            for batch in others:
                receiver.settle(batch, "released")
        self._given_back.update(batch.body for batch in others)
        times = max((self._given_back[batch.body] for batch in others), default=0)
        return FIRST_PAUSE * 2.0 ** (min(times, MOST_TIMES) - 1) if times else 0.0

    def _take(self, batch: Incoming) -> bool:
        """Note our records in a batch; tell whether nobody misses it then."""
        records = _read(batch.body)
        self._note(record for record in records if self._accepts(record.device_id))
        if self._notes is not None:
            self._notes.tell(records)
        return self._may_accept([record.device_id for record in records])

    def _note(self, ours: Iterable[FeedbackRecord]) -> None:
        for record in ours:
            if record not in self._records:
                self._records[record] = None
                self._journal.writer()(str(record))

    def _hear(self) -> None:
        """Note what other workers were told of our messages."""
        if self._notes is not None:
            self._note(self._notes.heard())

    def _tell(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Tell other workers of records as JSON has them."""
        if self._notes is not None:
            self._notes.tell(_record(entry) for entry in entries)

    def _may_accept(self, devices: Collection[str]) -> bool:
        if all(self._accepts(device) for device in devices):
            return True
        return self._notes is not None and self._notes.may_accept(devices)

    def _first(self, message_id: str) -> FeedbackRecord | None:
        self._hear()
        return next((record for record in self._records if record.message_id == message_id), None)


def _read(body: bytes) -> list[FeedbackRecord]:
    try:
        return [_record(entry) for entry in json.loads(body)]
    except (ValueError, TypeError, AttributeError, RecursionError):
        start = redact(body[:80].decode(errors="replace"))
        raise ServiceError(f"feedback: not a JSON array of records: {start!r}.") from None


def _record(entry: Mapping[str, Any]) -> FeedbackRecord:
    """Read one record; hubs of different age call the outcome `statusCode` or `description`."""
    return FeedbackRecord(
        message_id=str(entry.get("originalMessageId", "")),
        status=str(entry.get("statusCode") or entry.get("description") or ""),
        description=str(entry.get("description", "")),
        device_id=str(entry.get("deviceId", "")),
        generation_id=str(entry.get("deviceGenerationId", "")),
        enqueued_time=str(entry.get("enqueuedTimeUtc", "")),
    )
