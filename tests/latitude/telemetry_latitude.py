"""Right hubs that hand on otherwise what devices send: twice, later, elsewhere, acknowledged otherwise."""

import asyncio
import hashlib
import zlib

from latitude import acted, replaced, right, wrapped

from iothub_emulator.amqp.event_receivers import EventReceiver
from iothub_emulator.hub.effects import Telemetry
from iothub_emulator.hub.packets import Puback, Publish
from iothub_emulator.hub.property_bag import PropertyBagRules
from iothub_emulator.hub.publish import PublishRules
from iothub_emulator.hub.session import Session
from iothub_emulator.hub.telemetry import TelemetryRules
from iothub_emulator.mqtt.endpoint import MqttEndpoint
from iothub_emulator.telemetry_feed import TelemetryFeed

TWICE = "hub facts 5, de-duplication: none, tests must tolerate duplicates"
LATE = "hub facts 4, latency: Event Hub reading may lag seconds"


def later(seconds, step, *arguments):
    asyncio.get_running_loop().call_later(seconds, step, *arguments)


@right("Event Hubs hands events to readers at least once", LATE)
def readers_hear_each_event_twice(rules):
    """Each event, under its one number, is handed to each reader twice, as after attaching again."""

    def wrap(next_message):
        def again(self):
            held = vars(self).pop("again", None)
            if held is not None:
                acted()
                return held
            self.again = next_message(self)
            return self.again

        return again

    wrapped(EventReceiver, "next_message", wrap)


def with_qos_1(twice):
    """Let `twice(event)` decide what becomes of each event that came by a PUBLISH with QoS 1."""

    def wrap(deliver):
        def delivered(self, packet, author, bag, now):
            effects = deliver(self, packet, author, bag, now)
            if packet.qos == 1:
                return [each for effect in effects for each in twice(effect)]
            return effects

        return delivered

    wrapped(Session, "_deliver", wrap)


@right(TWICE, "MQTT-4.3.2: QoS 1 is at least once")
def messages_with_qos_1_are_stored_twice(rules):
    """A message with QoS 1 reaches the back end as two events, one right behind the other."""

    def twice(effect):
        if not isinstance(effect, Telemetry):
            return (effect,)
        acted()
        return (effect, effect)

    with_qos_1(twice)


@right(TWICE, LATE, "MQTT-4.3.2: QoS 1 is at least once")
def messages_with_qos_1_are_stored_again_later(rules):
    """Every third message with QoS 1 is another event half a second later, among later ones."""
    counted, repeated = [0], set()

    def note(effect):
        if isinstance(effect, Telemetry):
            counted[0] += 1
            if counted[0] % 3 == 0:
                repeated.add(id(effect.event))
        return (effect,)

    def wrap(append):
        def appended(self, event):
            append(self, event)
            if id(event) in repeated:
                repeated.discard(id(event))
                acted()
                later(0.5, append, self, event)

        return appended

    with_qos_1(note)
    wrapped(TelemetryFeed, "append", wrap)


@right(LATE)
def telemetry_takes_a_moment(rules):
    """What a device sends reaches readers most of a second later, in its order; PUBACK comes at once."""

    def wrap(append):
        def appended(self, event):
            acted()
            later(0.7, append, self, event)

        return appended

    wrapped(TelemetryFeed, "append", wrap)


@right("hub facts 4, Will: wait at least 30 s", LATE)
def wills_take_a_second(rules):
    """A Will reaches readers a second after the connection's end, behind what others sent meanwhile."""

    def wrap(append):
        def appended(self, event):
            if event.properties.get("iothub-MessageType") == "Will":
                acted()
                later(1.0, append, self, event)
            else:
                append(self, event)

        return appended

    wrapped(TelemetryFeed, "append", wrap)


@right(
    "hub facts 10, telemetry read: readers of all partitions", "field F12", arguments=("--partitions", "8")
)
def devices_are_in_other_partitions(rules):
    """Eight partitions, and a device's is found by another hash of its id."""

    class Elsewhere(TelemetryRules):
        def partition(self, device_id, count):
            acted()
            return zlib.adler32(hashlib.sha256(device_id.encode("utf-8", "surrogatepass")).digest()) % count

    replaced(rules, "telemetry", Elsewhere)


@right("MQTT-4.6.0-6: order within a topic", "hub facts 5, QoS 1: PUBACK after ingestion")
def pubacks_come_out_of_order_across_topics(rules):
    """PUBACKs are up to a tenth of a second late, each topic's by another time: in order within a topic."""

    def remembered(receive):
        def received(self, packet, now):
            if isinstance(packet, Publish) and packet.qos:
                vars(self).setdefault("topics_by_id", {})[packet.packet_id] = packet.topic
            return receive(self, packet, now)

        return received

    def wrap(send):
        def sent(self, packet):
            topic = (
                vars(self.session).get("topics_by_id", {}).pop(packet.packet_id, None)
                if isinstance(packet, Puback)
                else None
            )
            if topic is None:
                send(self, packet)
                return
            acted()

            def out():
                if not self._transport.is_closing():
                    send(self, packet)
                    self.flush()

            later(zlib.crc32(topic.encode()) % 4 * 0.03, out)

        return sent

    wrapped(Session, "receive", remembered)
    wrapped(MqttEndpoint, "send", wrap)


@right("hub facts 5, DUP=1: tolerate mqtt-dup", "hub facts 5, PG.Unmatched: GATEWAY adds mqtt-dup")
def dup_leaves_a_property(rules):
    """A message with DUP 1 has the property mqtt-dup."""

    class Marked(PublishRules):
        def duplicate_properties(self, *, dup):
            acted()
            return {"mqtt-dup": "true"}

    replaced(rules, "publish", Marked)


@right("hub facts 5, QoS 2: GATEWAY ingests the message first, then closes", "S31")
def qos_2_is_taken_and_then_closed(rules):
    """A message with QoS 2 reaches the back end, and then the connection is closed."""

    def wrap(publish):
        def published(self, packet, sender, now):
            topic = self._rules.publish.parse_topic(packet.topic)
            if packet.qos < 2 or topic is None or self._rules.publish.author_of(topic, sender) is None:
                return publish(self, packet, sender, now)
            acted()
            as_qos_0 = Publish(packet.topic, packet.payload, 0, packet.retain)
            return [*publish(self, as_qos_0, sender, now), *self._fail("d2c.qos2", now)]

        return published

    wrapped(Session, "_publish", wrap)


@right(
    "hub facts 5: duplicate keys, unknown $.xyz, raw delimiters (ACCEPT close, PUBACK): OBSERVE",
    "hub facts, plainly unknown 6",
)
def bags_are_read_leniently(rules):
    """The first of a name wins, unknown names of the system vanish, stray delimiters are passed over."""

    class Lenient(PropertyBagRules):
        def pairs(self, text):
            pairs = []
            for pair in text.split("&"):
                name, equals, value = pair.partition("=")
                if not name or "=" in value:
                    acted()
                if name:
                    pairs.append((name, value if equals else None))
            return pairs

        def add(self, properties, name, value):
            if name in properties or (name.startswith("$") and name not in {"$.on", "$.sub"}):
                acted()
            if not name.startswith("$"):
                properties.setdefault(name, value)

        def application_name(self, name):
            return "$creation" if name == "$.ctime" else super().application_name(name)

    replaced(rules, "property_bag", Lenient)
