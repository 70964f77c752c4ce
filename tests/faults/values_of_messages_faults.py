"""Hubs that lose or change some names, values and bodies of messages, and hand on all others."""

import json
from urllib.parse import unquote

from c2d_faults import mailbox_rules
from fault import fault

from iothub_emulator.hub.mailbox_rules import MailboxRules
from iothub_emulator.hub.property_bag import PropertyBagRules
from iothub_emulator.hub.telemetry import TelemetryRules
from iothub_emulator.hub.will import WillRules


@fault("bag.encoding")
def names_longer_than_64_characters_are_lost(rules):
    """A column for names has 64 characters, and what does not fit is left out."""

    class Wrong(PropertyBagRules):
        def add(self, properties, name, value):
            if len(name) <= 64:
                super().add(properties, name, value)

    rules.property_bag = Wrong()


@fault("bag.encoding")
def values_end_after_256_characters(rules):
    """A long value is cut."""

    class Wrong(PropertyBagRules):
        def add(self, properties, name, value):
            super().add(properties, name, value[:256])

    rules.property_bag = Wrong()


@fault("bag.encoding")
def leading_zeros_are_taken_away(rules):
    """What is all digits is taken for a number."""

    class Wrong(PropertyBagRules):
        def add(self, properties, name, value):
            super().add(properties, name, str(int(value)) if value.isdecimal() else value)

    rules.property_bag = Wrong()


@fault("bag.encoding")
def names_of_properties_have_no_case(rules):
    """Properties are kept in a dictionary that ignores letter case: the first spelling of a name stays."""

    class Wrong(PropertyBagRules):
        def add(self, properties, name, value):
            known = next((each for each in properties if each.lower() == name.lower()), name)
            super().add(properties, known, value)

    rules.property_bag = Wrong()


@fault("bag.encoding")
def texts_are_trimmed(rules):
    """Spaces in front of names and values, and behind them, are taken for slips."""

    class Wrong(PropertyBagRules):
        def decode(self, text):
            return super().decode(text).strip(" ") or " "

    rules.property_bag = Wrong()


@fault("bag.encoding")
def escapes_of_letters_are_left_alone(rules):
    """What no client would encode is not decoded either: %61 stays."""

    class Wrong(PropertyBagRules):
        def decode(self, text):
            letters = (f"%{code:02X}" for code in (*range(0x41, 0x5B), *range(0x61, 0x7B)))
            for escape in letters:
                text = text.replace(escape, escape.replace("%", "%25"))
            return unquote(text)

    rules.property_bag = Wrong()


@fault("bag.control-characters")
def properties_end_at_a_nul(rules):
    """Names and values are texts of C."""

    class Wrong(PropertyBagRules):
        def decode(self, text):
            return super().decode(text).partition("\0")[0]

    rules.property_bag = Wrong()


@fault("bag.system-properties")
def message_ids_have_no_case(rules):
    """A message id is kept in small letters."""

    class Wrong(PropertyBagRules):
        def add(self, properties, name, value):
            super().add(properties, name, value.lower() if name == "message-id" else value)

    rules.property_bag = Wrong()


@fault("d2c.body-opaque")
def byte_order_marks_are_taken_away(rules):
    """A body that begins with a byte order mark is handed on without it."""

    class Wrong(TelemetryRules):
        def body(self, payload):
            return payload.removeprefix(b"\xef\xbb\xbf")

    rules.telemetry = Wrong(rules.telemetry.certificate_method)


@fault("d2c.body-opaque")
def bodies_of_json_are_written_anew(rules):
    """A body that is JSON is read, and written as the hub writes it."""

    class Wrong(TelemetryRules):
        def body(self, payload):
            try:
                return json.dumps(json.loads(payload.decode()), ensure_ascii=False).encode()
            except ValueError:
                return payload

    rules.telemetry = Wrong(rules.telemetry.certificate_method)


@fault("will.property-bag")
def properties_of_a_will_keep_leading_zeros_no_longer(rules):
    """The bag of a Will goes through another reader, to which digits are numbers."""

    class Wrong(WillRules):
        def bag_of(self, text):
            pairs = (pair.partition("=") for pair in super().bag_of(text).split("&"))
            return "&".join(
                f"{name}{equals}{int(value) if value.isdecimal() else value}" for name, equals, value in pairs
            )

    rules.will = Wrong()


@fault("will.payload")
def last_byte_of_a_will_may_not_be_nul(rules):
    """A Will's payload is a text of C: what is NUL at its end is not in it."""

    class Wrong(WillRules):
        def payload(self, will):
            return will.payload.rstrip(b"\0")

    rules.will = Wrong()


@fault("module.telemetry")
def properties_of_modules_are_ascii(rules):
    """Of what a module sends, only ASCII is handed on."""

    class Wrong(TelemetryRules):
        def stamp(self, sender, payload, properties, system, now):
            if sender.module_id is not None:
                properties = {
                    name: value.encode("ascii", "replace").decode() for name, value in properties.items()
                }
            return super().stamp(sender, payload, properties, system, now)

    rules.telemetry = Wrong(rules.telemetry.certificate_method)


@fault("c2d.bag-encoding")
def numbers_in_messages_to_devices_are_written_anew(rules):
    """A value that is all digits is a number, and has no zeros in front."""

    class Wrong(MailboxRules):
        def pair(self, name, value):
            is_number = value is not None and value.isdecimal() and not name.startswith("$")
            return super().pair(name, str(int(value)) if is_number else value)

    mailbox_rules(rules, Wrong)


@fault("c2d.bag-encoding")
def message_ids_for_devices_are_written_small(rules):
    """A message id reaches its device in small letters."""

    class Wrong(MailboxRules):
        def system_properties(self, message):
            found = super().system_properties(message)
            return [(name, value.lower() if name == "$.mid" else value) for name, value in found]

    mailbox_rules(rules, Wrong)


@fault("c2d.body")
def bodies_for_devices_have_unix_line_ends(rules):
    """A carriage return before a line feed is taken away."""

    class Wrong(MailboxRules):
        def body(self, message):
            return message.body.replace(b"\r\n", b"\n")

    mailbox_rules(rules, Wrong)
