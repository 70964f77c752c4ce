"""PUBLISH from a device: whose message it is, what is added to it, how it is answered."""

from collections.abc import Mapping
from typing import Literal

from iothub_emulator.editions import Edition
from iothub_emulator.hub import topics
from iothub_emulator.hub.filters import names
from iothub_emulator.hub.packets import FromServer, Puback, Publish
from iothub_emulator.hub.property_bag import BagRefused
from iothub_emulator.hub.telemetry import Sender
from iothub_emulator.settings import Settings


class PublishRules:
    """Each decision about a PUBLISH."""

    def __init__(self, settings: Settings, edition: Edition) -> None:
        self.settings = settings
        self.edition = edition

    def on_qos_2(self) -> Literal["close", "puback"]:
        """d2c.qos2: per edition, closed at once, or taken and answered as QoS 1 would be."""
        return self.edition.qos_2

    def parse_topic(self, topic: str) -> topics.Events | None:
        """d2c.events-topic, d2c.no-slash, topics.undocumented-name: None for an undocumented name."""
        return topics.parse_name(topic)

    def sender_of(self, device: str, sender: Sender) -> Sender | None:
        """d2c.foreign-topic: who a message on `device`'s topic is from; None: not the sender's."""
        return sender if names(device, sender.device_id) else None

    def same_module(self, module: str | None, sender: Sender) -> bool:
        """module.telemetry, module.device-topic, d2c.foreign-topic: device and module have their own topics.

        unspecified: a message of either on the other's topic; it is treated as any foreign topic.
        """
        own = sender.module_id
        return module is own or (module is not None and own is not None and names(module, own))

    def author_of(self, topic: topics.Events, sender: Sender) -> Sender | None:
        """d2c.foreign-topic, module.device-topic: whose message it is; None: not the client's to send."""
        return self.sender_of(topic.device, sender) if self.same_module(topic.module, sender) else None

    def passes_on(self, topic: str) -> bool:
        """topics.no-device-to-device: what a device publishes goes to the back end and to nobody else."""
        return False

    def on_undocumented_topic(self, topic: str) -> Literal["close", "acknowledge", "ignore", "telemetry"]:
        """topics.undocumented-name, d2c.foreign-topic: the connection is closed, and nothing is delivered.

        unspecified: the document only says that such names are not supported; reports of hubs tell of a close
        (azure-docs issue 106756).
        """
        return "close"

    def bag_of(self, text: str) -> str:
        """d2c.trailing-slash, bag.raw-slash: slashes behind the bag are ignored.

        Per edition, one in the middle ends it, or raises `BagRefused`.
        """
        bag = text.rstrip("/")
        if self.edition.slash_in_bag == "closes" and "/" in bag:
            raise BagRefused("bag.raw-slash")
        return bag.partition("/")[0]

    def retain_properties(self, *, retain: bool) -> dict[str, str]:
        """d2c.retain-property, d2c.no-retain-property: nothing is retained; the flag becomes a property."""
        return {self.edition.retain_property: "true"} if retain else {}

    def duplicate_properties(self, *, dup: bool) -> dict[str, str]:
        """d2c.dup-property: DUP leaves no trace (azure-iot-sdk-node issue 609)."""
        return {}

    def size_of(self, payload: bytes, properties: Mapping[str, str], system: Mapping[str, str]) -> int:
        """d2c.too-large: body, values of system properties, names and values of the others, in bytes."""
        size = len(payload)
        for name, value in properties.items():
            size += len(name.encode()) + len(value.encode())
        for value in system.values():
            size += len(value.encode())
        return size

    def accepts_size(self, size: int) -> bool:
        """d2c.too-large: up to 256 KiB."""
        return size <= self.settings.max_message_bytes

    def delivers(self, packet: Publish) -> bool:
        """d2c.events-topic, d2c.retain-delivered, d2c.dup: every message is, a resent one again."""
        return True

    def acknowledge(self, packet: Publish) -> tuple[FromServer, ...]:
        """d2c.puback, d2c.dup, watch.ids [MQTT-3.3.4-1]: one PUBACK with the id sent; none for QoS 0."""
        return (Puback(packet.packet_id),) if packet.qos else ()
