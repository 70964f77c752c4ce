"""Right hubs of the other readings: of each disputed clause every one that edition `document` does not have.

Each names its clause; the clause's record names who reads the sources so. All at once they are in
`other_readings`, `still_other_readings` and `last_readings`: each reading is in at least one of them.
"""

import asyncio
import time
from functools import partial

from aiohttp import web
from latitude import acted, right, wrapped

from iothub_emulator.hub import json_text, session, topics
from iothub_emulator.hub.methods import Answered, MethodCalls
from iothub_emulator.hub.property_bag import BagRefused
from iothub_emulator.hub.refusals import invalid
from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.hub.session import Session
from iothub_emulator.hub.subscribe import FAILURE
from iothub_emulator.mqtt.decoder import Decoder
from iothub_emulator.mqtt.rules import Malformed
from iothub_emulator.net.websocket_upgrade import WebSockets

reading = partial(right, base="emulator")

# Up to here every whole number is a double too.
EXACT = 2**53
DEVICE_WILDCARD = "devices/+/messages/devicebound/#"


def always(rules_object, name, value):
    """Let one decision of the hub have one outcome."""

    def wrap(_right):
        def decided(*_arguments, **_named):
            acted()
            return value

        return decided

    wrapped(rules_object, name, wrap)


# Connecting


@reading(
    "clause connect.empty-client-id, connect.refusal-code: closed without CONNACK",
    "hub facts 1: ACCEPT {rc 5; close}",
)
def refusals_are_a_bare_close(rules):
    """A refused CONNECT has no CONNACK: the connection is closed."""
    always(rules.connect, "refusal_code", None)


@reading(
    "clause connect.refusal-code: another refusal code of MQTT 3.1.1",
    "hub facts 1: rc 1 to 5 are all mapped by SDKs",
)
def refusals_have_codes_of_their_own(rules):
    """Each reason has the code that MQTT 3.1.1 has for it, a bad token 4."""

    def wrap(code_of):
        def code(reason):
            acted()
            if reason == "connect.empty-client-id":
                return 2
            return 4 if code_of(reason) == 5 else code_of(reason)

        return code

    wrapped(rules.connect, "refusal_code", wrap)


@reading("clause connect.session-present: 0", "hub facts 1, session-present: traces differ")
def session_present_is_never_told(rules):
    """Session-present is 0, whatever goes on."""
    always(rules.connect, "session_present", 0)


@reading("clauses sas.resource-encoded-twice, module.resource-encoded-twice: refused", "field F3")
def ids_encoded_twice_open_nothing(rules):
    """A token whose `sr` has its ids encoded twice is refused."""

    def wrap(_decoded):
        def once(resource):
            acted()
            return resource

        return once

    wrapped(rules.tokens, "decoded_twice", wrap)


@reading("clause x509.auth-method: a longer name, as seen", "edition current")
def certificates_have_a_longer_name(rules):
    """Telemetry of a device with a certificate is stamped x509Certificate, external."""

    def wrap(method_of):
        def method(scope, kind):
            if kind == "x509":
                acted()
            return method_of(scope, kind)

        return method

    rules.telemetry.certificate_method = ("x509Certificate", "external")
    wrapped(rules.telemetry, "auth_method", wrap)


# WebSocket


def without_subprotocol(outcome):
    """Let a request without a subprotocol of ours come to another end than HTTP 400."""

    def wrap(answer):
        async def answered(self, request):
            try:
                return await answer(self, request)
            except Refused as refused:
                if "subprotocol" not in refused.message:
                    raise
                acted()
                return await outcome(self, request)

        return answered

    wrapped(WebSockets, "answer", wrap)


@reading("clause websocket.subprotocol: closed", "hub facts 3: without, ACCEPT {HTTP 4xx, close}")
def websockets_without_subprotocol_are_closed(rules):
    """A request that offers no subprotocol of ours gets no answer: the connection is closed."""

    async def closed(_self, request):
        request.transport.close()
        return web.Response()  # nobody reads it

    without_subprotocol(closed)


@reading("clause websocket.subprotocol: opened, but no CONNACK")
def websockets_without_subprotocol_are_deaf(rules):
    """A request that offers no subprotocol is upgraded, and what comes then has no answer and ends it."""

    class Deaf(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport

        def data_received(self, data):
            self.transport.close()

    def wrap(_subprotocol):
        right_one = _subprotocol

        def chosen(path, offered):
            found = right_one(path, offered)
            if found is None and not offered and path == "/$iothub/websocket":
                acted()
                return "deaf"
            return found

        return chosen

    def with_deaf(init):
        def made(self, listener_rules, endpoints):
            init(self, listener_rules, {**endpoints, "deaf": Deaf})

        return made

    wrapped(rules.listeners, "subprotocol", wrap)
    wrapped(WebSockets, "__init__", with_deaf)


@reading("clause websocket.subprotocol-case: accepted", "field F2")
def subprotocols_have_any_case(rules):
    """`MQTT` is spoken as `mqtt` is, and the client's own spelling is sent back."""

    def wrap(as_offered):
        def found(spoken, offered):
            name = as_offered(spoken, offered)
            if name is None and any(each.lower() == spoken.lower() for each in offered):
                acted()
                return next(each for each in offered if each.lower() == spoken.lower())
            return name

        return found

    wrapped(rules.listeners, "_as_offered", wrap)


# Telemetry and Wills


@reading("clause d2c.retain-property: mqtt-retain", "T33", "edition current")
def retained_messages_have_mqtt_retain(rules):
    """RETAIN 1 of telemetry becomes mqtt-retain; that of a Will stays x-opt-retain."""
    _retain(rules, of_wills=False)


@reading("clause will.retain-property: mqtt-retain", "hub facts 4: Will with RETAIN adds mqtt-retain")
def retained_wills_have_mqtt_retain(rules):
    """RETAIN 1 of a Will becomes mqtt-retain; that of telemetry stays x-opt-retain."""
    _retain(rules, of_wills=True)


def _retain(rules, *, of_wills):
    is_will = [False]

    def words(last_words):
        def said(*arguments):
            is_will[0] = True
            try:
                return last_words(*arguments)
            finally:
                is_will[0] = False

        return said

    def wrap(properties_of):
        def properties(*, retain):
            found = properties_of(retain=retain)
            if not retain or is_will[0] != of_wills:
                return found
            acted()
            return {"mqtt-retain": "true"}

        return properties

    wrapped(session, "last_words", words)
    wrapped(rules.publish, "retain_properties", wrap)


@reading("clause d2c.qos2: PUBACK", "hub facts 5, QoS 2: a report of 2025", "edition current")
def qos_2_has_a_puback(rules):
    """A message with QoS 2 is taken and answered as QoS 1 would be."""
    always(rules.publish, "on_qos_2", "puback")


def _bag_without(rules, absent):
    def wrap(pairs):
        def kept(text):
            found = pairs(text)
            left = [pair for pair in found if pair[1] != absent]
            if len(left) < len(found):
                acted()
            return left

        return kept

    wrapped(rules.property_bag, "pairs", wrap)


@reading("clause bag.empty-value: absent or null", "hub facts 5, key= : ACCEPT {null, empty}")
def empty_values_are_absent(rules):
    """A property with an empty value does not reach the back end."""
    _bag_without(rules, "")


@reading("clause bag.no-value: absent or null", "hub facts 5, key without = : ACCEPT {null, empty}")
def names_without_a_value_are_absent(rules):
    """A property without an equals sign does not reach the back end."""
    _bag_without(rules, None)


@reading("clause monitoring.module-id: not named", "Microsoft's table of event properties")
def connection_events_name_no_module(rules):
    """An event about a module's connection does not name the module."""

    def wrap(named):
        def nameless(subject, happening):
            if subject == "connection" and happening.module_id is not None:
                acted()
                return None
            return named(subject, happening)

        return nameless

    wrapped(rules.events, "named_module", wrap)


@reading(
    "clause monitoring.module-operations: a module's own",
    "Microsoft, page on non-telemetry event schemas, an earlier edition",
)
def modules_connect_under_operations_of_their_own(rules):
    """A module's connection is told as moduleConnected, its end as moduleDisconnected."""

    def wrap(properties):
        def of_module(subject, happening):
            right = properties(subject, happening)
            if subject != "connection" or happening.module_id is None:
                return right
            acted()
            return right | {"opType": right["opType"].replace("device", "module")}

        return of_module

    wrapped(rules.events, "properties", wrap)


@reading("clause events.module-operations: a device's", "Microsoft, page on non-telemetry event schemas")
def modules_come_and_go_as_devices(rules):
    """A module's coming and going is told under the operations and the schema of a device."""

    def wrap_operation(operation):
        def of_device(*, created, is_module):
            if is_module:
                acted()
            return operation(created=created, is_module=False)

        return of_device

    wrapped(rules.events, "lifecycle_operation", wrap_operation)
    wrapped(
        rules.events,
        "schema",
        lambda schema: lambda subject, *, is_module: schema(subject, is_module=False),
    )


# Topics and sessions


@reading("clause session.subscription-persists: delivered after repeating it", "hub facts 6, CS=0 reconnect")
def subscriptions_are_to_be_repeated(rules):
    """A session that goes on has its messages but no subscription, until the device repeats it."""

    def wrap(restored):
        def none(stored, *, clean_session):
            if restored(stored, clean_session=clean_session):
                acted()
            return {}

        return none

    wrapped(rules.connect, "restored", wrap)


@reading(
    "clauses topics.undocumented-filter, topics.subtopic-wildcards: closed; topics.device-wildcard: refused",
    "clause topics.beside-undocumented: closed",
    "hub facts 6, unsupported filter: ACCEPT {0x80, close, granted and silent}",
)
def undocumented_filters_are_a_close(rules):
    """A SUBSCRIBE with a filter that the document does not name closes the connection."""

    def wrap(subscribe):
        def subscribed(self, packet, sender):
            documented = all(
                topics.is_documented_filter(each, sender.identity_key) for each, _ in packet.filters
            )
            if documented:
                return subscribe(self, packet, sender)
            acted()
            return self._fail("topics.undocumented-filter", time.time())

        return subscribed

    wrapped(Session, "_subscribe", wrap)


@reading(
    "clauses topics.undocumented-filter, topics.subtopic-wildcards: granted, and silent",
    "topics.device-wildcard: granted, hears its own",
    "hub facts 6, unsupported filter: ACCEPT {0x80, close, granted and silent}",
)
def undocumented_filters_are_granted_and_silent(rules):
    """Every filter is granted; those that the document does not name, but for one, bring nothing."""

    def wrap(grants):
        def granted(topic_filter, qos, identity_key):
            acted()
            return min(qos, 1)

        return granted

    def silent(brings):
        def brought(topic_filter, topic, identity_key):
            is_known = topics.is_documented_filter(topic_filter, identity_key)
            return (is_known or topic_filter == DEVICE_WILDCARD) and brings(topic_filter, topic, identity_key)

        return brought

    wrapped(rules.subscribe, "grants", wrap)
    wrapped(rules.subscribe, "brings", silent)


@reading(
    "clauses topics.undocumented-filter, topics.subtopic-wildcards, topics.device-wildcard: granted, own",
    "clause topics.five-subscriptions: five",
    "hub facts 6, wildcards: the hub in fact accepts # and devices/+/...",
)
def undocumented_filters_bring_what_is_the_device_s_own(rules):
    """Every filter is granted and brings what matches it of the device's own."""

    def wrap(grants):
        def granted(topic_filter, qos, identity_key):
            acted()
            return min(qos, 1)

        return granted

    wrapped(rules.subscribe, "grants", wrap)


@reading("clause module.receive-filter: refused, as the document says", "S38; T23 is of today's page alone")
def filters_for_all_of_a_module_are_refused(rules):
    """A module's filter `devices/{device}/modules/{module}/#` is refused with 0x80."""

    def wrap(grants):
        def granted(topic_filter, qos, identity_key):
            if "/modules/" in topic_filter and "/inputs/" not in topic_filter:
                acted()
                return FAILURE
            return grants(topic_filter, qos, identity_key)

        return granted

    wrapped(rules.subscribe, "grants", wrap)


@reading(
    "clause topics.undocumented-name: PUBACK",
    "hub facts 5, unknown topic: ACCEPT {close, PUBACK without delivery}",
)
def undocumented_names_have_a_puback(rules):
    """A message on a topic that the document does not name is acknowledged and dropped."""
    always(rules.publish, "on_undocumented_topic", "acknowledge")


@reading("clause topics.undocumented-name: no answer", "hub facts, plainly unknown 4")
def undocumented_names_have_no_answer(rules):
    """A message on a topic that the document does not name is passed over."""
    always(rules.publish, "on_undocumented_topic", "ignore")


@reading(
    "clause topics.undocumented-name: the sender's own telemetry", "hub facts 5: tagged Unmatched in 2016"
)
def undocumented_names_are_telemetry(rules):
    """A message on a topic that the document does not name is the sender's own telemetry."""
    always(rules.publish, "on_undocumented_topic", "telemetry")


# Twins and methods


@reading("clause twin.get-status: 200", "T43", "edition current")
def get_succeeds_with_200(rules):
    """A GET of the twin succeeds with 200."""
    always(rules.twins, "get_status", 200)


@reading("clause twin.reported-status: 204", "T46", "edition current")
def patch_succeeds_with_204(rules):
    """A PATCH of reported properties succeeds with 204."""
    always(rules.twins, "patch_status", 204)


@reading("clause twin.no-request-id: no answer", "hub facts 7, missing $rid: ACCEPT {close, no reply, 400}")
def requests_without_id_have_no_answer(rules):
    """A twin request without a request id is not carried out and not answered."""
    always(rules.twins, "on_missing_request_id", "ignore")


@reading("clause twin.no-request-id: 400", "hub facts 7, missing $rid: ACCEPT {close, no reply, 400}")
def requests_without_id_are_answered_400(rules):
    """A twin request without a request id is answered 400."""
    always(rules.twins, "on_missing_request_id", "refuse")


@reading("clause desired.replace-removed: left out", "field F14; hub facts 7, full replace: OBSERVE content")
def replacements_leave_out_what_is_gone(rules):
    """A replacement of desired properties is told as the whole new section and no more."""

    def wrap(told):
        def new_section(before, after, version):
            if any(name not in after for name in before):
                acted()
            return told(after, after, version)

        return new_section

    wrapped(rules.twins, "notification_of_replacement", wrap)


@reading("clause methods.request-null: an empty body", "azure-iot-cli-extension issue 309")
def calls_of_null_have_an_empty_body(rules):
    """A call whose payload is null is sent as one without payload."""

    def wrap(body_of):
        def body(document):
            if "payload" in document and document["payload"] is None:
                acted()
                return b""
            return body_of(document)

        return body

    wrapped(rules.methods, "request_body", wrap)


def _too_large(rules, code):
    def wrap(refusal):
        def refused(section):
            acted()
            return Refused(code, refusal(section).message)

        return refused

    wrapped(rules.twins, "too_large", wrap)


@reading("clause twin.too-large: 400", "hub facts 7, oversize section: ACCEPT {400, 403, 413}")
def twins_too_large_are_400(rules):
    """A patch beyond a section's limit is answered 400."""
    _too_large(rules, ErrorCode.ArgumentInvalid)


@reading("clause twin.too-large: 413", "hub facts 7, oversize section: ACCEPT {400, 403, 413}")
def twins_too_large_are_413(rules):
    """A patch beyond a section's limit is answered 413."""
    _too_large(rules, ErrorCode.MessageTooLarge)


def _empty_response(rules, rendered):
    def wrap(document):
        def written(result):
            if result.payload:
                return document(result)
            acted()
            return rendered % result.status

        return written

    wrapped(rules.methods, "result_document", wrap)


@reading("clause methods.empty-response: payload absent", "hub facts 8, empty response body")
def empty_answers_have_no_payload(rules):
    """The caller of a method whose answer is empty gets a status alone."""
    _empty_response(rules, b'{"status":%d}')


@reading("clause methods.empty-response: body that is not JSON", "hub facts 8: seen in 2017")
def empty_answers_break_the_callers_json(rules):
    """The caller of a method whose answer is empty gets a payload with nothing in it, which is no JSON."""
    _empty_response(rules, b'{"status":%d,"payload":}')


@reading(
    "clause methods.status-integer: connection closed", "hub facts 8, non-int: ACCEPT {504, close, 4xx, 5xx}"
)
def a_bad_status_closes(rules):
    """An answer whose status is no integer closes the device's connection."""
    always(rules.methods, "on_bad_status", "close")


@reading("clause methods.status-integer: 504", "hub facts 8, non-int: ACCEPT {504, close, 4xx, 5xx}")
def a_bad_status_is_passed_over(rules):
    """An answer whose status is no integer is no answer: the caller's time runs out."""
    always(rules.methods, "on_bad_status", "ignore")


@reading(
    "clause methods.status-integer: another error", "hub facts 8, non-int: ACCEPT {504, close, 4xx, 5xx}"
)
def a_bad_status_is_an_error_for_the_caller(rules):
    """An answer whose status is no integer ends the call with 400."""

    def wrap(responded):
        def answered(self, response, payload):
            found = responded(self, response, payload)
            if found is None or self._rules.status(response.status) is not None:
                return found
            acted()
            return Answered(found.caller, invalid("The device's status is no integer."))

        return answered

    wrapped(MethodCalls, "responded", wrap)


# Packets


# Of these MQTT binds the sender; what is no text, and a filter that is none, has clauses of its own.
SOFT = ("[MQTT-2.3.1-1]", "[MQTT-3.3.1-2]")
EMPTY_TOPIC = "[MQTT-4.7.3-1]"
PUBLISH, SUBSCRIBE, UNSUBSCRIBE = 3, 8, 10


@reading("clause packets.malformed-soft: ignored")
def packets_that_are_nearly_right_are_ignored(rules):
    """A packet with packet id 0, an empty topic or a wrong DUP is passed over."""

    def wrap(next_packet):
        def lenient(self):
            while True:
                packet_type = self._buffer[self._position] >> 4
                try:
                    return next_packet(self)
                except Malformed as malformed:
                    soft = (*SOFT, EMPTY_TOPIC) if packet_type == PUBLISH else SOFT
                    if packet_type not in {PUBLISH, SUBSCRIBE, UNSUBSCRIBE} or not str(malformed).startswith(
                        soft
                    ):
                        raise
                    acted()
                    if self._position >= len(self._buffer):
                        return None

        return lenient

    wrapped(Decoder, "_next", wrap)


@reading("clause packets.malformed-soft: ordinary acknowledgement")
def packets_that_are_nearly_right_are_acknowledged(rules):
    """Packet id 0 and a wrong DUP are taken as they are."""
    always(rules.codec, "packet_id", None)

    always(rules.codec, "publish_dup", None)
    always(rules.publish, "on_undocumented_topic", "acknowledge")


@reading("clause topics.ill-formed-filters: refused with 0x80", "the clause's note: many servers do")
def ill_formed_filters_are_refused(rules):
    """A filter that MQTT does not allow is answered 0x80, and the connection stays."""

    def wrap(check):
        def lenient(topic_filter):
            try:
                check(topic_filter)
            except Malformed:
                acted()

        return lenient

    wrapped(rules.codec, "filter_wildcards", wrap)


# Values


@reading(
    "clause twin.number-forms, desired.number-forms, methods.number-forms: the same number in another form",
    "RFC 8259, 6: the form of a number has no meaning",
)
def whole_numbers_lose_their_point(rules):
    """A number without a fraction is written without a point, wherever it goes."""

    def plain(value):
        if isinstance(value, dict):
            return {name: plain(each) for name, each in value.items()}
        if isinstance(value, list):
            return [plain(each) for each in value]
        if isinstance(value, float) and value.is_integer() and 0 < abs(value) < EXACT:
            acted()
            return int(value)
        return value

    wrapped(json_text, "dump", lambda dump: lambda value: dump(plain(value)))


@reading("clause bag.control-characters: not taken", "Microsoft, page on messages: printable ASCII alone")
def control_characters_in_properties_close(rules):
    """A message with a control character in a name or value of its bag closes the connection."""

    def wrap(decode):
        def printable(text):
            decoded = decode(text)
            if any(ord(character) < 0x20 or character == "\x7f" for character in decoded):
                acted()
                raise BagRefused("bag.control-characters")
            return decoded

        return printable

    wrapped(rules.property_bag, "decode", wrap)


@reading("clause c2d.bag-utf-8: refused", "Microsoft, page on messages: printable ASCII alone")
def cloud_properties_beyond_ascii_are_refused(rules):
    """A message to a device with a property that is not ASCII is refused to its sender."""

    def wrap(accepts_size):
        def accepts(message):
            if not all(f"{name}{value}".isascii() for name, value in message.properties.items()):
                acted()
                raise invalid("The properties of a message are ASCII.")
            return accepts_size(message)

        return accepts

    wrapped(rules.mailbox, "accepts_size", wrap)


# All at once


@reading("each clause above")
def other_readings(rules):
    """Of each disputed clause another reading, all at once."""
    for differ in (
        refusals_are_a_bare_close,
        session_present_is_never_told,
        ids_encoded_twice_open_nothing,
        certificates_have_a_longer_name,
        websockets_without_subprotocol_are_closed,
        subprotocols_have_any_case,
        retained_messages_have_mqtt_retain,
        retained_wills_have_mqtt_retain,
        qos_2_has_a_puback,
        empty_values_are_absent,
        names_without_a_value_are_absent,
        connection_events_name_no_module,
        modules_connect_under_operations_of_their_own,
        modules_come_and_go_as_devices,
        subscriptions_are_to_be_repeated,
        filters_for_all_of_a_module_are_refused,
        undocumented_filters_are_a_close,
        undocumented_names_have_a_puback,
        get_succeeds_with_200,
        patch_succeeds_with_204,
        requests_without_id_have_no_answer,
        replacements_leave_out_what_is_gone,
        calls_of_null_have_an_empty_body,
        twins_too_large_are_400,
        empty_answers_have_no_payload,
        a_bad_status_closes,
        packets_that_are_nearly_right_are_ignored,
        ill_formed_filters_are_refused,
        whole_numbers_lose_their_point,
        control_characters_in_properties_close,
        cloud_properties_beyond_ascii_are_refused,
    ):
        differ(rules)


@reading("each clause above")
def still_other_readings(rules):
    """Of the clauses with three readings or more another one yet, and of the others the same, all at once."""
    for differ in (
        refusals_have_codes_of_their_own,
        session_present_is_never_told,
        ids_encoded_twice_open_nothing,
        certificates_have_a_longer_name,
        websockets_without_subprotocol_are_deaf,
        subprotocols_have_any_case,
        retained_messages_have_mqtt_retain,
        retained_wills_have_mqtt_retain,
        qos_2_has_a_puback,
        empty_values_are_absent,
        names_without_a_value_are_absent,
        connection_events_name_no_module,
        modules_connect_under_operations_of_their_own,
        modules_come_and_go_as_devices,
        subscriptions_are_to_be_repeated,
        undocumented_filters_are_granted_and_silent,
        undocumented_names_have_no_answer,
        get_succeeds_with_200,
        patch_succeeds_with_204,
        requests_without_id_are_answered_400,
        twins_too_large_are_413,
        empty_answers_break_the_callers_json,
        a_bad_status_is_passed_over,
    ):
        differ(rules)


@reading("each clause above")
def last_readings(rules):
    """What is left of the readings, all at once."""
    for differ in (
        undocumented_filters_bring_what_is_the_device_s_own,
        packets_that_are_nearly_right_are_acknowledged,
        undocumented_names_are_telemetry,
        a_bad_status_is_an_error_for_the_caller,
    ):
        differ(rules)
