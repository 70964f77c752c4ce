"""TLS sockets on which reading ends, whatever the peer sends: within a time and a size, each as a whole.

A socket's own timeout is for one read, and a peer that sends a byte a second is never late for it. What a
thread reads inside `limited` has one deadline and one size for all reads and handshakes together. Outside of
it such a socket is an ordinary one.
"""

import math
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

# More than any hub answers: a thousand identities are 1 MB, a twin is 100 KB, a method's answer 128 KB.
LARGEST_ANSWER: Final = 8 * 1024 * 1024

_MEGABYTE: Final = 1024 * 1024


class Limit:
    """What the reads of a thread may take, together: seconds, and bytes."""

    def __init__(self, seconds: float, size: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._size = size
        self._taken = 0
        self._too_much = ""

    @property
    def left(self) -> float:
        """How many seconds are left; 0 or less where there are none."""
        return self._end - time.monotonic()

    @property
    def overrun(self) -> str:
        """What was too much: "did not end within 10 s"; empty where nothing was, or where nothing came."""
        if self._taken and self.left <= 0:
            return f"did not end within {self._seconds:g} s"
        return self._too_much

    def take(self, count: int) -> None:
        """Count bytes that came; raises OSError where they are too many."""
        self._taken += count
        if self._taken > self._size:
            self._too_much = f"is larger than {self._size / _MEGABYTE:.0f} MB"
            raise OSError(self._too_much)


class _OfThread(threading.local):
    limit: Limit | None = None


_own = _OfThread()


@contextmanager
def limited(seconds: float, *, size: float = math.inf) -> Iterator[Limit]:
    """Hold all that this thread reads in the block to a limit; yields the limit, which says what overran it.

    `size` is in bytes.
    """
    before, _own.limit = _own.limit, Limit(seconds, size)
    try:
        yield _own.limit
    finally:
        _own.limit = before


class BoundedSocket(ssl.SSLSocket):
    """A TLS socket that keeps to the limit of the thread that reads."""

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Read as `ssl.SSLSocket` does; raises TimeoutError or OSError beyond the limit."""
        with self._in_time():
            data = super().recv(buflen, flags)
        self._count(len(data))
        return data

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        """Read as `ssl.SSLSocket` does; raises TimeoutError or OSError beyond the limit."""
        with self._in_time():
            count = super().recv_into(buffer, nbytes, flags)
        self._count(count)
        return count

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands as `ssl.SSLSocket` does; raises TimeoutError beyond the limit."""
        with self._in_time():
            super().do_handshake(block)

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        left = math.inf if _own.limit is None else _own.limit.left
        if left <= 0:
            raise TimeoutError("timed out")
        before = self.gettimeout()
        if left == math.inf or (before is not None and before <= left):
            yield
            return
        self.settimeout(left)
        try:
            yield
        finally:
            self.settimeout(before)

    @staticmethod
    def _count(count: int) -> None:
        if _own.limit is not None:
            _own.limit.take(count)


def bounded(context: ssl.SSLContext, sockets: type[BoundedSocket] = BoundedSocket) -> ssl.SSLContext:
    """Let the sockets of a context keep to limits; returns it."""
    context.sslsocket_class = sockets
    return context
