"""Hubs that tell too little, too much or the wrong thing of twins and identities."""

from fault import fault, wrapped

from iothub_emulator import event_desk
from iothub_emulator.event_desk import EventDesk
from iothub_emulator.hub.hub_events import EventRules
from iothub_emulator.hub.service_errors import Refused
from iothub_emulator.hub.twin import Change
from iothub_emulator.twin_desk import TwinDesk


def event_rules(rules, wrong):
    rules.events = wrong(rules.events.settings)


@fault("events.twin-members", "events.lifecycle-members", "monitoring.hub-name")
def hub_has_another_name(rules):
    """Events name the hub with its port and its domain."""

    class Wrong(EventRules):
        def hub_name(self):
            return f"{self.settings.host_names[0]}:443"

    event_rules(rules, Wrong)


@fault("events.twin-members", "events.lifecycle-members", "monitoring.hub-name")
def name_of_the_hub_is_misspelt(rules):
    """The name of the hub stands under iubName."""

    class Wrong(EventRules):
        def properties(self, subject, happening):
            found = super().properties(subject, happening)
            return {name.replace("hubName", "iubName"): value for name, value in found.items()}

    event_rules(rules, Wrong)


@fault("events.twin-updated", "events.twin-reported")
def updates_show_the_whole_twin(_rules):
    """An event of an update shows all sections, with all that they hold."""

    def wrap(_changed):
        def whole(after, _patched):
            desired, reported = after.desired.for_service(), after.reported.for_service()
            properties = {"desired": desired, "reported": reported}
            return {"version": after.version, "tags": after.tags, "properties": properties}

        return whole

    wrapped(event_desk, "changed_parts", wrap)


@fault("events.twin-updated", "events.twin-reported")
def updates_have_the_version_of_before(_rules):
    """An event of an update has the version that the twin had."""

    def wrap(changed):
        return lambda after, patched: {**changed(after, patched), "version": after.version - 1}

    wrapped(event_desk, "changed_parts", wrap)


@fault("events.twin-replaced")
def replacements_are_told_as_updates(_rules):
    """A replaced twin is told as an updated one."""

    def wrap(_replaced):
        def wrong(self, identity):
            self._of_identity("twin", identity, "updateTwin", self._whole(identity))

        return wrong

    wrapped(EventDesk, "twin_replaced", wrap)


@fault("events.twin-members")
def twins_are_told_as_lifecycles(rules):
    """Events of twins bear the message source of lifecycles."""

    class Wrong(EventRules):
        def schema(self, subject, *, is_module):
            return super().schema("connection" if subject == "twin" else subject, is_module=is_module)

    event_rules(rules, Wrong)


@fault("events.twin-members")
def each_event_has_the_same_id(rules):
    """The id of an event is always the same."""

    class Wrong(EventRules):
        def system_properties(self, happening):
            return {**super().system_properties(happening), "correlation-id": "1"}

    event_rules(rules, Wrong)


@fault("events.twin-refused")
def refused_changes_are_told(_rules):
    """A change is told before it is looked at."""

    def wrap(change):
        def wrong(self, identity_key, document, if_match, changed, *, replaced):
            try:
                return change(self, identity_key, document, if_match, changed, replaced=replaced)
            except Refused:
                self._changed(identity_key, Change(self.get(identity_key)), replaced=replaced)
                raise

        return wrong

    wrapped(TwinDesk, "_change", wrap)


@fault("events.created", "events.deleted", "events.lifecycle-members")
def coming_and_going_are_swapped(rules):
    """A device that is made is told as deleted, and the reverse."""

    class Wrong(EventRules):
        def lifecycle_operation(self, *, created, is_module):
            return super().lifecycle_operation(created=not created, is_module=is_module)

    event_rules(rules, Wrong)


@fault("events.created")
def new_devices_have_no_twin(_rules):
    """The event of a new device has an empty body."""

    def wrap(lifecycle):
        def wrong(self, identity, *, created):
            if created:
                operation = self._rules.events.lifecycle_operation(
                    created=True, is_module="/" in identity.key
                )
                self._of_identity("lifecycle", identity, operation, {})
            else:
                lifecycle(self, identity, created=created)

        return wrong

    wrapped(EventDesk, "_lifecycle", wrap)


@fault("events.deleted")
def nobody_is_told_of_what_is_gone(_rules):
    """Only what is made is told."""
    wrapped(EventDesk, "deleted", lambda _deleted: lambda self, identity: None)


@fault("events.module-lifecycle")
def modules_are_told_without_their_name(rules):
    """Events of a module's coming and going name its device alone."""

    class Wrong(EventRules):
        def named_module(self, subject, happening):
            return None if subject == "lifecycle" else happening.module_id

    event_rules(rules, Wrong)


@fault("events.module-operations")
def modules_have_operations_of_no_page(rules):
    """A module that comes or goes is told as an update."""

    class Wrong(EventRules):
        def lifecycle_operation(self, *, created, is_module):
            return (
                "updateModuleIdentity"
                if is_module
                else super().lifecycle_operation(created=created, is_module=False)
            )

    event_rules(rules, Wrong)


@fault("monitoring.at-intervals")
def connections_are_told_at_once(rules):
    """Each change of a connection is told when it happens."""

    class Wrong(EventRules):
        def next_look(self, now, started):
            return now

    event_rules(rules, Wrong)
