"""Hubs that get WebSocket wrong."""

from fault import fault

from iothub_emulator.hub.connect import ConnectRules
from iothub_emulator.hub.connection import ConnectionRules
from iothub_emulator.net.rules import ListenerRules


@fault("websocket.mqtt", "websocket.no-client-cert", spreads=True)
def websocket_is_served_elsewhere(rules):
    """MQTT over WebSocket is at /mqtt, as with other brokers, and not at /$iothub/websocket."""

    class Wrong(ListenerRules):
        def subprotocol(self, path, offered):
            return "mqtt" if path == "/mqtt" else None

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("websocket.mqtt", "websocket.no-client-cert", spreads=True)
def answers_come_in_text_frames(rules):
    """What the hub sends over WebSocket is marked as text."""

    class Wrong(ListenerRules):
        def sends_binary(self):
            return False

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("websocket.mqtt")
def tokens_are_judged_on_the_mqtt_port_alone(rules):
    """Whoever comes over WebSocket is let in as who it says it is."""

    class Notes(ListenerRules):
        def __init__(self):
            super().__init__()
            self.connects = []

        def websocket_payload(self, payload, *, ends_message):
            if payload[:1] == b"\x10":
                self.connects.append(payload)
            return payload

    class Trusts(ConnectRules):
        def checks_token(self, identity):
            return not any(identity.key.encode() in packet for packet in rules.listeners.connects)

    rules.listeners, rules.connect = Notes(), Trusts(rules.connect.settings)


@fault("websocket.subscribe")
def websocket_is_granted_qos_0(rules):
    """Over WebSocket each subscription is granted QoS 0, and kept with the QoS that was asked for."""

    class Wrong(ListenerRules):
        def websocket_outgoing(self, payload):
            return payload[:-1] + b"\0" if payload[:1] == b"\x90" else payload

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("websocket.subprotocol")
def subprotocol_is_not_asked_for(rules):
    """A client that offers no subprotocol is served MQTT all the same."""

    class Wrong(ListenerRules):
        def subprotocol(self, path, offered):
            return super().subprotocol(path, offered) if offered else "mqtt"

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("websocket.subprotocol")
def any_subprotocol_is_taken_for_mqtt(rules):
    """Whatever subprotocol a client offers, MQTT is spoken."""

    class Wrong(ListenerRules):
        def subprotocol(self, path, offered):
            return super().subprotocol(path, offered) or ("mqtt" if offered else None)

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("websocket.subprotocol-chosen")
def only_the_first_subprotocol_counts(rules):
    """A list of subprotocols is read up to its first comma."""

    class Wrong(ListenerRules):
        def subprotocol(self, path, offered):
            return super().subprotocol(path, offered[:1])

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("websocket.subprotocol-chosen")
def chosen_subprotocol_is_not_named(rules):
    """The answer to the upgrade does not say which subprotocol was chosen."""

    class Wrong(ListenerRules):
        def returned_subprotocol(self, spoken, offered):
            return None

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("websocket.subprotocol-chosen")
def first_offer_is_echoed(rules):
    """The answer names the first subprotocol of the client's list, whichever is spoken."""

    class Wrong(ListenerRules):
        def returned_subprotocol(self, spoken, offered):
            return offered[0]

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("websocket.frames")
def fragments_but_the_last_are_dropped(rules):
    """Of a message in several frames, only the last frame is read."""

    class Wrong(ListenerRules):
        def websocket_payload(self, payload, *, ends_message):
            return payload if ends_message else b""

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("websocket.frames")
def frame_is_taken_for_a_packet(rules):
    """A frame carries one packet; what else is in it is dropped."""

    class Wrong(ListenerRules):
        def websocket_payload(self, payload, *, ends_message):
            if len(payload) < 2 or payload[1] > 0x7F:
                return payload
            return payload[: 2 + payload[1]]

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("websocket.frames")
def packet_that_is_not_whole_is_dropped(rules):
    """A short frame that is no whole packet is thrown away."""

    class Wrong(ListenerRules):
        def websocket_payload(self, payload, *, ends_message):
            return payload if len(payload) > 1 else b""

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("websocket.subprotocol-case")
def subprotocol_is_returned_in_small_letters(rules):
    """A subprotocol in capitals is taken, and returned in a spelling that the client did not offer."""

    class Wrong(ListenerRules):
        def subprotocol(self, path, offered):
            return super().subprotocol(path, [each.lower() for each in offered])

        def returned_subprotocol(self, spoken, offered):
            return spoken

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("websocket.subprotocol-case")
def subprotocol_in_capitals_is_taken_and_not_returned(rules):
    """A client that offers a subprotocol in capitals is served without one."""

    class Wrong(ListenerRules):
        def subprotocol(self, path, offered):
            return super().subprotocol(path, [each.lower() for each in offered])

        def returned_subprotocol(self, spoken, offered):
            return spoken if spoken in offered else None

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("websocket.text-frame")
def text_is_read_as_binary(rules):
    """The kind of a data frame is not looked at."""

    class Wrong(ListenerRules):
        def on_text_frame(self):
            return None

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("websocket.text-frame")
def text_is_ignored(rules):
    """A text frame is skipped, and the connection goes on."""

    class Wrong(ListenerRules):
        skips = False

        def on_text_frame(self):
            self.skips = True

        def websocket_payload(self, payload, *, ends_message):
            skips, self.skips = self.skips, False
            return b"" if skips else payload

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("websocket.no-client-cert")
def query_is_taken_for_part_of_the_path(rules):
    """The path of the upgrade is compared together with its query."""

    class Wrong(ListenerRules):
        def websocket_path(self, path, query):
            return f"{path}?{query}" if query else path

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("websocket.telemetry")
def eighth_bit_is_lost(rules):
    """Bodies that come over WebSocket pass through something that takes them for ASCII."""

    class Wrong(ListenerRules):
        def websocket_payload(self, payload, *, ends_message):
            if payload[:1] not in {b"\x30", b"\x32"} or len(payload) < 256:
                return payload
            return payload[:4] + bytes(byte & 0x7F for byte in payload[4:])

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("websocket.c2d")
def messages_go_to_the_mqtt_port_alone(rules):
    """What the hub itself has to say to a device is not written to a WebSocket."""

    class Wrong(ListenerRules):
        def websocket_outgoing(self, payload):
            return b"" if payload[0] >> 4 == 3 else payload

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("websocket.acknowledged")
def pubacks_are_not_read_over_websocket(rules):
    """A PUBACK that comes over WebSocket settles nothing."""

    class Wrong(ListenerRules):
        def websocket_payload(self, payload, *, ends_message):
            return b"" if payload[:2] == b"\x40\x02" else payload

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("websocket.one-connection")
def ways_are_kept_apart(rules):
    """A connection replaces older ones of its own kind, WebSocket or not, and leaves the other be."""

    class Wrong(ConnectionRules):
        def shares_place(self, older_way, newer_way):
            return older_way == newer_way

    rules.connection = Wrong()


@fault("websocket.errors-close")
def websocket_stays_open_after_an_error(rules):
    """Over WebSocket, a packet that is none is skipped in place of closing."""

    class Wrong(ListenerRules):
        def websocket_payload(self, payload, *, ends_message):
            return b"" if len(payload) > 1 and payload[0] in {0x36, 0xF0} else payload

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("websocket.will")
def close_frame_is_taken_for_disconnect(rules):
    """A WebSocket that is closed in good order has said goodbye, and its Will is forgotten."""

    class Wrong(ListenerRules):
        def meaning_of_close(self):
            return b"\xe0\x00"

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)
