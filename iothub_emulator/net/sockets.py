"""Bound sockets, and what to say when binding fails."""

import errno
import socket

from iothub_emulator.net.errors import StartError


def bind(host: str, port: int, what: str, option: str) -> socket.socket:
    """Return a bound socket that does not listen yet; `StartError` names `what`, the place and `option`."""
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
    except OSError as error:
        sock.close()
        raise StartError(f"{where} {_explain(error, option)}") from None
    sock.setblocking(False)
    return sock


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
