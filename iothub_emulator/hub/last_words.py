"""From a Will to the event that the back end sees."""

from iothub_emulator.hub.effects import End
from iothub_emulator.hub.packets import Will
from iothub_emulator.hub.property_bag import BagRefused
from iothub_emulator.hub.rulebook import Rulebook
from iothub_emulator.hub.telemetry import Sender, TelemetryEvent


def last_words(will: Will, sender: Sender, end: End, rules: Rulebook, now: float) -> TelemetryEvent | None:
    """will.property-bag, will.message-type, will.retain-property, will.foreign-topic.

    unspecified: a Will outside the device's own events topic, or with a bag without sense, is not sent: None.
    `now` is unix seconds.
    """
    publish = rules.publish
    topic = publish.parse_topic(will.topic)
    author = None if topic is None else publish.author_of(topic, sender)
    if topic is None or author is None:
        return None
    try:
        bag = rules.property_bag.parse(publish.bag_of(rules.will.bag_of(topic.bag)))
    except BagRefused:
        return None
    retained = publish.retain_properties(retain=will.retain)
    properties = bag.properties | retained | rules.will.properties(end)
    return rules.telemetry.stamp(author, rules.will.payload(will), properties, bag.system, now)
