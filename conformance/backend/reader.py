"""Telemetry as a case asks for it: the next message, the next few, everything before a fence."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, Protocol

from conformance.backend.call_log import Transcript
from conformance.backend.event_source import Callbacks, Endpoint
from conformance.backend.inbox import Inbox
from conformance.backend.partitions import Partitions
from conformance.backend.telemetry import Telemetry
from conformance.errors import HarnessError, ServiceError, StageFailed, UsageError, Violation
from conformance.run.sleeping import pause
from conformance.target.target import Timeouts

# Connecting, asking for the partitions and attaching to them may take so many times the endpoint's timeout.
STEPS: Final = 4

# A message that is stored more often than this is taken for one that never ends.
MOST_REPEATS: Final = 10


class Reading(Protocol):
    """Partitions that are read until that is closed."""

    def close(self) -> None:
        """Stop reading."""


class Publisher(Protocol):
    """A connection of a device, as far as a fence needs it."""

    @property
    def device(self) -> "Sender":
        """Whose connection it is."""

    def send(self, topic: str, payload: bytes = ..., *, qos: int = ...) -> object:
        """Write a PUBLISH and wait for nothing."""

    def disconnect(self) -> object:
        """End the connection in order."""


class Sender(Protocol):
    """A device, as far as telemetry needs it."""

    @property
    def id(self) -> str:
        """The device's name."""

    @property
    def topics(self) -> Any:
        """Its topics; `events` is the one for telemetry."""

    def connect(self) -> Any:
        """Open a connection of this device."""


class TelemetryReader:
    """Reads all partitions from `open` on, and hands messages out by device.

    Waiting has the deadline ``timeouts.reaction``; a reader that fails ends the wait with a ServiceError.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        timeouts: Timeouts,
        *,
        accepts: Callable[[str], bool] = lambda _: True,
        open_partitions: Callable[[Endpoint, Callbacks], Reading] = Partitions.open,
    ) -> None:
        self._endpoint = endpoint
        self._timeouts = timeouts
        self._inbox = Inbox(accepts)
        self._open_partitions = open_partitions
        self._opening: Future[Reading] | None = None

    def begin(self) -> None:
        """Begin to open, and return at once: the import of azure.eventhub alone takes a moment."""
        if self._opening is None:
            self._opening = Future()
            threading.Thread(target=self._open, args=(self._opening,), name="telemetry", daemon=True).start()

    def open(self) -> None:
        """Return once all that a device sends from now on will be seen.

        Raises ServiceError or CredentialsRefused, each step within the endpoint's timeout, all of them within
        a few of these.
        """
        self.begin()
        within = STEPS * self._endpoint.timeout
        if self._opening is not None:
            try:
                self._opening.result(within)
            except TimeoutError:
                raise ServiceError(f"{self._endpoint.what}: not open within {within:g} s.") from None

    def close(self) -> None:
        """Stop reading; does not wait for partitions that are still being opened."""
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.add_done_callback(_close)

    def _open(self, opening: "Future[Reading]") -> None:
        inbox = self._inbox
        callbacks = Callbacks(arrive=inbox.arrive, fail=inbox.fail, recover=inbox.recover)
        try:
            opening.set_result(self._open_partitions(self._endpoint, callbacks))
        except BaseException as error:  # noqa: BLE001 - told to the thread that asks for the result
            opening.set_exception(error)

    def follow(self, device_id: str, transcript: Transcript) -> None:
        """Write everything that arrives from this device to the transcript of its case."""
        self._inbox.follow(device_id, transcript)

    def follow_events(self, device_id: str, source: str) -> None:
        """From now on keep what the hub itself tells of a device and its modules, until it is forgotten."""
        self._inbox.follow_events(device_id, source)

    def forget(self, device_id: str) -> None:
        """Drop what is left of a device whose case is over."""
        self._inbox.forget(device_id)

    def next(self, sent_by: Sender) -> Telemetry:
        """Return the device's next message; raises Violation if none arrives in time."""
        return self._next(sent_by, "a message")

    def poll(self, sent_by: Sender, within: float = 0.0) -> Telemetry | None:
        """Return the device's next message, or None if none arrives in so many seconds."""
        return self._inbox.next(sent_by.id, within)

    def next_event(self, device_id: str, source: str, within: float) -> Telemetry | None:
        """Return what the hub tells next of a device that is followed, or None within so many seconds."""
        if self._opening is None:
            raise HarnessError("an event is waited for, but its reader was not opened before")
        return self._inbox.next_event(device_id, source, within)

    def take(self, count: int, *, sent_by: Sender) -> list[bytes]:
        """Return the bodies of the device's next messages, as `take_messages` does."""
        return [message.body for message in self.take_messages(count, sent_by=sent_by)]

    def take_messages(self, count: int, *, sent_by: Sender) -> list[Telemetry]:
        """Return the device's next messages in order, each body where it came first.

        A hub stores what came with QoS 1 at least once. Raises Violation if one is missing.
        """
        first: dict[bytes, Telemetry] = {}
        for _ in range(MOST_REPEATS * count):
            message = self._next(sent_by, f"message {len(first) + 1} of {count}")
            first.setdefault(message.body, message)
            if len(first) == count:
                return list(first.values())
        raise Violation(
            f"{len(first)} of {count} messages of {sent_by.id}, and these {MOST_REPEATS} times",
            observed="repeated",
            expected=f"{count} messages",
            actual=f"{len(first)} messages, {MOST_REPEATS * count // max(len(first), 1)} times each",
        )

    def until_fence(self, sent_by: Sender, *, over: Publisher | None = None) -> list[Telemetry]:
        """Return everything that arrived from a device before a marker that the same device sends now.

        A hub keeps the order of one device's messages, so what is not there then was not sent on. `over` is
        an open connection of the device; without it a new one is made, which takes over from any other. On a
        live hub (``timeouts.silence`` above 0) the back end is watched that long as well. Raises StageFailed
        if the marker itself does not get through.
        """
        return self._until_fence(sent_by, over, self._timeouts.silence)

    def until_no_will_is_due(self, sent_by: Sender) -> list[Telemetry]:
        """Return everything that arrived from a device, likewise, watched for as long as a Will may take.

        A hub sends a Will by itself, in no order with what the device sends: ``timeouts.will_silence``.
        """
        return self._until_fence(sent_by, None, self._timeouts.will_silence)

    def _until_fence(self, sent_by: Sender, over: Publisher | None, silence: float) -> list[Telemetry]:
        if over is not None and over.device.id != sent_by.id:
            raise UsageError(
                f"a fence for {sent_by.id} was to be sent by {over.device.id}: order is kept per device only"
            )
        marker = f"fence-{uuid.uuid4().hex}".encode("ascii")
        self._inbox.await_marker(marker)
        self._send_marker(sent_by, marker, over)
        within = self._timeouts.reaction
        if self._inbox.marker(marker, within) is None:
            raise StageFailed(
                f"needs d2c.events-topic: the marker of {sent_by.id} did not arrive within {within:g} s"
            )
        if silence > 0:
            pause(silence)
        return self._inbox.drain(sent_by.id)

    def _send_marker(self, sent_by: Sender, marker: bytes, over: Publisher | None) -> None:
        """Send the marker with QoS 0: no acknowledgement is left over that a case might take for its own."""
        try:
            connection = sent_by.connect() if over is None else over
            connection.send(sent_by.topics.events, marker, qos=0)
            if over is None:
                connection.disconnect()
        except (Violation, OSError) as error:
            raise StageFailed(f"needs connect.client-id: the fence of {sent_by.id}: {error}") from None

    def _next(self, sent_by: Sender, what: str) -> Telemetry:
        if self._opening is None:
            raise HarnessError(
                "telemetry is waited for, but its reader was not opened before the device acted"
            )
        within = self._timeouts.reaction
        message = self._inbox.next(sent_by.id, within)
        if message is None:
            raise Violation(
                f"{what} of {sent_by.id} did not arrive within {within:g} s",
                observed="nothing arrived",
                expected=f"{what} within {within:g} s",
                actual="nothing arrived at the back end",
            )
        return message


def _close(opening: "Future[Reading]") -> None:
    if opening.exception() is None:
        opening.result().close()
