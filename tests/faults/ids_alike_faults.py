"""Hubs that take two ids for one where they resemble each other."""

from c2d_faults import mailbox_rules
from fault import fault
from methods_request_faults import method_rules
from twin_faults import twin_rules

from iothub_emulator.hub.connection import ConnectionRules
from iothub_emulator.hub.mailbox_rules import MailboxRules
from iothub_emulator.hub.method_rules import MethodRules
from iothub_emulator.hub.telemetry import TelemetryRules
from iothub_emulator.hub.twin_rules import TwinRules


@fault("connection.ids-alike")
def connections_are_counted_without_case(rules):
    """A connection ends the one of the device whose id is the same in small letters."""

    class Wrong(ConnectionRules):
        def replaced_by(self, identity_key):
            return tuple(dict.fromkeys((*super().replaced_by(identity_key), identity_key.lower())))

    rules.connection = Wrong()


@fault("d2c.ids-alike")
def stamps_are_written_small(rules):
    """Telemetry is stamped with the id in small letters."""

    class Wrong(TelemetryRules):
        def device_id(self, sender, properties):
            return super().device_id(sender, properties).lower()

    rules.telemetry = Wrong(rules.telemetry.certificate_method)


@fault("twin.ids-alike")
def twins_are_found_without_case(rules):
    """A device is given the twin of the id in small letters."""

    class Wrong(TwinRules):
        def twin_of(self, identity_key):
            return super().twin_of(identity_key).lower()

    twin_rules(rules, Wrong)


@fault("c2d.ids-alike")
def mailboxes_are_found_without_case(rules):
    """A message is put into the mailbox of the id in small letters."""

    class Wrong(MailboxRules):
        def recipients(self, addressee):
            return tuple(each.lower() for each in super().recipients(addressee))

    mailbox_rules(rules, Wrong)


@fault("c2d.ids-alike")
def marks_do_not_count_in_ids(rules):
    """An exclamation mark in an id is as good as a question mark."""

    class Wrong(MailboxRules):
        def recipients(self, addressee):
            return tuple(each.replace("!", "?") for each in super().recipients(addressee))

    mailbox_rules(rules, Wrong)


@fault("methods.ids-alike")
def calls_reach_the_id_in_small_letters(rules):
    """Of devices whose ids differ in letter case, one gets all calls."""

    class Wrong(MethodRules):
        def recipients(self, owner):
            return tuple(each.lower() for each in super().recipients(owner))

    method_rules(rules, Wrong)
