"""Hubs that are wrong only sometimes, for ``python -m iothub_emulator --load``."""

from iothub_emulator.hub.connect import ConnectRules
from iothub_emulator.hub.links import LinkRules
from iothub_emulator.hub.mailbox_rules import MailboxRules
from iothub_emulator.hub.method_rules import MethodRules
from iothub_emulator.hub.outbox import Outbox
from iothub_emulator.hub.session import Session
from iothub_emulator.hub.telemetry import TelemetryRules


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


def model_is_of_whoever_spoke_last(rules):
    """The hub has one model, that of the sender that named one last."""

    class Wrong(TelemetryRules):
        latest = ""

        def model(self, sender):
            self.latest = sender.model_id or self.latest
            return {"dt-dataschema": self.latest} if self.latest else {}

    rules.telemetry = Wrong(rules.telemetry.certificate_method)


def component_is_left_out_of_names(rules):
    """Of a component's command the device hears the command alone."""

    class Wrong(MethodRules):
        def request_topic(self, name, request_id):
            return super().request_topic(name.rpartition("*")[2], request_id)

    rules.methods = Wrong(rules.methods.shortest_timeout)


def renewed_subscription_begins_with_an_empty_queue(rules):
    """A session that goes on wants a SUBSCRIBE again, which throws away what was sent before it."""
    subscribe = Session._subscribe

    class Resumed(dict):
        pass

    class Wrong(ConnectRules):
        def restored(self, stored, *, clean_session):
            found = super().restored(stored, clean_session=clean_session)
            return Resumed() if found else found

    def subscribed(self, packet, sender):
        if isinstance(self.subscriptions, Resumed):
            self._hub.mailboxes.pop(sender.device_id, None)
        return subscribe(self, packet, sender)

    rules.connect = Wrong(rules.connect.settings)
    Session._subscribe = subscribed


def any_name_of_the_authority_will_do(rules):
    """A certificate of the authority opens every device of this type."""

    class Wrong(ConnectRules):
        def accepts_vouched(self, identity, names):
            return bool(names)

    rules.connect = Wrong(rules.connect.settings)
