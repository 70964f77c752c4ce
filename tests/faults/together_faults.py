"""Hubs that are right for a connection that is alone, and mix up two that are open at once."""

import dataclasses

from fault import fault, wrapped

from iothub_emulator.hub.connect import ConnectRules
from iothub_emulator.hub.keep_alive import KeepAliveRules
from iothub_emulator.hub.tokens import TokenRules
from iothub_emulator.hub.will import WillRules
from iothub_emulator.mqtt.endpoint import MqttEndpoint


@fault("will.own")
def payload_of_a_will_is_the_newest_ones(rules):
    """The payload of a Will is kept in one place for all: the one that was left last is sent for each."""

    class Wrong(WillRules):
        newest = b""

        def of_connection(self, will, identity_key):
            if will is not None:
                self.newest = will.payload
            return super().of_connection(will, identity_key)

        def payload(self, will):
            return self.newest

    rules.will = Wrong()


@fault("will.own")
def who_leaves_no_will_is_given_one(rules):
    """A CONNECT without a Will leaves the one of the CONNECT before it, on its own topic."""

    class Wrong(WillRules):
        newest = None

        def of_connection(self, will, identity_key):
            self.newest = will or self.newest
            if will is not None or self.newest is None:
                return will
            topic = f"devices/{identity_key.replace('/', '/modules/')}/messages/events/"
            return dataclasses.replace(self.newest, topic=topic)

    rules.will = Wrong()


@fault("sas.expiry-disconnects")
def longest_token_counts_for_all(rules):
    """The hub looks for expired tokens when the last of all that it knows has expired."""

    class Wrong(TokenRules):
        latest = 0.0

        def ends_at(self, token):
            self.latest = max(self.latest, super().ends_at(token))
            return self.latest

    rules.tokens = Wrong(rules.tokens.settings)


@fault("sas.expiry-disconnects")
def shortest_token_counts_for_all(rules):
    """Where one token expires, the connections of all that came with one are ended."""
    others = []

    def wrap(admitted):
        def together(self, admission):
            others.append(self)
            return admitted(self, admission)

        return together

    def wrap_drop(drop):
        def dropped(self, end):
            drop(self, end)
            if end is end.TOKEN_EXPIRED:
                for other in others:
                    other.close("a token has expired")

        return dropped

    wrapped(MqttEndpoint, "admitted", wrap)
    wrapped(MqttEndpoint, "drop", wrap_drop)


@fault("connection.keep-alive")
def longest_keep_alive_counts_for_all(rules):
    """The hub looks for silent clients at the interval of the most patient one."""

    class Wrong(KeepAliveRules):
        longest = 0

        def limit(self, keep_alive):
            self.longest = max(self.longest, keep_alive)
            return super().limit(self.longest)

    rules.keep_alive = Wrong(rules.keep_alive.settings)


@fault("d2c.model-id", "twin.model-id")
def first_model_is_everybodys(rules):
    """The first model that anybody announces is that of all who connect later."""

    class Wrong(ConnectRules):
        first = ""

        def model_id(self, username):
            self.first = self.first or super().model_id(username)
            return self.first

    rules.connect = Wrong(rules.connect.settings)


@fault("module.apart")
def will_is_its_devices(rules):
    """A Will is kept by the id of the device: its payload is that of whoever of the device came first."""

    class Wrong(WillRules):
        def __init__(self):
            self.payloads = {}

        def of_connection(self, will, identity_key):
            if will is None:
                return None
            device = identity_key.partition("/")[0]
            return dataclasses.replace(will, payload=self.payloads.setdefault(device, will.payload))

    rules.will = Wrong()


@fault("module.expiry-disconnects")
def token_of_a_module_opens_for_good(rules):
    """The tokens of modules are looked at when they connect, and never again."""

    class Wrong(TokenRules):
        def ends_at(self, token):
            return super().ends_at(token) + ("/modules/" in token.resource) * 1e9

    rules.tokens = Wrong(rules.tokens.settings)
