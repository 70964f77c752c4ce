"""The back end of a hub, through the hub's own service protocols.

Identities, twins, direct methods and purging by REST; cloud-to-device messages and their feedback by AMQP to
the hub; telemetry by AMQP from its Event Hubs-compatible endpoint. Only this folder speaks REST and AMQP.
Importing it costs a third of a second (httpx); the first use of AMQP another 0.4 s (azure-eventhub).
"""

import functools
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from conformance.backend.amqp import AmqpEndpoint
from conformance.backend.c2d import CloudToDevice
from conformance.backend.call_log import Journal
from conformance.backend.doors import Doors
from conformance.backend.event_links import EventLinks
from conformance.backend.event_source import Endpoint
from conformance.backend.event_stream import EventStream
from conformance.backend.events import CONNECTIONS, HubEvent, HubEvents
from conformance.backend.feedback import FeedbackReader, patience
from conformance.backend.feedback_records import FeedbackNotes, FeedbackRecord
from conformance.backend.identities import Identities
from conformance.backend.links import Links
from conformance.backend.methods import SHORTEST_TIMEOUT, MethodCall, MethodResult, Methods
from conformance.backend.partitions import Partitions
from conformance.backend.queries import Queries
from conformance.backend.reader import TelemetryReader
from conformance.backend.registry import IdentityRegistry
from conformance.backend.relay import Relay, RelayedPartitions
from conformance.backend.rest import RestClient
from conformance.backend.telemetry import Telemetry
from conformance.backend.twins import Section, Twin, Twins
from conformance.errors import ServiceError
from conformance.mqtt.tls import SYSTEM
from conformance.target.credentials import ConnectionString, SasToken, Secret, sas_token
from conformance.target.target import Target

__all__ = [
    "CloudToDevice",
    "Doors",
    "EventStream",
    "FeedbackReader",
    "FeedbackRecord",
    "HubEvent",
    "HubEvents",
    "Identities",
    "IdentityRegistry",
    "MethodCall",
    "MethodResult",
    "Methods",
    "Queries",
    "Section",
    "Service",
    "Telemetry",
    "TelemetryReader",
    "Twin",
    "Twins",
]

# The port of Event Hubs for AMQP over TLS, where the connection string names none.
AMQPS_PORT = 5671
# Any answer is one, but for a request for patience.
ANSWERS = frozenset(range(200, 500)) - {429}
# How exactly a Date tells a clock, in seconds.
CLOCK_READ = 1.0


class Service:
    """The back end of a target, for one worker. Close it at the end.

    `worker_number`, from 0, picks the consumer group; `relays` are the readers of the run, by the key of the
    profile that names the endpoint: what they read is not read once more. `accepts` says whose telemetry and
    feedback to keep, by device id; `notes` are what the workers of a run tell each other of feedback.
    `telemetry` begins to open its reader in the background: the first case then need not wait for it. What is
    asked and answered is written to the `journal`. The connection for messages to devices and their feedback
    is opened when the first of them is sent or awaited.
    """

    def __init__(
        self,
        target: Target,
        *,
        worker_number: int = 0,
        accepts: Callable[[str], bool] = lambda _: True,
        telemetry: bool = True,
        relays: Mapping[str, str] | None = None,
        notes: FeedbackNotes | None = None,
    ) -> None:
        if target.service is None:
            raise ServiceError(
                f"profile '{target.profile}': has no [service], so there is no back end to ask. "
                "Add one, or claim nothing that needs it."
            )
        self._target = target
        self._access = target.service
        self.journal = Journal()
        self.rest = self._rest()
        self.doors = Doors(
            self._access.hub.host,
            https=self._access.hub.port or target.ports.https,
            amqp=target.ports.amqp,
            trust=target.ca_file or SYSTEM,
            timeout=target.timeouts.connect,
            route=target.route_to(self._access.hub.host),
        )
        own = AmqpEndpoint(
            access=self._access.hub,
            port=target.ports.amqp,
            ca_file=target.ca_file,
            timeout=target.timeouts.connect,
            clock_ahead=target.clock_ahead,
            route=target.route_to(self._access.hub.host),
        )
        self._links = Links(own)
        events = self._access.events
        self.event_links = EventLinks(own, None if events is None else events.entity)
        self.registry = IdentityRegistry(self.rest, settling=target.timeouts.settling)
        self.identities = Identities(self.rest)
        self.twins = Twins(self.rest)
        self.queries = Queries(self.rest, lags=target.timeouts.reaction if target.timeouts.silence else 0.0)
        self.methods = Methods(
            self.rest,
            within=target.timeouts.reaction,
            # A device of the suite answers at once: a hub that loses the answer is found out sooner.
            response_timeout=max(SHORTEST_TIMEOUT, target.timeouts.reaction),
        )
        self.c2d = CloudToDevice(
            self._links,
            self.rest,
            self.journal,
            within=target.timeouts.reaction,
            # On a live hub, where more is observed beside a fence anyway. Another clock is known to a second.
            clocks_differ=max(target.timeouts.silence, CLOCK_READ if target.clock_ahead else 0.0),
            clock_ahead=target.clock_ahead,
        )
        self.feedback = FeedbackReader(
            self._links,
            self.journal,
            within=patience(reaction=target.timeouts.reaction, interval=target.timing.get("feedback", 0.0)),
            accepts=accepts,
            notes=notes,
        )
        self._relays = relays or {}
        self._events = self._endpoint(self._access.events, "events-connection-string", worker_number)
        self._telemetry = self._reader(self._events, accepts)
        self._routed_events = self._endpoint(
            self._access.routed, "routed-events-connection-string", worker_number
        )
        self._routed = self._reader(self._routed_events, accepts)
        if telemetry and self._telemetry is not None and "telemetry" in target.capabilities:
            self._telemetry.begin()

    @property
    def host(self) -> str:
        """The hub's name as the connection string of the back end has it."""
        return self._access.hub.host

    @property
    def hub_name(self) -> str:
        """The hub's own name: the first label of its host name."""
        return self.host.partition(".")[0]

    @property
    def telemetry(self) -> TelemetryReader:
        """The reader of what devices send, open: ask for it before the device acts."""
        if self._telemetry is None:
            raise ServiceError(
                f"profile '{self._target.profile}': has no events-connection-string in [service], "
                "so there is no telemetry to read. Add it, or do not claim telemetry."
            )
        self._telemetry.open()
        return self._telemetry

    def events(self, source: str) -> HubEvents:
        """Return what the hub tells from a message source, among telemetry; its reader is open."""
        interval = self._target.timing.get("connection-events", 0.0) if source == CONNECTIONS else 0.0
        return HubEvents(self.telemetry, source, self._target.timeouts.reaction + interval)

    @property
    def stream(self) -> EventStream:
        """The endpoint of telemetry as its own clients ask it: to be opened for a moment."""
        if self._events is None:
            raise ServiceError(
                f"profile '{self._target.profile}': has no events-connection-string in [service], "
                "so there is no stream to ask. Add it, or do not claim telemetry."
            )
        return EventStream(self._events)

    @property
    def routed(self) -> TelemetryReader:
        """The reader of what a route brings to the custom endpoint, open."""
        if self._routed is None:
            raise ServiceError(
                f"profile '{self._target.profile}': has no routed-events-connection-string in [service], "
                "so there is no custom endpoint to read. Add it, or do not claim routing."
            )
        self._routed.open()
        return self._routed

    def policy_token(self, *, resource: str | None = None, expires_in: float = 3600) -> SasToken:
        """Return a token of the service's policy, valid for so many seconds; for the whole hub by default."""
        hub = self._access.hub
        now = time.time() + self._target.clock_ahead
        return sas_token(
            resource or self._target.host, hub.key, expiry=int(now + expires_in), policy=hub.policy
        )

    def status_under(self, name: str | None = None, *, key: Secret | None = None, age: float = 0.0) -> str:
        """Ask REST for a device that there is not, with a token of our own making: "404", "401".

        It is for another name of the hub, signed with another key, or so many seconds old.
        """
        access = self._access.hub if key is None else replace(self._access.hub, key=key)
        client = self._rest(name, access, age)
        try:
            return str(client.call("GET", "devices", "conformance-none", accept=ANSWERS).status)
        finally:
            client.close()

    def statuses_under_own_token(self, device_id: str, key: Secret, module_id: str) -> dict[str, str]:
        """Let a device make and read a module of its own by REST, and read itself: what each is answered."""
        access = replace(self._access.hub, key=key, policy=None)
        client = self._rest(f"{self._target.host}/devices/{device_id}", access)
        own = ("devices", device_id)
        module = (*own, "modules", module_id)
        document = {"deviceId": device_id, "moduleId": module_id}
        try:
            return {
                "module made": str(client.call("PUT", *module, body=document, accept=ANSWERS).status),
                "module read": str(client.call("GET", *module, accept=ANSWERS).status),
                "device read": str(client.call("GET", *own, accept=ANSWERS).status),
            }
        finally:
            client.close()

    def close(self) -> None:
        """End the readers and the connections."""
        for reader in (self._telemetry, self._routed):
            if reader is not None:
                reader.close()
        self._links.close()
        self.rest.close()

    def _rest(
        self, name: str | None = None, access: ConnectionString | None = None, age: float = 0.0
    ) -> RestClient:
        target = self._target
        return RestClient(
            access or self._access.hub,
            port=self._access.hub.port or target.ports.https,
            verify=ssl.create_default_context(cafile=target.ca_file),
            timeout=target.timeouts.connect,
            route=target.route_to(self._access.hub.host),
            journal=self.journal,
            name=name,
            clock_ahead=target.clock_ahead - age,
        )

    def _reader(self, endpoint: Endpoint | None, accepts: Callable[[str], bool]) -> TelemetryReader | None:
        if endpoint is None:
            return None
        relay = self._relays.get(endpoint.setting)
        return TelemetryReader(
            endpoint,
            self._target.timeouts,
            accepts=accepts,
            open_partitions=Partitions.open if relay is None else RelayedPartitions.opener(relay),
        )

    def relay(self, folder: Path) -> tuple[dict[str, str], Callable[[], None]]:
        """Read each endpoint for all workers; return what they are told, and what ends it.

        `folder` is where they hear it. Raises CredentialsRefused or ServiceError.
        """
        opened: dict[str, Relay] = {}
        try:
            for endpoint in (self._events, self._routed_events):
                if endpoint is not None:
                    opened[endpoint.setting] = Relay(
                        folder / f"{endpoint.setting[:6]}.sock", functools.partial(Partitions.open, endpoint)
                    )
        except BaseException:
            _close_all(opened)
            raise
        told = {setting: relay.address for setting, relay in opened.items()}
        return told, functools.partial(_close_all, opened)

    def _endpoint(self, access: ConnectionString | None, setting: str, worker_number: int) -> Endpoint | None:
        if access is None:
            return None
        groups = self._access.consumer_groups
        return Endpoint(
            access=access,
            port=access.port or self._amqp_port(access),
            consumer_group=groups[worker_number % len(groups)],
            ca_file=self._target.ca_file,
            timeout=self._target.timeouts.connect,
            clock_ahead=self._target.clock_ahead,
            setting=setting,
            route=self._target.route_to(access.host),
        )

    def _amqp_port(self, access: ConnectionString) -> int:
        """Return the hub's own port of AMQP for an endpoint on its own host, else that of Event Hubs."""
        own = {self._access.hub.host, self._target.host}
        return self._target.ports.amqp if access.host in own else AMQPS_PORT


def _close_all(relays: Mapping[str, Relay]) -> None:
    for relay in relays.values():
        relay.close()
