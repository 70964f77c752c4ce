"""Hubs that call the wrong method, mix up answers, or give up at the wrong time."""

import dataclasses
import json
from http import HTTPStatus

from fault import fault

from iothub_emulator.hub import json_text
from iothub_emulator.hub.connect import ConnectRules
from iothub_emulator.hub.method_rules import MethodRules
from iothub_emulator.hub.publish import PublishRules
from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.hub.subscribe import SubscribeRules


def method_rules(rules, wrong):
    rules.methods = wrong(rules.methods.shortest_timeout)


# The request


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


@fault("methods.request-empty")
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


# The response


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


@fault("methods.empty-response")
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


# Which answer belongs to which call


@fault("methods.request-id", "methods.concurrent", "methods.late-answer")
def any_answer_ends_the_oldest_call(rules):
    """The request id of an answer is not looked at."""

    class Wrong(MethodRules):
        def answered_call(self, request_id, pending):
            return next(iter(pending), None)

    method_rules(rules, Wrong)


@fault("methods.request-id")
def request_ids_are_compared_as_numbers(rules):
    """An answer whose request id has the same value in another spelling is taken."""

    class Wrong(MethodRules):
        def answered_call(self, request_id, pending):
            return super().answered_call((request_id or "").lstrip("0") or None, pending)

    method_rules(rules, Wrong)


@fault("methods.request-id")
def answer_without_request_id_is_taken(rules):
    """An answer that names no request ends the oldest call."""

    class Wrong(MethodRules):
        def answered_call(self, request_id, pending):
            if request_id is None:
                return next(iter(pending), None)
            return super().answered_call(request_id, pending)

    method_rules(rules, Wrong)


@fault("methods.request-id")
def beginning_of_a_request_id_is_enough(rules):
    """A request id is compared as far as the call's own goes."""

    class Wrong(MethodRules):
        def answered_call(self, request_id, pending):
            return next((own for own in pending if (request_id or "").startswith(own)), None)

    method_rules(rules, Wrong)


@fault("methods.request-id")
def answered_call_is_remembered_for_the_next(rules):
    """A second answer to one call ends the next."""

    class Wrong(MethodRules):
        last = None

        def answered_call(self, request_id, pending):
            if request_id is not None and request_id == self.last:
                return next(iter(pending), None)
            self.last = super().answered_call(request_id, pending) or self.last
            return super().answered_call(request_id, pending)

    method_rules(rules, Wrong)


@fault("methods.request-ids-differ")
def request_ids_have_three_bits(rules):
    """The counter of request ids begins anew after the eighth call."""

    class Wrong(MethodRules):
        def request_id(self, count):
            return super().request_id(count % 8)

    method_rules(rules, Wrong)


@fault("methods.concurrent")
def answers_are_handed_out_in_the_order_of_calls(rules):
    """Whichever call an answer is for, the oldest caller gets it."""

    class Wrong(MethodRules):
        def answered_call(self, request_id, pending):
            return next(iter(pending)) if super().answered_call(request_id, pending) else None

    method_rules(rules, Wrong)


@fault("methods.late-answer")
def late_answer_ends_the_connection(rules):
    """An answer that nobody waits for is treated as an error."""

    class Wrong(MethodRules):
        def on_unwanted_response(self):
            return "close"

    method_rules(rules, Wrong)


# Calls that come to nothing


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
