"""Hubs that read the property bag wrongly."""

import re
from urllib.parse import quote, unquote

from fault import fault

from iothub_emulator.hub.property_bag import PropertyBagRules
from iothub_emulator.hub.telemetry import TelemetryRules


@fault("bag.encoding")
def bag_is_decoded_twice(rules):
    """The gateway decodes the topic, and the parser decodes it again."""

    class Wrong(PropertyBagRules):
        def decode(self, text):
            return unquote(unquote(text))

    rules.property_bag = Wrong()


@fault("bag.encoding")
def bag_is_not_utf_8(rules):
    """Escapes are decoded to characters of ISO 8859-1."""

    class Wrong(PropertyBagRules):
        def decode(self, text):
            return unquote(text, encoding="latin-1")

    rules.property_bag = Wrong()


@fault("bag.encoding")
def escapes_in_small_letters_are_left_alone(rules):
    """%C3 is an escape and %c3 is not."""

    class Wrong(PropertyBagRules):
        def decode(self, text):
            return re.sub(r"(?:%[0-9A-F]{2})+", lambda found: unquote(found[0]), text)

    rules.property_bag = Wrong()


@fault("bag.system-properties")
def user_id_stays_with_the_application(rules):
    """$.uid is not in the table of system properties."""

    class Wrong(PropertyBagRules):
        def system_name(self, name):
            return None if name == "$.uid" else super().system_name(name)

    rules.property_bag = Wrong()


@fault("bag.system-properties")
def system_properties_are_passed_on_as_sent(rules):
    """Values of the application are decoded, those of the system are not."""

    class Wrong(PropertyBagRules):
        def parse(self, text):
            bag = super().parse(text)
            bag.system = {name: quote(value, safe="") for name, value in bag.system.items()}
            return bag

    rules.property_bag = Wrong()


@fault("bag.encoding")
def names_are_not_decoded(rules):
    """A name is taken for what stands in the topic."""

    class Wrong(PropertyBagRules):
        def application_name(self, name):
            return quote(super().application_name(name), safe="$")

    rules.property_bag = Wrong()


@fault("bag.properties", "d2c.trailing-slash")
def only_the_first_property_is_read(rules):
    """What follows the first ampersand is forgotten."""

    class Wrong(PropertyBagRules):
        def pairs(self, text):
            return super().pairs(text)[:1]

    rules.property_bag = Wrong()


@fault("bag.no-value")
def bare_name_is_true(rules):
    """A name without an equals sign is taken for a flag that is set."""

    class Wrong(PropertyBagRules):
        def missing_value(self):
            return "true"

    rules.property_bag = Wrong()


@fault("bag.empty-value", "bag.no-value")
def nothing_is_written_as_a_word(rules):
    """An empty value reaches the back end as the text null."""

    class Wrong(PropertyBagRules):
        def add(self, properties, name, value):
            super().add(properties, name, value or "(null)")

    rules.property_bag = Wrong()


@fault("bag.not-shared")
def properties_stick_to_the_device(rules):
    """A device's next message has the properties of the one before as well."""

    class Wrong(TelemetryRules):
        def __init__(self):
            super().__init__()
            self.last = {}

        def stamp(self, sender, payload, properties, system, now):
            self.last[sender.device_id] = {**self.last.get(sender.device_id, {}), **properties}
            return super().stamp(sender, payload, self.last[sender.device_id], system, now)

    rules.telemetry = Wrong()
