"""Hubs that subscribe, deliver or repeat cloud-to-device messages wrongly."""

from collections import Counter

from fault import fault

from iothub_emulator.hub.mailbox_rules import MailboxRules
from iothub_emulator.hub.subscribe import FAILURE, SubscribeRules


def mailbox_rules(rules, wrong):
    made = wrong()
    vars(made).update(vars(rules.mailbox))
    rules.mailbox = made


@fault("c2d.subscribe", "c2d.granted-qos", "c2d.delivery-qos", "twin.subscribe", "methods.subscribe")
def qos_2_is_refused(rules):
    """A subscription with QoS 2 fails instead of being lowered."""

    class Wrong(SubscribeRules):
        def grants(self, topic_filter, qos, identity_key):
            return FAILURE if qos == 2 else super().grants(topic_filter, qos, identity_key)

    rules.subscribe = Wrong()


@fault("packets.suback-order")
def only_one_filter_is_taken(rules):
    """Of several filters in one SUBSCRIBE only the last one is granted."""

    class Wrong(SubscribeRules):
        def return_codes(self, codes):
            return (*(FAILURE for _ in codes[1:]), *codes[-1:])

    rules.subscribe = Wrong()


@fault("c2d.granted-qos")
def qos_2_is_granted(rules):
    """A subscription is granted as asked, QoS 2 too."""

    class Wrong(SubscribeRules):
        def grants(self, topic_filter, qos, identity_key):
            return max(super().grants(topic_filter, qos, identity_key), qos)

    rules.subscribe = Wrong()


@fault("c2d.granted-qos", "c2d.delivery-qos", "packets.resubscribe", "packets.suback-order")
def qos_is_raised_to_1(rules):
    """Every subscription is granted QoS 1, QoS 0 too."""

    class Wrong(SubscribeRules):
        def grants(self, topic_filter, qos, identity_key):
            return max(super().grants(topic_filter, qos, identity_key), 1)

    rules.subscribe = Wrong()


@fault("packets.resubscribe")
def first_subscription_stays(rules):
    """A filter that is known keeps the QoS it was first granted."""

    class Wrong(SubscribeRules):
        def store(self, subscriptions, topic_filter, granted):
            subscriptions.setdefault(topic_filter, granted)

    rules.subscribe = Wrong()


@fault("c2d.delivered", spreads=True)
def connected_device_is_not_told(rules):
    """A message is put in the queue, and nobody looks there."""

    class Wrong(MailboxRules):
        def feeds(self, *, subscribed):
            return False

    mailbox_rules(rules, Wrong)


@fault("c2d.delivery-qos", "packets.resubscribe", "watch.qos")
def delivery_is_always_qos_1(rules):
    """The granted QoS is forgotten: everything is delivered with QoS 1."""

    class Wrong(MailboxRules):
        def delivery_qos(self, granted):
            return 1

    mailbox_rules(rules, Wrong)


@fault("c2d.delivery-qos", spreads=True)
def delivery_is_always_qos_0(rules):
    """The granted QoS is forgotten: everything is delivered with QoS 0 and never repeated."""

    class Wrong(MailboxRules):
        def delivery_qos(self, granted):
            return 0

    mailbox_rules(rules, Wrong)


def written_otherwise(rules, right, wrong):
    """Let the hub write each topic with `wrong` in place of `right`, and look for subscriptions as ever."""
    topic = rules.mailbox.topic

    class Looks(SubscribeRules):
        def brings(self, topic_filter, topic, identity_key):
            return super().brings(topic_filter, topic.replace(wrong, right, 1), identity_key)

    rules.mailbox.topic = lambda *arguments: topic(*arguments).replace(right, wrong, 1)
    rules.subscribe = Looks(rules.subscribe.edition)


@fault("c2d.topic", "watch.topics")
def bag_is_hung_on_with_a_question_mark(rules):
    """The topic lacks its last slash; the bag follows as a query does."""
    written_otherwise(rules, "devicebound/", "devicebound?")


@fault("c2d.topic", "watch.topics")
def topic_is_the_events_topic(rules):
    """A message comes on the topic on which the device itself sends."""
    written_otherwise(rules, "/messages/devicebound/", "/messages/events/")


@fault("c2d.body")
def body_for_a_device_is_treated_as_text(rules):
    """The body is decoded as UTF-8 on its way."""

    class Wrong(MailboxRules):
        def body(self, message):
            return message.body.decode(errors="replace").encode()

    mailbox_rules(rules, Wrong)


@fault("c2d.body")
def body_ends_at_its_first_nul(rules):
    """The body is kept as a C string."""

    class Wrong(MailboxRules):
        def body(self, message):
            return message.body.partition(b"\0")[0]

    mailbox_rules(rules, Wrong)


@fault("c2d.not-before-subscribe", spreads=True)
def being_connected_is_enough(rules):
    """Messages are delivered to whoever is connected."""

    class Wrong(MailboxRules):
        def feeds(self, *, subscribed):
            return True

    mailbox_rules(rules, Wrong)


@fault("c2d.other-subscription")
def any_subscription_brings_messages(rules):
    """That the device has subscribed to something opens its queue, whatever it was."""

    class Wrong(SubscribeRules):
        def brings(self, topic_filter, topic, identity_key):
            return topic.startswith("devices/") or super().brings(topic_filter, topic, identity_key)

    rules.subscribe = Wrong()


@fault("c2d.order")
def seventh_message_is_overtaken(rules):
    """Each device's seventh message is delivered behind the eighth."""

    class Wrong(MailboxRules):
        def __init__(self):
            super().__init__()
            self.counts, self.latest, self.held = Counter(), "", False

        def recipients(self, addressee):
            self.latest = addressee
            self.counts[addressee] += 1
            return super().recipients(addressee)

        def feeds(self, *, subscribed):
            self.held = subscribed and self.counts[self.latest] == 7
            return subscribed and not self.held

        def position_of_next(self, waiting):
            return waiting - 1 if self.counts[self.latest] == 8 else 0

    mailbox_rules(rules, Wrong)


@fault("c2d.retain-clear", "watch.flags")
def messages_are_retained(rules):
    """A message to a device has RETAIN 1, as one that waited for a subscriber has on a broker."""

    class Wrong(MailboxRules):
        def retain(self):
            return True

    mailbox_rules(rules, Wrong)


@fault("c2d.own-only", "watch.identity")
def message_goes_to_two_devices(rules):
    """A message goes to its device and to the one that the message before was for."""

    class Wrong(MailboxRules):
        def __init__(self):
            super().__init__()
            self.before, self.counts = (), Counter()

        def recipients(self, addressee):
            both = tuple(dict.fromkeys((*self.before, addressee)))
            # A queue that is nearly full stays out of it, or the message would be refused.
            self.counts[addressee] += 1
            self.before = (addressee,) if self.counts[addressee] < 40 else ()
            return both

    mailbox_rules(rules, Wrong)


@fault("c2d.unsubscribe", "session.unsubscribe-persists")
def unsubscribing_changes_nothing(rules):
    """UNSUBSCRIBE is acknowledged and forgotten."""

    class Wrong(SubscribeRules):
        def forget(self, subscriptions, topic_filter):
            pass

    rules.subscribe = Wrong()


@fault("c2d.first-dup")
def every_delivery_counts_as_a_second(rules):
    """DUP is set on each message of QoS 1, since the sender may have sent it before."""

    class Wrong(MailboxRules):
        def dup(self, *, qos, times_taken):
            return qos > 0

    mailbox_rules(rules, Wrong)
