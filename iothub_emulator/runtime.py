"""The hub while it runs: its state, its clock, fresh ids, and who is connected.

Protocol endpoints meet here and nowhere else: MQTT registers its connections and hands in effects, AMQP
listens for telemetry and sends to devices, REST changes the registry and says so.

An *identity key* is `{device}` or `{device}/{module}`.
"""

import base64
import secrets
import time
from collections.abc import Callable, Iterable

from iothub_emulator.connections import Connections, LiveConnection
from iothub_emulator.editions import EDITIONS, Edition
from iothub_emulator.effect_desk import EffectDesk
from iothub_emulator.event_desk import EventDesk
from iothub_emulator.event_endpoints import EventEndpoints
from iothub_emulator.hub import host_names
from iothub_emulator.hub.effects import Effect, End
from iothub_emulator.hub.feedback import Feedback
from iothub_emulator.hub.identity import DeviceIdentity, Fresh, Identity, Wanted
from iothub_emulator.hub.json_text import Json
from iothub_emulator.hub.mailbox import FeedbackRecord
from iothub_emulator.hub.mailbox_rules import CloudMessage
from iothub_emulator.hub.method_rules import MethodCall, MethodResult
from iothub_emulator.hub.policies import Policy, Right, default_policies
from iothub_emulator.hub.readers import Readers
from iothub_emulator.hub.registry import Registry
from iothub_emulator.hub.service_errors import Refused
from iothub_emulator.hub.session import Session
from iothub_emulator.hub.state import HubState
from iothub_emulator.hub.tokens import SasToken, TokenRefused
from iothub_emulator.hub.twin import Twin
from iothub_emulator.keys import Keys
from iothub_emulator.messaging import CloudToDevice, LiveFeedback
from iothub_emulator.method_desk import MethodDesk
from iothub_emulator.rules import Rules, rules_for
from iothub_emulator.settings import Settings
from iothub_emulator.twin_desk import TwinDesk


class Unauthorised(Exception):  # noqa: N818 - an answer, not a malfunction
    """A service call whose token does not open what it asks for. `reason` holds no secret."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Runtime:
    """One hub. Not thread-safe: everything happens on one event loop."""

    def __init__(self, settings: Settings | None = None, rules: Rules | None = None) -> None:
        self.settings = settings or Settings()
        self.edition: Edition = EDITIONS[self.settings.edition]
        self.rules = rules or rules_for(self.settings, self.edition)
        self.registry = Registry(self.rules.registry)
        self._keys = Keys(self.settings)
        self.policies: dict[str, Policy] = default_policies(self._keys.of_policy)
        self.started = self.now()
        """When this hub came to be, in unix seconds."""
        self.connections = Connections(self.now)
        """Of each identity the one that is open."""
        self._effects = EffectDesk(self)
        self._feedback = LiveFeedback(self.rules.feedback, self.now)
        self.state = HubState(self.registry, self.policies, self.rules, self._tell)
        self.messages = CloudToDevice(
            self.registry, self.state, self._feedback, self.now, self._effects.serve
        )
        self.methods = MethodDesk(self.state, self.now, self._effects.request)
        self.endpoints = EventEndpoints(self.settings, self.rules)
        self.telemetry = self.endpoints.built_in.log
        """What the built-in endpoint keeps."""
        self.events = EventDesk(self.rules, self.now, self.endpoints.tell, self.twin)
        self.twins = TwinDesk(self.state, self.now, self._effects.notified, self._effects.twin_changed)
        self.readers = Readers()
        self.amqp_port = self.settings.amqp_port
        """Where AMQP over TLS is to be had; the system's choice once the listeners are open, if it was 0."""

    # Clock and fresh values

    def now(self) -> float:
        """Return unix seconds: the hub's one clock."""
        return time.time()

    def fresh_etag(self) -> str:
        """Return a new etag, without quotes."""
        return base64.b64encode(secrets.token_bytes(9)).decode()

    def fresh_generation_id(self) -> str:
        """Return a new generation id: 18 digits, as a hub's look."""
        return str(10**17 + secrets.randbelow(9 * 10**17))

    def fresh(self, identity_key: str) -> Fresh:
        """Return all that a change of this identity in the registry may need."""
        primary_key, secondary_key = self._keys.of_identity(identity_key)
        return Fresh(
            etag=self.fresh_etag(),
            generation_id=self.fresh_generation_id(),
            primary_key=primary_key,
            secondary_key=secondary_key,
            now=self.now(),
        )

    def add_device(self, device_id: str) -> DeviceIdentity:
        """Register a device with new keys; `service_errors.Refused` if the id is no id, or taken."""
        device = self.registry.create(Wanted(device_id=device_id), self.fresh(device_id))
        self.identity_created(device.key)
        return device

    # Authorisation of services

    def authorise(self, token_text: str, resource: str, needed: Right) -> SasToken:
        """Return the token if it is a policy's and opens `resource` (`{host}/…`), or raise `Unauthorised`."""
        try:
            return self.rules.policies.authorise(
                self.rules.tokens, self.policies, token_text, resource, needed, self.now()
            )
        except TokenRefused as refused:
            raise Unauthorised(refused.reason) from None

    def is_token_of_device(self, token_text: str, device_id: str) -> bool:
        """Tell whether a device that may connect signed a token for itself."""
        device = self.registry.get(device_id)
        if device is None or not self.rules.connect.accepts_status(device):
            return False
        host = host_names.said_by("device", self.settings)[0]
        tokens, resource = self.rules.tokens, f"{host}/devices/{device_id}"
        try:
            tokens.check_of_identity(tokens.parse(token_text), device.keys, resource, self.now())
        except TokenRefused:
            return False
        return True

    # Telemetry

    def on_telemetry(self, partition: int, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` when that partition of the built-in endpoint has grown; return what ends it."""
        return self.endpoints.built_in.on_growth(partition, wake)

    # Cloud-to-device messages

    def addressee(self, to: str) -> str | None:
        """Return the device that a message's `to` names; None: it is no address of a device."""
        return self.rules.mailbox.addressee(to)

    def send_to_device(self, message: CloudMessage, device_id: str) -> Refused | None:
        """Put a message in the device's mailbox; return why it was not taken, None if it was.

        DeviceNotFound, MessageTooLarge or DeviceMaximumQueueDepthExceeded.
        """
        return self.messages.send(message, device_id)

    @property
    def feedback(self) -> Feedback:
        """What became of messages whose sender asked; `take`, `complete` and `abandon` are for receivers."""
        return self._feedback

    def on_feedback(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` when a batch of feedback may be there to be taken; return what ends it."""
        return self._feedback.on_feedback(wake)

    # Direct methods

    async def call_method(self, identity_key: str, call: MethodCall) -> MethodResult | Refused:
        """Call a method of an identity and wait for its end; `Refused`: DeviceNotOnline, GatewayTimeout."""
        return await self.methods.call(identity_key, call)

    # Twins

    def twin(self, identity_key: str) -> Twin:
        """Return the twin of an identity that exists."""
        return self.twins.get(identity_key)

    def patch_twin(self, identity_key: str, document: Json, if_match: str | None) -> Twin:
        """Merge a document into the twin and tell its owner; `Refused` changes nothing."""
        return self.twins.patch(identity_key, document, if_match)

    def replace_twin(self, identity_key: str, document: Json, if_match: str | None) -> Twin:
        """Replace tags and desired properties and tell the owner; `Refused` changes nothing."""
        return self.twins.replace(identity_key, document, if_match)

    # Connections

    def session(self) -> Session:
        """Return a session for a new connection."""
        return Session(self.state, self.rules)

    def connected(self) -> int:
        """Return how many devices have an open MQTT connection, modules not counted."""
        return self.connections.devices()

    def is_connected(self, identity_key: str) -> bool:
        """Tell whether the identity has an open MQTT connection."""
        return self.connections.get(identity_key) is not None

    def connection_state_changed(self, identity_key: str) -> float | None:
        """Return when the identity last came or went, in unix seconds; None: never since the start."""
        return self.connections.changed(identity_key)

    def last_activity(self, identity_key: str) -> float | None:
        """Return when the identity last sent something, in unix seconds; None: never since the start."""
        return self.connections.last_activity(identity_key)

    def registry_changed(self, before: Identity | None, after: Identity | None) -> None:
        """Do what follows from a change of one identity; None: it was not there, or is no longer."""
        if before is after:
            return
        if before is None:
            if after is not None:
                self.identity_created(after.key)
                self.events.created(after)
            return
        if after is None:
            self.events.deleted(before)
        if self.rules.registry.ends_connection(before, after):
            self.identity_changed(before.key)

    def identity_created(self, identity_key: str) -> None:
        """Begin a new identity: nothing of an earlier one of the same name is left, and it has a twin."""
        self._forget(identity_key)
        self.state.twin(identity_key, self.now())

    def identity_changed(self, identity_key: str) -> None:
        """Drop the identity's open connection: it was disabled, deleted or given other keys.

        The modules of a device that is disabled or gone lose theirs too.
        """
        identity = self.registry.identity(identity_key)
        lost = [identity_key]
        device = self.registry.get(identity_key)
        if self.rules.registry.ends_modules_connections(device):
            lost += self.connections.of_modules(identity_key)
        for key in lost:
            connection = self.connections.get(key)
            if connection is not None:
                connection.drop(End.IDENTITY_CHANGED)
        if identity is None:
            self._forget(identity_key)

    def left(self, identity_key: str, connection: LiveConnection) -> None:
        """Forget a connection that is gone."""
        if self.connections.remove(identity_key, connection):
            self.methods.disconnected(identity_key)
            self.events.disconnected(identity_key)

    def active(self, identity_key: str) -> None:
        """Take note that an identity published or subscribed on its connection."""
        self.events.active(identity_key)

    def writable(self, identity_key: str) -> None:
        """Send what waited for a client that did not read."""
        self._effects.serve(identity_key)

    def stop(self) -> None:
        """End all connections and timers: the hub stops."""
        for connection in self.connections.everyone():
            connection.drop(End.HUB_STOPS)
        self.messages.stop()
        self.methods.stop()
        self._feedback.stop()
        self.events.stop()

    # Effects

    def perform(self, connection: LiveConnection, effects: Iterable[Effect]) -> None:
        """Carry out what the rules decided about `connection`, in its order."""
        self._effects.perform(connection, effects)

    def _tell(self, record: FeedbackRecord) -> None:
        self._feedback.add(record, self.now())

    def _forget(self, identity_key: str) -> None:
        """Leave nothing of an identity that is gone."""
        self.messages.forget(identity_key)
        self.methods.forget(identity_key)
        self.state.forget(identity_key)
        self.connections.forget(identity_key)
        self.events.forget(identity_key)
