"""Hubs that lose, change or misattribute what devices send."""

from collections import Counter

from fault import fault

from iothub_emulator.hub.connection import ConnectionRules
from iothub_emulator.hub.packets import Puback, Publish, Pubrec
from iothub_emulator.hub.publish import PublishRules
from iothub_emulator.hub.subscribe import SubscribeRules
from iothub_emulator.hub.telemetry import Sender, TelemetryRules


def publish_rules(rules, wrong):
    rules.publish = wrong(rules.publish.settings, rules.publish.edition)


@fault("d2c.qos2")
def qos_2_handshake_is_begun(rules):
    """A publish with QoS 2 is answered with PUBREC, as a general broker does."""

    class Wrong(PublishRules):
        def on_qos_2(self):
            return "puback"

        def acknowledge(self, packet):
            return (Pubrec(packet.packet_id),) if packet.qos == 2 else super().acknowledge(packet)

    class TakesPubrel(ConnectionRules):
        def refuses_qos_2_flow(self):
            return False

    publish_rules(rules, Wrong)
    rules.connection = TakesPubrel()


@fault("d2c.retain-delivered", "d2c.retain-property")
def retained_message_is_swallowed(rules):
    """A message with RETAIN 1 is kept for later subscribers and never handed on."""

    class Wrong(PublishRules):
        def delivers(self, packet):
            return not packet.retain

    publish_rules(rules, Wrong)


@fault("d2c.not-retained", "watch.topics", "watch.flags")
def retained_message_is_kept(rules):
    """A message with RETAIN 1 is handed on, and kept for whoever subscribes later, as a broker does."""
    kept = {}

    class Wrong(PublishRules):
        def delivers(self, packet):
            if packet.retain:
                kept[packet.topic] = packet.payload
            return super().delivers(packet)

    class Brings(SubscribeRules):
        def subscribed(self, packet, codes):
            wanted = packet.filters[0][0].rstrip("#")
            found = [
                Publish(topic=topic, payload=kept[topic], qos=0, retain=True)
                for topic in kept
                if topic == wanted
            ]
            return (*super().subscribed(packet, codes), *found)

    publish_rules(rules, Wrong)
    rules.subscribe = Brings()


@fault("d2c.retain-property")
def retain_property_has_another_name(rules):
    """RETAIN 1 becomes a property that no page names."""

    class Wrong(PublishRules):
        def retain_properties(self, *, retain):
            return {"retain": "true"} if retain else {}

    publish_rules(rules, Wrong)


@fault("d2c.puback", "watch.ids")
def puback_loses_the_highest_bit_of_its_id(rules):
    """Packet ids are kept as signed 16-bit numbers."""

    class Wrong(PublishRules):
        def acknowledge(self, packet):
            return (Puback(packet.packet_id & 0x7FFF),) if packet.qos else ()

    publish_rules(rules, Wrong)


@fault("watch.ids")
def qos_0_is_acknowledged_too(rules):
    """A PUBLISH with QoS 0 gets a PUBACK with packet id 0."""

    class Wrong(PublishRules):
        def acknowledge(self, packet):
            return (Puback(packet.packet_id or 0),)

    publish_rules(rules, Wrong)


@fault("d2c.dup")
def resent_message_is_not_acknowledged(rules):
    """A PUBLISH with DUP 1 is recognised as known and dropped without its PUBACK."""

    class Wrong(PublishRules):
        def acknowledge(self, packet):
            return () if packet.dup else super().acknowledge(packet)

    publish_rules(rules, Wrong)


@fault("d2c.puback", "d2c.dup")
def packet_id_counts_for_ever(rules):
    """A message like the one before, under its packet id, gets no PUBACK, though that id was free again."""

    class Wrong(PublishRules):
        before = None

        def acknowledge(self, packet):
            known, self.before = self.before, (packet.topic, packet.packet_id, packet.payload)
            return () if known == self.before else super().acknowledge(packet)

    publish_rules(rules, Wrong)


@fault("d2c.too-large", "connection.errors-close")
def size_is_not_limited(rules):
    """A message of any size is taken."""

    class Wrong(PublishRules):
        def accepts_size(self, size):
            return True

    publish_rules(rules, Wrong)


@fault("d2c.body-opaque")
def limit_is_counted_in_thousands(rules):
    """256 KB are taken for 256,000 bytes."""

    class Wrong(PublishRules):
        def accepts_size(self, size):
            return size <= 256_000

    publish_rules(rules, Wrong)


@fault("d2c.foreign-topic")
def sender_is_taken_from_the_topic(rules):
    """A message belongs to the device that its topic names."""

    class Wrong(PublishRules):
        def sender_of(self, device, sender):
            return Sender(device, sender.generation_id, sender.auth_method)

    publish_rules(rules, Wrong)


@fault("d2c.trailing-slash")
def slash_behind_the_bag_belongs_to_it(rules):
    """The last value of a bag keeps the slash that an SDK put behind it."""

    class Wrong(PublishRules):
        def bag_of(self, text):
            return text

    publish_rules(rules, Wrong)


@fault("d2c.body-opaque")
def body_is_treated_as_text(rules):
    """The body is decoded as UTF-8 on its way."""

    class Wrong(TelemetryRules):
        def body(self, payload):
            return payload.decode(errors="replace").encode()

    rules.telemetry = Wrong()


@fault("d2c.identity-not-spoofable")
def stamp_can_be_set_by_a_property(rules):
    """A property of the stamp's own name replaces the device id."""

    class Wrong(TelemetryRules):
        def device_id(self, sender, properties):
            return properties.get("iothub-connection-device-id", sender.device_id)

    rules.telemetry = Wrong()


@fault("d2c.identity-stamped")
def source_is_not_telemetry(rules):
    """The message source is written in small letters."""

    class Wrong(TelemetryRules):
        def source(self):
            return "telemetry"

    rules.telemetry = Wrong()


@fault("d2c.order")
def third_message_is_overtaken(rules):
    """Each device's third message reaches the log behind the fourth."""

    class Wrong(TelemetryRules):
        def __init__(self):
            super().__init__()
            self.counts, self.held = Counter(), {}

        def arrivals(self, event):
            if event.source != "Telemetry":
                return (event,)  # what the hub tells of the connection comes at moments of its own
            self.counts[event.device_id] += 1
            if self.counts[event.device_id] == 3:
                self.held[event.device_id] = event
                return ()
            return (event, *filter(None, [self.held.pop(event.device_id, None)]))

    rules.telemetry = Wrong()


@fault(
    *("d2c.events-topic", "d2c.no-retain-property", "d2c.trailing-slash"),
    *("bag.properties", "bag.encoding", "bag.system-properties", "bag.not-shared"),
)
def retain_is_always_reported(rules):
    """Every message says whether it was retained, also those that were not."""

    class Wrong(TelemetryRules):
        def stamp(self, sender, payload, properties, system, now):
            return super().stamp(sender, payload, {"x-opt-retain": "false", **properties}, system, now)

    rules.telemetry = Wrong()


@fault("d2c.events-topic", spreads=True)
def qos_0_is_not_delivered(rules):
    """A message with QoS 0 is counted and dropped."""

    class Wrong(PublishRules):
        def delivers(self, packet):
            return packet.qos > 0

    publish_rules(rules, Wrong)


@fault("d2c.auth-issuer")
def issuer_is_the_host(rules):
    """The issuer of a token is named as whoever presented it."""

    class Wrong(TelemetryRules):
        def auth_method(self, scope, kind):
            return super().auth_method(scope, kind).replace('"issuer":"iothub"', '"issuer":"external"')

    rules.telemetry = Wrong(rules.telemetry.certificate_method)


@fault("d2c.retain-delivered")
def body_of_nothing_but_zeros_is_none(rules):
    """A message with RETAIN 1 whose body is empty or has zeros alone is acknowledged, and goes no further."""

    class Wrong(PublishRules):
        def delivers(self, packet):
            return super().delivers(packet) and not (packet.retain and not packet.payload.strip(b"\x00"))

    publish_rules(rules, Wrong)
