"""The back end of a hub, through the hub's own service protocols: identities by REST, telemetry by AMQP.

Only this folder speaks REST and AMQP. Importing it costs a third of a second (httpx); reading telemetry costs
another 0.4 s (azure-eventhub), in the process that reads.
"""

import ssl
import time
from collections.abc import Callable

from conformance.credentials import SasToken, sas_token
from conformance.errors import ServiceError
from conformance.service.partitions import Endpoint
from conformance.service.reader import TelemetryReader
from conformance.service.registry import IdentityRegistry
from conformance.service.rest import RestClient
from conformance.service.telemetry import Telemetry
from conformance.target.target import ServiceAccess, Target

__all__ = ["IdentityRegistry", "Service", "Telemetry", "TelemetryReader"]

# The port of Event Hubs for AMQP over TLS, where the connection string names none.
AMQPS_PORT = 5671


class Service:
    """The back end of a target, for one worker. Close it at the end.

    `worker_number`, from 0, picks the consumer group. `accepts` says whose telemetry to keep, by device id.
    `telemetry` begins to open its reader in the background: the first case then need not wait for it.
    """

    def __init__(
        self,
        target: Target,
        *,
        worker_number: int = 0,
        accepts: Callable[[str], bool] = lambda _: True,
        telemetry: bool = True,
    ) -> None:
        if target.service is None:
            raise ServiceError(
                f"profile '{target.profile}': has no [service], so there is no back end to ask."
            )
        self._target = target
        self._access = target.service
        self.rest = RestClient(
            self._access.hub,
            port=self._access.hub.port or target.ports.https,
            verify=ssl.create_default_context(cafile=target.ca_file),
            timeout=target.timeouts.connect,
            # A hub that listens on this machine is not reached through a proxy.
            proxies=target.origin == "named",
        )
        self.registry = IdentityRegistry(self.rest)
        self._telemetry = self._reader(worker_number, accepts)
        if telemetry and self._telemetry is not None and "telemetry" in target.capabilities:
            self._telemetry.begin()

    @property
    def telemetry(self) -> TelemetryReader:
        """The reader of what devices send, open: ask for it before the device acts."""
        if self._telemetry is None:
            raise ServiceError(
                f"profile '{self._target.profile}': has no events-connection-string in [service], "
                "so there is no telemetry to read."
            )
        self._telemetry.open()
        return self._telemetry

    def policy_token(self, *, expires_in: float = 3600) -> SasToken:
        """Return a token of the service's policy for the whole hub, valid for so many seconds."""
        hub = self._access.hub
        return sas_token(self._target.host, hub.key, expiry=int(time.time() + expires_in), policy=hub.policy)

    def close(self) -> None:
        """End the readers and the connections."""
        if self._telemetry is not None:
            self._telemetry.close()
        self.rest.close()

    def _reader(self, worker_number: int, accepts: Callable[[str], bool]) -> TelemetryReader | None:
        access: ServiceAccess = self._access
        if access.events is None:
            return None
        endpoint = Endpoint(
            access=access.events,
            port=access.events.port or AMQPS_PORT,
            consumer_group=access.consumer_groups[worker_number % len(access.consumer_groups)],
            ca_file=self._target.ca_file,
            timeout=self._target.timeouts.connect,
        )
        return TelemetryReader(endpoint, self._target.timeouts, accepts=accepts)
