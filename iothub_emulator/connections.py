"""Who is connected, and who was: by identity key, `{device}` or `{device}/{module}`."""

from collections.abc import Callable
from typing import Protocol

from iothub_emulator.hub.effects import Admit, End
from iothub_emulator.hub.packets import FromServer
from iothub_emulator.hub.session import Session


class LiveConnection(Protocol):
    """An open connection of an identity, as the runtime sees it."""

    session: Session
    last_activity: float
    """When its last packet came, in unix seconds."""
    way: str
    """How its packets come: "tls" or "websocket"."""
    is_writable: bool
    """False: the client does not read; what can wait, waits."""

    def admitted(self, admission: Admit) -> None:
        """Take note of what the connection was admitted with."""

    def send(self, packet: FromServer) -> None:
        """Send a packet, with others of the same turn."""

    def flush(self) -> None:
        """Let out what was sent since; for a turn that no packet of the client began."""

    def close(self, because: str) -> None:
        """Close the network connection once what was sent is out."""

    def drop(self, end: End) -> None:
        """End the connection from the hub's side: nothing it still sends has an effect."""


class Connections:
    """The open connections, at most one for each identity, and what is remembered of closed ones.

    Times are unix seconds; None: not since the start of the hub.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._open: dict[str, LiveConnection] = {}
        self._last_activity: dict[str, float] = {}
        self._changed: dict[str, float] = {}

    def get(self, identity_key: str) -> LiveConnection | None:
        """Return the identity's open connection."""
        return self._open.get(identity_key)

    def everyone(self) -> tuple[LiveConnection, ...]:
        """Return all that are open."""
        return tuple(self._open.values())

    def of_modules(self, device_id: str) -> list[str]:
        """Return the identity keys of a device's modules that are connected."""
        return [key for key in self._open if key.startswith(f"{device_id}/")]

    def devices(self) -> int:
        """Count connected devices, modules not among them."""
        return sum("/" not in key for key in self._open)

    def last_activity(self, identity_key: str) -> float | None:
        """Return when the identity last sent something."""
        connection = self._open.get(identity_key)
        return connection.last_activity if connection else self._last_activity.get(identity_key)

    def changed(self, identity_key: str) -> float | None:
        """Return when the identity last came or went."""
        return self._changed.get(identity_key)

    def add(self, identity_key: str, connection: LiveConnection) -> None:
        """Make this the identity's connection, in place of any other."""
        if identity_key not in self._open:
            self._changed[identity_key] = self._now()
        self._open[identity_key] = connection

    def remove(self, identity_key: str, connection: LiveConnection) -> bool:
        """Forget a connection that is gone; False if the identity has another by now."""
        if self._open.get(identity_key) is not connection:
            return False
        del self._open[identity_key]
        self._last_activity[identity_key] = connection.last_activity
        self._changed[identity_key] = self._now()
        return True

    def forget(self, identity_key: str) -> None:
        """Remember nothing of an identity that is gone."""
        self._last_activity.pop(identity_key, None)
        self._changed.pop(identity_key, None)
