"""Receivers of feedback: each takes whole batches, one receiver a batch, and says what became of it."""

from collections.abc import Callable

from iothub_emulator.amqp.composites import Composite
from iothub_emulator.amqp.errors import LinkError
from iothub_emulator.amqp.messages import Header, Message, Properties, encode_message
from iothub_emulator.amqp.values import Symbol, Timestamp, Value
from iothub_emulator.hub.cloud_links import CloudLinkRules
from iothub_emulator.hub.feedback import CONTENT_TYPE, TakenBatch
from iothub_emulator.runtime import Runtime

ENQUEUED_TIME = "iothub-enqueuedtime"
"""The annotation from which service SDKs read the batch's time."""


class FeedbackReceiver:
    """The supplier behind one receiving link. A batch under a lock is this link's until it is settled."""

    settles_at_once = False

    def __init__(self, runtime: Runtime, wake: Callable[[], None]) -> None:
        self._runtime = runtime
        self.filter: dict[Value, Value] = {}
        self.capabilities: tuple[str, ...] = ()
        self.ended: LinkError | None = None
        self._locks: dict[int, int] = {}
        self._given = 0
        self._forget = runtime.on_feedback(wake)

    def next_message(self) -> bytes | None:
        """Lock the oldest batch and return it, encoded."""
        taken = self._runtime.feedback.take(self._runtime.now())
        if taken is None:
            return None
        self._locks[self._given] = taken.lock
        self._given += 1
        return encode_feedback(self._runtime.rules.links, taken)

    def settle(self, number: int, outcome: Composite | None) -> bool:
        """Remove the batch, or let it wait again; False if its lock had run out."""
        lock = self._locks.pop(number)
        word = None if outcome is None else outcome.symbol.split(":")[1]
        feedback = self._runtime.feedback
        if self._runtime.rules.links.feedback_settles(word):
            return feedback.complete(lock)
        return feedback.abandon(lock)

    def close(self) -> None:
        """Let others have what was not settled."""
        self._forget()
        for number in tuple(self._locks):
            self.settle(number, None)


def encode_feedback(rules: CloudLinkRules, taken: TakenBatch) -> bytes:
    """Return the message for a batch."""
    message = Message(
        header=Header(delivery_count=taken.delivery_count),
        message_annotations={Symbol(ENQUEUED_TIME): Timestamp(taken.batch.enqueued_time * 1000)},
        properties=Properties(user_id=rules.feedback_user_id(), content_type=CONTENT_TYPE),
        data=taken.body,
    )
    return encode_message(message)
