"""Hubs that give a call up too early, too late, with the wrong error, or never."""

import dataclasses

from fault import fault

from iothub_emulator.hub.method_rules import MethodRules
from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.hub.subscribe import SubscribeRules


def method_rules(rules, wrong):
    rules.methods = wrong(rules.methods.shortest_timeout)


@fault("methods.timeout")
def time_is_halved(rules):
    """A device gets half of the time that the caller allows it."""

    class Wrong(MethodRules):
        def read_call(self, document):
            call = super().read_call(document)
            return dataclasses.replace(call, response_timeout=call.response_timeout / 2)

    method_rules(rules, Wrong)


@fault("methods.timeout")
def time_is_never_short(rules):
    """A device gets eight seconds, even if the caller allows it less."""

    class Wrong(MethodRules):
        def read_call(self, document):
            call = super().read_call(document)
            return dataclasses.replace(call, response_timeout=max(call.response_timeout, 8))

    method_rules(rules, Wrong)


@fault("methods.timeout", "methods.request-id")
def silence_is_a_server_error(rules):
    """A caller whose time is over gets 500."""

    class Wrong(MethodRules):
        def timed_out(self):
            return Refused(ErrorCode.ServerError, "The device did not respond.", {})

    method_rules(rules, Wrong)


@fault("methods.offline", "methods.not-subscribed", "module.methods")
def absence_looks_like_silence(rules):
    """A device that is not there is reported as one that did not answer."""

    class Wrong(MethodRules):
        def not_online(self, waited):
            return self.timed_out()

    method_rules(rules, Wrong)


@fault("methods.not-subscribed")
def connection_is_taken_for_a_subscription(rules):
    """Requests are sent to every device that is called and connected."""

    class Wrong(MethodRules):
        def is_reachable(self, *, connected, subscribed):
            return connected

    method_rules(rules, Wrong)


@fault("methods.not-subscribed")
def any_subscription_counts(rules):
    """A subscription to messages is one to methods too."""

    class Wrong(SubscribeRules):
        def store(self, subscriptions, topic_filter, granted):
            super().store(subscriptions, topic_filter, granted)
            super().store(subscriptions, "$iothub/methods/POST/#", granted)

    rules.subscribe = Wrong()


@fault("methods.not-subscribed")
def subscription_to_methods_cannot_be_taken_back(rules):
    """UNSUBSCRIBE is acknowledged and forgotten."""

    class Wrong(SubscribeRules):
        def forget(self, subscriptions, topic_filter):
            if not topic_filter.startswith("$iothub/methods/"):
                super().forget(subscriptions, topic_filter)

    rules.subscribe = Wrong()


@fault("methods.unknown-device")
def nobody_looks_like_silence(rules):
    """A name that was never registered is reported as a device that did not answer."""

    class Wrong(MethodRules):
        def nobody(self, refused):
            return self.timed_out()

    method_rules(rules, Wrong)


@fault("methods.unknown-device")
def unknown_module_is_a_bad_request(rules):
    """A call of a module that is not there is refused for its form."""

    class Wrong(MethodRules):
        def nobody(self, refused):
            is_module = refused.code is ErrorCode.ModuleNotFound
            return Refused(ErrorCode.ArgumentInvalid, "No such module.") if is_module else refused

    method_rules(rules, Wrong)


@fault("methods.not-queued")
def missed_calls_are_delivered_later(rules):
    """A call that found nobody is kept, and sent when the device comes."""

    class Wrong(MethodRules):
        def keeps_for_later(self):
            return True

    method_rules(rules, Wrong)


@fault("methods.never-connects")
def nobody_waits_for_a_device_to_connect(rules):
    """The time that a caller allows for the device to connect is not looked at."""

    class Wrong(MethodRules):
        def read_call(self, document):
            return dataclasses.replace(super().read_call(document), connect_timeout=0.0)

    method_rules(rules, Wrong)


@fault("methods.never-connects")
def waiting_in_vain_is_a_timeout_of_the_device(rules):
    """Where a caller waited for a device to connect, it is told that the device did not answer."""

    class Wrong(MethodRules):
        def not_online(self, waited):
            return self.timed_out() if waited > 0 else super().not_online(waited)

    method_rules(rules, Wrong)


@fault("methods.never-connects")
def time_to_connect_is_halved(rules):
    """A device gets half of the time that the caller allows it to connect."""

    class Wrong(MethodRules):
        def read_call(self, document):
            call = super().read_call(document)
            return dataclasses.replace(call, connect_timeout=call.connect_timeout / 2)

    method_rules(rules, Wrong)
