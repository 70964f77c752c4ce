"""The AMQP connection of a worker to the hub itself: messages to devices go out, feedback comes in.

Everything happens on the thread that asks, so what fails is raised where it is waited for.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from conformance.backend.amqp import AmqpEndpoint, Outgoing, Settlement
from conformance.backend.amqp_connection import Connection, Receiver, open_connection
from conformance.mqtt import hearing


class Links:
    """One AMQP connection to a hub, opened when it is first needed and again after it was lost.

    `send` and `receiver` may be called by any thread; while one of them works the others wait.
    """

    def __init__(self, endpoint: AmqpEndpoint, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._lock = threading.RLock()
        self._connection: Connection | None = None

    def send(self, address: str, message: Outgoing, *, within: float) -> Settlement:
        """Send one message and return what the hub says became of it.

        Raises CredentialsRefused, or ServiceError if the connection is lost or no answer comes within so many
        seconds: then nobody knows whether the message was taken.
        """
        with self._lock, self._in_order() as connection:
            return connection.send(address, message, within)

    @contextmanager
    def receiver(self, address: str) -> "Iterator[Receiver]":
        """Take messages from an address as long as the block lasts; those it leaves unsettled go back."""
        with self._lock, self._in_order() as connection:
            receiver = connection.receiver(address)
            yield receiver
            receiver.close()

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    @contextmanager
    def _in_order(self) -> "Iterator[Connection]":
        """Lend the connection; one on which something went wrong is not used again."""
        if self._connection is not None and not self._connection.is_usable():
            self.close()
        if self._connection is None:
            self._connection = open_connection(self._endpoint, self._clock)
        try:
            yield self._connection
            hearing.heard()
        except BaseException:
            self.close()
            raise
