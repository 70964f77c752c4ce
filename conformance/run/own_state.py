"""What a device has at a hub, of which nothing may be gone once the hub has refused it something.

A device that is away is given something to lose: a session with CleanSession 0 that is subscribed to its
messages, a message that waits, and all three sections of a twin. One that is connected by then is subscribed
on that connection. Behind the refusal, or the end of the connection, the same is looked for again, by the
device where it can see it: the next connection, what it brings without being asked, the twin as it reads it.

What is found changed is a breach of the clause about it, and the case is what it was: a hub that forgets a
session behind each refusal is red in one clause, and not in each that expects one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Unpack

from conformance.backend import Service, Twin
from conformance.errors import HarnessError, TargetUnreachable, Violation
from conformance.evidence.watch import Breach, Judgement, Watch
from conformance.mqtt.connection import Connection
from conformance.mqtt.conversation import ACCEPTED, Conversation
from conformance.mqtt.device import Attempt, Device
from conformance.mqtt.packets import Publish
from conformance.mqtt.raw import RawConnection
from conformance.mqtt.raw_packets import packet, text
from conformance.mqtt.twin import ANSWERS, TwinClient

NEXT: Final = "connection.next-served"
REFUSED: Final = "session.refused-leaves-it"
CLOSED: Final = "session.closed-leaves-it"
REQUEST: Final = "session.request-leaves-it"
TWIN: Final = "twin.untouched"

# What has to be there that could be lost.
DESIRED: Final = {"interval": 5, "route": {"via": "north"}}
TAGS: Final = {"site": "hall"}
REPORTED: Final = {"firmware": "v1.0"}
WAITS: Final = b"waits"

# The parts, as messages call them.
CONNECTION: Final = "next connection"
MESSAGES: Final = "messages"
TWINS: Final = "twin"

DELIVERED: Final = "delivered"
UNSUBSCRIBED: Final = "delivered after another SUBSCRIBE alone"
LOST: Final = "not delivered"

# The packet id of a SUBSCRIBE in literal bytes, which no test uses, and what grants it.
PACKET_ID: Final = b"\x7f\x01"
GRANTED: Final = "suback 32513 1"

# A hub that serves no such device, or lost what one has, makes each look take as long as it may to answer.
PATIENCE: Final = 4


@dataclass
class OwnStates:
    """What is the same for all cases of a worker: how this hub treats a session that goes on.

    `make` returns a new device, `service` is the back end, None where there is none to ask; `claims` says
    what the hub serves.
    """

    make: Callable[[], Device]
    service: Service | None
    claims: frozenset[str]
    patience: int = PATIENCE
    _persists: bool | None = None

    @property
    def has_messages(self) -> bool:
        """Whether messages can be sent to devices that nobody else uses."""
        return self.service is not None and {"c2d", "registry"} <= self.claims

    @property
    def has_twins(self) -> bool:
        """Whether twins can be filled."""
        return self.service is not None and {"twin", "registry"} <= self.claims

    @property
    def persists(self) -> bool:
        """Whether a subscription outlives its connection; by either reading of session.subscription-persists.

        Found once, by a device that was refused nothing.
        """
        if self._persists is None:
            device = self.make()
            try:
                connection = device.connect(clean_session=False)
                subscribe(connection, device.topics.devicebound)
                connection.disconnect()
                self.send(device)
                self._persists = _hears(device.connect(clean_session=False))
            finally:
                device.close()
        return self._persists

    def send(self, device: Device) -> None:
        """Send the message that has to come."""
        assert self.service is not None, "asked for with has_messages"  # noqa: S101 - for the type
        self.service.c2d.send(device, WAITS)

    def filled(self, device: Device) -> Twin:
        """Fill what the back end says in a device's twin, and return the twin."""
        assert self.service is not None, "asked for with has_twins"  # noqa: S101 - for the type
        return self.service.twins.patch(device, desired=DESIRED, tags=TAGS)

    def twin(self, device: Device) -> Twin:
        """Return a device's twin as the back end reads it."""
        assert self.service is not None, "asked for with has_twins"  # noqa: S101 - for the type
        return self.service.twins.get(device)


@dataclass
class OwnState:
    """What one device has at the hub: `settle` gives it something to lose, `confirm` looks for that again.

    `twin_too` and `messages_too` are False in a case that is about either itself. `before` has the parts by
    the names that a message can use.
    """

    device: Device
    states: OwnStates
    twin_too: bool = True
    messages_too: bool = True
    before: dict[str, object] = field(default_factory=dict)
    _held: Conversation | None = None
    _properties: dict[str, dict[str, Any]] = field(default_factory=dict)
    _whole: dict[str, Any] | None = None
    _conversations: int = 0

    def try_to_settle(self) -> None:
        """Do what `settle` does where the hub serves what that takes.

        Where it does not, its clauses say so: here there is nothing to look at then.
        """
        if self.states.patience <= 0:
            return
        try:
            self.settle()
        except (HarnessError, Violation):
            self.before = {}
            self.states.patience -= 1

    def confirm(self, watch: Watch, **attempt: Unpack[Attempt]) -> None:
        """Hold what was there before against what is there now; `attempt` is what opens the device now."""
        if not self.before:
            return
        try:
            now = self._look(attempt)
        except TargetUnreachable:
            raise  # nobody is there any more: a case that ends so is broken
        except (HarnessError, Violation):
            return
        breaches = [
            Breach(
                clause,
                f"{part}: expected {self.before[part]}; actual {found}",
                f"{part} changed",
                rests_on_time=True,
            )
            for part, (clause, found) in now.items()
            if found != self.before[part]
        ]
        watch.note(Judgement([clause for clause, _ in now.values()], breaches))
        self.states.patience -= bool(breaches)

    def now(self) -> dict[str, object]:
        """Look again; a part that nobody can look at any more says why."""
        found = {part: value for part, (_, value) in self._look({}).items()}
        unseen = f"not to be seen: {found[CONNECTION]}"
        return {part: found.get(part, unseen) for part in self.before}

    def _look(self, attempt: Attempt) -> dict[str, tuple[str, object]]:
        """Return each part that can be seen, with the clause about it."""
        came_in = [each for each in self.device.conversations[self._conversations :] if each.is_accepted]
        clause = self._clause(came_in)
        sessions = [self._held, *came_in] if clause == CLOSED else came_in
        # [MQTT-3.1.2-6]: what began with CleanSession 1 ends with its connection.
        goes_on = all(each is None or each.clean_session is False for each in sessions)
        # What waited may have come to a connection of the test's own, which acknowledged it.
        looks = goes_on and MESSAGES in self.before and not any(_has_heard(each) for each in came_in)
        if looks and self._held is not None:
            self.states.send(self.device)
        open_ones = [each for each in (self._held, *came_in) if each is not None and each.is_open]
        if open_ones:
            connection: Conversation = open_ones[-1]
        else:
            if looks:
                attempt["clean_session"] = False
            try:
                connection = self.device.connect(**attempt)
            except Violation as violation:
                # A hub that is about to die closes this one, and is gone by the next: that answers nothing.
                self.device.attempt(**attempt)
                return {CONNECTION: (NEXT, violation.observed)}
        found: dict[str, tuple[str, object]] = {CONNECTION: (NEXT, _alive(connection))}
        if looks:
            found[MESSAGES] = clause, self._how(connection, resumed=connection is not self._held)
        if TWINS in self.before:
            found[TWINS] = TWIN, self._twin(connection)
        return found

    def settle(self, *, both_sides: bool = False) -> None:
        """Give the device something to lose, and remember what it has.

        What the back end set of the twin takes calls of the service: of a device that is away it is looked at
        where `both_sides` is asked for. Raises Violation or HarnessError.
        """
        accepted = [each for each in self.device.conversations if each.is_accepted and each.is_open]
        self._held = accepted[-1] if accepted else None
        messages = self.messages_too and self.states.has_messages and "/" not in self.device.id
        twin = self.twin_too and self.states.has_twins
        before: dict[str, object] = {CONNECTION: ACCEPTED}
        if messages:
            before[MESSAGES] = DELIVERED
        if self._held is None and (messages or twin):
            self._leave_something(messages=messages, twin=twin)
        elif self._held is not None and messages:
            subscribe(self._held, self.device.topics.devicebound)
        if twin and (both_sides or self._held is not None):
            filled = self.states.filled(self.device)
            self._properties, self._whole = _properties(filled), _whole(filled) if both_sides else None
        if twin:
            before[TWINS] = self._properties if self._whole is None else (self._properties, self._whole)
        if messages and self._held is None:
            self.states.send(self.device)
        self._conversations = len(self.device.conversations)
        self.before = before

    def _leave_something(self, *, messages: bool, twin: bool) -> None:
        """Let the device subscribe and report in a session that goes on, and leave it."""
        connection = self.device.connect(clean_session=False)
        filters = [self.device.topics.devicebound] * messages + [ANSWERS] * twin
        connection.subscribe_all([(each, 1) for each in filters])
        if twin:
            client = TwinClient(connection)
            client.establish(REPORTED)
            self._properties = client.get().properties
        connection.disconnect()

    def _clause(self, came_in: list[Conversation]) -> str:
        """Return the clause about the session, by what the hub did."""
        if came_in:
            return CLOSED
        if self._held is None:
            return REFUSED
        return REQUEST if self._held.is_open else CLOSED

    def _how(self, connection: Conversation, *, resumed: bool) -> str:
        """Return how a message comes: one that waits, or that was sent to a subscriber."""
        may_ask = resumed and not self.states.persists
        if not may_ask and _hears(connection):
            return DELIVERED
        try:
            subscribe(connection, self.device.topics.devicebound)
        except Violation as violation:
            return f"{LOST}: SUBSCRIBE came to {violation.observed}"
        if not _hears(connection):
            return LOST
        return DELIVERED if may_ask else UNSUBSCRIBED

    def _twin(self, connection: Conversation) -> object:
        """Read the twin as its device does, or as the back end does where that speaks in literal bytes."""
        whole = None if self._whole is None else _whole(self.states.twin(self.device))
        if not isinstance(connection, Connection):
            properties: object = _properties(self.states.twin(self.device))
        else:
            try:
                version = self._properties["desired"]["$version"]
                properties = TwinClient(connection).subscribe().get_since(version).properties
            except Violation as violation:
                properties = violation.observed
        return properties if whole is None else (properties, whole)


def subscribe(conversation: Conversation, topic_filter: str) -> None:
    """Subscribe with QoS 1, on a connection of either kind. Raises Violation where that is not granted."""
    if isinstance(conversation, RawConnection):
        conversation.exchange(packet(0x82, PACKET_ID, text(topic_filter), b"\x01"), GRANTED)
    elif isinstance(conversation, Connection) and (code := conversation.subscribe(topic_filter)) != 1:
        raise Violation(f"SUBACK {code} for QoS 1", observed=f"suback {code}", expected="1", actual=str(code))


def _has_heard(conversation: Conversation) -> bool:
    return any(isinstance(each, Publish) and each.payload == WAITS for each in conversation.received)


def _hears(conversation: Conversation) -> bool:
    """Tell whether the message comes, or has come."""
    return conversation.wait_for(lambda: _has_heard(conversation), conversation.reaction)


def _alive(connection: Conversation) -> str:
    """Say whether a connection is served."""
    try:
        connection.ping()
    except Violation as violation:
        return violation.observed
    return ACCEPTED


def _whole(twin: Twin) -> dict[str, Any]:
    return {**_properties(twin), "tags": dict(twin.tags)}


def _properties(twin: Twin) -> dict[str, Any]:
    sections = {"desired": twin.desired, "reported": twin.reported}
    return {name: {**section.values, "$version": section.version} for name, section in sections.items()}
