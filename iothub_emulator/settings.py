"""What a user may set when starting the emulator; the defaults are a real hub's values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from iothub_emulator.hub.route_conditions import Route
from iothub_emulator.hub.throttle import Scope, Throttle

TELEMETRY: Final = "telemetry"
SOURCES: Final = (TELEMETRY, "twin", "lifecycle", "connection")
"""What may reach the built-in endpoint."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One start of the emulator. Durations are seconds, sizes bytes, ports TCP ports (0: any free one)."""

    host: str = "127.0.0.1"
    """The address that the listeners bind."""
    mqtt_port: int = 8883
    https_port: int = 443
    amqp_port: int = 5671
    amqp_plain_port: int = 5672
    """AMQP without TLS, for clients in development-emulator mode; on loopback, whatever `host` is."""
    connect_port: int | None = None
    """A proxy that leads to this hub by CONNECT; None: there is none."""
    certificate_key: Literal["rsa", "ecdsa"] = "rsa"
    """The kind of key under the hub's certificate; with `ecdsa` the cipher suites are those of ECDSA."""
    client_ca: str | None = None
    """PEM text of the one authority whose client certificates are taken; None: those of any."""
    device_cas: tuple[str, ...] = ()
    """PEM texts of authorities that vouch for devices of the type certificateAuthority, by their names."""
    latency: float = 0.0
    """What is sent on any port arrives this much later, in each direction."""
    jitter: float = 0.0
    """Up to this much is added to the latency, drawn anew for each piece."""

    host_names: tuple[str, ...] = ("localhost", "127.0.0.1", "emulator.azure-devices.net")
    """Names the hub answers to in Username, `sr` and audience, each with and without a port.

    So it does to their aliases for devices and back ends, see `hub.host_names`.
    """
    only_host_name: str | None = None
    """The one name, with its alias, that devices may say in Username and `sr`; None: any of `host_names`."""
    edition: str = "current"
    """A row of `editions.EDITIONS`."""
    devices: tuple[str, ...] = ("device-1",)
    """Identities made at the start."""
    seed: str | None = field(default=None, repr=False)
    """What all keys that the hub makes follow from, and the jitter; None: keys are new at each start."""
    device_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Primary keys, base64, by device id: for whenever the hub makes the keys of that device."""
    policy_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Primary keys, base64, by the name of a shared access policy."""

    entity: str = "iothub-emulator"
    """The Event Hubs-compatible name (EntityPath)."""
    events: tuple[str, ...] = (TELEMETRY,)
    """Those of `SOURCES` that reach the built-in endpoint."""
    connection_events_interval: float = 60.0
    """What changed of a device's connection is looked at, and reported, once in so many seconds."""
    routes: tuple[Route, ...] = ()
    """Of device messages to the custom endpoint; without any there is no such endpoint."""
    routed_entity: str = "iothub-emulator-routed"
    """The Event Hubs-compatible name of the custom endpoint."""
    partitions: int = 2
    telemetry_log_events: int = 10_000
    """Events kept in each partition; older ones fall out, the sooner the larger they are."""
    readers_per_partition: int = 5
    """Readers without an epoch that one consumer group may have on one partition."""

    sas_skew: float = 300.0
    """A token is still accepted this long after its expiry: clocks differ."""
    sas_grace: float = 600.0
    """An open connection outlives its token by this much."""
    keep_alive_factor: float = 1.5
    """[MQTT-3.1.2-24]: a client may be silent for one and a half times its keep-alive."""
    keep_alive_cap: float = 1767.0
    """29.45 minutes, whatever the client asked for."""
    connect_timeout: float = 60.0
    """CONNECT must arrive within this time of the connection being made."""
    max_message_bytes: int = 262_144
    """Body and properties of one message together: 256 KiB."""

    c2d_lock: float = 60.0
    """A cloud-to-device message without its PUBACK is delivered again after this."""
    c2d_queue_depth: int = 50
    """Messages that may wait for one device."""
    c2d_time_to_live: float = 3600.0
    """How long a message waits whose sender named no expiry."""
    c2d_max_delivery_count: int = 10
    """Failed deliveries until a message is given up, where they count at all."""
    feedback_batch_size: int = 64
    """Records that close a batch at once."""
    feedback_interval: float = 15.0
    """The least time between two batches that are not full."""
    method_shortest_timeout: float = 5.0
    """The shortest `responseTimeoutInSeconds` that a caller may ask for."""

    throttles: tuple[Throttle, ...] = ()
    """At most one for each kind of operation; on a live hub all of `throttle.DOCUMENTED` are in force."""
    throttle_scope: Scope = "hub"
    """Whether all operations of a kind share a throttle, or each identity has its own."""
