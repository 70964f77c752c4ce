"""Hubs with a loss, a repetition or a silence that no reading allows, where a case only observes."""

from c2d_faults import mailbox_rules
from fault import fault

from iothub_emulator.hub.connect import ConnectRules
from iothub_emulator.hub.mailbox_rules import MailboxRules
from iothub_emulator.hub.publish import PublishRules
from iothub_emulator.hub.subscribe import FAILURE, SubscribeRules
from iothub_emulator.hub.twin_rules import TwinRules


@fault("connect.answered")
def another_host_is_left_to_wait(rules):
    """A CONNECT that names another hub is dropped, and its connection stays open without a word."""

    class Wrong(ConnectRules):
        def refusal(self, reason):
            return () if reason == "connect.username-host" else super().refusal(reason)

    rules.connect = Wrong(rules.connect.settings)


@fault("d2c.acknowledged-delivered")
def twentieth_message_of_a_connection_is_lost(rules):
    """Every twentieth message that is acknowledged goes no further: the queue behind it was full."""

    class Wrong(PublishRules):
        count = 0

        def delivers(self, packet):
            self.count += 1
            return super().delivers(packet) and self.count % 20 != 0

    rules.publish = Wrong(rules.publish.settings, rules.publish.edition)


@fault("topics.overlapping-delivered")
def refused_filter_takes_the_others_along(rules):
    """A SUBSCRIBE that is refused ends the subscriptions that were granted before it."""

    class Wrong(SubscribeRules):
        latest = None

        def store(self, subscriptions, topic_filter, granted):
            self.latest = subscriptions
            super().store(subscriptions, topic_filter, granted)

        def subscribed(self, packet, codes):
            if FAILURE in codes and self.latest is not None:
                self.latest.clear()
            return super().subscribed(packet, codes)

    rules.subscribe = Wrong(rules.subscribe.edition)


@fault("twin.refused-unchanged")
def patch_that_is_no_object_clears_the_section(rules):
    """An array in place of an object is refused, and what was reported is gone."""

    class Wrong(TwinRules):
        def after_refusal(self, before, patch):
            return {} if isinstance(patch, list) else super().after_refusal(before, patch)

    rules.twins = Wrong(rules.twins.get_status(), rules.twins.patch_status())


@fault("c2d.redelivered")
def puback_counts_for_all_before_it(rules):
    """A PUBACK acknowledges what was sent before it too, as it does in TCP."""

    class Wrong(MailboxRules):
        def acknowledged_by(self, packet_id, unacknowledged):
            return [each for each in unacknowledged if each <= packet_id]

    mailbox_rules(rules, Wrong)
