"""Right hubs that deliver cloud-to-device messages otherwise: again, later, in other words."""

import asyncio
from dataclasses import replace
from itertools import cycle
from urllib.parse import quote

from latitude import acted, replaced, right, wrapped

from iothub_emulator.effect_desk import EffectDesk
from iothub_emulator.hub.effects import Serve
from iothub_emulator.hub.feedback import FeedbackRules
from iothub_emulator.hub.locked_queue import LockedQueue
from iothub_emulator.hub.mailbox import Mailbox
from iothub_emulator.hub.mailbox_rules import MailboxRules
from iothub_emulator.hub.outbox import LARGEST_PACKET_ID, Outbox
from iothub_emulator.hub.packets import Publish, Suback
from iothub_emulator.hub.session import Session
from iothub_emulator.hub.subscribe import SubscribeRules
from iothub_emulator.mqtt.endpoint import MqttEndpoint

AT_LEAST_ONCE = "hub facts 6, ordering: tolerate duplicates"
AFTER_THE_LOCK = "hub facts 6, no PUBACK: redelivered, same or next connection"


def is_message(packet):
    return isinstance(packet, Publish) and "/messages/devicebound/" in packet.topic


@right(AT_LEAST_ONCE, "MQTT-4.3.2-1", "MQTT-3.3.1-1")
def a_message_comes_again_before_its_puback(rules):
    """Each delivery with QoS 1 is sent twice at once, the second time with DUP 1 and the same packet id."""

    def wrap(send):
        def sent(self, packet):
            send(self, packet)
            if is_message(packet) and packet.qos:
                acted()
                send(self, replace(packet, dup=True))

        return sent

    wrapped(MqttEndpoint, "send", wrap)


@right(AT_LEAST_ONCE, "MQTT-4.3.2-1", "MQTT-3.3.1-1")
def a_message_comes_again_where_its_puback_takes_long(rules):
    """A delivery that was not acknowledged within a tenth of a second is sent again, with DUP 1."""

    def wrap(send):
        def sent(self, packet):
            send(self, packet)
            if not is_message(packet) or not packet.qos:
                return
            locks, lock = self.session._outbox._locks, None

            def took():
                nonlocal lock
                lock = locks.get(packet.packet_id)

            def again():
                waits = lock is not None and locks.get(packet.packet_id) == lock
                if waits and not self.session.is_over and not self._transport.is_closing():
                    acted()
                    send(self, replace(packet, dup=True))
                    self.flush()

            loop = asyncio.get_running_loop()
            loop.call_soon(took)
            loop.call_later(0.1, again)

        return sent

    wrapped(MqttEndpoint, "send", wrap)


@right(AFTER_THE_LOCK)
def redelivery_comes_at_any_time_after_the_lock(rules):
    """A message waits again between none and three seconds after its lock ran out."""
    more = cycle((3.0, 0.0, 1.5, 0.4))

    class Late(MailboxRules):
        def lock_seconds(self):
            acted()
            return super().lock_seconds() + next(more)

    replaced(rules, "mailbox", Late)


@right("hub facts 6, DUP on redelivery: unknown")
def redelivery_has_no_dup(rules):
    """What is delivered again has DUP 0: as the hub sees it, it is another delivery."""

    class Anew(MailboxRules):
        def dup(self, *, qos, times_taken):
            if times_taken > 1:
                acted()
            return False

    replaced(rules, "mailbox", Anew)


@right(AFTER_THE_LOCK)
def redelivery_waits_for_the_next_connection(rules):
    """A message that was not acknowledged comes again on another connection, never on the same."""
    present = []

    def of_connection(messages):
        def sent(self, now):
            present.append(vars(self).setdefault("taken", set()))
            try:
                return messages(self, now)
            finally:
                present.pop()

        return sent

    def not_again(waiting):
        def left(self):
            entries = waiting(self)
            fresh = [entry for entry in entries if not present or entry.number not in present[-1]]
            if len(fresh) < len(entries):
                acted()
            return fresh

        return left

    def remembered(deliver):
        def delivered(self, entry, *arguments):
            present[-1].add(entry.number)
            return deliver(self, entry, *arguments)

        return delivered

    wrapped(Outbox, "_messages", of_connection)
    wrapped(LockedQueue, "waiting", not_again)
    wrapped(Mailbox, "_delivery", remembered)


@right(
    "hub facts 6, delivery count: older pages count a lock that ran out", "hub facts 6: 1 to 100, default 10"
)
def failed_deliveries_are_counted(rules):
    """A lock that runs out counts as a delivery; after ten the message is given up."""

    class Counting(MailboxRules):
        def on_lock_lapsed(self):
            acted()
            return "count"

    replaced(rules, "mailbox", Counting)


@right("S40: those sent after the subscription are delivered; no source says how soon")
def messages_take_a_moment(rules):
    """What a back end sends is on its way for a third of a second before it reaches a connected device."""

    def wrap(serve):
        def served(self, identity_key):
            acted()
            asyncio.get_running_loop().call_later(0.3, serve, self, identity_key)

        return served

    wrapped(EffectDesk, "serve", wrap)


@right("MQTT 3.1.1 section 3.8.4: PUBLISH may come before SUBACK")
def subacks_come_behind_the_first_message(rules):
    """What waits for a subscription is sent first, and SUBACK behind it."""

    def wrap(subscribe):
        def subscribed(self, packet, sender):
            acted()
            effects = subscribe(self, packet, sender)
            return [Serve(), *(effect for effect in effects if not isinstance(effect, Serve))]

        return subscribed

    wrapped(Session, "_subscribe", wrap)


@right("MQTT 3.1.1 section 3.8.4: PUBLISH may come before SUBACK")
def subacks_take_a_moment(rules):
    """SUBACK comes a tenth of a second late; the subscription holds at once, and brings what there is."""

    def wrap(send):
        def sent(self, packet):
            if not isinstance(packet, Suback):
                send(self, packet)
                return
            acted()

            def out():
                if not self._transport.is_closing():
                    send(self, packet)
                    self.flush()

            asyncio.get_running_loop().call_later(0.1, out)

        return sent

    wrapped(MqttEndpoint, "send", wrap)


@right(
    "hub facts 6, topic seen: never compare order or the case of $.to",
    "S47: prefixed with $",
    "behaviours c2d.bag-contents",
)
def bags_are_written_otherwise(rules):
    """The sender's properties come first, then the system's from the last to the first, with a bare $."""

    class Otherwise(MailboxRules):
        def bag(self, message):
            acted()
            pairs = [*message.properties.items(), ("iothub-ack", "none")]
            if "iothub-ack" in message.properties:
                pairs.pop()
            pairs += reversed(self.system_properties(message))
            return "&".join(self.pair(name, value) for name, value in pairs)

        def system_properties(self, message):
            found = dict(super().system_properties(message))
            if "$.to" in found:
                found["$.to"] = found["$.to"].replace("/deviceBound", "/devicebound")
            return [*found.items()]

        def encode(self, text):
            return quote(text, safe="$", errors="replace")

    replaced(rules, "mailbox", Otherwise)


@right("T39: the page's example begins with /?, which a client tolerates", "hub facts 6, /? in examples")
def bags_begin_with_a_question_mark(rules):
    """A bag begins with ?, as the page's example has it."""

    class Query(MailboxRules):
        def bag(self, message):
            acted()
            return f"?{super().bag(message)}"

    replaced(rules, "mailbox", Query)


@right("MQTT-2.3.1-2: any packet id that is not in use")
def packet_ids_go_down(rules):
    """The hub's packet ids begin at 65535 and go down by seven."""

    def next_id(self):
        acted()
        last = self._last_packet_id or LARGEST_PACKET_ID + 7
        while True:
            last = last - 7 if last > 7 else LARGEST_PACKET_ID - (7 - last)
            if last not in self._unacknowledged:
                self._last_packet_id = last
                return last

    Outbox._next_packet_id = next_id


@right("hub facts 6, CS=1 connect, purge: OBSERVE", "hub facts 6, first-ever delivery: SDK alone", "S43")
def no_session_purges_the_queue(rules):
    """What waits for a device outlives a session with CleanSession 1, and was kept before its first one."""

    class Keeping(MailboxRules):
        def purges_on_clean_session(self):
            acted()
            return False

        def purges_on_first_session(self):
            return False

    replaced(rules, "mailbox", Keeping)


@right("hub facts 7, reply and notification QoS: ACCEPT {0,1}", "hub facts 8, request QoS: ACCEPT {0,1}")
def all_pushes_have_the_granted_qos(rules):
    """Answers, notifications and requests of methods come with QoS 1 where that was granted."""

    def granted(self, qos):
        if qos:
            acted()
        return qos

    rules.twins.answer_qos = granted.__get__(rules.twins)
    rules.methods.request_qos = granted.__get__(rules.methods)


@right("hub facts 7, SUBACK of $iothub filters: ACCEPT {0,1} for QoS 1")
def iothub_filters_are_granted_qos_0(rules):
    """A filter of twins or methods is granted QoS 0, whatever was asked for."""

    class Lower(SubscribeRules):
        def grants(self, topic_filter, qos, identity_key):
            code = super().grants(topic_filter, qos, identity_key)
            if topic_filter.startswith("$iothub/") and code == 1:
                acted()
                return 0
            return code

    replaced(rules, "subscribe", Lower)


@right("T36: five topics at a time", "hub facts 6, subscription limit: the sixth is unknown")
def five_filters_are_the_most(rules):
    """A sixth filter of a session is refused with 0x80."""

    class Five(SubscribeRules):
        def accepts_another(self, count):
            if count >= 5:
                acted()
            return count < 5

    replaced(rules, "subscribe", Five)


@right("hub facts 6, feedback: batches of 64 messages or 15 s, at most")
def feedback_comes_in_batches_of_one(rules):
    """Each record of feedback is a batch of its own, at once."""

    class Single(FeedbackRules):
        def is_full(self, records):
            acted()
            return True

    replaced(rules, "feedback", Single)
