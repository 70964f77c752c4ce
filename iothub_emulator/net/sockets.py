"""Bound sockets, and what to say when binding fails."""

import contextlib
import errno
import ipaddress
import socket

from iothub_emulator.net.errors import StartError
from iothub_emulator.net.rules import BACKLOG


def bind(host: str, port: int, what: str, option: str, *, listens: bool = True) -> socket.socket:
    """Return a bound socket; `StartError` names `what`, the place and `option`.

    It listens at once, since two sockets can be bound to one port and only the second to listen is told.
    """
    where = f"{what} port {port} on {host}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise StartError(f"{host} is no address of this machine ({error}): correct --host") from None
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        if listens:
            sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise StartError(f"{where} {_explain(error, option)}") from None
    sock.setblocking(False)
    return sock


def loopback_of(host: str) -> str:
    """Return `host` where it is this machine's loopback, and 127.0.0.1 in place of anything else."""
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return host
    return "127.0.0.1"


def reachable(sock: socket.socket) -> tuple[str, int]:
    """Return an address of this machine under which a bound socket is reached."""
    host, port = sock.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = "::1" if sock.family == socket.AF_INET6 else "127.0.0.1"
    return host, port


def _explain(error: OSError, option: str) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"is in use: stop the program that holds it, or pass {option} 0 for a free port"
        case errno.EACCES:
            return f"needs a privilege: pass {option} 0 for a free port, or one above 1023"
        case errno.EADDRNOTAVAIL:
            return "cannot be bound, the address is not this machine's: correct --host"
        case _:
            return f"cannot be bound ({error.strerror}): correct --host or {option}"
