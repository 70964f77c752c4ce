"""Hubs that take what a module says, is told or is asked for its device's."""

import dataclasses

from fault import fault

from iothub_emulator.hub.method_rules import MethodRules
from iothub_emulator.hub.publish import PublishRules
from iothub_emulator.hub.telemetry import TelemetryRules
from iothub_emulator.hub.twin_rules import TwinRules
from iothub_emulator.hub.will import WillRules


def twin_rules(rules, wrong):
    rules.twins = wrong(rules.twins.get_status(), rules.twins.patch_status())


def device_of(identity_key):
    return identity_key.partition("/")[0]


@fault("module.telemetry", "module.will")
def modules_are_stamped_as_their_device(rules):
    """The stamp of a message names the device alone."""

    class Wrong(TelemetryRules):
        def stamp(self, sender, payload, properties, system, now):
            return super().stamp(
                dataclasses.replace(sender, module_id=None), payload, properties, system, now
            )

    rules.telemetry = Wrong()


@fault("module.telemetry")
def modules_are_said_to_prove_themselves_as_devices(rules):
    """The scope of the authentication is always that of a device."""

    class Wrong(TelemetryRules):
        def auth_method(self, scope, kind):
            return super().auth_method("device", kind)

    rules.telemetry = Wrong()


@fault("module.telemetry")
def property_bag_of_a_module_is_lost(rules):
    """What stands behind a module's topic is dropped."""

    class Wrong(PublishRules):
        def parse_topic(self, topic):
            events = super().parse_topic(topic)
            return dataclasses.replace(events, bag="") if events and events.module else events

    rules.publish = Wrong(rules.publish.settings, rules.publish.edition)


@fault("module.will")
def modules_have_no_will(rules):
    """The Will of a module is forgotten at CONNECT."""

    class Wrong(WillRules):
        def of_connection(self, will, identity_key):
            return None if "/" in identity_key else super().of_connection(will, identity_key)

    rules.will = Wrong()


@fault("module.will")
def will_of_a_module_is_its_devices(rules):
    """The Will of a module is stamped as its device's."""

    class Wrong(TelemetryRules):
        def stamp(self, sender, payload, properties, system, now):
            is_will = properties.get("iothub-MessageType") == "Will"
            author = dataclasses.replace(sender, module_id=None) if is_will else sender
            return super().stamp(author, payload, properties, system, now)

    rules.telemetry = Wrong()


@fault("module.twin", "module.twin-separate")
def modules_share_the_twin_of_their_device(rules):
    """A module reads and reports the twin of its device."""

    class Wrong(TwinRules):
        def twin_of(self, identity_key):
            return device_of(identity_key)

    twin_rules(rules, Wrong)


@fault("module.twin", "module.twin-separate")
def modules_share_one_twin(rules):
    """All modules of a device read and report the twin of its first one."""

    class Wrong(TwinRules):
        def twin_of(self, identity_key):
            return f"{device_of(identity_key)}/twin-of-modules" if "/" in identity_key else identity_key

    twin_rules(rules, Wrong)


@fault("module.desired")
def modules_are_not_told(rules):
    """Nobody hears of desired properties of a module."""

    class Wrong(TwinRules):
        def recipients(self, owner):
            return () if "/" in owner else super().recipients(owner)

    twin_rules(rules, Wrong)


@fault("module.desired")
def devices_are_told_for_their_modules(rules):
    """What is desired of a module is told to its device as well."""

    class Wrong(TwinRules):
        def recipients(self, owner):
            return (owner, device_of(owner)) if "/" in owner else (owner,)

    twin_rules(rules, Wrong)


@fault("module.methods")
def devices_are_called_for_their_modules(rules):
    """A call of a module is sent to its device."""

    class Wrong(MethodRules):
        def recipients(self, owner):
            return (device_of(owner),)

    rules.methods = Wrong(rules.methods.shortest_timeout)


@fault("module.methods")
def devices_hear_calls_of_their_modules(rules):
    """A call of a module is sent to the device as well."""

    class Wrong(MethodRules):
        def recipients(self, owner):
            return (owner, device_of(owner)) if "/" in owner else (owner,)

    rules.methods = Wrong(rules.methods.shortest_timeout)
