"""SUBSCRIBE and UNSUBSCRIBE."""

from collections.abc import Mapping, Sequence

from iothub_emulator.hub import topics
from iothub_emulator.hub.packets import FromServer, Suback, Subscribe, Unsuback, Unsubscribe

FAILURE = 0x80


class SubscribeRules:
    """Each decision about a subscription."""

    def grants(self, topic_filter: str, qos: int, identity_key: str) -> int:
        """c2d.granted-qos, topics.undocumented-filter: at most QoS 1, and 0x80 for what is not documented.

        unspecified: the document names no consequence for other filters; MQTT 3.1.1 has 0x80 for it.
        """
        return min(qos, 1) if topics.is_documented_filter(topic_filter, identity_key) else FAILURE

    def is_for_messages(self, topic_filter: str, device_id: str) -> bool:
        """c2d.subscribe, topics.cross-device: under which filter a device's own messages reach it."""
        return topics.is_devicebound_filter(topic_filter, device_id)

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
