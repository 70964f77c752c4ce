"""The hub of one run, as a value: where it is, how to reach its back end, what it claims and states.

It is put together from the profile, the ready file of an embedded hub and the command line, and it travels
to the workers of a distributed run as plain values.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, Self

from conformance.mqtt.route import Route, bare
from conformance.target.certificates import DeviceAuthority
from conformance.target.credentials import ConnectionString, Identity, Secret

# Event Hubs admits five readers of one partition in one consumer group ("Event Hubs quotas and limits").
READERS_PER_GROUP: Final = 5

Origin = Literal["launched", "attached", "named"]


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Where the hub listens; on `plain` it must not speak MQTT in clear text."""

    mqtt: int
    https: int
    amqp: int
    plain: int


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Seconds: for a connection to open, for a documented answer to come, for observing a silence.

    `will_silence` is for observing that no Will reaches the back end, `settling` for a change of an identity
    to count where devices connect.
    """

    connect: float
    reaction: float
    silence: float
    will_silence: float = 0.0
    settling: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one run may ask of the target; `large`: large cases run without being asked for.

    `writes_twin`: cases may write twins of ready-made devices, under a member of the run's own.
    """

    workers: int | None
    large: bool
    writes_twin: bool = False


@dataclass(frozen=True, kw_only=True)
class ServiceAccess:
    """How to reach the back end: the hub's service side and its Event Hubs-compatible endpoints.

    `routed` is the custom endpoint to which a route of the hub leads.
    """

    hub: ConnectionString
    events: ConnectionString | None
    consumer_groups: tuple[str, ...]
    routed: ConnectionString | None = None


@dataclass(frozen=True, kw_only=True)
class Target:
    """One hub. `ca_file` is None where the system's certificates are trusted.

    `host` is its name in TLS, Username and tokens; it is reached by that name, or by `address` in its place.

    `timing` holds what the hub states of itself, in seconds; `edition` what an embedded hub says it follows,
    `version` what the profile says of the hub's release. `clock_ahead` is by how many seconds the hub's clock
    is ahead of ours, `clock_known` whether anything tells that. `device_authority` signs certificates of
    devices that the hub trusts. `device_host` is the one name by which devices may call an embedded hub.
    """

    profile: str
    name: str
    host: str
    ports: Ports
    ca_file: str | None
    service: ServiceAccess | None
    identities: tuple[Identity, ...]
    capabilities: frozenset[str]
    timing: Mapping[str, float]
    timeouts: Timeouts
    limits: Limits
    edition: str | None
    version: str | None
    origin: Origin
    clock_ahead: float = 0.0
    clock_known: bool = True
    device_authority: DeviceAuthority | None = None
    address: str | None = None
    device_host: str | None = None

    @property
    def name_for_devices(self) -> str:
        """The hub's name in Username and token, also where another one leads to it."""
        return self.device_host or self.host

    def route_to(self, host: str) -> Route:
        """Return the way to a host of the hub: to its own names by its address, where there is one.

        A hub that listens on this machine is not reached through a proxy.
        """
        own = {bare(self.host)} | (set() if self.service is None else {bare(self.service.hub.host)})
        address = self.address if bare(host) in own else None
        return Route.to(host, address=address, proxies=self.origin == "named")

    @property
    def worker_limit(self) -> int | None:
        """The most workers that the target admits; None where there is no limit.

        Those of a hub that is named have one reader for all of them.
        """
        limits = [] if self.limits.workers is None else [self.limits.workers]
        if self.origin != "named" and "telemetry" in self.capabilities and self.service is not None:
            limits.append(READERS_PER_GROUP * len(self.service.consumer_groups))
        return min(limits, default=None)

    def public(self) -> dict[str, Any]:
        """Return what a report may say about the hub: no secret, nothing that differs without need."""
        return {
            "name": self.name,
            "host": self.host,
            "ports": asdict(self.ports),
            "origin": self.origin,
            "edition": self.edition,
            "version": self.version,
            "timing": dict(self.timing),
        }

    def describe(self) -> dict[str, Any]:
        """Return everything as plain values, SECRETS INCLUDED: for a worker process alone."""
        return {
            "profile": self.profile,
            "name": self.name,
            "host": self.host,
            "ports": asdict(self.ports),
            "ca_file": self.ca_file,
            "service": None if self.service is None else _describe_service(self.service),
            "identities": [_describe_identity(identity) for identity in self.identities],
            "capabilities": sorted(self.capabilities),
            "timing": dict(self.timing),
            "timeouts": asdict(self.timeouts),
            "limits": asdict(self.limits),
            "edition": self.edition,
            "version": self.version,
            "origin": self.origin,
            "clock_ahead": self.clock_ahead,
            "clock_known": self.clock_known,
            "address": self.address,
            "device_authority": None
            if self.device_authority is None
            else {"pem": self.device_authority.pem, "key": self.device_authority.key.reveal()},
            "device_host": self.device_host,
        }

    @classmethod
    def rebuild(cls, description: Mapping[str, Any]) -> Self:
        """Return the target that `describe` took apart."""
        values = dict(description)
        service, authority = values["service"], values["device_authority"]
        return cls(
            **{
                **values,
                "ports": Ports(**values["ports"]),
                "service": None if service is None else _rebuild_service(service),
                "identities": tuple(_rebuild_identity(identity) for identity in values["identities"]),
                "capabilities": frozenset(values["capabilities"]),
                "timeouts": Timeouts(**values["timeouts"]),
                "limits": Limits(**values["limits"]),
                "device_authority": None
                if authority is None
                else DeviceAuthority(authority["pem"], Secret(authority["key"])),
            }
        )


def _describe_service(service: ServiceAccess) -> dict[str, Any]:
    return {
        "hub": service.hub.text.reveal(),
        "events": None if service.events is None else service.events.text.reveal(),
        "consumer_groups": list(service.consumer_groups),
        "routed": None if service.routed is None else service.routed.text.reveal(),
    }


def _rebuild_service(values: Mapping[str, Any]) -> ServiceAccess:
    return ServiceAccess(
        hub=ConnectionString.parse(values["hub"]),
        events=None if values["events"] is None else ConnectionString.parse(values["events"]),
        consumer_groups=tuple(values["consumer_groups"]),
        routed=None if values["routed"] is None else ConnectionString.parse(values["routed"]),
    )


def _describe_identity(identity: Identity) -> dict[str, Any]:
    secondary = identity.secondary_key
    return {
        "device_id": identity.device_id,
        "module_id": identity.module_id,
        "primary_key": identity.primary_key.reveal(),
        "secondary_key": None if secondary is None else secondary.reveal(),
    }


def _rebuild_identity(values: Mapping[str, Any]) -> Identity:
    secondary = values["secondary_key"]
    return Identity(
        device_id=values["device_id"],
        module_id=values["module_id"],
        primary_key=Secret(values["primary_key"]),
        secondary_key=None if secondary is None else Secret(secondary),
    )
