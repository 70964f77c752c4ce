"""Hubs that read or write MQTT packets wrongly."""

from fault import fault

from iothub_emulator.hub.packets import Unsuback
from iothub_emulator.hub.subscribe import SubscribeRules
from iothub_emulator.mqtt.rules import CodecRules, Malformed


@fault("packets.malformed")
def reserved_flags_are_ignored(rules):
    """The low half of a packet's first byte is read for PUBLISH only."""

    class Wrong(CodecRules):
        def flags(self, packet_type, flags):
            pass

    rules.codec = Wrong(rules.codec.settings)


@fault("packets.malformed", "connection.errors-close")
def topic_name_may_hold_wildcards(rules):
    """A topic name is not searched for + and #."""

    class Wrong(CodecRules):
        def topic_wildcard(self, topic):
            pass

    rules.codec = Wrong(rules.codec.settings)


@fault("packets.malformed")
def reserved_connect_flag_is_ignored(rules):
    """The lowest connect flag is not looked at."""

    class Wrong(CodecRules):
        def connect_reserved(self, flag):
            pass

    rules.codec = Wrong(rules.codec.settings)


@fault("packets.suback-order")
def suback_codes_are_turned_round(rules):
    """The codes of a SUBACK come from a stack."""

    class Wrong(SubscribeRules):
        def return_codes(self, codes):
            return tuple(reversed(codes))

    rules.subscribe = Wrong()


@fault("packets.unsuback", "watch.ids")
def unsuback_has_no_packet_id(rules):
    """UNSUBACK is sent with packet id 0."""

    class Wrong(SubscribeRules):
        def unsubscribed(self, packet):
            return (Unsuback(0),)

    rules.subscribe = Wrong()


@fault("packets.lengths", "d2c.body-opaque")
def remaining_length_has_two_bytes_at_most(rules):
    """A third byte of the remaining length is taken for an attack."""

    class Wrong(CodecRules):
        def remaining_length(self, data, start):
            found = super().remaining_length(data, start)
            if found is not None and found[0] > 16_383:
                raise Malformed("[MQTT-4.8.0-1] remaining length of more than two bytes")
            return found

    rules.codec = Wrong(rules.codec.settings)


@fault("packets.split", spreads=True)
def packet_in_pieces_is_lost(rules):
    """What is left of a packet at the end of a read is thrown away."""

    class Wrong(CodecRules):
        def waits_for_rest(self):
            return False

    rules.codec = Wrong(rules.codec.settings)


@fault("watch.server-only")
def hub_pings_its_clients(rules):
    """A PINGREQ goes out behind each UNSUBACK, to see whether the client is there."""

    class Wrong(CodecRules):
        def outgoing(self, packet):
            return super().outgoing(packet) + (b"\xc0\x00" if isinstance(packet, Unsuback) else b"")

    rules.codec = Wrong(rules.codec.settings)


@fault("packets.split", "connection.ping", spreads=True)
def a_read_holds_one_packet(rules):
    """What stands behind a packet in the same read is thrown away."""

    class Wrong(CodecRules):
        behind_another = False

        def remaining_length(self, data, start):
            self.behind_another = start > 1
            return None if self.behind_another else super().remaining_length(data, start)

        def waits_for_rest(self):
            return not self.behind_another

    rules.codec = Wrong(rules.codec.settings)
