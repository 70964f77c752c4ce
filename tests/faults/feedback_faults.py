"""Hubs whose feedback a back end cannot take as the page says."""

from fault import fault

from iothub_emulator.hub.feedback import FeedbackRules
from iothub_emulator.hub.links import LinkRules


def feedback_rules(rules, wrong):
    made = wrong()
    vars(made).update(vars(rules.feedback))
    rules.feedback = made


@fault("feedback.record")
def generation_is_the_device(rules):
    """A record has the device's id as its generation."""

    class Wrong(FeedbackRules):
        def record(self, record):
            return {**super().record(record), "deviceGenerationId": record.device_id}

    feedback_rules(rules, Wrong)


@fault("feedback.record")
def time_of_a_record_is_never(rules):
    """A record says that its message never ended."""

    class Wrong(FeedbackRules):
        def record(self, record):
            return {**super().record(record), "enqueuedTimeUtc": "0001-01-01T00:00:00Z"}

    feedback_rules(rules, Wrong)


@fault("feedback.batch")
def batches_are_of_nobody(rules):
    """A batch does not say which hub it is from."""

    class Wrong(LinkRules):
        def feedback_user_id(self):
            return b"iothub"

    rules.links = Wrong(rules.links.settings)


@fault("feedback.each-once")
def batches_are_not_locked(rules):
    """A batch waits again as soon as it was sent."""

    class Wrong(FeedbackRules):
        def lock_seconds(self):
            return 0.0

    feedback_rules(rules, Wrong)


@fault("feedback.settled")
def batches_are_done_with_once_sent(rules):
    """A batch that its receiver gives back is not given again."""

    class Wrong(LinkRules):
        def feedback_settles(self, outcome):
            return True

    rules.links = Wrong(rules.links.settings)


@fault("feedback.settled")
def accepted_batches_come_again(rules):
    """A batch that its receiver accepted waits again."""

    class Wrong(LinkRules):
        def feedback_settles(self, outcome):
            return outcome == "rejected"

    rules.links = Wrong(rules.links.settings)
