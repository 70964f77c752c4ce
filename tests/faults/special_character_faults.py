"""Hubs that trip over special characters in ids: compared or printed in another form somewhere."""

import dataclasses
import re
from urllib.parse import quote

from fault import fault

from iothub_emulator.hub.connect import ConnectRules, Username
from iothub_emulator.hub.connection import ConnectionRules
from iothub_emulator.hub.feedback import FeedbackRules
from iothub_emulator.hub.hub_events import EventRules
from iothub_emulator.hub.tokens import TokenRefused, TokenRules
from iothub_emulator.net.rules import ListenerRules

MQTT_5_NOT_AUTHORISED = 0x87


def encoded(name):
    """Return a name as it is in the path of an address; a module's slash stays."""
    return quote(name, safe="/")


def bare(name):
    """Return a name without its special characters."""
    return re.sub("[^A-Za-z0-9/-]", "", name)


@fault("connect.special-characters")
def equals_sign_begins_the_parameters(rules):
    """The parameters of a Username are looked for at its first equals sign, even within the device id."""

    class Wrong(ConnectRules):
        def parse_username(self, text):
            username = super().parse_username(text)
            if username is None or "=" not in username.device_id:
                return username
            device_id, _, rest = username.device_id.partition("=")
            return Username(username.host, device_id, None, f"{rest}&{username.parameters}")

    rules.connect = Wrong(rules.connect.settings)


@fault("connect.special-characters")
def client_id_is_expected_encoded(rules):
    """The id in ClientId has to be percent-encoded, the one in Username not."""

    class Wrong(ConnectRules):
        def same_device(self, client_id, username):
            return client_id == encoded(username.client_id)

    rules.connect = Wrong(rules.connect.settings)


@fault("websocket.special-characters")
def colon_over_websocket_begins_a_port(rules):
    """What comes over WebSocket is read as a URL: a colon in CONNECT becomes something else."""

    class Wrong(ListenerRules):
        def websocket_payload(self, payload, *, ends_message):
            return payload.replace(b":", b";") if payload[:1] == b"\x10" else payload

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("connection.special-characters")
def connections_are_kept_under_the_bare_id(rules):
    """Two devices whose ids differ in special characters alone share one place for their connection."""

    class Wrong(ConnectionRules):
        def __init__(self):
            self.seen = set()

        def replaced_by(self, identity_key):
            self.seen.add(identity_key)
            return tuple(key for key in self.seen if bare(key) == bare(identity_key))

    rules.connection = Wrong()


@fault("connection.special-characters")
def older_connection_is_looked_for_under_the_encoded_id(rules):
    """A device with special characters in its id has as many connections as it opens."""

    class Wrong(ConnectionRules):
        def replaced_by(self, identity_key):
            return (encoded(identity_key),)

    rules.connection = Wrong()


@fault("sas.special-characters")
def resources_are_compared_without_special_characters(rules):
    """A token opens each device whose id has the same letters and digits."""

    class Wrong(TokenRules):
        def is_prefix(self, granted, wanted):
            return super().is_prefix([bare(each) for each in granted], [bare(each) for each in wanted])

    rules.tokens = Wrong(rules.tokens.settings)


@fault("sas.special-characters")
def small_escapes_are_known_of_the_slash_alone(rules):
    """%2f is read in either letter case, any other escape in capitals alone."""

    class Wrong(TokenRules):
        def covers_identity(self, token, resource):
            small = re.search("%(?!2f)(?:[a-f][0-9A-Fa-f]|[0-9A-F][a-f])", token.raw_resource)
            return small is None and super().covers_identity(token, resource)

    rules.tokens = Wrong(rules.tokens.settings)


@fault("sas.resource-encoded-twice", "module.resource-encoded-twice")
def token_that_is_encoded_twice_is_refused_as_mqtt_5_does(rules):
    """A resource in which escapes are left is refused with a code that MQTT 3.1.1 does not have."""

    class Reads(TokenRules):
        def covers_identity(self, token, resource):
            if "%" in token.resource:
                raise TokenRefused("encoded twice")
            return super().covers_identity(token, resource)

    class Answers(ConnectRules):
        def refusal_code(self, reason):
            return MQTT_5_NOT_AUTHORISED if "encoded twice" in reason else super().refusal_code(reason)

    rules.tokens, rules.connect = Reads(rules.tokens.settings), Answers(rules.connect.settings)


@fault("d2c.special-characters", "will.special-characters", "module.telemetry-special-characters")
def stamp_is_percent_encoded(rules):
    """Telemetry and Wills are stamped with the id as it is in an address."""
    original = rules.telemetry.device_id
    rules.telemetry.device_id = lambda sender, properties: encoded(original(sender, properties))


@fault("d2c.special-characters")
def topic_of_telemetry_is_expected_encoded(rules):
    """A device's own events topic is taken for another device's where its id has special characters."""
    original = rules.publish.sender_of
    rules.publish.sender_of = lambda device, sender: (
        original(device, sender) if device == encoded(device) else None
    )


@fault("will.special-characters")
def will_is_kept_for_plain_ids_alone(rules):
    """The Will of a device whose id has special characters is forgotten."""
    original = rules.will.of_connection
    rules.will.of_connection = lambda will, key: original(will, key) if key == encoded(key) else None


@fault("module.telemetry-special-characters")
def topic_of_a_module_is_expected_encoded(rules):
    """A module's own events topic is taken for another's where its name has special characters."""
    original = rules.publish.same_module
    rules.publish.same_module = lambda module, sender: (
        original(module, sender) and (module is None or module == encoded(module))
    )


@fault("c2d.special-characters")
def topic_of_a_message_is_percent_encoded(rules):
    """A message comes on a topic that has the id as it is in an address."""
    original = rules.mailbox.topic
    rules.mailbox.topic = lambda device_id, message: original(encoded(device_id), message)


@fault("c2d.special-characters", "watch.identity")
def messages_reach_the_bare_id_too(rules):
    """A message goes to the device whose id is the same without special characters as well."""
    rules.mailbox.recipients = lambda addressee: tuple(dict.fromkeys((addressee, bare(addressee))))


@fault("c2d.address-encoded")
def address_is_not_decoded(rules):
    """An id that a sender percent-encoded in the address is no device's."""
    original = rules.mailbox.addressee
    rules.mailbox.addressee = lambda to: None if "%" in to else original(to)


@fault("c2d.feedback-special-characters")
def feedback_is_percent_encoded(rules):
    """Feedback names the device as it is in an address."""

    class Wrong(FeedbackRules):
        def record(self, record):
            return super().record(dataclasses.replace(record, device_id=encoded(record.device_id)))

    rules.feedback.record = Wrong().record


@fault("twin.special-characters")
def answers_go_to_the_encoded_id(rules):
    """Whoever has special characters in its id hears no answer about its twin."""
    original = rules.twins.answer_recipients
    rules.twins.answer_recipients = lambda asker, request_id: original(encoded(asker), request_id)


@fault("desired.special-characters")
def changes_go_to_the_encoded_id(rules):
    """Whoever has special characters in its id hears of no change."""
    original = rules.twins.recipients
    rules.twins.recipients = lambda owner: original(encoded(owner))


@fault("methods.special-characters", "module.methods-special-characters")
def calls_go_to_the_encoded_id(rules):
    """Whoever has special characters in its id is never called."""
    original = rules.methods.recipients
    rules.methods.recipients = lambda owner: original(encoded(owner))


@fault("monitoring.special-characters")
def events_are_percent_encoded(rules):
    """Events name the device as it is in an address."""

    class Wrong(EventRules):
        def named_device(self, happening):
            return encoded(super().named_device(happening))

    rules.events = Wrong(rules.events.settings)


@fault("module.special-characters")
def equals_sign_in_a_modules_name_begins_the_parameters(rules):
    """A part of the Username that has an equals sign in it is no module."""

    class Wrong(ConnectRules):
        def parse_username(self, text):
            host, _, rest = text.partition("/")
            device_id, _, third = rest.partition("/")
            if third.startswith("?") or "=" not in third.partition("/")[0]:
                return super().parse_username(text)
            return Username(host, device_id, None, third)

    rules.connect = Wrong(rules.connect.settings)


@fault("module.twin-special-characters")
def answers_to_modules_go_to_the_encoded_name(rules):
    """A module that has special characters in its name hears no answer about its twin."""
    original = rules.twins.answer_recipients

    def recipients(asker, request_id):
        return original(encoded(asker) if "/" in asker else asker, request_id)

    rules.twins.answer_recipients = recipients
