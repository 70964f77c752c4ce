"""What the hub sends unasked on one connection: messages, requests of methods, notifications of a twin.

It hands out the packet ids of the connection, and knows which of them completes what.
"""

from iothub_emulator.hub.effects import Effect, Send
from iothub_emulator.hub.json_text import Object
from iothub_emulator.hub.mailbox import Delivery
from iothub_emulator.hub.methods import MethodRequest
from iothub_emulator.hub.packets import Publish
from iothub_emulator.hub.rulebook import Rulebook
from iothub_emulator.hub.state import HubState
from iothub_emulator.hub.telemetry import Sender
from iothub_emulator.hub.twin_requests import notify
from iothub_emulator.hub.unacknowledged import Unacknowledged

LARGEST_PACKET_ID = 65_535


class Outbox:
    """One connection's. `subscriptions` is the session's own mapping: filter -> granted QoS.

    `unacknowledged` is the session's too: what is sent again, on a later connection as well, has the packet
    id that it had. Whether something is sent, and at which QoS, follows from its topic and the filters that
    match it.
    """

    def __init__(
        self,
        state: HubState,
        rules: Rulebook,
        sender: Sender,
        subscriptions: dict[str, int],
        unacknowledged: Unacknowledged,
    ) -> None:
        self._state = state
        self._rules = rules
        self._sender = sender
        self._subscriptions = subscriptions
        self._last_packet_id = 0
        self._unacknowledged = unacknowledged
        self._locks: dict[int, int] = {}
        """Packet id -> the last lock under which its message was sent on this connection."""

    def serve(self, now: float) -> list[Effect]:
        """Return all that may be sent by the present subscriptions: calls that waited, messages."""
        return [*self._method_requests(now), *self._kept_notifications(), *self._messages(now)]

    def request(self, request: MethodRequest) -> Send:
        """Return a method's request as a packet."""
        return self._push(request.topic, request.payload, request.qos)

    def notified(self, notification: Object) -> list[Effect] | None:
        """Return what tells the client about its twin; None: it is not told."""
        twins = self._rules.twins
        topic, body = notify(notification, twins)
        granted = self._granted(topic)
        if not twins.sends_notification(connected=True, subscribed=granted is not None):
            return None
        return [self._push(topic, body, twins.answer_qos(granted or 0))]

    def answered(self, topic: str, payload: bytes) -> list[Effect]:
        """Return the answer to a twin request, nothing if the client did not subscribe to it."""
        twins = self._rules.twins
        granted = self._granted(topic)
        if not twins.sends_answer(subscribed=granted is not None):
            return []
        messages = twins.answers(topic, payload)
        return [self._push(name, body, twins.answer_qos(granted or 0)) for name, body in messages]

    def hears(self, topic: str) -> bool:
        """Tell whether the client subscribed to a topic."""
        return self._granted(topic) is not None

    def acknowledged(self, packet_id: int, now: float) -> None:
        """Complete what the client acknowledged; an id that nobody waits for has no effect."""
        mailbox = self._state.mailboxes.get(self._sender.device_id)
        for acknowledged in self._rules.mailbox.acknowledged_by(packet_id, tuple(self._locks)):
            lock = self._locks.pop(acknowledged, None)
            if lock is not None:
                self._unacknowledged.remove(acknowledged)
                if mailbox is not None:
                    mailbox.complete(lock, now)

    def _method_requests(self, now: float) -> list[Effect]:
        calls = self._state.method_calls(self._sender.identity_key)
        return [self.request(waiting) for waiting in calls.subscribed(self._reach_of_method, now)]

    def _reach_of_method(self, topic: str) -> int | None:
        """Return the QoS for the request of a method; None: the client does not take it."""
        granted = self._granted(topic)
        is_reachable = self._rules.methods.is_reachable(connected=True, subscribed=granted is not None)
        return (granted or 0) if is_reachable else None

    def _kept_notifications(self) -> list[Effect]:
        kept = self._state.kept_notifications.get(self._sender.identity_key, [])
        told = [self.notified(notification) for notification in kept]
        if not told or None in told:
            return []
        del self._state.kept_notifications[self._sender.identity_key]
        return [effect for effects in told for effect in effects or ()]

    def _messages(self, now: float) -> list[Effect]:
        mailbox = self._state.mailboxes.get(self._sender.device_id)
        if mailbox is None or self._sender.module_id is not None:
            return []
        effects: list[Effect] = []
        for _ in range(len(mailbox)):
            delivery = mailbox.next_delivery(self._reach_of_message, now)
            if delivery is None:
                break
            packet_id = self._packet_id(delivery)
            push = Send(
                Publish(
                    delivery.topic, delivery.payload, delivery.qos, delivery.retain, delivery.dup, packet_id
                )
            )
            effects.append(push)
        return effects

    def _reach_of_message(self, topic: str) -> int | None:
        """Return the QoS for a message; None: it waits for a subscription that brings it."""
        granted = self._granted(topic)
        return (granted or 0) if self._rules.mailbox.feeds(subscribed=granted is not None) else None

    def _granted(self, topic: str) -> int | None:
        return self._rules.subscribe.granted(self._subscriptions, topic, self._sender.identity_key)

    def _push(self, topic: str, payload: bytes, qos: int) -> Send:
        return Send(Publish(topic, payload, qos, packet_id=self._next_packet_id() if qos else 0))

    def _packet_id(self, delivery: Delivery) -> int:
        """c2d.redelivered [MQTT-2.3.1-3, MQTT-4.4.0-1]: what is sent again has the packet id that it had."""
        if delivery.lock is None:
            return self._next_packet_id() if delivery.qos else 0
        known = self._unacknowledged.id_of(delivery.message)
        packet_id = known or self._next_packet_id()
        if known is None:
            forgotten = self._unacknowledged.add(packet_id, delivery.message)
            self._locks.pop(forgotten, None)
        self._locks[packet_id] = delivery.lock
        return packet_id

    def _next_packet_id(self) -> int:
        """watch.ids [MQTT-2.3.1-1, -2]: never 0, and none that still waits for its PUBACK."""
        while True:
            self._last_packet_id = self._last_packet_id % LARGEST_PACKET_ID + 1
            if self._last_packet_id not in self._unacknowledged:
                return self._last_packet_id
