"""Hubs that keep too little or too much of a device that is away."""

from c2d_faults import mailbox_rules
from fault import fault, wrapped

from iothub_emulator.hub.connect import ConnectRules
from iothub_emulator.hub.mailbox_rules import MailboxRules
from iothub_emulator.hub.session import Session
from iothub_emulator.hub.subscribe import SubscribeRules


@fault("connect.session-present")
def session_present_is_the_second_bit(rules):
    """The flag of the CONNACK stands one bit too far to the left."""

    class Wrong(ConnectRules):
        def session_present(self, *, clean_session, stored):
            return super().session_present(clean_session=clean_session, stored=stored) << 1

    rules.connect = Wrong(rules.connect.settings)


@fault("session.subscription-persists", spreads=True)
def returning_device_is_deaf(rules):
    """A session that goes on has lost its subscription, and takes another SUBSCRIBE for a repetition."""

    class Deaf(dict):
        def __setitem__(self, topic_filter, granted):
            pass

    class Wrong(ConnectRules):
        def restored(self, stored, *, clean_session):
            if stored is None or clean_session:
                return super().restored(stored, clean_session=clean_session)
            return Deaf()

    rules.connect = Wrong(rules.connect.settings)


@fault("session.subscription-persists", spreads=True)
def renewed_subscription_begins_with_an_empty_queue(rules):
    """A session that goes on wants a SUBSCRIBE again, which throws away what was sent before it."""

    class Resumed(dict):
        pass

    class Wrong(ConnectRules):
        def restored(self, stored, *, clean_session):
            found = super().restored(stored, clean_session=clean_session)
            return Resumed() if found else found

    def wrap(subscribe):
        def subscribed(self, packet, sender):
            if isinstance(self.subscriptions, Resumed):
                self._hub.mailboxes.pop(sender.device_id, None)
            return subscribe(self, packet, sender)

        return subscribed

    rules.connect = Wrong(rules.connect.settings)
    wrapped(Session, "_subscribe", wrap)


@fault("session.pending-delivered", "session.pending-order", spreads=True)
def returning_removes_what_waited(rules):
    """A queue begins anew with each connection, CleanSession 0 too."""

    class Wrong(MailboxRules):
        def purges_on_resumed_session(self):
            return True

    mailbox_rules(rules, Wrong)


@fault("session.pending-order")
def long_queue_is_read_from_its_second_place(rules):
    """Of more than four messages that wait the first one is passed over at first."""

    class Wrong(MailboxRules):
        def position_of_next(self, waiting):
            return int(waiting > 4)

    mailbox_rules(rules, Wrong)


@fault("session.pending-order", spreads=True)
def queue_is_a_stack(rules):
    """What was sent last is delivered first."""

    class Wrong(MailboxRules):
        def position_of_next(self, waiting):
            return waiting - 1

    mailbox_rules(rules, Wrong)


@fault("session.clean-is-silent")
def clean_session_1_restores_the_subscription(rules):
    """A connection with CleanSession 1 begins with what an earlier session had subscribed to."""

    class Wrong(ConnectRules):
        def restored(self, stored, *, clean_session):
            return super().restored(stored, clean_session=False)

    rules.connect = Wrong(rules.connect.settings)


@fault("session.clean-forgets-subscription")
def old_session_is_put_aside(rules):
    """CleanSession 1 only sets the earlier session aside; the next CleanSession 0 takes it up again."""

    class Wrong(ConnectRules):
        def forgets_session(self, *, clean_session):
            return False

    rules.connect = Wrong(rules.connect.settings)


@fault("session.clean-forgets-subscription")
def every_session_outlives_its_connection(rules):
    """What was subscribed with CleanSession 1 is kept as if it had been CleanSession 0."""

    class Wrong(ConnectRules):
        def keeps_session(self, *, clean_session):
            return True

    rules.connect = Wrong(rules.connect.settings)


@fault("session.unsubscribe-persists")
def unsubscribing_is_not_stored(rules):
    """UNSUBSCRIBE counts for the connection; the stored session keeps the subscription."""
    stored_all_the_same = []

    class Forgets(SubscribeRules):
        def forget(self, subscriptions, topic_filter):
            stored_all_the_same.append((subscriptions, topic_filter, subscriptions.get(topic_filter, 0)))
            super().forget(subscriptions, topic_filter)

    class Wrong(ConnectRules):
        def restored(self, stored, *, clean_session):
            found = super().restored(stored, clean_session=clean_session)
            kept = {
                topic_filter: qos
                for subscriptions, topic_filter, qos in stored_all_the_same
                if subscriptions is stored
            }
            return found if clean_session else {**found, **kept}

    rules.subscribe = Forgets()
    rules.connect = Wrong(rules.connect.settings)


@fault("session.refused-leaves-it")
def refused_connect_empties_the_queue(rules):
    """A session is begun before the token is looked at: what waited is gone behind a refusal too."""

    class Notes(ConnectRules):
        has_refused = False

        def refusal(self, reason):
            self.has_refused = True
            return super().refusal(reason)

    class Wrong(MailboxRules):
        def purges_on_resumed_session(self):
            refused, rules.connect.has_refused = rules.connect.has_refused, False
            return refused or super().purges_on_resumed_session()

    rules.connect = Notes(rules.connect.settings)
    mailbox_rules(rules, Wrong)
