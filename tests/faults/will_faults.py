"""Hubs that send a Will when they should not, not at all, too often, or not as it was given."""

from fault import fault

from iothub_emulator.hub.effects import End
from iothub_emulator.hub.publish import PublishRules
from iothub_emulator.hub.telemetry import TelemetryRules
from iothub_emulator.hub.will import WillRules


@fault("will.sent", "will.once", spreads=True)
def will_waits_for_an_error(rules):
    """Only a client that breaks a rule is taken for lost; one that just goes away is not."""

    class Wrong(WillRules):
        def is_sent(self, will, end):
            return end not in {End.LOST, End.RESET} and super().is_sent(will, end)

    rules.will = Wrong()


@fault("will.sent")
def reset_is_taken_for_a_farewell(rules):
    """A TCP reset ends the connection like DISCONNECT, without the Will."""

    class Wrong(WillRules):
        def is_sent(self, will, end):
            return end is not End.RESET and super().is_sent(will, end)

    rules.will = Wrong()


@fault("will.accepted")
def session_with_a_will_marks_all_it_sends(rules):
    """The mark of a Will sticks to the device: its telemetry has it too."""

    class Wrong(WillRules):
        def __init__(self):
            self.devices = set()

        def of_connection(self, will, identity_key):
            if will is not None:
                self.devices.add(identity_key)
            return will

    class Marks(TelemetryRules):
        def stamp(self, sender, payload, properties, system, now):
            marked = {"iothub-MessageType": "Will"} if sender.identity_key in rules.will.devices else {}
            return super().stamp(sender, payload, {**properties, **marked}, system, now)

    rules.will, rules.telemetry = Wrong(), Marks()


@fault("will.refused-connect")
def will_of_a_refused_connect_is_sent(rules):
    """The Will is kept before the token is looked at, and sent when the connection is closed."""

    class Wrong(WillRules):
        def is_sent_for_refused(self):
            return True

    rules.will = Wrong()


@fault("will.once", "will.on-keep-alive", "will.on-protocol-error")
def will_is_sent_twice(rules):
    """Two parts of the hub notice that a client is gone, and each sends its Will."""

    class Wrong(TelemetryRules):
        def arrivals(self, event):
            return (event, event) if event.properties.get("iothub-MessageType") == "Will" else (event,)

    rules.telemetry = Wrong()


@fault(
    *("will.message-type", "will.on-keep-alive", "will.on-protocol-error", "will.retain-property"),
    "will.property-bag",
)
def mark_has_another_case(rules):
    """The property's name is written with a small letter."""

    class Wrong(WillRules):
        def properties(self, end):
            return {"iothub-messageType": "Will"}

    rules.will = Wrong()


@fault("will.message-type", "will.on-keep-alive", "will.on-protocol-error", "will.retain-property")
def mark_is_in_small_letters(rules):
    """The property's value is `will`."""

    class Wrong(WillRules):
        def properties(self, end):
            return {"iothub-MessageType": "will"}

    rules.will = Wrong()


@fault("will.payload")
def payload_of_a_will_is_text(rules):
    """The payload of a Will is kept as text, what is no UTF-8 is replaced."""

    class Wrong(WillRules):
        def payload(self, will):
            return will.payload.decode(errors="replace").encode()

    rules.will = Wrong()


@fault("will.payload")
def payload_of_a_will_is_ascii(rules):
    """Text in a Will loses all that is not ASCII."""

    class Wrong(WillRules):
        def payload(self, will):
            return bytes(byte for byte in will.payload if byte < 0x80)

    rules.will = Wrong()


@fault("will.payload")
def payload_of_a_will_is_cut_at_4_kb(rules):
    """A Will is kept in a field of fixed size."""

    class Wrong(WillRules):
        def payload(self, will):
            return will.payload[:4096]

    rules.will = Wrong()


@fault("will.property-bag")
def bag_of_a_will_is_forgotten(rules):
    """Only the events topic itself is read from the topic of a Will."""

    class Wrong(WillRules):
        def bag_of(self, text):
            return ""

    rules.will = Wrong()


@fault("will.property-bag")
def bag_of_a_will_is_encoded_again(rules):
    """The topic of a Will is percent-encoded on its way to storage, and decoded once."""

    class Wrong(WillRules):
        def bag_of(self, text):
            return text.replace("%", "%25")

    rules.will = Wrong()


@fault("will.qos")
def will_of_qos_0_is_dropped(rules):
    """A Will of QoS 0 is not worth a message."""

    class Wrong(WillRules):
        def is_sent(self, will, end):
            return will.qos > 0 and super().is_sent(will, end)

    rules.will = Wrong()


@fault("will.qos", spreads=True)
def will_of_qos_1_waits_for_a_puback(rules):
    """A Will of QoS 1 is kept for an acknowledgement that nobody sends any more."""

    class Wrong(WillRules):
        def is_sent(self, will, end):
            return will.qos != 1 and super().is_sent(will, end)

    rules.will = Wrong()


@fault("will.retain", "will.retain-property")
def will_with_retain_is_refused(rules):
    """A hub that retains nothing refuses a CONNECT whose Will asks for it."""

    class Wrong(WillRules):
        def accepts(self, will):
            return not will.retain

    rules.will = Wrong()


@fault("will.retain-property", "d2c.retain-property")
def retain_property_is_a_word_of_its_own(rules):
    """RETAIN 1 becomes a property that no page names, of Wills and of other messages."""

    class Wrong(PublishRules):
        def retain_properties(self, *, retain):
            return {"retained": "1"} if retain else {}

    rules.publish = Wrong(rules.publish.settings, rules.publish.edition)


@fault("will.not-after-disconnect", "will.replaced")
def will_follows_disconnect(rules):
    """Any end of a connection sends the Will."""

    class Wrong(WillRules):
        def is_sent(self, will, end):
            return end is not End.HUB_STOPS

    rules.will = Wrong()


@fault("will.replaced")
def will_belongs_to_the_device(rules):
    """The first Will of a device is kept for all its connections."""

    class Wrong(WillRules):
        def __init__(self):
            self.kept = {}

        def of_connection(self, will, identity_key):
            return self.kept.setdefault(identity_key, will) if will else self.kept.get(identity_key)

    rules.will = Wrong()


@fault("will.on-keep-alive")
def silence_is_told_in_the_will(rules):
    """The Will of a client that was silent says so in a property of its own."""

    class Wrong(WillRules):
        def properties(self, end):
            reason = {"reason": "keep-alive"} if end is End.KEEP_ALIVE else {}
            return {**super().properties(end), **reason}

    rules.will = Wrong()


@fault("will.on-protocol-error")
def error_is_told_without_the_mark(rules):
    """The Will of a client that broke a rule is sent as ordinary telemetry."""

    class Wrong(WillRules):
        def properties(self, end):
            return {} if end is End.ERROR else super().properties(end)

    rules.will = Wrong()


@fault("will.on-keep-alive")
def silent_client_leaves_no_will(rules):
    """Who is dropped for its silence is taken for one that has left."""

    class Wrong(WillRules):
        def is_sent(self, will, end):
            return end is not End.KEEP_ALIVE and super().is_sent(will, end)

    rules.will = Wrong()


@fault("will.on-protocol-error")
def client_in_error_leaves_no_will(rules):
    """Who broke a rule of MQTT is not trusted with a Will either."""

    class Wrong(WillRules):
        def is_sent(self, will, end):
            return end is not End.ERROR and super().is_sent(will, end)

    rules.will = Wrong()
