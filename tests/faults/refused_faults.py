"""Hubs on which a refusal, or an end that they bring about, has an effect beyond itself."""

from fault import fault

from iothub_emulator.hub.connect import ConnectRules
from iothub_emulator.hub.connection import ConnectionRules
from iothub_emulator.hub.subscribe import SubscribeRules
from iothub_emulator.hub.twin_rules import TwinRules


class Refusing(ConnectRules):
    """Counts refusals that name a device."""

    refusals = 0

    def refusal(self, reason):
        self.refusals += reason.startswith("sas:")
        return super().refusal(reason)


class Erring(ConnectionRules):
    """Counts errors that close a connection."""

    errors = 0

    def on_error(self, because):
        self.errors += 1
        return super().on_error(because)


def twin_rules(rules, wrong):
    rules.twins = wrong(rules.twins.get_status(), rules.twins.patch_status())


@fault("connection.next-served", spreads=True)
def third_refusal_locks_devices_out(rules):
    """Three tokens that are no good are taken for an attack, and for a while nobody is let in."""

    class Wrong(Refusing):
        def accepts_status(self, identity):
            return super().accepts_status(identity) and self.refusals < 3

    rules.connect = Wrong(rules.connect.settings)


@fault("session.closed-leaves-it")
def error_ends_the_session_too(rules):
    """A device that broke a rule begins anew: the session that it returns to is empty."""

    class Wrong(ConnectRules):
        def restored(self, stored, *, clean_session):
            erred, rules.connection.errors = rules.connection.errors, 0
            return {} if erred else super().restored(stored, clean_session=clean_session)

    rules.connection = Erring()
    rules.connect = Wrong(rules.connect.settings)


@fault("session.closed-leaves-it", "connection.newer-hears")
def newer_connection_loses_what_it_took_over(rules):
    """The older connection is cleared up behind the newer one, and the session's subscriptions with it."""

    class Notes(SubscribeRules):
        deaf = ()

        def granted(self, subscriptions, topic, identity_key):
            is_deaf = any(each is subscriptions for each in self.deaf)
            return None if is_deaf else super().granted(subscriptions, topic, identity_key)

    class Begins(ConnectRules):
        latest = None

        def restored(self, stored, *, clean_session):
            self.latest = super().restored(stored, clean_session=clean_session)
            return self.latest

    class Wrong(ConnectionRules):
        def shares_place(self, older_way, newer_way):
            rules.subscribe.deaf = (*rules.subscribe.deaf, rules.connect.latest)
            return super().shares_place(older_way, newer_way)

    rules.subscribe = Notes(rules.subscribe.edition)
    rules.connect = Begins(rules.connect.settings)
    rules.connection = Wrong()


@fault("session.request-leaves-it")
def refused_patch_ends_other_subscriptions(rules):
    """Behind a request that is refused the connection hears of its twin alone."""

    class Notes(SubscribeRules):
        latest = None

        def granted(self, subscriptions, topic, identity_key):
            self.latest = subscriptions
            return super().granted(subscriptions, topic, identity_key)

    class Wrong(TwinRules):
        def after_refusal(self, before, patch):
            for each in [each for each in rules.subscribe.latest if not each.startswith("$iothub/twin/")]:
                del rules.subscribe.latest[each]
            return super().after_refusal(before, patch)

    rules.subscribe = Notes(rules.subscribe.edition)
    twin_rules(rules, Wrong)


@fault("twin.untouched", spreads=True)
def refused_connect_raises_a_version(rules):
    """Twins are written back when a token was found to be no good, as if something had been reported."""

    class Wrong(TwinRules):
        def visible_to_device(self, desired, reported):
            raised = reported | {"$version": reported["$version"] + rules.connect.refusals}
            return super().visible_to_device(desired, raised)

    rules.connect = Refusing(rules.connect.settings)
    twin_rules(rules, Wrong)


@fault("twin.untouched", spreads=True)
def error_hides_the_tags(rules):
    """Once a device broke a rule twins come from a copy that has no tags."""

    class Wrong(TwinRules):
        def visible_to_service(self, tags, desired, reported):
            return super().visible_to_service({} if rules.connection.errors else tags, desired, reported)

    rules.connection = Erring()
    twin_rules(rules, Wrong)
