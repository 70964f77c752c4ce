"""Hubs that put something else in a message's property bag than its sender set."""

from urllib.parse import quote

from c2d_faults import mailbox_rules
from fault import fault

from iothub_emulator.hub.mailbox_rules import MailboxRules


@fault("c2d.bag-names", "c2d.bag-contents", "c2d.bag-encoding")
def system_properties_have_no_dollar_sign(rules):
    """Message id and the like are in the bag under bare names."""

    class Wrong(MailboxRules):
        def system_properties(self, message):
            return [(name.removeprefix("$."), value) for name, value in super().system_properties(message)]

    mailbox_rules(rules, Wrong)


@fault("c2d.bag-names", "c2d.bag-contents")
def content_type_is_written_out(rules):
    """The content type is called $.contentType."""

    class Wrong(MailboxRules):
        def system_properties(self, message):
            found = super().system_properties(message)
            return [("$.contentType" if name == "$.ct" else name, value) for name, value in found]

    mailbox_rules(rules, Wrong)


@fault("c2d.bag-names")
def correlation_id_is_the_message_id(rules):
    """The correlation id is filled from the message id where there is none, and else takes its place."""

    class Wrong(MailboxRules):
        def system_properties(self, message):
            swapped = {"$.mid": "$.cid", "$.cid": "$.mid"}
            if message.message_id is None or message.correlation_id is None:
                return super().system_properties(message)
            return [(swapped.get(name, name), value) for name, value in super().system_properties(message)]

    mailbox_rules(rules, Wrong)


@fault("c2d.bag-names", "c2d.bag-encoding")
def names_are_written_small(rules):
    """Application properties go through a map whose keys are in small letters."""

    class Wrong(MailboxRules):
        def pair(self, name, value):
            return super().pair(name if name.startswith("$") else name.lower(), value)

    mailbox_rules(rules, Wrong)


@fault("c2d.bag-encoding")
def system_properties_are_not_encoded(rules):
    """Only what the sender named itself is encoded; a message id stands in the bag as it is."""

    class Wrong(MailboxRules):
        def pair(self, name, value):
            if name in {"$.mid", "$.cid"}:
                return f"{self.encode(name)}={value}"
            return super().pair(name, value)

    mailbox_rules(rules, Wrong)


@fault("c2d.bag-contents")
def delivery_count_is_in_the_bag(rules):
    """The queue's own figures are told to the device."""

    class Wrong(MailboxRules):
        def system_properties(self, message):
            return [*super().system_properties(message), ("$.deliverycount", "1")]

    mailbox_rules(rules, Wrong)


@fault("c2d.bag-contents")
def message_id_sticks(rules):
    """A message without an id has the one of the message before."""

    class Wrong(MailboxRules):
        def __init__(self):
            super().__init__()
            self.last = None

        def system_properties(self, message):
            found = dict(super().system_properties(message))
            self.last = found.get("$.mid", self.last)
            return [*found.items(), *([("$.mid", self.last)] if self.last and "$.mid" not in found else [])]

    mailbox_rules(rules, Wrong)


def encoding(rules, encode):
    class Wrong(MailboxRules):
        def encode(self, text):
            return encode(text)

    mailbox_rules(rules, Wrong)


@fault("c2d.bag-encoding")
def plus_sign_is_not_encoded(rules):
    """A plus sign goes into the topic as it is."""
    encoding(rules, lambda text: quote(text, safe="+"))


@fault("c2d.bag-encoding")
def delimiters_are_not_encoded(rules):
    """Ampersands in values are left to whoever splits the bag."""
    encoding(rules, lambda text: quote(text, safe="&"))


@fault("c2d.bag-encoding")
def percent_sign_is_not_encoded(rules):
    """What looks encoded is not encoded again."""
    encoding(rules, lambda text: quote(text, safe="%"))


@fault("c2d.bag-encoding", "c2d.bag-names")
def values_are_encoded_twice(rules):
    """Bag and topic are each percent-encoded."""
    encoding(rules, lambda text: quote(quote(text, safe=""), safe=""))


@fault("c2d.bag-encoding")
def names_are_not_encoded(rules):
    """Values are encoded, names are taken to be harmless."""

    class Wrong(MailboxRules):
        def pair(self, name, value):
            return name if value is None else f"{name}={self.encode(value)}"

    mailbox_rules(rules, Wrong)


@fault("c2d.bag-utf-8")
def characters_have_sixteen_bits(rules):
    """Of a character beyond the first 65,536 the lower half is left."""
    encoding(rules, lambda text: quote("".join(chr(ord(each) & 0xFFFF) for each in text), safe=""))


@fault("c2d.bag-utf-8")
def what_is_not_latin_is_a_question_mark(rules):
    """The bag is written in Latin-1, and what that lacks is replaced."""
    encoding(rules, lambda text: quote(text.encode("latin-1", errors="replace"), safe=""))
