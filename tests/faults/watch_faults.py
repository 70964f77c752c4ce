"""Hubs that break what must hold of every packet: the watch sees it, whatever a test is about."""

from dataclasses import replace

from c2d_faults import written_otherwise
from fault import fault

from iothub_emulator.hub.packets import Connack, Publish
from iothub_emulator.hub.subscribe import SubscribeRules
from iothub_emulator.hub.twin_rules import TwinRules
from iothub_emulator.mqtt.rules import CodecRules


@fault("watch.twin-status")
def refusal_of_a_twin_request_has_its_phrase(rules):
    """The status of a refusal is written with its words, as in HTTP's status line."""
    answer_topic = rules.twins.answer_topic
    phrases = {400: "400 Bad Request", 412: "412 Precondition Failed", 429: "429 Too Many Requests"}
    rules.twins.answer_topic = lambda status, *rest: answer_topic(phrases.get(status, status), *rest)


@fault("watch.twin-status", spreads=True)
def twin_status_is_a_fraction(rules):
    """The status comes from JSON, where numbers are floating point: 200.0."""
    answer_topic = rules.twins.answer_topic
    rules.twins.answer_topic = lambda status, *rest: answer_topic(float(status), *rest)


@fault("watch.topics")
def message_has_a_topic_of_its_own(rules):
    """The bag of a message is written behind a question mark in place of the slash."""
    written_otherwise(rules, "devicebound/", "devicebound?")


@fault("watch.topics")
def broker_tells_about_itself(rules):
    """Whoever subscribes also gets the broker's version, on a topic of its own."""

    class Wrong(SubscribeRules):
        def subscribed(self, packet, codes):
            version = Publish("$SYS/broker/version", b"1.0", 0, retain=False)
            return (*super().subscribed(packet, codes), version)

    rules.subscribe = Wrong()


@fault("watch.request-id")
def request_id_is_counted_by_the_hub(rules):
    """Answers bear a number of the hub's own in place of the request's id."""
    answer_topic, count = rules.twins.answer_topic, iter(range(900_000, 10**9))
    rules.twins.answer_topic = lambda status, _, version: answer_topic(status, str(next(count)), version)


@fault("watch.request-id")
def twin_answer_is_sent_twice(rules):
    """An answer goes out a second time, because its writing was not seen to be done."""

    class Wrong(CodecRules):
        def outgoing(self, packet):
            is_answer = isinstance(packet, Publish) and packet.topic.startswith("$iothub/twin/res/")
            return super().outgoing(packet) * (2 if is_answer else 1)

    rules.codec = Wrong(rules.codec.settings)


@fault("watch.qos")
def messages_always_have_qos_1(rules):
    """The QoS of a delivery is the sender's, whatever the device was granted."""
    rules.mailbox.delivery_qos = lambda granted: 1


class Republishing(CodecRules):
    """Changes what is published on its way out."""

    def __init__(self, settings, change):
        super().__init__(settings)
        self.change = change

    def outgoing(self, packet):
        return super().outgoing(self.change(packet) if isinstance(packet, Publish) else packet)


@fault("watch.flags")
def live_messages_are_marked_as_retained(rules):
    """RETAIN is set on every message that waited in a queue, be it for a moment."""
    rules.codec = Republishing(rules.codec.settings, lambda packet: replace(packet, retain=True))


@fault("watch.flags")
def dup_is_set_at_qos_0(rules):
    """DUP is set on every message that nobody acknowledges."""
    rules.codec = Republishing(
        rules.codec.settings, lambda packet: packet if packet.qos else replace(packet, dup=True)
    )


@fault("watch.packet-ids")
def packet_ids_begin_at_0(rules):
    """On the wire the hub's messages are counted from 0, in its table from 1."""

    class FromZero(Republishing):
        def packet_id(self, packet_id):
            """Take the PUBACK of the first one too."""

    one_less = lambda packet: replace(packet, packet_id=packet.packet_id - 1) if packet.qos else packet  # noqa: E731
    rules.codec = FromZero(rules.codec.settings, one_less)


@fault("watch.packet-ids")
def every_message_has_the_same_packet_id(rules):
    """The hub's packet ids are not counted: each message has 1."""
    rules.codec = Republishing(
        rules.codec.settings, lambda packet: replace(packet, packet_id=1) if packet.qos else packet
    )


@fault("watch.connack")
def refusal_is_told_twice(rules):
    """A refused client gets its CONNACK again when the connection is cleared up."""

    class Wrong(CodecRules):
        def outgoing(self, packet):
            is_refusal = isinstance(packet, Connack) and packet.code != 0
            return super().outgoing(packet) * (2 if is_refusal else 1)

    rules.codec = Wrong(rules.codec.settings)


@fault("watch.identity")
def message_bears_the_address_of_the_one_before(rules):
    """The address in the bag of a message is that of the device that was written to before."""
    system_properties, last = rules.mailbox.system_properties, []

    def mixed_up(message):
        if message.to not in last[-1:]:
            last.append(message.to)
        former = last[-2] if len(last) > 1 else message.to
        return [(name, former if name == "$.to" else value) for name, value in system_properties(message)]

    rules.mailbox.system_properties = mixed_up


@fault("watch.others")
def refused_patch_reaches_the_twins_in_memory(rules):
    """What a refused patch had of good members is merged into the other twins that are in memory."""

    class Wrong(TwinRules):
        def __init__(self, *statuses):
            super().__init__(*statuses)
            self.merges = []

        def merged(self, before, patch):
            after = super().merged(before, patch)
            self.merges.append(after)
            return after

        def after_refusal(self, before, patch):
            for other in self.merges:
                if other is not before and isinstance(patch, dict):
                    other.update({name: patch[name] for name in {"firmware"} & patch.keys()})
            return before

    rules.twins = Wrong(rules.twins.get_status(), rules.twins.patch_status())
