"""Hubs that confuse requests to a twin, or whom to answer."""

from fault import fault
from twin_faults import twin_rules

from iothub_emulator.hub.publish import PublishRules
from iothub_emulator.hub.subscribe import SubscribeRules
from iothub_emulator.hub.twin_rules import ANSWERS_FILTER, TwinRules


@fault("twin.request-id")
def request_id_is_a_number(rules):
    """A request id of digits is read and written as a number."""

    class Wrong(TwinRules):
        def echoed(self, request_id):
            return str(int(request_id)) if request_id.isdecimal() else request_id

    twin_rules(rules, Wrong)


@fault("twin.request-id")
def request_id_loses_its_case(rules):
    """Topics are compared and answered in small letters."""

    class Wrong(TwinRules):
        def echoed(self, request_id):
            return request_id.lower()

    twin_rules(rules, Wrong)


@fault("twin.request-id")
def request_id_is_as_long_as_a_guid(rules):
    """The field for the request id has 36 characters."""

    class Wrong(TwinRules):
        def echoed(self, request_id):
            return request_id[:36]

    twin_rules(rules, Wrong)


@fault("twin.request-id", "twin.get", "twin.reported")
def answer_has_the_id_of_the_request_before(rules):
    """The request id is stored behind the answer instead of in front of it."""

    class Wrong(TwinRules):
        def __init__(self, *statuses):
            super().__init__(*statuses)
            self.last = "0"

        def echoed(self, request_id):
            self.last, before = request_id, self.last
            return before

    twin_rules(rules, Wrong)


@fault("twin.request-id")
def refusal_has_no_request_id(rules):
    """An error is answered before the request id was read."""

    class Wrong(TwinRules):
        def answer_topic(self, status, request_id, version):
            return super().answer_topic(status, "" if status >= 400 else request_id, version)

    twin_rules(rules, Wrong)


@fault("twin.request-id")
def request_id_used_before_is_not_answered(rules):
    """A request with the id of an earlier one of the same device counts as the same, resent."""

    class Wrong(TwinRules):
        def __init__(self, *statuses):
            super().__init__(*statuses)
            self.answered = set()

        def answers(self, topic, payload):
            key = (self.asker, topic)
            known = key in self.answered
            self.answered.add(key)
            return () if known and "request-" not in topic else super().answers(topic, payload)

        def twin_of(self, identity_key):
            self.asker = identity_key
            return super().twin_of(identity_key)

    twin_rules(rules, Wrong)


@fault("twin.no-request-id")
def request_without_an_id_succeeds(rules):
    """A missing request id is an empty one, and the request is answered with success."""

    class Wrong(TwinRules):
        def is_request_id(self, request_id):
            return True

    twin_rules(rules, Wrong)


@fault("twin.request-qos")
def twin_request_is_not_acknowledged(rules):
    """A request with QoS 1 gets its answer and no PUBACK."""

    class Wrong(PublishRules):
        def acknowledge(self, packet):
            return () if packet.topic.startswith("$iothub/twin/") else super().acknowledge(packet)

    rules.publish = Wrong(rules.publish.settings, rules.publish.edition)


@fault("twin.not-subscribed")
def answer_needs_no_subscription(rules):
    """Answers are sent to whoever asks."""

    class Wrong(TwinRules):
        def sends_answer(self, *, subscribed):
            return True

    twin_rules(rules, Wrong)


@fault("twin.not-subscribed")
def answers_go_on_after_unsubscribe(rules):
    """UNSUBSCRIBE is acknowledged, and the filter of twin answers is kept."""

    class Wrong(SubscribeRules):
        def forget(self, subscriptions, topic_filter):
            if topic_filter != ANSWERS_FILTER:
                super().forget(subscriptions, topic_filter)

    rules.subscribe = Wrong()
