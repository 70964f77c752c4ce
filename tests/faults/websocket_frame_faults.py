"""Hubs that keep to MQTT and not to RFC 6455 below it."""

from fault import fault

from iothub_emulator.net import frame_rules
from iothub_emulator.net.rules import ListenerRules


def listeners(rules, wrong):
    rules.listeners = wrong(rules.listeners.settings, rules.listeners.edition)


@fault("websocket.handshake-refused")
def key_is_not_looked_at(rules):
    """Whatever key a client sends, or none, the WebSocket opens."""

    class Wrong(ListenerRules):
        def accepts_key(self, keys):
            return True

    listeners(rules, Wrong)


@fault("websocket.handshake-refused")
def path_alone_asks_for_websocket(rules):
    """A request for the path is taken for one that asks for WebSocket."""

    class Wrong(ListenerRules):
        def asks_for_websocket(self, upgrade, connection):
            return True

    listeners(rules, Wrong)


@fault("websocket.handshake-refused")
def missing_version_is_the_right_one(rules):
    """A request that names no version is served."""

    class Wrong(ListenerRules):
        def accepts_version(self, versions):
            return not versions or super().accepts_version(versions)

    listeners(rules, Wrong)


@fault("websocket.version")
def every_version_is_served(rules):
    """The version is not compared."""

    class Wrong(ListenerRules):
        def accepts_version(self, versions):
            return True

    listeners(rules, Wrong)


@fault("websocket.version")
def older_versions_are_served(rules):
    """Drafts up to version 13 count as version 13."""

    class Wrong(ListenerRules):
        def accepts_version(self, versions):
            return bool(versions) and all(version.isdecimal() and int(version) <= 13 for version in versions)

    listeners(rules, Wrong)


@fault("websocket.unmasked")
def masks_are_optional(rules):
    """A frame without mask is read like any other."""

    class Wrong(ListenerRules):
        def accepts_unmasked(self):
            return True

    listeners(rules, Wrong)


@fault("websocket.reserved")
def reserved_bits_are_ignored(rules):
    """Bits for extensions are masked out, though no extension was agreed on."""

    class Wrong(ListenerRules):
        def accepts_reserved_bits(self):
            return True

    listeners(rules, Wrong)


@fault("websocket.reserved")
def unknown_frames_are_skipped(rules):
    """A frame with a reserved opcode is thrown away like a Pong."""

    class Wrong(ListenerRules):
        def opcode(self, number):
            known = super().opcode(number)
            return frame_rules.PONG if known is None else known

    listeners(rules, Wrong)


@fault("websocket.ping")
def pings_are_not_answered(rules):
    """A Ping is read and forgotten."""

    class Wrong(ListenerRules):
        def pong(self, payload):
            return None

    listeners(rules, Wrong)


@fault("websocket.ping")
def pongs_are_empty(rules):
    """A Ping is answered, without what it carried."""

    class Wrong(ListenerRules):
        def pong(self, payload):
            return b""

    listeners(rules, Wrong)


@fault("websocket.ping")
def long_pings_are_cut(rules):
    """A Pong carries a hundred bytes at most."""

    class Wrong(ListenerRules):
        def pong(self, payload):
            return payload[:100]

    listeners(rules, Wrong)


@fault("websocket.ping")
def ping_ends_the_message_before_it(rules):
    """Behind a control frame a message has to begin anew."""

    class Wrong(ListenerRules):
        is_interrupted = False

        def opcode(self, number):
            self.is_interrupted = self.is_interrupted or number == frame_rules.PING
            return super().opcode(number)

        def accepts_place(self, *, goes_on, in_message):
            interrupted, self.is_interrupted = self.is_interrupted, False
            return super().accepts_place(goes_on=goes_on, in_message=in_message and not interrupted)

    listeners(rules, Wrong)


@fault("websocket.pong")
def pongs_must_be_asked_for(rules):
    """A Pong that answers nothing is a protocol error; the hub itself never asks."""

    class Wrong(ListenerRules):
        def opcode(self, number):
            return None if number == frame_rules.PONG else super().opcode(number)

    listeners(rules, Wrong)


@fault("websocket.close-answered")
def close_is_not_answered(rules):
    """Behind a Close frame the stream just ends."""

    class Wrong(ListenerRules):
        def answers_close(self):
            return False

    listeners(rules, Wrong)


@fault("websocket.close-answered")
def stream_stays_open_behind_close(rules):
    """Both Close frames are exchanged, and the hub leaves it to the client to end the connection."""

    class Wrong(ListenerRules):
        def ends_after_close(self):
            return False

    listeners(rules, Wrong)


@fault("websocket.close-payload")
def close_with_a_broken_reason_is_waited_on(rules):
    """A Close frame whose reason is no text is logged, and the stream stays open behind it."""

    class Wrong(ListenerRules):
        is_broken = False

        def problem_with_close(self, status, reason):
            self.is_broken = super().problem_with_close(status, reason) == frame_rules.INVALID_TEXT
            return None if self.is_broken else super().problem_with_close(status, reason)

        def ends_after_close(self):
            return not self.is_broken

    listeners(rules, Wrong)


@fault("websocket.close-status")
def every_status_is_echoed(rules):
    """The status of the client's Close frame comes back, whatever it is."""

    class Wrong(ListenerRules):
        def problem_with_close(self, status, reason):
            return None if status >= 0 else super().problem_with_close(status, reason)

    listeners(rules, Wrong)
