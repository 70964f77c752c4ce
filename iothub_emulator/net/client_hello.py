"""The first message of a TLS handshake, read for one thing: the name by which the client calls the server.

OpenSSL settles the version before it lets a server look at that name, so that it cannot be asked in time:
which versions a connection may have has to be known before OpenSSL sees its first byte (RFC 8446 section
4.1.2, RFC 6066 section 3).
"""

LARGEST = 16_384
"""Bytes of the first message that are looked at; the name stands far before their end."""

_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME, _HOST_NAME = 22, 1, 0, 0
_RECORD_HEADER, _MESSAGE_HEADER = 5, 4
_FIXED = 2 + 32
"""Legacy version and random."""


class Incomplete(Exception):  # noqa: N818 - the answer "not yet"
    """More has to come before the name can be read."""


def server_name(data: bytes) -> str | None:
    """Return the host name that a client asks for; None where it names none, or where this is no ClientHello.

    `data` is all that came so far; raises `Incomplete` if that is too little to tell.
    """
    if len(data) > LARGEST:
        return None
    try:
        return _name_in(_message(data))
    except (IndexError, UnicodeDecodeError):
        return None  # malformed: OpenSSL says so, with the alert that is due


def _message(data: bytes) -> bytes:
    """Return the ClientHello without its header, joined from the records that carry it."""
    message = bytearray()
    while len(message) < _MESSAGE_HEADER or len(message) < _MESSAGE_HEADER + int.from_bytes(message[1:4]):
        header = data[:_RECORD_HEADER]
        size = int.from_bytes(header[3:5])
        if header[:1] not in {b"", bytes((_HANDSHAKE,))} or (len(header) == _RECORD_HEADER and not size):
            raise IndexError("no record of a handshake")
        if len(data) < _RECORD_HEADER + size or len(header) < _RECORD_HEADER:
            raise Incomplete
        message += data[_RECORD_HEADER : _RECORD_HEADER + size]
        data = data[_RECORD_HEADER + size :]
        if message[0] != _CLIENT_HELLO:
            raise IndexError("no ClientHello")
    return bytes(message[_MESSAGE_HEADER:])


def _name_in(hello: bytes) -> str | None:
    at = _FIXED
    for length_bytes in (1, 2, 1):  # session id, cipher suites, compression methods
        at += length_bytes + int.from_bytes(_exactly(hello, at, length_bytes))
    end = at + 2 + int.from_bytes(_exactly(hello, at, 2)) if at < len(hello) else at
    at += 2
    while at < end:
        kind, size = int.from_bytes(_exactly(hello, at, 2)), int.from_bytes(_exactly(hello, at + 2, 2))
        extension = _exactly(hello, at + 4, size)
        if kind == _SERVER_NAME:
            return _host_name(extension)
        at += 4 + size
    return None


def _host_name(extension: bytes) -> str | None:
    """Return the one name of the list; other kinds of name were never defined."""
    if _exactly(extension, 2, 1)[0] != _HOST_NAME:
        return None
    return _exactly(extension, 5, int.from_bytes(_exactly(extension, 3, 2))).decode("ascii")


def _exactly(data: bytes, at: int, size: int) -> bytes:
    """Return `size` bytes; raises IndexError where they are not there."""
    if len(data) < at + size:
        raise IndexError("too short")
    return data[at : at + size]
