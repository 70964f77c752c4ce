"""The names of a hub: ``{name}.{domain}``, also ``{name}.device.{domain}`` and ``{name}.service.{domain}``.

Source: Microsoft, "Transport Layer Security (TLS) support in IoT Hub", edition of 2025. Pure.
"""

import ipaddress
from typing import Final, Literal

Side = Literal["device", "service"]
SIDES: Final = frozenset({"device", "service"})

# Where the labels are known to have this meaning: elsewhere a hub may be called hub.service.example.
_HUBS: Final = "azure-devices."


def other_name(host: str, side: Side) -> str | None:
    """Return the name by which this side may call a hub beside `host`, or None where there is none.

    ``a.b`` is ``a.device.b`` to devices, and ``a.device.b`` is ``a.b``. An address, or a name without a
    domain, has no other.
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        name, _, domain = host.partition(".")
    else:
        return None
    if not domain:
        return None
    label, _, rest = domain.partition(".")
    if label in SIDES and rest:
        return f"{name}.{rest}" if label == side else f"{name}.{side}.{rest}"
    return f"{name}.{side}.{domain}"


def for_devices(host: str) -> str:
    """Return a hub's name as devices may call it: its name for back ends is none of theirs."""
    name, _, domain = host.partition(".")
    label, _, rest = domain.partition(".")
    return f"{name}.{rest}" if label == "service" and rest.startswith(_HUBS) else host
