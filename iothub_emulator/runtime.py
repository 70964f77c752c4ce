"""The hub while it runs: its state, its clock, fresh keys and ids, and who is connected.

Protocol endpoints meet here and nowhere else: MQTT registers its connections and hands in effects, AMQP
listens for telemetry, REST changes the registry and says so.
"""

import asyncio
import base64
import secrets
import time
from collections.abc import Callable
from typing import Protocol

from iothub_emulator.editions import EDITIONS, Edition
from iothub_emulator.hub.policies import Policy, Right, default_policies
from iothub_emulator.hub.registry import Registry
from iothub_emulator.hub.telemetry import TelemetryEvent, TelemetryLog
from iothub_emulator.hub.tokens import SasToken, TokenRefused
from iothub_emulator.rules import Rules, rules_for
from iothub_emulator.settings import Settings


class Unauthorised(Exception):  # noqa: N818 - an answer, not a malfunction
    """A service call whose token does not open what it asks for. `reason` holds no secret."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class LiveConnection(Protocol):
    """An open connection of an identity, as the runtime sees it."""

    last_activity: float
    """When its last packet came, in unix seconds."""

    def drop(self, because: str) -> None:
        """End the connection from the hub's side; `because` is a clause id or a reason for the log."""


class Runtime:
    """One hub. Not thread-safe: everything happens on one event loop."""

    def __init__(self, settings: Settings | None = None, rules: Rules | None = None) -> None:
        self.settings = settings or Settings()
        self.edition: Edition = EDITIONS[self.settings.edition]
        self.rules = rules or rules_for(self.settings, self.edition)
        self.registry = Registry()
        self.policies: dict[str, Policy] = default_policies(self.fresh_key)
        self.telemetry = TelemetryLog(self.settings.partitions, self.settings.telemetry_log_events)
        self.ca_pem = b""
        """The certificate authority of this start; set when the listeners open."""
        self._connections: dict[str, LiveConnection] = {}
        self._last_activity: dict[str, float] = {}
        self._wakes: list[dict[object, Callable[[], None]]] = [{} for _ in self.telemetry.partitions]
        self._wake_due: set[int] = set()

    # Clock and fresh values

    def now(self) -> float:
        """Return unix seconds: the hub's one clock."""
        return time.time()

    def fresh_key(self) -> str:
        """Return a new symmetric key, base64, 32 bytes as a hub makes them."""
        return base64.b64encode(secrets.token_bytes(32)).decode()

    def fresh_etag(self) -> str:
        """Return a new etag, without quotes."""
        return base64.b64encode(secrets.token_bytes(9)).decode()

    def fresh_generation_id(self) -> str:
        """Return a new generation id: 18 digits, as a hub's look."""
        return str(10**17 + secrets.randbelow(9 * 10**17))

    # Authorisation of services

    def authorise(self, token_text: str, resource: str, needed: Right) -> SasToken:
        """Return the token if it is a policy's and opens `resource` (`{host}/…`), or raise `Unauthorised`."""
        try:
            return self.rules.policies.authorise(
                self.rules.tokens, self.policies, token_text, resource, needed, self.now()
            )
        except TokenRefused as refused:
            raise Unauthorised(refused.reason) from None

    # Telemetry

    def append_telemetry(self, event: TelemetryEvent) -> None:
        """Append to the log; readers of that partition are woken once the sender has its answer."""
        rules = self.rules.telemetry
        for arrival in rules.arrivals(event):
            wanted = rules.partition(arrival.device_id, len(self.telemetry.partitions))
            partition, _ = self.telemetry.append(arrival, wanted)
            if self._wakes[partition] and partition not in self._wake_due:
                self._wake_due.add(partition)
                self._soon(partition)

    def on_telemetry(self, partition: int, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` when that partition has grown; return what ends it."""
        key = object()
        self._wakes[partition][key] = wake

        def forget() -> None:
            self._wakes[partition].pop(key, None)

        return forget

    def _soon(self, partition: int) -> None:
        """Wake readers in the next turn of the loop, so that the PUBACK leaves before anything is encoded."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no loop: a test that appends by hand
            self._wake(partition)
        else:
            loop.call_soon(self._wake, partition)

    def _wake(self, partition: int) -> None:
        self._wake_due.discard(partition)
        for wake in tuple(self._wakes[partition].values()):
            wake()

    # Connections

    def is_connected(self, device_id: str) -> bool:
        """Tell whether the identity has an open MQTT connection."""
        return device_id in self._connections

    def last_activity(self, device_id: str) -> float | None:
        """Return when the identity last sent something, in unix seconds; None: never since the start."""
        connection = self._connections.get(device_id)
        return connection.last_activity if connection else self._last_activity.get(device_id)

    def identity_changed(self, device_id: str) -> None:
        """Drop the identity's open connection: it was disabled, deleted or given other keys."""
        connection = self._connections.get(device_id)
        if connection is not None:
            connection.drop("connection.changed-under-way")
