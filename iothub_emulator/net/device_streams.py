"""What a device's endpoint is given to write to: a TLS stream that tells its certificate's thumbprints."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from iothub_emulator.net.client_certificates import leaf
from iothub_emulator.net.rules import ListenerRules

THUMBPRINTS = "peer_certificate_thumbprints"
"""Asked for by `get_extra_info`: a tuple of text, empty without a certificate."""


def thumbprints_of(transport: asyncio.BaseTransport, rules: ListenerRules) -> tuple[str, ...]:
    """Return what the registry would know the peer's certificate by."""
    certificate = leaf(transport.get_extra_info("ssl_object"))
    return rules.thumbprints(certificate) if certificate else ()


def with_thumbprints(
    factory: Callable[[], asyncio.Protocol], rules: ListenerRules
) -> Callable[[], asyncio.Protocol]:
    """Return a factory of the same endpoints, whose transports answer `THUMBPRINTS`."""
    return lambda: _Certified(factory(), rules)


class _Certified(asyncio.Protocol):
    """Stands between TLS and the endpoint until TLS is up, and then steps aside."""

    def __init__(self, endpoint: asyncio.Protocol, rules: ListenerRules) -> None:
        self._endpoint = endpoint
        self._rules = rules

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the stream on; asyncio makes no further call here."""
        stream = cast("asyncio.Transport", transport)
        stream.set_protocol(self._endpoint)
        thumbprints = thumbprints_of(stream, self._rules)
        self._endpoint.connection_made(DeviceStream(stream, thumbprints) if thumbprints else stream)


class DeviceStream(asyncio.Transport):
    """A transport of another, with thumbprints. Clients without certificate do without it."""

    def __init__(self, transport: asyncio.Transport, thumbprints: tuple[str, ...]) -> None:
        super().__init__()
        self._transport = transport
        self._thumbprints = thumbprints

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return the thumbprints, or what the stream below knows."""
        return self._thumbprints if name == THUMBPRINTS else self._transport.get_extra_info(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send."""
        self._transport.write(data)

    def close(self) -> None:
        """Close once everything is out."""
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Tell whether it is closed or about to be."""
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        """Hear nothing."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Hear again."""
        self._transport.resume_reading()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Say how much may wait to be sent before the endpoint is told to pause."""
        self._transport.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        """Return how many bytes wait to be sent."""
        return self._transport.get_write_buffer_size()

    def can_write_eof(self) -> bool:
        """Tell that TLS has no half-close."""
        return False
