"""The messages that wait for one device, and what becomes of them.

Each is delivered at least once: taken under a lock, completed by the device's PUBACK, waiting again when the
lock runs out. Each ends exactly once, as completed, expired, purged or given up, and feedback tells its
sender if it asked. The mailbox reads no clock: `now`, unix seconds, comes with each call. Its owner calls
`advance` at `next_deadline()`, and after any call asks for the next delivery if the device has subscribed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from iothub_emulator.hub.locked_queue import Entry, LockedQueue
from iothub_emulator.hub.mailbox_rules import CloudMessage, MailboxRules, Outcome
from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.hub.unacknowledged import Message


@dataclass(frozen=True, slots=True)
class FeedbackRecord:
    """What became of one message. `time`, unix seconds, is when it did."""

    original_message_id: str
    """Empty if the sender gave none, and then it cannot tell which message is meant."""
    outcome: Outcome
    description: str
    device_id: str
    generation_id: str
    time: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way: the fields of the PUBLISH, and the lock that its PUBACK completes."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    lock: int | None
    """None: already completed, as QoS 0 is."""
    message: Message


class Mailbox:
    """The queue of one device. `tell` receives each feedback record as it arises."""

    def __init__(
        self,
        device_id: str,
        generation_id: str,
        rules: Callable[[], MailboxRules],
        tell: Callable[[FeedbackRecord], None],
    ) -> None:
        self._device_id = device_id
        self._generation_id = generation_id
        self._rules_now = rules
        self._tell = tell
        self._queue: LockedQueue[CloudMessage] = LockedQueue()

    def __len__(self) -> int:
        """Count messages that have not come to their end: `cloudToDeviceMessageCount`."""
        return len(self._queue)

    @property
    def _rules(self) -> MailboxRules:
        """Looked up at each decision, so that a replaced object takes effect."""
        return self._rules_now()

    # The back end's side

    def put(self, message: CloudMessage, now: float) -> None:
        """Let a message wait; `Refused` if there are too many or it is too large."""
        rules = self._rules
        self.advance(now)
        if not rules.accepts_size(message) or not rules.accepts_topic(rules.topic(self._device_id, message)):
            raise Refused(ErrorCode.MessageTooLarge, "The message and its properties are too large.")
        if not rules.accepts_another(len(self._queue)):
            raise rules.queue_full()
        self._queue.put(message, rules.expires_at(message, now))

    def purge(self, now: float) -> int:
        """Remove everything, locked messages too, and return how many there were."""
        self.advance(now)
        entries = list(self._queue) if self._rules.purges() else []
        for entry in entries:
            self._end(entry, "Purged", now)
        return len(entries)

    # The device's side

    def session_begins(self, *, clean: bool, first: bool, now: float) -> int:
        """Take note of an accepted CONNECT and return how many messages it removed.

        `clean` is its CleanSession; `first`: the device has no session that it could resume.
        """
        rules = self._rules
        if clean:
            purges = rules.purges_on_clean_session()
        else:
            purges = rules.purges_on_first_session() if first else rules.purges_on_resumed_session()
        return self.purge(now) if purges else 0

    def next_delivery(self, granted: Callable[[str], int | None], now: float) -> Delivery | None:
        """Take the next message that the device subscribed to; None: none of them waits.

        `granted` returns the QoS of the subscription for a topic, None where there is none.
        """
        rules = self._rules
        self.advance(now)
        waiting = self._queue.waiting()
        while waiting:
            entry = waiting.pop(rules.position_of_next(len(waiting)))
            topic = rules.topic(self._device_id, entry.item)
            reach = granted(topic)
            if reach is not None:
                return self._delivery(entry, topic, reach, now)
        return None

    def _delivery(self, entry: Entry[CloudMessage], topic: str, granted: int, now: float) -> Delivery:
        rules = self._rules
        lock: int | None = self._queue.take(entry, now + rules.lock_seconds())
        qos = rules.delivery_qos(granted)
        times_taken = entry.times_taken
        if rules.completes_when_sent(qos):
            self._end(entry, "Success", now)
            lock = None
        return Delivery(
            topic=topic,
            payload=rules.body(entry.item),
            qos=qos,
            retain=rules.retain(),
            dup=rules.dup(qos=qos, times_taken=times_taken),
            lock=lock,
            message=(self._generation_id, entry.number),
        )

    def complete(self, lock: int, now: float) -> bool:
        """Complete what is under this lock; False if it is no longer: then the message comes again."""
        self.advance(now)
        entry = self._queue.locked(lock)
        if entry is None or not self._rules.completes_when_acknowledged():
            return False
        self._end(entry, "Success", now)
        return True

    # Time

    def advance(self, now: float) -> None:
        """Do what has become due: messages expire, and those whose lock ran out wait again."""
        rules = self._rules
        for entry in self._queue.expired(now):
            self._end(entry, "Expired", entry.expires_at)
        for entry in self._queue.lapsed(now):
            self._queue.release(entry)
            match rules.on_lock_lapsed():
                case "reject":
                    self._end(entry, "Rejected", now)
                case "count":
                    entry.delivery_count += 1
                    if not rules.may_deliver_again(entry.delivery_count):
                        self._end(entry, "DeliveryCountExceeded", now)
                case "requeue":
                    pass

    def next_deadline(self) -> float | None:
        """Return when `advance` has something to do; None: not before something else happens."""
        return self._queue.next_deadline()

    def _end(self, entry: Entry[CloudMessage], outcome: Outcome, now: float) -> None:
        rules, message = self._rules, entry.item
        self._queue.remove(entry)
        if rules.owes_feedback(rules.feedback_wanted(message), outcome):
            self._tell(
                FeedbackRecord(
                    message.message_id or "",
                    outcome,
                    rules.description(outcome),
                    self._device_id,
                    self._generation_id,
                    now,
                )
            )
