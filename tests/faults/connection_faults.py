"""Hubs that keep connections too long, not long enough, or not apart."""

from fault import fault, wrapped

from iothub_emulator.hub.connection import ConnectionRules
from iothub_emulator.hub.effects import Send
from iothub_emulator.hub.keep_alive import KeepAliveRules
from iothub_emulator.hub.packets import Pingreq, Puback
from iothub_emulator.mqtt.endpoint import MqttEndpoint


@fault("connection.newest-wins", "connection.scope")
def older_connection_stays(rules):
    """An identity may be connected twice."""

    class Wrong(ConnectionRules):
        def newest_wins(self):
            return False

    rules.connection = Wrong()


@fault("connection.scope")
def connection_of_a_module_replaces_its_devices(rules):
    """One connection is counted for a device and all of its modules."""

    class Wrong(ConnectionRules):
        def replaced_by(self, identity_key):
            return tuple({identity_key: None, identity_key.partition("/")[0]: None})

    rules.connection = Wrong()


@fault("connection.scope")
def modules_may_connect_twice(rules):
    """A new connection of a module leaves its older one open."""

    class Wrong(ConnectionRules):
        def replaced_by(self, identity_key):
            return () if "/" in identity_key else super().replaced_by(identity_key)

    rules.connection = Wrong()


@fault("connection.scope", spreads=True)
def who_leaves_takes_others_along(rules):
    """A DISCONNECT ends every connection of the process."""

    class Wrong(ConnectionRules):
        def spreads(self, because):
            return because == "connection.disconnect-closes"

    rules.connection = Wrong()


@fault("connection.survives-others", "packets.malformed", "watch.others")
def malformed_packet_closes_everybody(rules):
    """An error in the decoder ends every connection of the process."""

    class Wrong(ConnectionRules):
        def spreads(self, because):
            return because.startswith("[MQTT-4.8.0-1]")

    rules.connection = Wrong()


@fault("connection.survives-others", "connection.refused-leaves-it", "watch.others")
def refusal_closes_everybody(rules):
    """A CONNECT with a wrong token ends every connection of the process."""

    class Wrong(ConnectionRules):
        def spreads(self, because):
            return because.startswith("sas: ")

    rules.connection = Wrong()


@fault("connection.survives-others")
def pings_are_limited_for_all_together(rules):
    """Of many PINGREQs in a row only some are answered, whoever sends them."""

    class Wrong(KeepAliveRules):
        in_a_row = 0

        def counts(self, packet):
            self.in_a_row = self.in_a_row + 1 if isinstance(packet, Pingreq) else 0
            return super().counts(packet)

        def pong(self):
            return super().pong() if self.in_a_row <= 500 else ()

    rules.keep_alive = Wrong(rules.keep_alive.settings)


@fault("connection.keep-alive")
def keep_alive_is_counted_three_times(rules):
    """A silent client is given three times its keep-alive."""

    class Wrong(KeepAliveRules):
        def limit(self, keep_alive):
            return super().limit(keep_alive * 2)

    rules.keep_alive = Wrong(rules.keep_alive.settings)


@fault("connection.keep-alive")
def keep_alive_is_counted_by_half(rules):
    """A client is given half of its keep-alive to say something."""

    class Wrong(KeepAliveRules):
        def limit(self, keep_alive):
            return super().limit(keep_alive) / 3

    rules.keep_alive = Wrong(rules.keep_alive.settings)


@fault("connection.keep-alive-traffic")
def only_pings_keep_a_connection(rules):
    """Nothing but PINGREQ counts as a sign of life."""

    class Wrong(KeepAliveRules):
        def counts(self, packet):
            return isinstance(packet, Pingreq)

    rules.keep_alive = Wrong(rules.keep_alive.settings)


@fault("connection.ping")
def ping_is_answered_twice(rules):
    """Each PINGREQ gets two PINGRESP."""

    class Wrong(KeepAliveRules):
        def pong(self):
            return super().pong() * 2

    rules.keep_alive = Wrong(rules.keep_alive.settings)


@fault("connection.errors-close", "packets.malformed", "packets.malformed-soft", "watch.ids", "watch.connack")
def error_is_announced_before_the_close(rules):
    """A malformed packet is answered with a PUBACK of an id that nobody sent."""

    class Wrong(ConnectionRules):
        def on_malformed(self, because):
            return (Send(Puback(0xFFFE)), *super().on_malformed(because))

    rules.connection = Wrong()


@fault("connection.survives-others")
def rest_of_a_lost_connection_goes_to_whoever_speaks_next(rules):
    """What a client had sent of a packet when it was lost is read before the next bytes of any other."""
    rest = []

    def wrap_lost(lost):
        def kept(self, exc):
            rest.append(bytes(self._decoder._buffer[self._decoder._position :]))
            lost(self, exc)

        return kept

    def wrap_received(received):
        def joined(self, data):
            before = b"".join(rest)
            rest.clear()
            received(self, before + data)

        return joined

    wrapped(MqttEndpoint, "connection_lost", wrap_lost)
    wrapped(MqttEndpoint, "data_received", wrap_received)
