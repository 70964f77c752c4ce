"""Hubs that let the wrong module in, or take a module for its device."""

import dataclasses

from fault import fault

from iothub_emulator.hub.connect import ConnectRules
from iothub_emulator.hub.connection import ConnectionRules
from iothub_emulator.hub.method_rules import MethodRules
from iothub_emulator.hub.publish import PublishRules
from iothub_emulator.hub.telemetry import TelemetryRules
from iothub_emulator.hub.tokens import TokenRules
from iothub_emulator.hub.twin_rules import TwinRules
from iothub_emulator.hub.will import WillRules


def connect_rules(rules, wrong):
    rules.connect = wrong(rules.connect.settings)


def twin_rules(rules, wrong):
    rules.twins = wrong(rules.twins.get_status(), rules.twins.patch_status())


def device_of(identity_key):
    return identity_key.partition("/")[0]


@fault("module.connect", spreads=True)
def modules_are_not_known(rules):
    """Only devices are looked up when somebody connects."""

    class Wrong(ConnectRules):
        def identity_of(self, identities, username):
            return None if username.module_id else super().identity_of(identities, username)

    connect_rules(rules, Wrong)


@fault("module.connect")
def modules_have_one_key(rules):
    """The secondary key of a module signs nothing."""

    class Wrong(ConnectRules):
        def keys_of(self, identity):
            return super().keys_of(identity)[: 1 if "/" in identity.key else 2]

    connect_rules(rules, Wrong)


@fault("module.refusals")
def client_id_of_a_module_is_compared_by_its_device(rules):
    """Where the Username names a module, the ClientId only has to name its device."""

    class Wrong(ConnectRules):
        def same_device(self, client_id, username):
            if username.module_id is None:
                return super().same_device(client_id, username)
            return device_of(client_id) == username.device_id

    connect_rules(rules, Wrong)


@fault("module.refusals")
def client_id_of_a_module_may_leave_its_device_out(rules):
    """Where the Username names a module, the ClientId may be the module id alone."""

    class Wrong(ConnectRules):
        def same_device(self, client_id, username):
            return super().same_device(client_id, username) or client_id == username.module_id

    connect_rules(rules, Wrong)


@fault("module.refusals")
def tokens_of_modules_do_not_expire(rules):
    """The expiry of a token is looked at where it is for a device."""

    class Wrong(TokenRules):
        def is_expired(self, token, now):
            return "/modules/" not in token.resource and super().is_expired(token, now)

    rules.tokens = Wrong(rules.tokens.settings)


@fault("module.refusals")
def tokens_of_modules_need_no_signature(rules):
    """A token for a module is taken as it is."""

    class Wrong(TokenRules):
        def is_signed_with(self, token, key):
            return "/modules/" in token.resource or super().is_signed_with(token, key)

    rules.tokens = Wrong(rules.tokens.settings)


@fault("module.refusals")
def unknown_modules_are_registered_as_they_come(rules):
    """A module that nobody registered gets in by whatever it brings along."""

    class Wrong(ConnectRules):
        def identity_of(self, identities, username):
            known = super().identity_of(identities, username)
            if known is not None or username.module_id is None:
                return known
            sibling = identities.modules.of_device(username.device_id)[0]
            return dataclasses.replace(sibling, module_id=username.module_id, generation_id="new")

        def checks_token(self, identity):
            return identity.generation_id != "new"

    connect_rules(rules, Wrong)


@fault("module.other-module-token", "module.refusals")
def any_module_speaks_for_its_siblings(rules):
    """A token of one module opens each module of the same device."""

    class Keys(ConnectRules):
        siblings = ()

        def identity_of(self, identities, username):
            self.siblings = identities.modules.of_device(username.device_id)
            return super().identity_of(identities, username)

        def keys_of(self, identity):
            identities = [identity, *self.siblings] if "/" in identity.key else [identity]
            return tuple(key for each in identities for key in each.keys)

    class Scope(TokenRules):
        def is_prefix(self, granted, wanted):
            return super().is_prefix(granted[:2] if "modules" in wanted else granted, wanted)

    connect_rules(rules, Keys)
    rules.tokens = Scope(rules.tokens.settings)


@fault("module.other-module-token")
def modules_of_one_name_are_one(rules):
    """A token of a module opens the module of the same name on any device."""

    class Keys(ConnectRules):
        namesakes = ()

        def identity_of(self, identities, username):
            named = (identities.module(each.device_id, username.module_id) for each in identities)
            self.namesakes = [each for each in named if each is not None]
            return super().identity_of(identities, username)

        def keys_of(self, identity):
            identities = self.namesakes if "/" in identity.key else [identity]
            return tuple(key for each in identities for key in each.keys)

    class Scope(TokenRules):
        def is_prefix(self, granted, wanted):
            return super().is_prefix(granted, wanted) or granted[2:] == wanted[2:] == ["modules", *wanted[3:]]

    connect_rules(rules, Keys)
    rules.tokens = Scope(rules.tokens.settings)


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


@fault("connection.scope")
def connection_of_a_module_replaces_its_devices(rules):
    """One connection is counted for a device and all of its modules."""

    class Wrong(ConnectionRules):
        def replaced_by(self, identity_key):
            return tuple({identity_key: None, device_of(identity_key): None})

    rules.connection = Wrong()


@fault("connection.scope")
def modules_may_connect_twice(rules):
    """A new connection of a module leaves its older one open."""

    class Wrong(ConnectionRules):
        def replaced_by(self, identity_key):
            return () if "/" in identity_key else super().replaced_by(identity_key)

    rules.connection = Wrong()
