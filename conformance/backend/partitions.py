"""Read every partition of an Event Hubs-compatible endpoint, on one connection and one thread.

Reading starts behind the last sequence number of each partition, not at ``@latest``: what arrives between
question and attach is not lost. So it does again where a connection was lost.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, Protocol

from conformance.backend.event_source import Callbacks, Endpoint, EventSource
from conformance.backend.telemetry import Telemetry
from conformance.errors import CredentialsRefused, ServiceError

# A connection that was lost is opened again after so many seconds, and so on.
REOPEN_AFTER: Final = 1.0
# That it is to close is seen after so many seconds at the latest.
TURN: Final = 0.5
# Whoever closes waits for at most so many seconds; behind that the thread leaves by itself.
LEAVING: Final = 5.0


class Source(Protocol):
    """A connection to an endpoint, as `EventSource` is one."""

    def last_numbers(self) -> Mapping[str, int]:
        """Return the last sequence number of each partition."""

    def follow(self, partition: str, after: int, to: Callbacks) -> None:
        """Let come what a partition holds behind a sequence number, and all that it gets from now on."""

    def take_in(self, within: float) -> None:
        """Hand on what arrives within so many seconds; raises ServiceError where a link or all is lost."""

    def stop(self) -> None:
        """Have `take_in`, in another thread, return now."""

    def close(self) -> None:
        """End the connection, once the hub has seen that nobody reads here any more."""


class Partitions:
    """All partitions, read from the first moment on. Close it, or its thread goes on with the process."""

    def __init__(self, connect: Callable[[], Source], callbacks: Callbacks) -> None:
        self._connect = connect
        self._callbacks = callbacks
        self._closing = threading.Event()
        self._last: dict[str, int] = {}
        self._source = self._begin()
        self.thread = threading.Thread(target=self._read, name="telemetry", daemon=True)
        self.thread.start()

    @classmethod
    def open(cls, endpoint: Endpoint, callbacks: Callbacks) -> "Partitions":
        """Learn which partitions there are and where they end, and start reading behind that.

        Raises CredentialsRefused or ServiceError, each step within the endpoint's timeout.
        """
        return cls(lambda: EventSource.open(endpoint), callbacks)

    def close(self) -> None:
        """Stop reading, and wait a moment for the hub to see that: it admits five readers at a time."""
        self._closing.set()
        self._source.stop()
        self.thread.join(LEAVING)

    def _begin(self) -> Source:
        source = self._connect()
        counted = replace(self._callbacks, arrive=self._arrive)
        try:
            self._last = self._last or dict(source.last_numbers())
            for partition, last in self._last.items():
                source.follow(partition, last, counted)
        except BaseException:
            source.close()
            raise
        return source

    def _read(self) -> None:
        while not self._closing.is_set():
            try:
                self._source.take_in(TURN)
            except (CredentialsRefused, ServiceError) as error:
                self._tell(error)
                self._source.close()
                self._begin_again()
        self._source.close()

    def _begin_again(self) -> None:
        while not self._closing.wait(REOPEN_AFTER):
            try:
                self._source = self._begin()
            except (CredentialsRefused, ServiceError) as error:
                self._tell(error)
            else:
                for partition in self._last:
                    self._callbacks.recover(partition)
                return

    def _arrive(self, message: Telemetry) -> None:
        self._last[message.partition] = message.sequence_number
        self._callbacks.arrive(message)

    def _tell(self, error: Exception) -> None:
        for partition in self._last:
            self._callbacks.fail(partition, str(error).rstrip("."))
