"""Whom the back end speaks to: a device, or a module of one."""

from typing import Protocol


class Named(Protocol):
    """A device or a module as tests hold it."""

    @property
    def id(self) -> str:
        """Its name: ``{device}``, or ``{device}/{module}``."""


Addressee = Named | str


def name_of(addressee: Addressee) -> str:
    """Return ``{device}`` or ``{device}/{module}``."""
    return addressee if isinstance(addressee, str) else addressee.id


def segments_of(addressee: Addressee) -> tuple[str, ...]:
    """Return the path of REST behind a collection: ``d``, or ``d/modules/m``."""
    device_id, _, module_id = name_of(addressee).partition("/")
    return (device_id, "modules", module_id) if module_id else (device_id,)
