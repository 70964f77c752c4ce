"""What became of cloud-to-device messages, on its way to the back end: records, batches, their queue.

Source: Microsoft, "Understand cloud-to-device messaging", message feedback. A receiver at
`/messages/servicebound/feedback` takes whole batches, each a message with a JSON array of records.
"""

from dataclasses import dataclass

from iothub_emulator.hub import json_text
from iothub_emulator.hub.json_text import Object
from iothub_emulator.hub.locked_queue import Entry, LockedQueue
from iothub_emulator.hub.mailbox import FeedbackRecord
from iothub_emulator.hub.refusals import iso

CONTENT_TYPE = "application/vnd.microsoft.iothub.feedback.json"


@dataclass(frozen=True, slots=True)
class FeedbackBatch:
    """Records that travel together. `enqueued_time`, unix seconds, is when the batch was closed."""

    records: tuple[FeedbackRecord, ...]
    enqueued_time: float


@dataclass(frozen=True, slots=True)
class TakenBatch:
    """A batch at a receiver, and the lock that its disposition refers to."""

    batch: FeedbackBatch
    body: bytes
    lock: int
    delivery_count: int


class FeedbackRules:
    """Each decision about feedback. Durations are seconds; the defaults are a real hub's."""

    def __init__(
        self,
        *,
        batch_size: int = 64,
        interval: float = 15.0,
        time_to_live: float = 3600.0,
        lock: float = 60.0,
        max_delivery_count: int = 10,
    ) -> None:
        self._batch_size = batch_size
        self._interval = interval
        self._time_to_live = time_to_live
        self._lock = lock
        self._max_delivery_count = max_delivery_count

    def is_full(self, records: int) -> bool:
        """c2d.feedback: 64 records close a batch at once."""
        return records >= self._batch_size

    def closes_at(self, first_record: float, last_closed: float | None) -> float:
        """c2d.feedback: 15 seconds after the last batch; a first record after a longer pause goes at once."""
        return first_record if last_closed is None else max(first_record, last_closed + self._interval)

    def record(self, record: FeedbackRecord) -> Object:
        """c2d.feedback: one record as a service client reads it."""
        return {
            "originalMessageId": record.original_message_id,
            "description": record.description,
            "deviceGenerationId": record.generation_id,
            "deviceId": record.device_id,
            "enqueuedTimeUtc": iso(record.time),
            "statusCode": record.outcome,
        }

    def body(self, batch: FeedbackBatch) -> bytes:
        """c2d.feedback: a JSON array."""
        return json_text.dump([self.record(record) for record in batch.records])

    def expires_at(self, batch: FeedbackBatch) -> float:
        """Keep feedback that nobody takes for an hour."""
        return batch.enqueued_time + self._time_to_live

    def lock_seconds(self) -> float:
        """Give a receiver a minute to settle a batch."""
        return self._lock

    def may_deliver_again(self, delivery_count: int) -> bool:
        """Repeat up to the feedback queue's maximum delivery count."""
        return delivery_count < self._max_delivery_count


class Feedback:
    """The feedback of one hub. Times are unix seconds; `advance` is due at `next_deadline()`."""

    def __init__(self, rules: FeedbackRules) -> None:
        self._rules = rules
        self._open: list[FeedbackRecord] = []
        self._last_closed: float | None = None
        self._queue: LockedQueue[FeedbackBatch] = LockedQueue()

    def add(self, record: FeedbackRecord, now: float) -> None:
        """Take a record; it travels with others in the next batch."""
        self._open.append(record)
        self.advance(now)

    def forget(self, device_id: str) -> None:
        """Drop what is not yet in a batch of a device that was deleted, as a hub does."""
        self._open = [record for record in self._open if record.device_id != device_id]

    def take(self, now: float) -> TakenBatch | None:
        """Lock the oldest waiting batch for a receiver; None: nothing waits."""
        self.advance(now)
        waiting = self._queue.waiting()
        if not waiting:
            return None
        entry = waiting[0]
        lock = self._queue.take(entry, now + self._rules.lock_seconds())
        return TakenBatch(entry.item, self._rules.body(entry.item), lock, entry.delivery_count)

    def complete(self, lock: int) -> bool:
        """Remove a batch that its receiver accepted or rejected; False if the lock is no longer held."""
        entry = self._queue.locked(lock)
        if entry is None:
            return False
        self._queue.remove(entry)
        return True

    def abandon(self, lock: int) -> bool:
        """Let a batch wait again: its receiver released it or is gone. False as with `complete`."""
        entry = self._queue.locked(lock)
        if entry is None:
            return False
        self._again(entry)
        return True

    def advance(self, now: float) -> None:
        """Do what has become due: batches are closed, expire, or wait again after their lock ran out."""
        for entry in self._queue.expired(now):
            self._queue.remove(entry)
        for entry in self._queue.lapsed(now):
            self._again(entry)
        if self._open and (self._rules.is_full(len(self._open)) or self._closing_time() <= now):
            batch = FeedbackBatch(tuple(self._open), now)
            self._open = []
            self._last_closed = now
            self._queue.put(batch, self._rules.expires_at(batch))

    def next_deadline(self) -> float | None:
        """Return when `advance` has something to do; None: not before something else happens."""
        times = [self._queue.next_deadline(), self._closing_time() if self._open else None]
        return min((time for time in times if time is not None), default=None)

    def _closing_time(self) -> float:
        return self._rules.closes_at(self._open[0].time, self._last_closed)

    def _again(self, entry: Entry[FeedbackBatch]) -> None:
        self._queue.release(entry)
        entry.delivery_count += 1
        if not self._rules.may_deliver_again(entry.delivery_count):
            self._queue.remove(entry)
