"""Hubs that are wrong only sometimes, for ``python -m iothub_emulator --load``."""

from iothub_emulator.hub.connect import ConnectRules
from iothub_emulator.hub.links import LinkRules
from iothub_emulator.hub.mailbox_rules import MailboxRules
from iothub_emulator.hub.outbox import Outbox


def second_answer_is_the_first(_rules):
    """Every answer about a twin's state repeats the first one of its connection."""
    right = Outbox.answered

    def answered(self, topic, payload):
        first = self.__dict__.setdefault("first_answer", payload) if payload else payload
        return right(self, topic, first)

    Outbox.answered = answered


def expiry_is_not_read(rules):
    """A sender's expiry time is passed over."""

    class Wrong(LinkRules):
        def expires_at(self, absolute, time_to_live, now):
            return super().expires_at(None, time_to_live, now)

    rules.links = Wrong(rules.links.settings)


def wishes_are_turned_round(rules):
    """Positive feedback is sent for failures, negative for successes."""

    class Wrong(MailboxRules):
        def owes_feedback(self, ack, outcome):
            turned = {"positive": "negative", "negative": "positive"}
            return super().owes_feedback(turned.get(ack, ack), outcome)

    wrong = Wrong()
    vars(wrong).update(vars(rules.mailbox))
    rules.mailbox = wrong


def any_name_of_the_authority_will_do(rules):
    """A certificate of the authority opens every device of this type."""

    class Wrong(ConnectRules):
        def accepts_vouched(self, identity, names):
            return bool(names)

    rules.connect = Wrong(rules.connect.settings)
