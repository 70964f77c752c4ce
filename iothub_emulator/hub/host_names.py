"""Which host names are this hub's own."""

from collections.abc import Iterable


def without_port(host: str) -> str:
    """Return `host` in small letters and without `:port`; host names know no case (RFC 4343)."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


def is_accepted(host: str, accepted: Iterable[str]) -> bool:
    """Tell whether `host`, with or without a port, is one of the accepted names."""
    name = without_port(host)
    return any(name == without_port(own) for own in accepted)
