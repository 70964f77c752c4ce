"""Hubs that let one kind of malformed packet pass."""

from fault import fault

from iothub_emulator.hub.connection import ConnectionRules
from iothub_emulator.hub.effects import Send
from iothub_emulator.hub.packets import Connack
from iothub_emulator.mqtt.rules import CodecRules, Malformed


@fault("packets.malformed")
def packets_of_a_server_are_passed_over(rules):
    """A CONNACK, SUBACK, UNSUBACK or PINGRESP from a client is read, and nothing comes of it."""

    class Wrong(CodecRules):
        def client_packet(self, packet_type):
            self.passes = True

        def underrun(self, left):
            if not getattr(self, "passes", False):
                super().underrun(left)
            self.passes = False

    rules.codec = Wrong(rules.codec.settings)


@fault("packets.malformed")
def unknown_packets_are_passed_over(rules):
    """A packet of a type that does not exist is read, and nothing comes of it."""

    class Wrong(CodecRules):
        def packet_type(self, packet_type):
            pass

    rules.codec = Wrong(rules.codec.settings)


@fault("packets.malformed")
def lengths_inside_a_packet_are_not_checked(rules):
    """A field that is longer than its packet ends where the packet ends."""

    class Wrong(CodecRules):
        def overrun(self, wanted, left):
            pass

    rules.codec = Wrong(rules.codec.settings)


@fault("packets.malformed")
def what_stands_behind_the_fields_is_passed_over(rules):
    """A packet may be longer than its fields."""

    class Wrong(CodecRules):
        def underrun(self, left):
            pass

    rules.codec = Wrong(rules.codec.settings)


@fault("packets.malformed")
def subscribe_may_be_empty(rules):
    """A SUBSCRIBE without a filter gets a SUBACK without a code."""

    class Wrong(CodecRules):
        def subscribe_filters(self, count):
            pass

    rules.codec = Wrong(rules.codec.settings)


@fault("packets.malformed")
def unsubscribe_may_be_empty(rules):
    """An UNSUBSCRIBE without a filter gets an UNSUBACK."""

    class Wrong(CodecRules):
        def unsubscribe_filters(self, count):
            pass

    rules.codec = Wrong(rules.codec.settings)


@fault("packets.malformed")
def any_requested_qos_is_granted_as_1(rules):
    """A requested QoS of 3, or with reserved bits, is lowered to what the hub has."""

    class Wrong(CodecRules):
        def requested_qos(self, options):
            pass

    rules.codec = Wrong(rules.codec.settings)


@fault("packets.malformed")
def will_may_have_qos_3(rules):
    """The QoS of a Will is not looked at before the Will is sent."""

    class Wrong(CodecRules):
        def will_qos(self, qos):
            pass

    rules.codec = Wrong(rules.codec.settings)


@fault("packets.malformed")
def bits_of_a_will_may_stand_without_one(rules):
    """QoS and RETAIN of a Will that CONNECT does not have are not looked at."""

    class Wrong(CodecRules):
        def will_bits(self, qos, *, retain):
            pass

    rules.codec = Wrong(rules.codec.settings)


@fault("packets.malformed")
def remaining_length_may_have_five_bytes(rules):
    """The length is read as long as bytes say that another one follows."""

    class Wrong(CodecRules):
        def fifth_length_byte(self, length, end):
            return length, end + 1

    rules.codec = Wrong(rules.codec.settings)


@fault("packets.malformed")
def malformed_connect_is_refused_in_words(rules):
    """A CONNECT that breaks the rules of section 3.1 gets a CONNACK that says so."""

    class Wrong(ConnectionRules):
        def on_malformed(self, because):
            is_connect = because.startswith("[MQTT-3.1.")
            answer = (Send(Connack(0, 1)),) if is_connect else ()
            return (*answer, *super().on_malformed(because))

    rules.connection = Wrong()


@fault("packets.utf-8")
def text_is_latin_1(rules):
    """Text is read byte by byte, so that there is none that is ill-formed."""

    class Wrong(CodecRules):
        def text(self, data):
            try:
                return super().text(data)
            except Malformed:
                return data.decode("latin-1")

    rules.codec = Wrong(rules.codec.settings)


@fault("packets.utf-8")
def null_ends_a_text(rules):
    """U+0000 is a character like any other."""

    class Wrong(CodecRules):
        def no_null(self, text):
            pass

    rules.codec = Wrong(rules.codec.settings)
