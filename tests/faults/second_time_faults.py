"""Hubs that are right the first time, for one entry of a list, or for a connection that is alone."""

from fault import fault, wrapped

from iothub_emulator.hub.device_requests import DeviceRequests
from iothub_emulator.hub.mailbox import Mailbox
from iothub_emulator.hub.subscribe import SubscribeRules
from iothub_emulator.hub.telemetry import TelemetryRules
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


@fault("will.sent")
def will_that_says_the_same_is_old_news(rules):
    """A Will with the sender and the body of one that reached the back end before is dropped there."""

    class Wrong(TelemetryRules):
        known = frozenset()

        def arrivals(self, event):
            said = (event.device_id, event.module_id, event.body)
            is_known = "iothub-MessageType" in event.properties and said in self.known
            self.known |= {said}
            return () if is_known else super().arrivals(event)

    rules.telemetry = Wrong()


@fault("d2c.acknowledged-delivered")
def message_like_the_one_before_is_taken_for_it(rules):
    """A message that has the sender, body and properties of the one before is acknowledged and dropped."""

    class Wrong(TelemetryRules):
        last = None

        def arrivals(self, event):
            last, self.last = self.last, (event.device_id, event.module_id, event.body, event.properties)
            return () if last == self.last else super().arrivals(event)

    rules.telemetry = Wrong()


@fault("twin.get-fresh")
def answer_is_kept_until_the_device_reports(rules):
    """The answer to a GET is kept by its request id until the device reports; the back end does not count."""

    def wrap(twin):
        def kept(self, request, packet, now):
            answers = vars(self).setdefault("answers", {})
            if request.operation != "get":
                answers.clear()
                return twin(self, request, packet, now)
            if request.request_id not in answers:
                answers[request.request_id] = twin(self, request, packet, now)
            return answers[request.request_id]

        return kept

    wrapped(DeviceRequests, "_twin", wrap)


@fault("twin.reported-visible")
def update_with_a_known_request_id_is_a_repetition(rules):
    """An update whose request id an earlier one had is answered like that one, and not applied."""

    def wrap(twin):
        def once(self, request, packet, now):
            answers = vars(self).setdefault("answers", {})
            if request.operation == "get":
                return twin(self, request, packet, now)
            if request.request_id not in answers:
                answers[request.request_id] = twin(self, request, packet, now)
            return answers[request.request_id]

        return once

    wrapped(DeviceRequests, "_twin", wrap)


@fault("c2d.queue-depth")
def purged_messages_keep_their_places(rules):
    """A purge removes messages and leaves their number counted against the fifty."""

    def wrap_purge(purge):
        def purged(self, now):
            count = purge(self, now)
            self.gone = getattr(self, "gone", 0) + count
            return count

        return purged

    def wrap_put(put):
        def counted(self, message, now):
            if not self._rules.accepts_another(len(self) + getattr(self, "gone", 0)):
                raise self._rules.queue_full()
            return put(self, message, now)

        return counted

    wrapped(Mailbox, "purge", wrap_purge)
    wrapped(Mailbox, "put", wrap_put)


@fault("c2d.queue-depth")
def hundred_messages_are_all_that_a_device_gets(rules):
    """A device's messages are numbered up to 99, and the sender of the next is refused, whatever waits."""

    def wrap(put):
        def numbered(self, message, now):
            self.numbers = getattr(self, "numbers", 0) + 1
            if self.numbers > 99:
                raise self._rules.queue_full()
            return put(self, message, now)

        return numbered

    wrapped(Mailbox, "put", wrap)
