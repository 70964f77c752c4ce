"""Hubs that keep, repeat or drop waiting messages wrongly, and tell the sender something else."""

from c2d_faults import mailbox_rules
from fault import fault

from iothub_emulator.hub.feedback import FeedbackRules
from iothub_emulator.hub.links import LinkRules
from iothub_emulator.hub.mailbox_rules import MailboxRules


@fault("c2d.no-reject", "c2d.redelivered", "c2d.acknowledged-not-again", spreads=True)
def leaving_is_taken_for_a_rejection(rules):
    """A message whose lock runs out counts as rejected and is gone."""

    class Wrong(MailboxRules):
        def on_lock_lapsed(self):
            return "reject"

    mailbox_rules(rules, Wrong)


@fault("c2d.no-reject", "c2d.redelivered", "c2d.acknowledged-not-again", spreads=True)
def one_delivery_is_all_there_is(rules):
    """The maximum delivery count is 1: a message without PUBACK is given up."""

    class Wrong(MailboxRules):
        def on_lock_lapsed(self):
            return "count"

        def may_deliver_again(self, delivery_count):
            return delivery_count < 1

    mailbox_rules(rules, Wrong)


@fault("c2d.redelivered", "c2d.no-reject", "c2d.acknowledged-not-again", spreads=True)
def lock_is_counted_in_minutes(rules):
    """The lock lasts sixty times as long as it should."""

    class Wrong(MailboxRules):
        def lock_seconds(self):
            return super().lock_seconds() * 60

    mailbox_rules(rules, Wrong)


@fault("c2d.no-reject")
def what_came_twice_is_reported_as_rejected(rules):
    """A message that had to be delivered again counts as rejected, though it was acknowledged then."""

    class Wrong(MailboxRules):
        def __init__(self):
            super().__init__()
            self.again = self.rejected = False

        def dup(self, *, qos, times_taken):
            self.again = self.again or times_taken > 1
            return super().dup(qos=qos, times_taken=times_taken)

        def owes_feedback(self, ack, outcome):
            self.again, self.rejected = False, self.again
            return super().owes_feedback(ack, outcome)

        def description(self, outcome):
            return "Rejected" if self.rejected else outcome

    class Told(FeedbackRules):
        def record(self, record):
            return {**super().record(record), "statusCode": record.description}

    mailbox_rules(rules, Wrong)
    feedback_rules(rules, Told)


@fault("c2d.redelivered", "c2d.no-reject", "c2d.acknowledged-not-again", "c2d.feedback")
def delivery_counts_as_receipt(rules):
    """A message is done with once it is sent, QoS 1 too."""

    class Wrong(MailboxRules):
        def completes_when_sent(self, qos):
            return True

    mailbox_rules(rules, Wrong)


@fault("c2d.acknowledged-not-again")
def puback_acknowledges_everything(rules):
    """A PUBACK removes all that was delivered so far."""

    class Wrong(MailboxRules):
        def acknowledged_by(self, packet_id, unacknowledged):
            return unacknowledged

    mailbox_rules(rules, Wrong)


@fault("c2d.acknowledged-not-again", "c2d.feedback", "c2d.no-reject", "c2d.feedback-unasked")
def puback_is_not_heard(rules):
    """A PUBACK changes nothing; each message comes again and again."""

    class Wrong(MailboxRules):
        def completes_when_acknowledged(self):
            return False

    mailbox_rules(rules, Wrong)


@fault("c2d.expired", "c2d.feedback-expired")
def expiry_is_not_read(rules):
    """A sender's expiry time is passed over: every message lives for the hub's hour."""

    class Wrong(LinkRules):
        def expires_at(self, absolute, time_to_live, now):
            return super().expires_at(None, time_to_live, now)

    rules.links = Wrong(rules.links.settings)


@fault("c2d.expired")
def expiry_is_that_of_the_oldest(rules):
    """A message is kept at least as long as the one before it."""

    class Wrong(MailboxRules):
        def __init__(self):
            super().__init__()
            self.before = {}

        def expires_at(self, message, now):
            own = super().expires_at(message, now)
            latest = max(own, self.before.get(message.to, 0.0))
            self.before[message.to] = latest
            return latest

    mailbox_rules(rules, Wrong)


@fault("c2d.purged", "c2d.feedback-negative")
def purge_removes_nothing(rules):
    """A purge is answered, and the messages stay."""

    class Wrong(MailboxRules):
        def purges(self):
            return False

    mailbox_rules(rules, Wrong)


@fault("c2d.purged")
def purge_empties_every_queue(rules):
    """A purge is of all devices' messages."""

    class Wrong(MailboxRules):
        def purged_with(self, device_id, known):
            return known

    mailbox_rules(rules, Wrong)


@fault("c2d.queue-depth")
def one_more_message_may_wait(rules):
    """The queue is full when there are more than 50 messages."""

    class Wrong(MailboxRules):
        def accepts_another(self, depth):
            return depth <= 50

    mailbox_rules(rules, Wrong)


@fault("c2d.queue-depth")
def the_50th_message_is_refused(rules):
    """The queue is full when there are 49 messages."""

    class Wrong(MailboxRules):
        def accepts_another(self, depth):
            return depth + 1 < 50

    mailbox_rules(rules, Wrong)


@fault("c2d.feedback", "c2d.feedback-negative", "c2d.feedback-expired", "c2d.feedback-unasked")
def wishes_are_turned_round(rules):
    """Positive feedback is sent for failures, negative for successes."""

    class Wrong(MailboxRules):
        def owes_feedback(self, ack, outcome):
            turned = {"positive": "negative", "negative": "positive"}
            return super().owes_feedback(turned.get(ack, ack), outcome)

    mailbox_rules(rules, Wrong)


@fault(
    "c2d.feedback",
    "c2d.feedback-negative",
    "c2d.feedback-expired",
    "c2d.feedback-unasked",
    "c2d.no-reject",
)
def feedback_names_the_generation(rules):
    """The record has the device's generation where its id belongs."""

    class Wrong(FeedbackRules):
        def record(self, record):
            return {**super().record(record), "deviceId": record.generation_id}

    feedback_rules(rules, Wrong)


@fault("c2d.feedback-negative")
def purged_counts_as_expired(rules):
    """Whatever ends a message without the device is called expiry."""

    class Wrong(FeedbackRules):
        def record(self, record):
            status = "Success" if record.outcome == "Success" else "Expired"
            return {**super().record(record), "statusCode": status, "description": status}

    feedback_rules(rules, Wrong)


@fault("c2d.feedback-expired")
def expired_counts_as_purged(rules):
    """Whatever ends a message without the device is called a purge."""

    class Wrong(FeedbackRules):
        def record(self, record):
            status = "Success" if record.outcome == "Success" else "Purged"
            return {**super().record(record), "statusCode": status, "description": status}

    feedback_rules(rules, Wrong)


@fault("c2d.feedback-unasked")
def everybody_gets_feedback(rules):
    """Feedback is sent for every message, whoever asked."""

    class Wrong(MailboxRules):
        def owes_feedback(self, ack, outcome):
            return True

    mailbox_rules(rules, Wrong)


def feedback_rules(rules, wrong):
    made = wrong()
    vars(made).update(vars(rules.feedback))
    rules.feedback = made
