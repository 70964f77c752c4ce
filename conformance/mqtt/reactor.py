"""One thread that serves every connection of a worker, on epoll where there is one.

All reading, writing and every call on a paho client happen on this thread; callers reach it through `do`.
"""

import contextlib
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from conformance.errors import HarnessError

# How often served connections may see to their keep-alive, in seconds: the shortest in use is one second, and
# a hub drops a silent client after one and a half.
TICK: Final = 0.25

# How long a caller waits for its turn. The thread never blocks: only a stopped machine takes this long.
PATIENCE: Final = 30.0

T = TypeVar("T")


class Served(Protocol):
    """What the reactor serves. All of these are called on its thread."""

    def ready(self, *, readable: bool, writable: bool) -> None:
        """Read or write as far as possible without waiting."""

    def tick(self) -> None:
        """Do what is due by the clock."""

    def broken(self, error: Exception) -> None:
        """Give up: `ready` or `tick` raised this, and neither will be called again."""


class Reactor:
    """The thread and its selector. Start one per worker, and stop it in the end."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._jobs: deque[Callable[[], None]] = deque()
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._served: dict[socket.socket, Served] = {}
        self._stopping = False
        self._last_tick = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="device reactor", daemon=True)
        self._thread.start()

    def do(self, job: Callable[[], T], *, within: float = PATIENCE) -> T:
        """Run `job` on the reactor's thread and return its result, or raise its exception here.

        Raises HarnessError where the reactor has stopped, or the job has not run after `within` seconds.
        """
        if threading.current_thread() is self._thread:
            return job()
        done = threading.Event()
        results: list[T] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                results.append(job())
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                errors.append(error)
            done.set()

        self._jobs.append(run)
        if self._stopping or not self._thread.is_alive():
            raise HarnessError("the device reactor has stopped: open connections before the run ends")
        self._wake()
        if not done.wait(within):
            raise HarnessError(f"the device reactor did nothing for {within:g} s: is the machine overloaded?")
        if errors:
            raise errors[0]
        return results[0]

    def add(self, sock: socket.socket, served: Served) -> None:
        """Begin to serve a socket. On the reactor's thread."""
        self._selector.register(sock, selectors.EVENT_READ, served)
        self._served[sock] = served

    def want_write(self, sock: socket.socket, *, wanted: bool) -> None:
        """Say whether `ready` shall be called when the socket can be written. On the reactor's thread."""
        if sock in self._served:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if wanted else 0)
            if self._selector.get_key(sock).events != events:
                self._selector.modify(sock, events, self._served[sock])

    def remove(self, sock: socket.socket) -> None:
        """Serve a socket no more; call this before it is closed. On the reactor's thread."""
        if self._served.pop(sock, None) is not None:
            with contextlib.suppress(KeyError, ValueError, OSError):
                self._selector.unregister(sock)

    def stop(self) -> None:
        """End the thread. What it still served is told that it is broken."""
        if self._stopping:
            return
        self._stopping = True
        self._wake()
        self._thread.join(PATIENCE)

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            self._wake_write.send(b"\0")

    def _run(self) -> None:
        while not self._stopping:
            for key, events in self._selector.select(TICK if self._served else None):
                if key.data is None:
                    with contextlib.suppress(BlockingIOError):
                        self._wake_read.recv(4096)
                    continue
                served: Served = key.data
                readable, writable = (
                    bool(events & selectors.EVENT_READ),
                    bool(events & selectors.EVENT_WRITE),
                )
                if isinstance(key.fileobj, socket.socket) and self._served.get(key.fileobj) is served:
                    # B023: it is called before the loop goes on.
                    self._guard(served, lambda: served.ready(readable=readable, writable=writable))  # noqa: B023
            self._work()
            self._tick()
        self._work()
        for served in tuple(self._served.values()):
            served.broken(HarnessError("the device reactor was stopped"))
        self._selector.close()
        self._wake_read.close()
        self._wake_write.close()

    def _work(self) -> None:
        while self._jobs:
            self._jobs.popleft()()

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._last_tick >= TICK:
            self._last_tick = now
            for served in tuple(self._served.values()):
                self._guard(served, served.tick)

    def _guard(self, served: Served, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - one broken connection must not end all others
            for sock in [sock for sock, owner in self._served.items() if owner is served]:
                self.remove(sock)
            served.broken(error)
