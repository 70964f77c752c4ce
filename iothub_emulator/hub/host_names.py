"""Which host names are this hub's own.

A hub has a classic name, `{hub}.azure-devices.net`, and two aliases of it, `{hub}.device.azure-devices.net`
for devices and `{hub}.service.azure-devices.net` for back ends, under which it speaks TLS 1.3 too (Microsoft,
"TLS support in IoT Hub").
"""

import ipaddress
from collections.abc import Iterable
from typing import Literal

from iothub_emulator.settings import Settings

Side = Literal["device", "service"]
"""Who calls: a device or module, or a back end."""

SIDES: tuple[Side, Side] = ("device", "service")


def without_port(host: str) -> str:
    """Return `host` in small letters and without `:port`; host names know no case (RFC 4343)."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


def alias(name: str, side: Side) -> str | None:
    """Return what a hub of this classic name is called by one side; None: the name has no alias.

    An address has none, nor has a name without a dot, nor one that is an alias itself.
    """
    hub, dot, rest = without_port(name).partition(".")
    if not dot or rest.partition(".")[0] in SIDES or _is_address(without_port(name)):
        return None
    return f"{hub}.{side}.{rest}"


def aliases(names: Iterable[str]) -> tuple[str, ...]:
    """Return all aliases of all these names, each once."""
    found = (alias(name, side) for name in names for side in SIDES)
    return tuple(dict.fromkeys(name for name in found if name is not None))


def said_by(side: Side, settings: Settings) -> tuple[str, ...]:
    """Return the names by which one side may call the hub: a device may have one alone."""
    only = settings.only_host_name if side == "device" else None
    return settings.host_names if only is None else (only,)


def is_accepted(host: str, accepted: Iterable[str], side: Side) -> bool:
    """Tell whether `host`, with or without a port, is an accepted name or the alias of one for that side."""
    name = without_port(host)
    return any(name in {without_port(own), alias(own, side)} for own in accepted)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
