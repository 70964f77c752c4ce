"""SUBSCRIBE and UNSUBSCRIBE."""

from collections.abc import Mapping, Sequence

from iothub_emulator.editions import EDITIONS, Edition
from iothub_emulator.hub import filters, topics
from iothub_emulator.hub.packets import FromServer, Suback, Subscribe, Unsuback, Unsubscribe

FAILURE = 0x80


MOST_FILTERS = 50
"""Different filters of one session; a hub's own number is five (Microsoft's page of today)."""


class SubscribeRules:
    """Each decision about a subscription."""

    def __init__(self, edition: Edition = EDITIONS["document"]) -> None:
        self.edition = edition

    def grants(self, topic_filter: str, qos: int, identity_key: str) -> int:
        """c2d.granted-qos, topics.undocumented-filter, topics.subtopic-wildcards: at most QoS 1, or 0x80.

        Per edition, a filter is granted if the document names it, or if it can match what the hub sends to
        this identity. unspecified: the document names no consequence for others; MQTT 3.1.1 has 0x80 for it.
        """
        if self.edition.filters == "documented":
            is_granted = topics.is_documented_filter(topic_filter, identity_key)
        else:
            is_granted = any(filters.can_match(topic_filter, form) for form in filters.forms(identity_key))
        return min(qos, 1) if is_granted else FAILURE

    def accepts_another(self, count: int) -> bool:
        """topics.subscriptions-limit: a bounded number, so that no client fills the hub with filters.

        unspecified: what a hub does with a sixth; its page names five as the most.
        """
        return count < MOST_FILTERS

    def brings(self, topic_filter: str, topic: str, identity_key: str) -> bool:
        """c2d.subscribe, topics.cross-device, twin.not-subscribed: whether a filter brings this topic."""
        return filters.matches(filters.plain(topic_filter, identity_key), topic)

    def granted(self, subscriptions: Mapping[str, int], topic: str, identity_key: str) -> int | None:
        """c2d.delivery-qos, topics.overlapping-filters: the QoS for a message; None: no filter brings it.

        Where several do it comes once, at the highest QoS of them [MQTT-3.3.5-1].
        """
        found = (qos for each, qos in subscriptions.items() if self.brings(each, topic, identity_key))
        return max(found, default=None)

    def hears(self, subscriptions: Mapping[str, int], topic: str) -> bool:
        """topics.no-device-to-device: no subscription brings what another device published."""
        return False

    def return_codes(self, codes: Sequence[int]) -> tuple[int, ...]:
        """packets.suback-order [MQTT-3.8.4-5]: one code for each filter, in the packet's order."""
        return tuple(codes)

    def subscribed(self, packet: Subscribe, codes: Sequence[int]) -> tuple[FromServer, ...]:
        """packets.suback-order, watch.ids [MQTT-3.8.4-1, -2]: one SUBACK with the id sent."""
        return (Suback(packet.packet_id, self.return_codes(codes)),)

    def store(self, subscriptions: dict[str, int], topic_filter: str, granted: int) -> None:
        """packets.resubscribe [MQTT-3.8.4-3]: the same filter again replaces its QoS."""
        subscriptions[topic_filter] = granted

    def forget(self, subscriptions: dict[str, int], topic_filter: str) -> None:
        """c2d.unsubscribe, session.unsubscribe-persists [MQTT-3.10.4-1]: the filter counts no longer."""
        subscriptions.pop(topic_filter, None)

    def unsubscribed(self, packet: Unsubscribe) -> tuple[FromServer, ...]:
        """packets.unsuback, watch.ids [MQTT-3.10.4-4, -5]: one UNSUBACK, also for filters nobody knows."""
        return (Unsuback(packet.packet_id),)
