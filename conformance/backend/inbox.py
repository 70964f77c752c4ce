"""What the partitions deliver, sorted by device or module, waited for with deadlines.

Threads that read put in; the thread of a case takes out. Whoever waits learns at once that a reader failed.
"""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable

from conformance.backend.call_log import Transcript
from conformance.backend.telemetry import Telemetry
from conformance.errors import ServiceError


class Inbox:
    """Messages that arrived, by sender and in the order of arrival. Safe for any number of threads.

    `accepts` says whose messages to keep: on a hub that others use too, theirs are none of ours.
    """

    def __init__(
        self, accepts: Callable[[str], bool] = lambda _: True, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._accepts = accepts
        self._clock = clock
        self._changed = threading.Condition()
        self._queues: dict[str, deque[Telemetry]] = defaultdict(deque)
        self._events: dict[tuple[str, str | None], deque[Telemetry]] = {}
        self._last_numbers: dict[str, int] = {}
        self._transcripts: dict[str, Transcript] = {}
        self._markers: dict[bytes, Telemetry | None] = {}
        self._troubles: dict[str, str] = {}

    def follow(self, device_id: str, transcript: Transcript) -> None:
        """Write what arrives from this device to the transcript of its case."""
        with self._changed:
            self._transcripts[device_id] = transcript

    def follow_events(self, device_id: str, source: str) -> None:
        """From now on keep what the hub tells of this device and its modules from one message source."""
        with self._changed:
            self._events.setdefault((device_id, source), deque())

    def forget(self, device_id: str) -> None:
        """Drop what is left of a device whose case is over."""
        with self._changed:
            for followed in [key for key in self._events if key[0] == device_id]:
                del self._events[followed]
            self._transcripts.pop(device_id, None)
            self._queues.pop(device_id, None)

    def arrive(self, message: Telemetry) -> None:
        """Put in a message. A reader that began again brings old ones along: they are dropped."""
        with self._changed:
            if message.sequence_number <= self._last_numbers.get(message.partition, -1):
                return
            self._last_numbers[message.partition] = message.sequence_number
            self._troubles.pop(message.partition, None)
            marker = self._marker_in(message)
            if marker is not None:
                self._markers[marker] = message
            elif message.is_event:
                followed = self._events.get((message.device_id, message.source))
                if followed is None:
                    return
                followed.append(message)
            elif self._accepts(message.device_id):
                self._queues[message.sender].append(message)
            self._changed.notify_all()
            transcript = self._transcripts.get(message.sender)
        if transcript is not None:
            transcript.service(f"{message}{' [fence]' if marker is not None else ''}")

    def fail(self, partition: str, trouble: str) -> None:
        """Note that a partition cannot be read; everyone who waits learns it until it delivers again."""
        with self._changed:
            self._troubles[partition] = trouble
            self._changed.notify_all()

    def recover(self, partition: str) -> None:
        """Note that a partition is read again."""
        with self._changed:
            self._troubles.pop(partition, None)

    def next(self, device_id: str, within: float) -> Telemetry | None:
        """Return the device's next message, or None if none comes in so many seconds; raises ServiceError."""
        with self._changed:
            if self._wait(lambda: bool(self._queues.get(device_id)), within):
                return self._queues[device_id].popleft()
            return None

    def next_event(self, device_id: str, source: str, within: float) -> Telemetry | None:
        """Return what the hub tells next of a device that is followed; None, ServiceError as with `next`."""
        key = (device_id, source)
        with self._changed:
            if self._wait(lambda: bool(self._events.get(key)), within):
                return self._events[key].popleft()
            return None

    def await_marker(self, marker: bytes) -> None:
        """From now on keep the message whose body holds this marker apart."""
        with self._changed:
            self._markers[marker] = None

    def marker(self, marker: bytes, within: float) -> Telemetry | None:
        """Return the message with the marker, or None if it is not there in time; raises ServiceError."""
        with self._changed:
            self._wait(lambda: self._markers.get(marker) is not None, within)
            return self._markers.pop(marker, None)

    def drain(self, device_id: str) -> list[Telemetry]:
        """Return and remove everything that has arrived from a device."""
        with self._changed:
            return list(self._queues.pop(device_id, ()))

    def _wait(self, condition: Callable[[], bool], within: float) -> bool:
        end = self._clock() + within
        while not condition():
            if self._troubles:
                partition, trouble = next(iter(self._troubles.items()))
                raise ServiceError(f"telemetry of partition {partition}: {trouble}.")
            left = end - self._clock()
            if left <= 0:
                return False
            self._changed.wait(left)
        return True

    def _marker_in(self, message: Telemetry) -> bytes | None:
        """Find a marker anywhere in the body: a hub that changes bodies must not take the fence away too."""
        return next((marker for marker in self._markers if marker in message.body), None)
