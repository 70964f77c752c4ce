"""The way of TCP to a hub: to its name, to an address that stands for the name, or through an HTTP proxy.

All three protocols of a hub go one way. Names in TLS, Username and tokens stay the hub's own.
Source of CONNECT: RFC 9110, 9.3.6. Which proxy, and for which hosts none: ``HTTPS_PROXY``, ``ALL_PROXY`` and
``NO_PROXY`` of the environment.
"""

import base64
import socket
import urllib.request
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from conformance.errors import TargetUnreachable, UsageError
from conformance.target.credentials import Secret

VARIABLES: Final = {"https": "HTTPS_PROXY", "all": "ALL_PROXY"}

# A proxy that goes on writing behind this many bytes of a head is none.
_LARGEST_HEAD: Final = 16 * 1024


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """An HTTP proxy, the variable that names it, and what it wants to be shown, if anything."""

    host: str
    port: int
    variable: str
    authorization: Secret | None = None

    @property
    def what(self) -> str:
        """The proxy as a message names it."""
        return f"the proxy {self.host}:{self.port} of {self.variable}"


@dataclass(frozen=True, kw_only=True)
class Route:
    """How to come to a host: `address` in its place, or by a `proxy`, or by neither."""

    address: str | None = None
    proxy: Proxy | None = None

    @property
    def said(self) -> str:
        """What a message adds to a name and a port: " through the proxy …"; nothing on the plain way."""
        if self.proxy is not None:
            return f" through {self.proxy.what}"
        return "" if self.address is None else f" by its address {self.address}"

    @classmethod
    def to(cls, host: str, *, address: str | None = None, proxies: bool = False) -> Self:
        """Return the way to a host; `proxies` of the environment are asked where no address is given."""
        return cls(address=address, proxy=proxy_of(host) if proxies and address is None else None)

    def open(self, host: str, port: int, timeout: float) -> socket.socket:
        """Return a connected socket; raises OSError where nobody answers.

        Raises TargetUnreachable where the proxy does not lead there.
        """
        if self.proxy is None:
            return socket.create_connection((bare(self.address or host), port), timeout=timeout)
        sock = socket.create_connection((self.proxy.host, self.proxy.port), timeout=timeout)
        try:
            sock.sendall(_connect(host, port, self.proxy))
            status = _status(sock)
        except BaseException:
            sock.close()
            raise
        if status.startswith("2"):
            return sock
        sock.close()
        raise TargetUnreachable(
            f"{host}:{port}: {self.proxy.what} does not lead there ({status or 'it closed'}). "
            f"Have it do so, or export NO_PROXY={bare(host)}."
        )


PLAIN: Final = Route()


def bare(host: str) -> str:
    """Return a host without the brackets that an IPv6 address has before a port."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def proxy_of(host: str) -> Proxy | None:
    """Return the proxy that the environment names for a host. Raises UsageError for one of another kind."""
    named = urllib.request.getproxies()
    scheme = next((scheme for scheme in VARIABLES if named.get(scheme)), None)
    if scheme is None or urllib.request.proxy_bypass(bare(host)):
        return None
    variable, text = VARIABLES[scheme], named[scheme]
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port or 80
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme != "http" or not parts.hostname:
        raise UsageError(
            f"{variable}: no proxy of the form http://HOST:PORT, and MQTT and AMQP go through no other. "
            f"Name such a one, or export NO_PROXY={bare(host)}."
        )
    authorization = None
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = Secret(f"Basic {base64.b64encode(pair.encode()).decode('ascii')}")
    return Proxy(host=parts.hostname, port=port, variable=variable, authorization=authorization)


def _connect(host: str, port: int, proxy: Proxy) -> bytes:
    head = f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n"
    if proxy.authorization is not None:
        head += f"Proxy-Authorization: {proxy.authorization.reveal()}\r\n"
    return f"{head}\r\n".encode("latin-1")


def _status(sock: socket.socket) -> str:
    """Return the status line of the answer, read to the end of its head and no further."""
    head = bytearray()
    while not head.endswith(b"\r\n\r\n") and len(head) < _LARGEST_HEAD:
        byte = sock.recv(1)  # what comes behind the head is the hub's
        if not byte:
            break
        head += byte
    line = head.partition(b"\r\n")[0].decode("latin-1")
    return line.removeprefix("HTTP/1.1 ").removeprefix("HTTP/1.0 ") if "HTTP/" in line else line
