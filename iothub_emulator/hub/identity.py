"""A registered device or module, and what its creator asks for.

An *identity key* names either: `{device}`, or `{device}/{module}`; it is the ClientId too.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Status = Literal["enabled", "disabled"]
AuthenticationType = Literal["sas", "selfSigned", "certificateAuthority", "none"]
"""How an identity proves itself. By `none`, as IoT Edge registers some modules, it cannot: it has no keys."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What the certificate says that a client proved to have; nothing without one."""

    thumbprints: tuple[str, ...] = ()
    """Its digests, in upper-case hexadecimal."""
    vouched_names: tuple[str, ...] = ()
    """Its common names, where an authority of devices issued it and it is good now."""


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """What a change may need that cannot be computed: keys in base64, and the time in unix seconds."""

    etag: str
    generation_id: str
    primary_key: str
    secondary_key: str
    now: float


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An identity as its creator asks for it. Keys left out are generated."""

    device_id: str
    status: Status = "enabled"
    status_reason: str | None = None
    authentication_type: AuthenticationType = "sas"
    primary_key: str | None = None
    secondary_key: str | None = None
    primary_thumbprint: str | None = None
    secondary_thumbprint: str | None = None
    iot_edge: bool = False
    device_scope: str | None = None
    parent_scopes: tuple[str, ...] | None = None
    """None: left out."""


@dataclass(frozen=True, kw_only=True)
class DeviceIdentity:
    """A registered device.

    Keys are base64, and `None` for a device that authenticates by certificate; thumbprints are hexadecimal,
    and `None` for a device that signs tokens. `status_updated_time` is in unix seconds, `None` until the
    status or its reason first changes. `generation_id` tells two devices apart that had the same id one after
    the other. A scope names an Edge device: its own, or the one that a leaf device is a child of;
    `parent_scopes` those above.
    """

    device_id: str
    generation_id: str
    etag: str
    status: Status
    status_reason: str | None
    status_updated_time: float | None
    authentication_type: AuthenticationType
    primary_key: str | None
    secondary_key: str | None
    primary_thumbprint: str | None
    secondary_thumbprint: str | None
    iot_edge: bool
    device_scope: str | None = None
    parent_scopes: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The identity key."""
        return self.device_id

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that may sign this device's tokens; none for a device with certificates."""
        return tuple(key for key in (self.primary_key, self.secondary_key) if key)

    @property
    def thumbprints(self) -> tuple[str, ...]:
        """The certificates that open a connection as this device."""
        return tuple(text for text in (self.primary_thumbprint, self.secondary_thumbprint) if text)

    def as_wanted(self) -> Wanted:
        """Return what recreates this identity with its keys; `dataclasses.replace` changes a field of it."""
        return Wanted(
            device_id=self.device_id,
            status=self.status,
            status_reason=self.status_reason,
            authentication_type=self.authentication_type,
            primary_key=self.primary_key,
            secondary_key=self.secondary_key,
            primary_thumbprint=self.primary_thumbprint,
            secondary_thumbprint=self.secondary_thumbprint,
            iot_edge=self.iot_edge,
            device_scope=self.device_scope,
            parent_scopes=self.parent_scopes,
        )


@dataclass(frozen=True, kw_only=True)
class WantedModule:
    """A module identity as its creator asks for it. Keys left out are generated."""

    device_id: str
    module_id: str
    managed_by: str | None = None
    authentication_type: AuthenticationType = "sas"
    primary_key: str | None = None
    secondary_key: str | None = None
    primary_thumbprint: str | None = None
    secondary_thumbprint: str | None = None

    @property
    def key(self) -> str:
        """The identity key."""
        return f"{self.device_id}/{self.module_id}"


@dataclass(frozen=True, kw_only=True)
class ModuleIdentity:
    """A module of a device. It has keys or thumbprints of its own and no status: that is its device's."""

    device_id: str
    module_id: str
    generation_id: str
    etag: str
    managed_by: str | None
    authentication_type: AuthenticationType
    primary_key: str | None
    secondary_key: str | None
    primary_thumbprint: str | None
    secondary_thumbprint: str | None

    @property
    def key(self) -> str:
        """The identity key."""
        return f"{self.device_id}/{self.module_id}"

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that may sign this module's tokens; none for a module with certificates."""
        return tuple(key for key in (self.primary_key, self.secondary_key) if key)

    @property
    def thumbprints(self) -> tuple[str, ...]:
        """The certificates that open a connection as this module."""
        return tuple(text for text in (self.primary_thumbprint, self.secondary_thumbprint) if text)


Identity: TypeAlias = DeviceIdentity | ModuleIdentity
"""Whoever can connect."""
