"""A hub as Microsoft's SDKs in C have it, in headers, documents and issues."""

from dataclasses import replace
from urllib.parse import unquote

from acts import keep_no_filter, on_a_slash_in_the_bag
from latitude import acted, right, wrapped
from readings_latitude import DEVICE_WILDCARD, subprotocols_have_any_case

from iothub_emulator.hub import filters, publish, topics
from iothub_emulator.hub.method_rules import REQUESTS_FILTER


def close_behind(session, published, packet, sender, now):
    """Take a message up to the slash in its bag, and close."""
    before, mark, bag = packet.topic.partition("/messages/events/")
    cut = replace(packet, topic=f"{before}{mark}{bag.partition('/')[0]}", qos=0)
    return [*published(session, cut, sender, now), *session._fail("bag.raw-slash", now)]


def take_encoded_ids():
    """Let an id that is percent-encoded in a topic or filter name the device itself."""

    def named(names):
        def by_its_encoded_id(segment, name):
            if segment != name and unquote(segment) == name:
                acted()
                return True
            return names(segment, name)

        return by_its_encoded_id

    def plain(topic_filter, identity_key):
        levels = topic_filter.split("/")
        ids = dict(zip((1, 3), identity_key.split("/"), strict=False)) if levels[0] == "devices" else {}
        return "/".join(
            filters.printed(ids[place]) if unquote(level) == ids.get(place) else level
            for place, level in enumerate(levels)
        )

    for module in (filters, publish, topics):
        wrapped(module, "names", named)
    wrapped(filters, "plain", lambda _plain: plain)


def grant_any_devices_filter(rules):
    """Grant a device the filter in which a wildcard stands for it."""

    def wrap(grants):
        def granted(topic_filter, qos, identity_key):
            if topic_filter == DEVICE_WILDCARD and "/" not in identity_key:
                acted()
                return min(qos, 1)
            return grants(topic_filter, qos, identity_key)

        return granted

    wrapped(rules.subscribe, "grants", wrap)


@right(
    "F7: ids in topics percent-encoded (a header of azure-sdk-for-c)",
    "F8: its constant devices/+/messages/devicebound/# is granted (az_iot_hub_client.h)",
    "F9: closed, and delivered, cut (azure-iot-sdk-c issue 1695)",
    "F13: of methods' subscriptions sources differ",
    "F2: the subprotocol MQTT (iothubtransportmqtt_websockets.c)",
    "hub facts 1: code 5 on every refusal (connection_and_messaging_reliability.md)",
    base="emulator",
)
def hub_of_the_sdks_in_c(rules):
    """An id may be percent-encoded in topics, any device's filter is granted, each refusal has code 5."""
    subprotocols_have_any_case(rules)
    keep_no_filter(rules, lambda topic_filter: topic_filter == REQUESTS_FILTER)
    on_a_slash_in_the_bag(close_behind)
    take_encoded_ids()
    grant_any_devices_filter(rules)
    wrapped(rules.connect, "refusal_code", lambda _right: lambda _reason: 5)
