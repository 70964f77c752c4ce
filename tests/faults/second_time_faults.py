"""Hubs that are right the first time, for one entry of a list, or for a connection that is alone."""

from fault import fault

from iothub_emulator.hub.subscribe import SubscribeRules
from iothub_emulator.hub.twin_rules import TwinRules


@fault("twin.read-back")
def removed_member_stays_removed(rules):
    """A member that was removed leaves a mark behind, by which it is left out when it is set anew."""

    class Marked(dict):
        removed = frozenset()

    class Wrong(TwinRules):
        def merged(self, before, patch):
            after = Marked(super().merged(before, patch))
            earlier = getattr(before, "removed", frozenset())
            for name in earlier & after.keys():
                del after[name]
            after.removed = earlier | {name for name in before if name not in after}
            return after

    rules.twins = Wrong(rules.twins.get_status(), rules.twins.patch_status())


@fault("packets.several-filters")
def first_filter_of_an_unsubscribe_is_taken_back(rules):
    """Of an UNSUBSCRIBE the hub reads one filter, and acknowledges all."""

    class Wrong(SubscribeRules):
        has_read_one = False

        def forget(self, subscriptions, topic_filter):
            if not self.has_read_one:
                super().forget(subscriptions, topic_filter)
            self.has_read_one = True

        def unsubscribed(self, packet):
            self.has_read_one = False
            return super().unsubscribed(packet)

    rules.subscribe = Wrong(rules.subscribe.edition)
