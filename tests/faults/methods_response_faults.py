"""Hubs that change, lose or refuse what a device answers to a call."""

import dataclasses
import json
from http import HTTPStatus

from fault import fault

from iothub_emulator.hub.method_rules import MethodRules
from iothub_emulator.hub.publish import PublishRules


def method_rules(rules, wrong):
    rules.methods = wrong(rules.methods.shortest_timeout)


@fault("methods.response", "methods.response-body", "module.methods")
def object_comes_as_a_text(rules):
    """An object that a device answers reaches the caller as a text that holds JSON."""

    class Wrong(MethodRules):
        def rendered(self, payload):
            return json.dumps(payload.decode()).encode() if payload[:1] == b"{" else super().rendered(payload)

    method_rules(rules, Wrong)


@fault("methods.response", spreads=True)
def response_topic_is_not_known(rules):
    """An answer on the documented topic is taken for a message on an undocumented one."""

    class Wrong(MethodRules):
        def parse_response(self, topic):
            return None

    method_rules(rules, Wrong)


@fault("methods.response-body")
def answer_is_decoded_as_latin_1(rules):
    """The bytes of an answer are taken for one character each."""

    class Wrong(MethodRules):
        def rendered(self, payload):
            return super().rendered(payload).decode("latin-1").encode()

    method_rules(rules, Wrong)


@fault("methods.response-body")
def booleans_are_answered_with_numbers(rules):
    """An answer of true or false reaches the caller as 1 or 0."""

    class Wrong(MethodRules):
        def rendered(self, payload):
            return {b"true": b"1", b"false": b"0"}.get(payload) or super().rendered(payload)

    method_rules(rules, Wrong)


@fault("methods.response-body")
def empty_values_are_answered_with_null(rules):
    """0, false, the empty text and empty collections reach the caller as null."""

    class Wrong(MethodRules):
        def rendered(self, payload):
            return b"null" if payload in {b"0", b"false", b'""', b"[]", b"{}"} else super().rendered(payload)

    method_rules(rules, Wrong)


@fault("methods.empty-response")
def empty_answer_is_an_empty_object(rules):
    """An answer without body has an object for its payload."""

    class Wrong(MethodRules):
        def rendered(self, payload):
            return payload or b"{}"

    method_rules(rules, Wrong)


@fault("methods.empty-response", "methods.status-integer")
def empty_answer_has_the_status_of_http(rules):
    """An answer without body has the status 204, whatever the device said."""

    class Wrong(MethodRules):
        def result_document(self, result):
            status = result.status if result.payload else 204
            return super().result_document(dataclasses.replace(result, status=status))

    method_rules(rules, Wrong)


@fault("methods.status")
def failures_have_one_status(rules):
    """Every status from 400 on reaches the caller as 500."""

    class Wrong(MethodRules):
        def status(self, text):
            status = super().status(text)
            return 500 if status is not None and status >= 400 else status

    method_rules(rules, Wrong)


@fault("methods.status")
def status_is_one_of_http(rules):
    """A status that HTTP has no name for reaches the caller as 500."""

    class Wrong(MethodRules):
        def status(self, text):
            status = super().status(text)
            return status if status in set(HTTPStatus) else 500

    method_rules(rules, Wrong)


@fault("methods.status-integer")
def letters_in_a_status_are_skipped(rules):
    """The digits of a status make its number, and no digits make zero."""

    class Wrong(MethodRules):
        def status(self, text):
            return int("".join(filter(str.isdigit, text)) or 0)

    method_rules(rules, Wrong)


@fault("methods.status-integer")
def bad_status_counts_for_success(rules):
    """A status that is no integer reaches the caller as 200."""

    class Wrong(MethodRules):
        def status(self, text):
            return super().status(text) or 200

    method_rules(rules, Wrong)


@fault("methods.response-qos")
def answer_is_not_acknowledged(rules):
    """An answer with QoS 1 is taken, and gets no PUBACK."""

    class Wrong(PublishRules):
        def acknowledge(self, packet):
            is_answer = packet.topic.startswith("$iothub/methods/res/")
            return () if is_answer else super().acknowledge(packet)

    rules.publish = Wrong(rules.publish.settings, rules.publish.edition)


@fault("methods.status")
def success_is_always_200(rules):
    """Whatever status of success the device gives, its caller gets 200."""

    class Wrong(MethodRules):
        def status(self, text):
            found = super().status(text)
            return 200 if found is not None and 200 <= found < 300 else found

    method_rules(rules, Wrong)


@fault("methods.status")
def failures_of_a_device_are_not_passed_on(rules):
    """A status of 500 and more is taken for a broken answer."""

    class Wrong(MethodRules):
        def status(self, text):
            found = super().status(text)
            return None if found is not None and found >= 500 else found

    method_rules(rules, Wrong)


@fault("methods.status", "methods.response", spreads=True)
def success_is_zero(rules):
    """A status of 200 reaches the caller as 0, the code of a command that worked."""

    class Wrong(MethodRules):
        def status(self, text):
            return 0 if text == "200" else super().status(text)

    method_rules(rules, Wrong)


@fault("methods.response-body")
def lists_come_as_texts(rules):
    """A list that a device answers reaches the caller as a text that holds JSON."""

    class Wrong(MethodRules):
        def rendered(self, payload):
            return json.dumps(payload.decode()).encode() if payload[:1] == b"[" else super().rendered(payload)

    method_rules(rules, Wrong)


@fault("methods.response-body")
def numbers_are_cut(rules):
    """A number that a device answers loses what stands behind its point."""

    class Wrong(MethodRules):
        def rendered(self, payload):
            is_number = payload[:1].isdigit() or payload[:1] == b"-"
            return super().rendered(payload.partition(b".")[0] if is_number else payload)

    method_rules(rules, Wrong)


@fault("methods.response-body")
def quotes_in_an_answer_are_escaped_for_a_page(rules):
    """Quotes inside a text reach the caller as HTML has them."""

    class Wrong(MethodRules):
        def rendered(self, payload):
            return super().rendered(payload.replace(b'\\"', b"&quot;"))

    method_rules(rules, Wrong)
