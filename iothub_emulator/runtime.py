"""The hub while it runs: its state, its clock, fresh keys and ids, and who is connected.

Protocol endpoints meet here and nowhere else: MQTT registers its connections and hands in effects, AMQP
listens for telemetry, REST changes the registry and says so.
"""

import asyncio
import base64
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from iothub_emulator.editions import EDITIONS, Edition
from iothub_emulator.hub.effects import Admit, Close, Effect, End, Send, Telemetry
from iothub_emulator.hub.identity import DeviceIdentity, Fresh, Wanted
from iothub_emulator.hub.packets import FromServer
from iothub_emulator.hub.policies import Policy, Right, default_policies
from iothub_emulator.hub.readers import Readers
from iothub_emulator.hub.registry import Registry
from iothub_emulator.hub.session import HubState, Session
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
    """An open connection of a device, as the runtime sees it."""

    last_activity: float
    """When its last packet came, in unix seconds."""

    def admitted(self, admission: Admit) -> None:
        """Take note of what the connection was admitted with."""

    def send(self, packet: FromServer) -> None:
        """Send a packet."""

    def close(self, because: str) -> None:
        """Close the network connection once what was sent is out."""

    def drop(self, end: End) -> None:
        """End the connection from the hub's side: nothing it still sends has an effect."""


class Runtime:
    """One hub. Not thread-safe: everything happens on one event loop."""

    def __init__(self, settings: Settings | None = None, rules: Rules | None = None) -> None:
        self.settings = settings or Settings()
        self.edition: Edition = EDITIONS[self.settings.edition]
        self.rules = rules or rules_for(self.settings, self.edition)
        self.registry = Registry(self.rules.registry)
        self.policies: dict[str, Policy] = default_policies(self.fresh_key)
        self.started = self.now()
        """When this hub came to be, in unix seconds."""
        self.state = HubState(self.registry, self.policies)
        self.telemetry = TelemetryLog(self.settings.partitions, self.settings.telemetry_log_events)
        self.readers = Readers()
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

    def fresh(self) -> Fresh:
        """Return all that a change of the registry may need."""
        return Fresh(
            etag=self.fresh_etag(),
            generation_id=self.fresh_generation_id(),
            primary_key=self.fresh_key(),
            secondary_key=self.fresh_key(),
            now=self.now(),
        )

    def add_device(self, device_id: str) -> DeviceIdentity:
        """Register a device with new keys; `service_errors.Refused` if the id is no id, or taken."""
        return self.registry.create(Wanted(device_id=device_id), self.fresh())

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

    def session(self) -> Session:
        """Return a session for a new connection."""
        return Session(self.state, self.rules)

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
            connection.drop(End.IDENTITY_CHANGED)
        if self.registry.get(device_id) is None:
            # A later identity of the same name begins without a session.
            self.state.subscriptions.pop(device_id, None)
            self._last_activity.pop(device_id, None)

    def left(self, device_id: str, connection: LiveConnection) -> None:
        """Forget a connection that is gone."""
        if self._connections.get(device_id) is connection:
            del self._connections[device_id]
            self._last_activity[device_id] = connection.last_activity

    def stop(self) -> None:
        """End all connections: the hub stops."""
        for connection in tuple(self._connections.values()):
            connection.drop(End.HUB_STOPS)

    # Effects

    def perform(self, connection: LiveConnection, effects: Iterable[Effect]) -> None:
        """Carry out what the rules decided about `connection`, in its order."""
        for effect in effects:
            match effect:
                case Telemetry(event):
                    self.append_telemetry(event)
                case Send(packet):
                    connection.send(packet)
                case Admit():
                    self._admit(connection, effect)
                case Close(because):
                    connection.close(because)
                    if self.rules.connection.spreads(because):
                        self._drop_others(connection)

    def _admit(self, connection: LiveConnection, admission: Admit) -> None:
        older = self._connections.get(admission.device_id)
        self._connections[admission.device_id] = connection
        if older is not None and self.rules.connection.newest_wins():
            older.drop(End.TAKE_OVER)
        connection.admitted(admission)

    def _drop_others(self, connection: LiveConnection) -> None:
        for other in tuple(self._connections.values()):
            if other is not connection:
                other.drop(End.ERROR)
