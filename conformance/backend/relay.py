"""One reader of an Event Hubs-compatible endpoint for all workers of a run: it hands on all that arrives.

Event Hubs admits five readers of one partition in one consumer group, and each of them is sent everything. So
the process that was started reads, and workers hear it through a socket in the folder of the run, which is
its user's alone.
"""

import contextlib
import pickle
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Self

from conformance.backend.event_source import Callbacks, Endpoint
from conformance.backend.partitions import Partitions
from conformance.backend.telemetry import Telemetry
from conformance.errors import ServiceError

# What a worker is sent: which callback, and its arguments.
Told = tuple[str, tuple[Any, ...]]
_OPEN: Final = "open"
_GONE: Final = "the run's reader of telemetry is gone"
# So many workers may connect at the same moment.
_BACKLOG: Final = 64


class Relay:
    """Reads an endpoint, and tells every worker that has connected. Close it at the end.

    Raises CredentialsRefused or ServiceError where the endpoint cannot be opened.
    """

    def __init__(self, address: Path, open_partitions: Callable[[Callbacks], Partitions]) -> None:
        self.address = str(address)
        self._lock = threading.Lock()
        self._workers: list[socket.socket] = []
        callbacks = Callbacks(
            arrive=lambda message: self._tell("arrive", message),
            fail=lambda partition, why: self._tell("fail", partition, why),
            recover=lambda partition: self._tell("recover", partition),
        )
        self._partitions = open_partitions(callbacks)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.address)
        self._listener.listen(_BACKLOG)
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def close(self) -> None:
        """Stop reading, and let go of the workers."""
        self._partitions.close()
        _end(self._listener)
        with self._lock:
            for worker in self._workers:
                _end(worker)
            self._workers = []

    def _accept(self) -> None:
        while True:
            try:
                worker, _ = self._listener.accept()
            except OSError:
                return
            with self._lock, contextlib.suppress(OSError):
                worker.sendall(pickle.dumps((_OPEN, ())))
                self._workers.append(worker)

    def _tell(self, what: str, *arguments: object) -> None:
        packed = pickle.dumps((what, arguments))
        with self._lock:
            for worker in tuple(self._workers):
                try:
                    worker.sendall(packed)
                except OSError:  # it has ended
                    self._workers.remove(worker)


class RelayedPartitions:
    """All partitions as a worker hears of them. Close it at the end."""

    def __init__(self, address: str, callbacks: Callbacks) -> None:
        self._callbacks = callbacks
        self._partitions: set[str] = set()
        self._closing = False
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(address)
            self._stream = self._socket.makefile("rb")
            self._told()  # it is known there: what is told from now on is heard
        except (OSError, EOFError):
            self._socket.close()
            raise ServiceError(f"{_GONE}.") from None
        threading.Thread(target=self._hear, name="telemetry", daemon=True).start()

    @classmethod
    def opener(cls, address: str) -> Callable[[Endpoint, Callbacks], Self]:
        """Return what opens it in place of the endpoint itself."""
        return lambda _, callbacks: cls(address, callbacks)

    def close(self) -> None:
        """Hear no more."""
        self._closing = True
        _end(self._socket)

    def _hear(self) -> None:
        to: Mapping[str, Callable[..., None]] = {
            "arrive": self._arrive,
            "fail": self._callbacks.fail,
            "recover": self._callbacks.recover,
        }
        while True:
            try:
                what, arguments = self._told()
            except (OSError, EOFError, pickle.UnpicklingError):  # the last: cut in the middle
                break
            to[what](*arguments)
        for partition in () if self._closing else self._partitions:
            self._callbacks.fail(partition, _GONE)

    def _told(self) -> Told:
        # Of this run's own process, in a folder of this user's own.
        told: Told = pickle.load(self._stream)  # noqa: S301 - as said
        return told

    def _arrive(self, message: Telemetry) -> None:
        self._partitions.add(message.partition)
        self._callbacks.arrive(message)


def _end(sock: socket.socket) -> None:
    """Close a socket, and wake whoever waits for it in another thread."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()
