"""Hubs that lose or change some names and values of twins and methods, and keep all others."""

import json
import struct
import unicodedata

from fault import fault
from methods_request_faults import method_rules
from twin_faults import twin_rules

from iothub_emulator.hub import json_text
from iothub_emulator.hub.method_rules import MethodRules
from iothub_emulator.hub.twin_rules import TwinRules


def changed(value, leaf=lambda leaf: leaf, name=lambda name: name):
    """Return JSON with each value that is no object or array, and each name, changed."""
    match value:
        case dict():
            return {name(each): changed(inner, leaf, name) for each, inner in value.items()}
        case list():
            return [changed(inner, leaf, name) for inner in value]
    return leaf(value)


def as_double(value):
    return float(value) if json_text.is_number(value) else value


def as_single(value):
    """Let a decimal be what 32 bits hold of it; one beyond them stays."""
    if not isinstance(value, float) or abs(value) > 3e38:
        return value
    return struct.unpack("f", struct.pack("f", value))[0]


def without_nul(value):
    return value.partition("\0")[0] if isinstance(value, str) else value


def with_small_initial(name):
    return name[:1].lower() + name[1:]


class Reporting(TwinRules):
    """For hubs that show a device its reported properties in another way; the hub's own members stay."""

    def show(self, values):
        return values

    def visible_to_device(self, desired, reported):
        own = {name: value for name, value in reported.items() if name.startswith("$")}
        values = {name: value for name, value in reported.items() if name not in own}
        return super().visible_to_device(desired, {**self.show(values), **own})


@fault("twin.values-kept")
def integers_are_doubles(rules):
    """A reported 1 comes back as 1.0."""

    class Wrong(Reporting):
        def show(self, values):
            return changed(values, as_double)

    twin_rules(rules, Wrong)


@fault("twin.values-kept")
def reported_texts_end_at_a_nul(rules):
    """Texts are those of C."""

    class Wrong(Reporting):
        def show(self, values):
            return changed(values, without_nul)

    twin_rules(rules, Wrong)


@fault("twin.values-kept")
def back_end_reads_numbers_for_digits(rules):
    """A reported text that is all digits is a number to the back end."""

    class Wrong(TwinRules):
        def visible_to_service(self, tags, desired, reported):
            metadata = {"$metadata": reported.get("$metadata")}
            values = changed(
                {name: value for name, value in reported.items() if name != "$metadata"},
                lambda value: int(value) if isinstance(value, str) and value.isdecimal() else value,
            )
            return super().visible_to_service(tags, desired, {**values, **metadata})

    twin_rules(rules, Wrong)


@fault("twin.names-kept")
def reported_names_are_composed(rules):
    """Names are normalised: an accent of its own joins the letter before it."""

    class Wrong(Reporting):
        def show(self, values):
            return changed(values, name=lambda name: unicodedata.normalize("NFC", name))

    twin_rules(rules, Wrong)


@fault("twin.names-kept")
def back_end_reads_no_names_beyond_64_characters(rules):
    """What the back end reads of a longer name is its beginning."""

    class Wrong(TwinRules):
        def visible_to_service(self, tags, desired, reported):
            cut = {name[:64]: value for name, value in reported.items()}
            return super().visible_to_service(tags, desired, cut)

    twin_rules(rules, Wrong)


@fault("twin.number-forms")
def reported_decimals_have_single_precision(rules):
    """A tenth comes back as 0.10000000149011612."""

    class Wrong(Reporting):
        def show(self, values):
            return changed(values, as_single)

    twin_rules(rules, Wrong)


@fault("twin.tags-kept")
def tags_are_texts(rules):
    """Each tag is kept as text, as in the days of a table with one column for all."""

    class Wrong(TwinRules):
        def visible_to_service(self, tags, desired, reported):
            texts = changed(tags, lambda leaf: leaf if isinstance(leaf, str) else json.dumps(leaf))
            return super().visible_to_service(texts, desired, reported)

    twin_rules(rules, Wrong)


@fault("module.twin")
def twins_of_modules_keep_no_empty_objects(rules):
    """What is empty is not worth a row in the table of modules' twins."""

    class Wrong(TwinRules):
        def twin_of(self, identity_key):
            self.asker = identity_key
            return super().twin_of(identity_key)

        def visible_to_device(self, desired, reported):
            if "/" in self.asker:
                reported = {name: value for name, value in reported.items() if value != {}}
            return super().visible_to_device(desired, reported)

    twin_rules(rules, Wrong)


@fault("desired.values-kept")
def notification_has_doubles(rules):
    """A desired 1 is told as 1.0, and read as 1."""

    class Wrong(TwinRules):
        def notification(self, change, version):
            return super().notification(changed(change, as_double), version)

    twin_rules(rules, Wrong)


@fault("desired.values-kept", "module.desired")
def desired_texts_are_trimmed_once_they_are_stored(rules):
    """The device is told what was desired, and gets it without the spaces around it."""

    class Wrong(TwinRules):
        def visible_to_device(self, desired, reported):
            trimmed = changed(desired, lambda leaf: leaf.strip(" ") if isinstance(leaf, str) else leaf)
            return super().visible_to_device(trimmed, reported)

    twin_rules(rules, Wrong)


@fault("desired.names-kept")
def told_names_begin_with_a_small_letter(rules):
    """A notification is written by a naming policy."""

    class Wrong(TwinRules):
        def notification(self, change, version):
            return super().notification(changed(change, name=with_small_initial), version)

    twin_rules(rules, Wrong)


@fault("desired.number-forms")
def told_decimals_have_six_places(rules):
    """What is desired is told with six digits behind the point."""

    class Wrong(TwinRules):
        def notification(self, change, version):
            rounded = changed(change, lambda leaf: round(leaf, 6) if isinstance(leaf, float) else leaf)
            return super().notification(rounded, version)

    twin_rules(rules, Wrong)


class Calling(MethodRules):
    """For hubs that hand another payload to the device."""

    def hand_on(self, payload):
        return payload

    def request_body(self, document):
        body = super().request_body(document)
        return json_text.dump(self.hand_on(json_text.parse(body))) if body else body


class Answering(MethodRules):
    """For hubs that hand another answer to the caller."""

    def hand_on(self, payload):
        return payload

    def rendered(self, payload):
        try:
            return json_text.dump(self.hand_on(json_text.parse(super().rendered(payload))))
        except json_text.NotJson:
            return super().rendered(payload)


@fault("methods.request-body")
def integers_of_a_payload_are_doubles(rules):
    """A caller's 5 reaches the device as 5.0."""

    class Wrong(Calling):
        def hand_on(self, payload):
            return changed(payload, as_double)

    method_rules(rules, Wrong)


@fault("methods.request-body")
def names_of_a_payload_begin_with_a_small_letter(rules):
    """The payload is written by a naming policy."""

    class Wrong(Calling):
        def hand_on(self, payload):
            return changed(payload, name=with_small_initial)

    method_rules(rules, Wrong)


@fault("methods.response-body")
def integers_of_an_answer_have_32_bits(rules):
    """A large integer reaches the caller as what 32 bits hold of it."""

    class Wrong(Answering):
        def hand_on(self, payload):
            return changed(
                payload,
                lambda leaf: leaf & 0xFFFFFFFF if type(leaf) is int and leaf > 0xFFFFFFFF else leaf,
            )

    method_rules(rules, Wrong)


@fault("methods.response-body")
def texts_of_an_answer_end_at_a_nul(rules):
    """Texts are those of C."""

    class Wrong(Answering):
        def hand_on(self, payload):
            return changed(payload, without_nul)

    method_rules(rules, Wrong)


@fault("methods.number-forms")
def decimals_of_an_answer_have_single_precision(rules):
    """A tenth reaches the caller as 0.10000000149011612."""

    class Wrong(Answering):
        def hand_on(self, payload):
            return changed(payload, as_single)

    method_rules(rules, Wrong)


@fault("twin.values-kept")
def what_python_calls_equal_is_not_written_again(rules):
    """A member keeps the value that it has where the new one is equal to it: true where 1 is reported."""

    class Wrong(TwinRules):
        def merged(self, before, patch):
            return {
                name: before[name] if name in before and before[name] == value else value
                for name, value in super().merged(before, patch).items()
            }

    twin_rules(rules, Wrong)
