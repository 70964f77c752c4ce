"""Hubs that treat the $iothub topics, which all devices share, as a broker treats shared topics."""

from fault import fault
from twin_faults import twin_rules

from iothub_emulator.hub.subscribe import SubscribeRules
from iothub_emulator.hub.twin_rules import ANSWERS_FILTER, DESIRED_FILTER, TwinRules


class Subscribers(SubscribeRules):
    """Knows who has subscribed to a filter."""

    def __init__(self):
        super().__init__()
        self.known = {}

    def grants(self, topic_filter, qos, identity_key):
        self.known.setdefault(topic_filter, []).append(identity_key)
        return super().grants(topic_filter, qos, identity_key)

    def of(self, topic_filter, *others):
        return tuple(dict.fromkeys((*others, *self.known.get(topic_filter, ()))))


@fault("topics.cross-device-twin")
def answers_go_to_all_subscribers(rules):
    """An answer goes to every connection that subscribed to answers, whoever asked."""
    subscribers = rules.subscribe = Subscribers()

    class Wrong(TwinRules):
        def answer_recipients(self, asker, request_id):
            return subscribers.of(ANSWERS_FILTER, asker)

    twin_rules(rules, Wrong)


@fault("topics.cross-device-twin", "desired.own-only")
def notifications_go_to_all_subscribers(rules):
    """A notification goes to every connection that subscribed to notifications, whosever twin it is."""
    subscribers = rules.subscribe = Subscribers()

    class Wrong(TwinRules):
        def recipients(self, owner):
            return subscribers.of(DESIRED_FILTER, owner)

    twin_rules(rules, Wrong)


@fault("topics.cross-device-twin")
def answer_goes_to_all_who_used_its_request_id(rules):
    """Requests under way are kept by their id alone, for all devices together."""

    class Wrong(TwinRules):
        def __init__(self, *statuses):
            super().__init__(*statuses)
            self.askers = {}

        def answer_recipients(self, asker, request_id):
            self.askers.setdefault(request_id, {})[asker] = None
            return tuple(self.askers[request_id])

    twin_rules(rules, Wrong)


@fault("topics.cross-device-twin", "twin.get-body", spreads=True)
def all_devices_share_a_twin(rules):
    """The twin that a device reads and reports to is that of whoever asked first."""

    class Wrong(TwinRules):
        first = None

        def twin_of(self, identity_key):
            self.first = self.first or identity_key
            return self.first

    twin_rules(rules, Wrong)
