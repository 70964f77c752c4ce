"""Hubs whose stream tells the wrong thing of itself, or begins elsewhere than its readers ask."""

from fault import fault, wrapped

from iothub_emulator.amqp import sasl
from iothub_emulator.amqp.management import Management
from iothub_emulator.hub.links import LinkRules


def link_rules(rules, wrong):
    rules.links = wrong(rules.links.settings)


@fault("partitions.endpoint")
def one_partition_is_not_counted(_rules):
    """The number of partitions is that of the last one."""

    def wrap(event_hub):
        def wrong(self, name, entity):
            found = event_hub(self, name, entity)
            return {**found, "partition_count": type(found["partition_count"])(found["partition_count"] - 1)}

        return wrong

    wrapped(Management, "_event_hub", wrap)


@fault("partitions.information")
def last_offset_is_that_of_the_event_before(rules):
    """A partition tells the offset of the last event but one."""

    class Wrong(LinkRules):
        def last_offset(self, partition):
            return partition.offset_of(max(partition.next_sequence_number - 2, 0))

    link_rules(rules, Wrong)


@fault("partitions.information")
def last_time_is_in_seconds(_rules):
    """A partition tells the time of its last event in seconds."""

    def wrap(partition):
        def wrong(self, name, entity, number):
            found = partition(self, name, entity, number)
            last = found["last_enqueued_time_utc"]
            return {**found, "last_enqueued_time_utc": type(last)(last // 1000)}

        return wrong

    wrapped(Management, "_partition", wrap)


@fault("partitions.positions")
def at_an_offset_is_behind_it(rules):
    """A reader that asks for an event by its offset gets the next one."""

    class Wrong(LinkRules):
        def position_after_offset(self, offset, partition, *, inclusive):
            return super().position_after_offset(offset, partition, inclusive=False)

    link_rules(rules, Wrong)


@fault("partitions.positions")
def times_are_taken_in_seconds(rules):
    """A position by time is cut to whole seconds."""

    class Wrong(LinkRules):
        def position_after_time(self, moment, partition, *, inclusive):
            return super().position_after_time(moment // 1000 * 1000, partition, inclusive=inclusive)

    link_rules(rules, Wrong)


@fault("partitions.redirect")
def redirect_forgets_what_was_asked_for(rules):
    """Whoever asks for a partition is led to the endpoint as a whole."""

    class Wrong(LinkRules):
        def redirected(self, path):
            elsewhere = super().redirected(path)
            return None if elsewhere is None else self.settings.entity

    link_rules(rules, Wrong)


@fault("partitions.redirect")
def events_are_not_asked_of_the_hub(rules):
    """Only the endpoint itself knows of events; the hub has no such address."""

    class Wrong(LinkRules):
        def redirected(self, path):
            return None

    link_rules(rules, Wrong)


@fault("partitions.sasl-plain")
def plain_takes_keys_alone(_rules):
    """A token in the place of a policy's key is taken for a wrong key."""

    def wrap(log_in):
        def wrong(response, runtime):
            return None if b"SharedAccessSignature " in response else log_in(response, runtime)

        return wrong

    wrapped(sasl, "_log_in", wrap)
