"""One device's or module's MQTT connection, without the network.

A session takes packets and returns effects. It opens no socket, reads no clock and draws no random number, so
every rule can be tested with plain values; the runtime is the only one that carries effects out.

A comment or docstring beginning with a clause id states the rule that the next lines implement.
"""

import enum
from dataclasses import replace

from iothub_emulator.hub.admission import NO_CERTIFICATE, Refused, admit, sender_for
from iothub_emulator.hub.device_requests import Breach, DeviceRequests
from iothub_emulator.hub.effects import Admit, Close, Effect, End, Forward, Send, Serve, Telemetry
from iothub_emulator.hub.identity import ClientCertificate
from iothub_emulator.hub.json_text import Object
from iothub_emulator.hub.last_words import last_words
from iothub_emulator.hub.methods import MethodRequest
from iothub_emulator.hub.outbox import Outbox
from iothub_emulator.hub.packets import (
    Connect,
    Disconnect,
    FromClient,
    Pingreq,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Subscribe,
    Unsubscribe,
    Will,
)
from iothub_emulator.hub.property_bag import Bag, BagRefused
from iothub_emulator.hub.rulebook import Rulebook
from iothub_emulator.hub.state import HubState
from iothub_emulator.hub.subscribe import FAILURE
from iothub_emulator.hub.telemetry import Sender
from iothub_emulator.hub.unacknowledged import Unacknowledged


class _State(enum.Enum):
    NEW = enum.auto()
    """No CONNECT yet."""
    OPEN = enum.auto()
    OVER = enum.auto()
    """Closed or refused: no packet has an effect any more."""


class Session:
    """Packets in, effects out, from the first packet to the end of the connection."""

    def __init__(
        self, hub: HubState, rules: Rulebook, certificate: ClientCertificate = NO_CERTIFICATE
    ) -> None:
        self._hub = hub
        self._rules = rules
        self.certificate = certificate
        """The one that the client proved to have."""
        self._state = _State.NEW
        self.is_over = False
        """Packets have no effect any more; a caller that holds more of them drops them."""
        self._will: Will | None = None
        self.sender: Sender | None = None
        """Who it is, once CONNECT was accepted."""
        self.subscriptions: dict[str, int] = {}
        """Filter -> granted QoS."""
        self._outbox: Outbox | None = None
        self._requests: DeviceRequests | None = None
        self._api_version: str | None = None

    @property
    def identity_key(self) -> str | None:
        """Return `{device}` or `{device}/{module}`; None before CONNECT was accepted."""
        return None if self.sender is None else self.sender.identity_key

    @property
    def is_new(self) -> bool:
        """Tell whether CONNECT is still awaited."""
        return self._state is _State.NEW

    def receive(  # noqa: C901, PLR0911 - one line for each packet type
        self, packet: FromClient, now: float
    ) -> list[Effect]:
        """Return what `packet` leads to; `now` is unix seconds."""
        if self._state is _State.OPEN and self.sender is not None:
            match packet:
                case Publish():
                    return [*self._forwards(packet), *self._publish(packet, self.sender, now)]
                case Pingreq():
                    return [Send(pong) for pong in self._rules.keep_alive.pong()]
                case Subscribe():
                    return self._subscribe(packet, self.sender)
                case Unsubscribe():
                    return self._unsubscribe(packet)
                case Disconnect():
                    return self._disconnect(now)
                case Connect():
                    return self._second_connect(now)
                case Puback(packet_id):
                    return self._acknowledged(packet_id, now)
                case Pubrec() | Pubrel() | Pubcomp():
                    return self._qos_2_flow(now)
        if self._state is _State.NEW:
            if isinstance(packet, Connect):
                return self._connect(packet, now)
            if self._rules.connection.refuses_before_connect(packet):
                return self._fail("connect.first-packet", now)
        return []

    def malformed(self, because: str, now: float) -> list[Effect]:
        """Return what bytes that are no packet lead to."""
        return self._closing(self._rules.connection.on_malformed(because), now)

    def ended(self, end: End, now: float) -> list[Effect]:
        """Return what is left to do now that the connection is gone; a second call has nothing to add."""
        was_open = self._state is _State.OPEN
        self._state, self.is_over = _State.OVER, True
        if not was_open or self._will is None or self.sender is None:
            return []
        # will.sent, will.not-after-disconnect
        if not self._rules.will.is_sent(self._will, end):
            return []
        return self._will_effects(self._will, self.sender, end, now)

    # What the hub sends unasked

    def serve(self, now: float) -> list[Effect]:
        """Return what may be sent now: messages that wait, calls of methods that wait for a subscription."""
        return self._outbox.serve(now) if self._outbox is not None and not self.is_over else []

    def request(self, request: MethodRequest) -> list[Effect]:
        """Return what asks the client to carry out a method."""
        return [self._outbox.request(request)] if self._outbox is not None and not self.is_over else []

    def notified(self, notification: Object) -> list[Effect] | None:
        """Return what tells the client about a change of its twin; None: it is not told."""
        return None if self._outbox is None or self.is_over else self._outbox.notified(notification)

    def answered(self, topic: str, payload: bytes) -> list[Effect]:
        """Return the answer to a twin request that another identity made."""
        return [] if self._outbox is None or self.is_over else self._outbox.answered(topic, payload)

    def _acknowledged(self, packet_id: int, now: float) -> list[Effect]:
        """c2d.acknowledged-not-again: PUBACK has no answer, whatever it acknowledges."""
        if self._outbox is not None:
            self._outbox.acknowledged(packet_id, now)
        return []

    # CONNECT

    def _connect(self, packet: Connect, now: float) -> list[Effect]:
        rules, hub = self._rules, self._hub
        try:
            admission = admit(packet, hub.identities, hub.policies, rules, now, self.certificate)
        except Refused as refused:
            return self._refuse(refused, packet.will, now)
        sender = replace(admission.sender, model_id=rules.connect.model_id(packet.username))
        self._api_version = rules.connect.api_version(packet.username)
        key = sender.identity_key
        if sender.model_id:
            # twin.model-id, unspecified: a connection that announces no model leaves what an earlier one did.
            hub.model_ids[key] = sender.model_id
        self._will = rules.will.of_connection(packet.will, key)
        stored = hub.subscriptions.get(key)
        present = rules.connect.session_present(clean_session=packet.clean_session, stored=stored is not None)
        self.subscriptions = rules.connect.restored(stored, clean_session=packet.clean_session)
        goes_on = stored is not None and not packet.clean_session
        unacknowledged = (hub.unacknowledged.get(key) if goes_on else None) or Unacknowledged()
        if rules.connect.forgets_session(clean_session=packet.clean_session):
            hub.subscriptions.pop(key, None)
            hub.unacknowledged.pop(key, None)
        if rules.connect.keeps_session(clean_session=packet.clean_session):
            hub.subscriptions[key] = self.subscriptions
            hub.unacknowledged[key] = unacknowledged
        self._open(sender, unacknowledged)
        mailbox = hub.mailboxes.get(key)
        if mailbox is not None:
            # session.clean-purges, session.pending-delivered, c2d.before-first-subscription
            mailbox.session_begins(clean=packet.clean_session, first=stored is None, now=now)
        silence = rules.keep_alive.limit(packet.keep_alive)
        # connection.newest-wins: the older connection goes before this one hears that it is accepted.
        admit_it = Admit(key, silence, admission.ends_at)
        # session.pending-delivered: what waited comes behind CONNACK, before any SUBSCRIBE.
        return [admit_it, *rules.connect.acceptance(present), Serve()]

    def _open(self, sender: Sender, unacknowledged: Unacknowledged) -> None:
        self.sender = sender
        self._state, self.is_over = _State.OPEN, False
        self._outbox = Outbox(self._hub, self._rules, sender, self.subscriptions, unacknowledged)
        self._requests = DeviceRequests(
            self._hub, self._rules, sender.identity_key, self._outbox, self._api_version
        )

    def _refuse(self, refused: Refused, will: Will | None, now: float) -> list[Effect]:
        rules = self._rules
        self._state, self.is_over = _State.OVER, True
        effects = list(rules.connect.refusal(refused.reason))
        if refused.identity is None:
            return effects
        sender = sender_for(refused.identity, rules)
        # connect.rejected-data: only a replaced rule lets what follows count, for the identity named.
        if rules.connect.serves_refused():
            self._open(sender, Unacknowledged())
        if will is not None and rules.will.is_sent_for_refused():
            effects += self._will_effects(will, sender, End.ERROR, now)
        return effects

    def _second_connect(self, now: float) -> list[Effect]:
        if self._rules.connection.refuses_second_connect():
            return self._fail("connect.second-connect", now)
        return []

    # PUBLISH

    def _forwards(self, packet: Publish) -> list[Effect]:
        return [Forward(packet)] if self._rules.publish.passes_on(packet.topic) else []

    def _publish(self, packet: Publish, sender: Sender, now: float) -> list[Effect]:
        publish = self._rules.publish
        # d2c.qos2: MQTT 3.1.1 has no packet that could tell a client why.
        if packet.qos > 1 and publish.on_qos_2() == "close":
            return self._fail("d2c.qos2", now)
        topic = publish.parse_topic(packet.topic)
        author = publish.author_of(topic, sender) if topic is not None else None
        if topic is None or author is None:
            return self._other_topic(packet, sender, now)
        try:
            bag = self._rules.property_bag.parse(publish.bag_of(topic.bag))
        except BagRefused as refused:
            return self._fail(str(refused), now)
        properties, system = bag.properties, bag.system
        if packet.retain:
            properties |= publish.retain_properties(retain=True)
        if packet.dup:
            properties |= publish.duplicate_properties(dup=True)
        if not publish.accepts_size(publish.size_of(packet.payload, properties, system)):
            return self._fail("d2c.too-large", now)
        return self._deliver(packet, author, bag, now)

    def _deliver(self, packet: Publish, author: Sender, bag: Bag, now: float) -> list[Effect]:
        effects: list[Effect] = []
        if not self._hub.throttles.admits("d2c-sends", author.identity_key, self._rules.throttle, now):
            return self._fail("d2c-sends", now) if self._rules.throttle.on_telemetry() == "close" else []
        publish = self._rules.publish
        if publish.delivers(packet):
            event = self._rules.telemetry.stamp(author, packet.payload, bag.properties, bag.system, now)
            effects.append(Telemetry(event))
        # MQTT 3.1.1 [MQTT-4.3.2-2]: acknowledged once the hub owns the message, not before.
        effects.extend(Send(answer) for answer in publish.acknowledge(packet))
        return effects

    def _other_topic(self, packet: Publish, sender: Sender, now: float) -> list[Effect]:
        try:
            effects = self._requests.receive(packet, now) if self._requests is not None else None
        except Breach as breach:
            return self._fail(str(breach), now)
        return self._undocumented(packet, sender, now) if effects is None else effects

    def _undocumented(self, packet: Publish, sender: Sender, now: float) -> list[Effect]:
        publish = self._rules.publish
        match publish.on_undocumented_topic(packet.topic):
            case "telemetry":
                return self._deliver(packet, sender, Bag(), now)
            case "acknowledge":
                return [Send(answer) for answer in publish.acknowledge(packet)]
            case "ignore":
                return []
            case "close":
                return self._fail("topics.undocumented-name", now)

    # SUBSCRIBE, UNSUBSCRIBE

    def _subscribe(self, packet: Subscribe, sender: Sender) -> list[Effect]:
        subscribe = self._rules.subscribe
        codes = []
        for topic_filter, qos in packet.filters:
            code = subscribe.grants(topic_filter, qos, sender.identity_key)
            is_new = topic_filter not in self.subscriptions
            if is_new and not subscribe.accepts_another(len(self.subscriptions)):
                code = FAILURE
            if code <= 2:  # noqa: PLR2004 - a QoS; 0x80 is a refusal
                subscribe.store(self.subscriptions, topic_filter, code)
            codes.append(code)
        return [*(Send(answer) for answer in subscribe.subscribed(packet, codes)), Serve()]

    def _unsubscribe(self, packet: Unsubscribe) -> list[Effect]:
        for topic_filter in packet.filters:
            self._rules.subscribe.forget(self.subscriptions, topic_filter)
        return [*(Send(answer) for answer in self._rules.subscribe.unsubscribed(packet)), Serve()]

    # The end

    def _disconnect(self, now: float) -> list[Effect]:
        return [*self.ended(End.DISCONNECT, now), *self._rules.connection.on_disconnect()]

    def _qos_2_flow(self, now: float) -> list[Effect]:
        if self._rules.connection.refuses_qos_2_flow():
            return self._fail("watch.qos", now)
        return []

    def _fail(self, because: str, now: float) -> list[Effect]:
        return self._closing(self._rules.connection.on_error(because), now)

    def _closing(self, effects: tuple[Effect, ...], now: float) -> list[Effect]:
        """Return the effects, and the Will behind them if they close the connection."""
        if any(isinstance(effect, Close) for effect in effects):
            return [*effects, *self.ended(End.ERROR, now)]
        return list(effects)

    def _will_effects(self, will: Will, sender: Sender, end: End, now: float) -> list[Effect]:
        event = last_words(will, sender, end, self._rules, now)
        return [] if event is None else [Telemetry(event)]
