"""Hubs that let the wrong module in, or keep the right one out."""

import dataclasses

from fault import fault

from iothub_emulator.hub.connect import ConnectRules
from iothub_emulator.hub.tokens import TokenRules


def connect_rules(rules, wrong):
    rules.connect = wrong(rules.connect.settings)


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
