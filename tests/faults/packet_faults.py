"""Hubs that read or write MQTT packets wrongly."""

from fault import fault

from iothub_emulator.hub.packets import Unsuback
from iothub_emulator.hub.subscribe import SubscribeRules
from iothub_emulator.mqtt.rules import CodecRules


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
