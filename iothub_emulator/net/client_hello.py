"""The first message of a TLS handshake, read for one thing: the name by which the client calls the server.

OpenSSL settles the version before it lets a server look at that name, so that it cannot be asked in time:
which versions a connection may have has to be known before OpenSSL sees its first byte (RFC 8446 section
4.1.2, RFC 6066 section 3).
"""

LARGEST = 16_384
"""Bytes in which the name has to stand; nearly all clients have it within their first two hundred."""

_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME, _HOST_NAME = 22, 1, 0, 0
_RECORD_HEADER, _MESSAGE_HEADER = 5, 4
_FIXED = 2 + 32
"""Legacy version and random."""


class Incomplete(Exception):  # noqa: N818 - the answer "not yet"
    """More has to come before the name can be read."""


def server_name(data: bytes) -> str | None:
    """Return the host name that a client asks for; None where it names none, or where this is no ClientHello.

    `data` is all that came so far; raises `Incomplete` if that is too little to tell. The name is found
    before the rest is there: it stands in front, and what is behind it may be long.
    """
    try:
        return _name_in(_Hello(data))
    except Incomplete:
        if len(data) > LARGEST:
            return None
        raise
    except (IndexError, UnicodeDecodeError):
        return None  # malformed: OpenSSL says so, with the alert that is due


class _Hello:
    """The ClientHello, as far as it has come, without its header, joined from the records that carry it."""

    def __init__(self, data: bytes) -> None:
        message = bytearray()
        while data:
            header = data[:_RECORD_HEADER]
            size = int.from_bytes(header[3:5])
            if header[0] != _HANDSHAKE or (len(header) == _RECORD_HEADER and not size):
                raise IndexError("no record of a handshake")
            message += data[_RECORD_HEADER : _RECORD_HEADER + size]
            data = data[_RECORD_HEADER + size :]
            if message and message[0] != _CLIENT_HELLO:
                raise IndexError("no ClientHello")
            if len(message) >= _MESSAGE_HEADER + int.from_bytes(message[1:_MESSAGE_HEADER]) > _MESSAGE_HEADER:
                break
        if len(message) < _MESSAGE_HEADER:
            raise Incomplete
        self._size = int.from_bytes(message[1:_MESSAGE_HEADER])
        """Bytes that it has when it is whole."""
        self._bytes = bytes(message[_MESSAGE_HEADER : _MESSAGE_HEADER + self._size])

    def exactly(self, at: int, size: int) -> bytes:
        """Return `size` bytes; raises IndexError where none can be, Incomplete where they are to come."""
        if at + size > self._size:
            raise IndexError("too short")
        if at + size > len(self._bytes):
            raise Incomplete
        return self._bytes[at : at + size]

    def number(self, at: int, size: int) -> int:
        """Return a number of `size` bytes."""
        return int.from_bytes(self.exactly(at, size))

    def ends_at(self, at: int) -> bool:
        """Tell whether nothing stands behind `at`."""
        return at == self._size


def _name_in(hello: _Hello) -> str | None:
    at = _FIXED
    for length_bytes in (1, 2, 1):  # session id, cipher suites, compression methods
        at += length_bytes + hello.number(at, length_bytes)
    if hello.ends_at(at):
        return None  # without extensions
    end = at + 2 + hello.number(at, 2)
    at += 2
    while at < end:
        kind, size = hello.number(at, 2), hello.number(at + 2, 2)
        if kind == _SERVER_NAME:
            # A list of which the first entry counts: other kinds of name were never defined.
            is_host_name = hello.exactly(at + 6, 1)[0] == _HOST_NAME
            length = hello.number(at + 7, 2)
            return hello.exactly(at + 9, length).decode("ascii") if is_host_name else None
        at += 4 + size
    return None
