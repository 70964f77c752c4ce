"""Hubs that hand a call to the wrong device, or with another name or payload."""

import json

from fault import fault

from iothub_emulator.hub import json_text
from iothub_emulator.hub.connect import ConnectRules
from iothub_emulator.hub.method_rules import MethodRules
from iothub_emulator.hub.subscribe import FAILURE, SubscribeRules


def method_rules(rules, wrong):
    rules.methods = wrong(rules.methods.shortest_timeout)


@fault("methods.subscribe", spreads=True)
def nobody_may_be_called(rules):
    """The filter of requests is refused."""

    class Wrong(SubscribeRules):
        def grants(self, topic_filter, qos, identity_key):
            is_of_methods = topic_filter.startswith("$iothub/methods/")
            return FAILURE if is_of_methods else super().grants(topic_filter, qos, identity_key)

    rules.subscribe = Wrong(rules.subscribe.edition)


@fault("methods.request")
def name_is_written_in_small_letters(rules):
    """The name of the method is folded to small letters in the topic."""

    class Wrong(MethodRules):
        def request_topic(self, name, request_id):
            return super().request_topic(name.lower(), request_id)

    method_rules(rules, Wrong)


@fault("methods.request")
def long_name_is_cut(rules):
    """A name of more than 32 characters is cut."""

    class Wrong(MethodRules):
        def request_topic(self, name, request_id):
            return super().request_topic(name[:32], request_id)

    method_rules(rules, Wrong)


@fault("methods.component")
def star_in_a_name_is_escaped(rules):
    """The name of the method is percent-encoded in the topic, which changes nothing but a star."""

    class Wrong(MethodRules):
        def request_topic(self, name, request_id):
            return super().request_topic(name.replace("*", "%2A"), request_id)

    method_rules(rules, Wrong)


@fault("methods.component")
def component_is_left_out(rules):
    """Of a component's command the device hears the command alone."""

    class Wrong(MethodRules):
        def request_topic(self, name, request_id):
            return super().request_topic(name.rpartition("*")[2], request_id)

    method_rules(rules, Wrong)


@fault("methods.request")
def topic_says_more_than_it_should(rules):
    """A version stands behind the request id, as in topics of twins."""

    class Wrong(MethodRules):
        def request_topic(self, name, request_id):
            return f"{super().request_topic(name, request_id)}&$version=1"

    method_rules(rules, Wrong)


@fault("methods.request", spreads=True)
def request_is_delivered_twice(rules):
    """Each request is sent two times."""

    class Wrong(MethodRules):
        def recipients(self, owner):
            return super().recipients(owner) * 2

    method_rules(rules, Wrong)


@fault("methods.request-body")
def empty_values_count_for_no_payload(rules):
    """0, false, the empty text and empty collections are taken for nothing."""

    class Wrong(MethodRules):
        def request_body(self, document):
            return super().request_body(document) if document.get("payload") else b""

    method_rules(rules, Wrong)


@fault("methods.request-body")
def booleans_are_sent_as_numbers(rules):
    """A payload of true or false reaches the device as 1 or 0."""

    class Wrong(MethodRules):
        def request_body(self, document):
            return {b"true": b"1", b"false": b"0"}.get(body := super().request_body(document), body)

    method_rules(rules, Wrong)


@fault("methods.request-body", "module.methods")
def payload_is_encoded_twice(rules):
    """The payload reaches the device as a text that holds JSON."""

    class Wrong(MethodRules):
        def request_body(self, document):
            body = super().request_body(document)
            return json.dumps(body.decode()).encode() if body else body

    method_rules(rules, Wrong)


@fault("methods.request-body")
def payload_is_squeezed_into_ascii(rules):
    """What is not ASCII in a payload becomes a question mark."""

    class Wrong(MethodRules):
        def request_body(self, document):
            payload = document.get("payload")
            return b"" if payload is None else json_text.dump(payload).decode().encode("ascii", "replace")

    method_rules(rules, Wrong)


@fault("methods.request-body", "methods.response-body")
def payloads_have_the_old_limit(rules):
    """No more than 8 KB are taken, as in 2016."""

    class Wrong(MethodRules):
        def accepts_payload(self, size):
            return size <= 8 * 1024

    method_rules(rules, Wrong)


@fault("methods.request-empty")
def no_payload_becomes_an_object(rules):
    """A call without payload has an empty object in its body."""

    class Wrong(MethodRules):
        def request_body(self, document):
            return super().request_body(document) or b"{}"

    method_rules(rules, Wrong)


@fault("methods.request-null")
def null_is_sent_as_a_text(rules):
    """A payload of null reaches the device as the word in quotes."""

    class Wrong(MethodRules):
        def request_body(self, document):
            is_null = "payload" in document and document["payload"] is None
            return b'"null"' if is_null else super().request_body(document)

    method_rules(rules, Wrong)


@fault("methods.own-only", "module.methods")
def request_goes_to_everybody(rules):
    """A request is sent to every identity that ever connected."""
    everybody = {}

    class Remembers(ConnectRules):
        def identity_of(self, identities, username):
            everybody[username.client_id] = True
            return super().identity_of(identities, username)

    class Wrong(MethodRules):
        def recipients(self, owner):
            return tuple(everybody)

    rules.connect = Remembers(rules.connect.settings)
    method_rules(rules, Wrong)
