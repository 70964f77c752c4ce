"""One network stream to the hub: whatever passes is seen here, and how the stream ended.

Neither paho nor a test owns the socket. paho closes at once when a hub refuses it or sends what it must not;
the suite wants to see what the hub does next, so the stream stays open until the case, or the hub, ends it.
"""

import contextlib
import socket
import ssl
import struct
from dataclasses import dataclass
from typing import Final, Literal

from conformance.mqtt import hearing

# One TLS record, the most that a write encrypts at a time. What was not taken is offered again unchanged.
CHUNK: Final = 16 * 1024
READ: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Ending:
    """Who ended the stream, and how: "end of stream", "reset", "TLS error: …"."""

    by: Literal["hub", "us"]
    how: str


class Tap:
    """A connected socket, with TLS or without, that never blocks and never raises for what the hub does."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.socket = sock
        self.ending: Ending | None = None
        self.taken = 0
        """Bytes that have come from the network, whatever they are."""
        self.empty = 0
        """Frames that have come and carried nothing."""
        self._outgoing = bytearray()

    @property
    def waiting(self) -> bool:
        """Whether the network has yet to take something."""
        return bool(self._outgoing)

    def read(self) -> bytes | None:
        """Return what has come, or None where that is nothing; `ending` tells whether more can come."""
        if self.ending is not None:
            return None
        try:
            # The kernel first: OpenSSL reports a reset as an unexpected end of stream.
            socket.socket.recv(self.socket, 1, socket.MSG_PEEK)
            data = self.socket.recv(READ)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except ssl.SSLEOFError:
            self.ending = Ending("hub", "end of stream, no TLS close")
        except ssl.SSLError as error:
            self.ending = Ending("hub", f"TLS error: {error.reason or error}")
        except (ConnectionResetError, BrokenPipeError):
            self.ending = Ending("hub", "reset")
        except OSError as error:
            self.ending = Ending("hub", f"lost: {error.strerror or error}")
        else:
            if data:
                hearing.heard()
                self.taken += len(data)
                return data
            self.ending = Ending("hub", "end of stream")
        return None

    def garbage(self) -> tuple[str, bytes] | None:
        """Return, once, why nothing more that comes can be read as MQTT, and the bytes that say so."""
        return None

    def queue(self, data: bytes) -> None:
        """Take these bytes as the next to be sent; `flush` sends."""
        self._outgoing += data

    def flush(self) -> bool:
        """Hand to the network what it takes; tell whether it may ever take more.

        A write that fails tells nothing else: what the hub had sent before is still to be read, and so is the
        end.
        """
        try:
            while self._outgoing and self.ending is None:
                del self._outgoing[: self.socket.send(bytes(self._outgoing[:CHUNK]))]
                hearing.said()
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return True
        except OSError:
            return False
        return self.ending is None

    def half_close(self) -> None:
        """Tell the hub, by TCP, that nothing more will come, and go on reading what it has sent."""
        with contextlib.suppress(OSError):
            # Not SSLSocket.shutdown, which would forget the TLS session that is still to be read; and not
            # unwrap, which reads as well, and loses what comes in that moment (seen).
            socket.socket.shutdown(self.socket, socket.SHUT_WR)

    def close(self, *, reset: bool = False) -> None:
        """End the stream abruptly: without a TLS close, and with a TCP reset if asked for."""
        if self.ending is None:
            self.ending = Ending("us", "reset" if reset else "end of stream")
        if reset:
            with contextlib.suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._outgoing.clear()
        self.socket.close()
