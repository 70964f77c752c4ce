"""Hubs that tell too little, too late or the wrong thing of connections."""

from fault import fault

from iothub_emulator.hub.hub_events import EventRules
from iothub_emulator.hub.packets import Subscribe


def event_rules(rules, wrong):
    rules.events = wrong(rules.events.settings)


@fault("monitoring.connected", "monitoring.module")
def publishing_does_not_count(rules):
    """A connection counts as used once the device has subscribed, and not by what it publishes."""

    class Wrong(EventRules):
        def is_activity(self, packet):
            return isinstance(packet, Subscribe)

    event_rules(rules, Wrong)


@fault("monitoring.connected", "monitoring.module")
def connections_are_looked_at_once_a_day(rules):
    """The interval of the reports is taken in hours."""

    class Wrong(EventRules):
        def next_look(self, now, started):
            return now + 86_400

    event_rules(rules, Wrong)


@fault("monitoring.disconnected", "monitoring.module")
def ends_are_not_told(rules):
    """Only connections are told, and what was told once is remembered for ever."""

    class Wrong(EventRules):
        def is_change(self, *, told, connected):
            return connected and not told

    event_rules(rules, Wrong)


@fault("monitoring.disconnected", "monitoring.module-operations")
def ends_are_told_as_connections(rules):
    """Each change is told under the operation of a connection."""

    class Wrong(EventRules):
        def connection_operation(self, *, connected):
            return super().connection_operation(connected=True)

    event_rules(rules, Wrong)


@fault("monitoring.connected", "monitoring.disconnected", "monitoring.module-operations")
def operations_are_swapped(rules):
    """Connected and disconnected are mistaken for each other."""

    class Wrong(EventRules):
        def connection_operation(self, *, connected):
            return super().connection_operation(connected=not connected)

    event_rules(rules, Wrong)


@fault("monitoring.details")
def sequence_number_stays(rules):
    """Each event has the sequence number of the first."""

    class Wrong(EventRules):
        def sequence_number(self, number, now):
            return super().sequence_number(1, 0)

    event_rules(rules, Wrong)


@fault("monitoring.details")
def sequence_number_falls(rules):
    """The sequence number counts down."""

    class Wrong(EventRules):
        def sequence_number(self, number, now):
            return f"{2**256 - number:064X}"

    event_rules(rules, Wrong)


@fault("monitoring.details")
def sequence_number_is_a_number(rules):
    """The body holds the sequence number as a JSON number and not as text."""

    class Wrong(EventRules):
        def connection_body(self, sequence_number):
            return {"sequenceNumber": int(sequence_number[-8:], 16)}

    event_rules(rules, Wrong)


@fault("monitoring.details", "monitoring.module")
def event_names_the_hub_as_device(rules):
    """The property deviceId holds the name of the hub."""

    class Wrong(EventRules):
        def named_device(self, happening):
            return self.hub_name()

    event_rules(rules, Wrong)


@fault("monitoring.details")
def event_has_a_lifecycles_schema(rules):
    """Events of connections name the schema of those of identities."""

    class Wrong(EventRules):
        def schema(self, subject, *, is_module):
            return super().schema("lifecycle", is_module=is_module)

    event_rules(rules, Wrong)


@fault("monitoring.details")
def time_of_an_event_has_no_zone(rules):
    """The time of an event is written without saying that it is UTC."""

    class Wrong(EventRules):
        def time(self, when):
            return super().time(when).removesuffix("Z")

    event_rules(rules, Wrong)


@fault("monitoring.details")
def time_of_an_event_is_the_hubs_start(rules):
    """Each event says the time of the first thing that ever happened to the hub."""

    class Wrong(EventRules):
        def time(self, when):
            return super().time(0)

    event_rules(rules, Wrong)


@fault("monitoring.module-operations")
def only_the_end_of_a_module_has_its_own_name(rules):
    """A module connects as a device does, and disconnects under an operation of its own."""

    class Wrong(EventRules):
        def properties(self, subject, happening):
            right = super().properties(subject, happening)
            is_end = happening.operation == "deviceDisconnected" and happening.module_id is not None
            return right | {"opType": "moduleDisconnected"} if is_end else right

    event_rules(rules, Wrong)


@fault("monitoring.module")
def device_of_a_module_has_both_names(rules):
    """The property deviceId of a module's event holds device and module, as its ClientId does."""

    class Wrong(EventRules):
        def named_device(self, happening):
            return "/".join(filter(None, (happening.device_id, happening.module_id)))

    event_rules(rules, Wrong)


@fault("monitoring.module-id")
def module_is_named_as_its_device(rules):
    """The property moduleId holds the device's name."""

    class Wrong(EventRules):
        def named_module(self, subject, happening):
            return happening.module_id and happening.device_id

    event_rules(rules, Wrong)
