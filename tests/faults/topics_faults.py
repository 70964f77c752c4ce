"""Hubs that behave like a general broker, or mind the wrong things about topics."""

import re

from fault import fault

from iothub_emulator.hub.packets import Puback, Publish
from iothub_emulator.hub.publish import PublishRules
from iothub_emulator.hub.subscribe import FAILURE, SubscribeRules
from iothub_emulator.hub.topics import parse_name
from iothub_emulator.mqtt.rules import CodecRules


def fits(topic_filter, topic):
    """Tell whether a topic falls under a filter, as a broker has it."""
    pattern = re.escape(topic_filter).replace(r"\+", "[^/]*").replace(r"/\#", "(/.*)?").replace(r"\#", ".*")
    return re.fullmatch(pattern, topic) is not None


def is_wild(topic_filter):
    return topic_filter == "#" or "+" in topic_filter


@fault("topics.no-device-to-device", "watch.topics", "watch.identity")
def telemetry_goes_to_subscribers_too(rules):
    """What a device publishes is also handed to every device whose subscription fits it."""

    class PassesOn(PublishRules):
        def passes_on(self, topic):
            return topic.startswith("devices/")

    class Matches(SubscribeRules):
        def grants(self, topic_filter, qos, identity_key):
            return min(qos, 1)

        def hears(self, subscriptions, topic):
            return "/messages/events/" in topic and any(fits(each, topic) for each in subscriptions)

    rules.publish = PassesOn(rules.publish.settings, rules.publish.edition)
    rules.subscribe = Matches()


@fault("topics.no-device-to-device")
def what_is_not_the_hubs_is_a_brokers(rules):
    """Names that the document does not know are published and subscribed to as on a general broker."""

    class PassesOn(PublishRules):
        def passes_on(self, topic):
            return not topic.startswith(("devices/", "$"))

    class Matches(SubscribeRules):
        def grants(self, topic_filter, qos, identity_key):
            return min(qos, 1)

        def hears(self, subscriptions, topic):
            return any(fits(each, topic) for each in subscriptions)

    rules.publish = PassesOn(rules.publish.settings, rules.publish.edition)
    rules.subscribe = Matches()


@fault("topics.no-device-to-device")
def devices_write_to_each_others_mailboxes(rules):
    """A device that publishes on the devicebound topic of another one sends it a message."""

    class PassesOn(PublishRules):
        def passes_on(self, topic):
            return "/messages/devicebound/" in topic

    class Matches(SubscribeRules):
        def hears(self, subscriptions, topic):
            return any(fits(each, topic) for each in subscriptions)

    rules.publish = PassesOn(rules.publish.settings, rules.publish.edition)
    rules.subscribe = Matches()


def eavesdropping(rules, listens_to):
    """Let whoever subscribed to `listens_to(filter)`, a device id or "everybody", get its messages too."""
    listeners = {}

    class Wrong(SubscribeRules):
        def grants(self, topic_filter, qos, identity_key):
            whom = listens_to(topic_filter)
            if whom is None:
                return super().grants(topic_filter, qos, identity_key)
            listeners[whom] = {identity_key}  # the latest: mailboxes of earlier ones would overflow
            return min(qos, 1)

        def brings(self, topic_filter, topic, identity_key):
            if topic.startswith("devices/"):
                return listens_to(topic_filter) is not None
            return super().brings(topic_filter, topic, identity_key)

    def recipients(addressee):
        extra = listeners.get(addressee, set()) | listeners.get("everybody", set())
        return (addressee, *sorted(extra - {addressee}))

    rules.subscribe = Wrong()
    rules.mailbox.recipients = recipients


@fault("topics.cross-device", "watch.identity")
def filter_may_name_another_device(rules):
    """Nobody compares the device in a devicebound filter with the one that subscribes."""

    def listens_to(topic_filter):
        found = re.fullmatch("devices/([^/+#]+)/messages/devicebound/#", topic_filter)
        return found and found[1]

    eavesdropping(rules, listens_to)


@fault("topics.cross-device", "topics.undocumented-filter", "topics.subtopic-wildcards", "watch.identity")
def wildcard_brings_all_messages(rules):
    """A filter with a wildcard in front of the device stands for every device."""

    def listens_to(topic_filter):
        found = re.fullmatch("devices/([^/+#]+)/messages/devicebound/#", topic_filter)
        return "everybody" if is_wild(topic_filter) else found and found[1]

    eavesdropping(rules, listens_to)


@fault("topics.cross-device", "watch.identity")
def beginning_of_a_topic_stands_for_all_below_it(rules):
    """A filter of devices, or of one device, brings every message below it, whoever subscribed."""

    def listens_to(topic_filter):
        found = re.fullmatch("devices/(?:([^/+#]+)/(?:messages/devicebound/)?)?#", topic_filter)
        return found and (found[1] or "everybody")

    eavesdropping(rules, listens_to)


@fault("topics.cross-device", "topics.undocumented-filter", "watch.identity")
def own_names_of_the_hub_open_everything(rules):
    """Whoever subscribes to all of $iothub gets what the hub sends to anybody."""

    def listens_to(topic_filter):
        found = re.fullmatch("devices/([^/+#]+)/messages/devicebound/#", topic_filter)
        return "everybody" if topic_filter == "$iothub/#" else found and found[1]

    eavesdropping(rules, listens_to)


@fault("topics.undocumented-filter", "topics.subtopic-wildcards")
def refused_filter_is_stored(rules):
    """A filter that SUBACK refuses is kept all the same, and brings messages."""

    class Wrong(SubscribeRules):
        def __init__(self):
            super().__init__()
            self.refused = set()

        def grants(self, topic_filter, qos, identity_key):
            if super().grants(topic_filter, qos, identity_key) == FAILURE:
                self.refused.add(topic_filter)
            return min(qos, 1)

        def subscribed(self, packet, codes):
            return super().subscribed(
                packet,
                [
                    FAILURE if each in self.refused else code
                    for (each, _), code in zip(packet.filters, codes, strict=True)
                ],
            )

        def brings(self, topic_filter, topic, identity_key):
            is_message = topic.startswith("devices/") and is_wild(topic_filter)
            return is_message or super().brings(topic_filter, topic, identity_key)

    rules.subscribe = Wrong()


@fault("topics.undocumented-filter", "topics.subtopic-wildcards")
def refused_filter_gets_no_suback(rules):
    """A SUBSCRIBE for an undocumented filter is dropped without its SUBACK."""

    class Wrong(SubscribeRules):
        def subscribed(self, packet, codes):
            return () if FAILURE in codes else super().subscribed(packet, codes)

    rules.subscribe = Wrong()


@fault("topics.undocumented-name", "watch.topics")
def undocumented_name_comes_back(rules):
    """A message on an undocumented topic is acknowledged and sent back to where it came from."""

    class Wrong(PublishRules):
        def on_undocumented_topic(self, topic):
            return "acknowledge"

        def acknowledge(self, packet):
            if parse_name(packet.topic) or packet.topic.startswith("$iothub/") or not packet.qos:
                return super().acknowledge(packet)
            return Puback(packet.packet_id), Publish(packet.topic, packet.payload, 0, retain=False)

    rules.publish = Wrong(rules.publish.settings, rules.publish.edition)


@fault("topics.undocumented-name", "watch.topics")
def undocumented_name_of_the_hub_comes_back(rules):
    """A message on a name of the hub's own that nobody knows is echoed."""

    class Wrong(PublishRules):
        def on_undocumented_topic(self, topic):
            return "acknowledge"

        def acknowledge(self, packet):
            if not packet.qos or not re.match(r"\$iothub/(?!twin/|methods/)", packet.topic):
                return super().acknowledge(packet)
            return Puback(packet.packet_id), Publish(packet.topic, packet.payload, 0, retain=False)

    rules.publish = Wrong(rules.publish.settings, rules.publish.edition)


ANY_DEVICE = "devices/+/messages/devicebound/#"


@fault("topics.device-wildcard")
def filter_of_any_device_is_granted_and_silent(rules):
    """The filter of the embedded SDK is granted, and no message is found to match it."""

    class Wrong(SubscribeRules):
        def grants(self, topic_filter, qos, identity_key):
            return (
                min(qos, 1) if topic_filter == ANY_DEVICE else super().grants(topic_filter, qos, identity_key)
            )

        def brings(self, topic_filter, topic, identity_key):
            return topic_filter != ANY_DEVICE and super().brings(topic_filter, topic, identity_key)

    rules.subscribe = Wrong()


@fault("topics.device-wildcard", "topics.cross-device", "watch.identity")
def filter_of_any_device_brings_any_devices_messages(rules):
    """The wildcard in the filter of the embedded SDK stands for every device of the hub."""

    def listens_to(topic_filter):
        found = re.fullmatch("devices/([^/+#]+)/messages/devicebound/#", topic_filter)
        return "everybody" if topic_filter == ANY_DEVICE else found and found[1]

    eavesdropping(rules, listens_to)


@fault("topics.five-subscriptions", spreads=True)
def three_filters_are_the_most(rules):
    """A session has room for three filters; each further one is refused."""

    class Wrong(SubscribeRules):
        def accepts_another(self, count):
            return count < 3

    rules.subscribe = Wrong()


@fault("module.receive-filter")
def filter_of_a_module_is_granted_with_qos_2(rules):
    """The filter for all that is a module's is granted with whatever QoS was asked for."""

    class Wrong(SubscribeRules):
        def grants(self, topic_filter, qos, identity_key):
            granted = super().grants(topic_filter, qos, identity_key)
            return qos if granted != FAILURE and "/modules/" in topic_filter else granted

    rules.subscribe = Wrong()


def standing_for(rules, wide, documented):
    """Grant the filter `wide` and keep these documented ones in its place."""

    class Wrong(SubscribeRules):
        def grants(self, topic_filter, qos, identity_key):
            return min(qos, 1) if topic_filter == wide else super().grants(topic_filter, qos, identity_key)

        def store(self, subscriptions, topic_filter, granted):
            for each in documented if topic_filter == wide else (topic_filter,):
                super().store(subscriptions, each, granted)

    rules.subscribe = Wrong()


@fault("topics.subtopic-wildcards")
def wildcard_in_front_brings_the_hubs_own_topics(rules):
    """A filter of everything matches topics that begin with a dollar sign."""
    own = ("$iothub/twin/res/#", "$iothub/twin/PATCH/properties/desired/#", "$iothub/methods/POST/#")
    standing_for(rules, "#", own)


@fault("topics.subtopic-wildcards")
def answers_of_one_status_bring_those_of_all(rules):
    """Whoever subscribed to the answers of one status is sent every answer."""
    standing_for(rules, "$iothub/twin/res/404/#", ("$iothub/twin/res/#",))


@fault("topics.subtopic-wildcards")
def all_of_twin_brings_calls_of_methods(rules):
    """Whoever subscribed to all about its twin is called as well."""
    standing_for(rules, "$iothub/twin/#", ("$iothub/twin/res/#", "$iothub/methods/POST/#"))


@fault("topics.ill-formed-filters")
def number_sign_ends_a_filter_anywhere(rules):
    """A filter is read up to its first #, and granted for what stands before it."""

    class Reads(CodecRules):
        def filter_wildcards(self, topic_filter):
            pass

    class Wrong(SubscribeRules):
        def grants(self, topic_filter, qos, identity_key):
            begin, sign, _ = topic_filter.partition("#")
            return super().grants(f"{begin.rstrip('/')}/#" if sign else topic_filter, qos, identity_key)

    rules.codec, rules.subscribe = Reads(rules.codec.settings), Wrong(rules.subscribe.edition)


@fault("topics.ill-formed-filters")
def plus_sign_is_part_of_a_name(rules):
    """A + beside other characters is one of them, and such a filter is granted and brings nothing."""

    class Reads(CodecRules):
        def filter_wildcards(self, topic_filter):
            if "#" in topic_filter:
                super().filter_wildcards(topic_filter.replace("+", ""))

    class Wrong(SubscribeRules):
        def grants(self, topic_filter, qos, identity_key):
            is_odd = any("+" in level and level != "+" for level in topic_filter.split("/"))
            return min(qos, 1) if is_odd else super().grants(topic_filter, qos, identity_key)

    rules.codec, rules.subscribe = Reads(rules.codec.settings), Wrong(rules.subscribe.edition)


@fault("topics.beside-undocumented")
def one_filter_that_is_refused_refuses_all(rules):
    """A SUBSCRIBE is granted as a whole, or refused as a whole."""

    class Wrong(SubscribeRules):
        def return_codes(self, codes):
            return (FAILURE,) * len(codes) if FAILURE in codes else super().return_codes(codes)

    rules.subscribe = Wrong(rules.subscribe.edition)
