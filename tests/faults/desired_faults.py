"""Hubs that tell devices wrongly of changed desired properties, or tell what is not theirs to hear."""

import dataclasses

from fault import fault, wrapped
from twin_faults import twin_rules

from iothub_emulator.hub import twin
from iothub_emulator.hub.json_text import Object
from iothub_emulator.hub.subscribe import SubscribeRules
from iothub_emulator.hub.twin_rules import DESIRED_FILTER, TwinRules


@fault("desired.notified", "desired.order", "desired.own-only")
def update_is_told_twice(rules):
    """Two parts of the hub tell of the same update."""

    class Wrong(TwinRules):
        def recipients(self, owner):
            return super().recipients(owner) * 2

    twin_rules(rules, Wrong)


@fault("desired.notified")
def booleans_are_told_as_numbers(rules):
    """True and false are told as 1 and 0."""

    class Wrong(TwinRules):
        def notification(self, change, version):
            return super().notification(_numbers(change), version)

    twin_rules(rules, Wrong)


def _numbers(value):
    if isinstance(value, dict):
        return {name: _numbers(inner) for name, inner in value.items()}
    return int(value) if isinstance(value, bool) else value


@fault("desired.notified")
def nested_members_are_told_flat(rules):
    """A nested member is told under its path."""

    class Wrong(TwinRules):
        def notification(self, change, version):
            return super().notification(_flat(change), version)

    twin_rules(rules, Wrong)


def _flat(change, path=""):
    flat = {}
    for name, value in change.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{path}{name}.")
        else:
            flat[path + name] = value
    return flat


@fault("desired.notified", "desired.version", spreads=True)
def topic_has_no_slash_before_its_question_mark(rules):
    """The topic ends in desired?$version=, which the documented filter does not match."""

    class Wrong(TwinRules):
        def notification_topic(self, version):
            return f"$iothub/twin/PATCH/properties/desired?$version={version}"

    twin_rules(rules, Wrong)


@fault("desired.version")
def topic_has_the_version_before(rules):
    """The topic of a notification is made before the version is counted."""

    class Wrong(TwinRules):
        def notification_topic(self, version):
            return super().notification_topic(version - 1)

    twin_rules(rules, Wrong)


@fault("desired.version")
def version_is_that_of_the_next_update(rules):
    """Topic and body of a notification are one version ahead."""

    class Wrong(TwinRules):
        def notification(self, change, version):
            return super().notification(change, version + 1)

    twin_rules(rules, Wrong)


@fault("desired.version", "twin.reported-version", "twin.stale-version", "desired.reconnect-flow")
def version_never_rises(rules):
    """The version of a section stays what it was at first."""

    class Wrong(TwinRules):
        def next_version(self, version):
            return version

    twin_rules(rules, Wrong)


@fault("desired.null")
def removed_members_are_not_told(rules):
    """A member that an update removes is left out of the notification."""

    class Wrong(TwinRules):
        def notification(self, change, version):
            return super().notification(_without_null(change), version)

    twin_rules(rules, Wrong)


def _without_null(change):
    return {
        name: _without_null(value) if isinstance(value, dict) else value
        for name, value in change.items()
        if value is not None
    }


@fault("desired.null")
def removed_members_are_told_as_empty(rules):
    """A member that an update removes is told as an empty string."""

    class Wrong(TwinRules):
        def notification(self, change, version):
            told = {name: "" if value is None else value for name, value in change.items()}
            return super().notification(told, version)

    twin_rules(rules, Wrong)


class Remembering(TwinRules):
    """For hubs that tell more than the change: knows the section that the last merge made."""

    section: Object | None = None

    def merged(self, before, patch):
        self.section = super().merged(before, patch)
        return self.section


@fault("desired.patch-only", "desired.null")
def whole_section_is_told(rules):
    """A notification has all desired properties there are."""

    class Wrong(Remembering):
        def notification(self, change, version):
            return super().notification(self.section, version)

    twin_rules(rules, Wrong)


@fault("desired.patch-only", "desired.null")
def nested_objects_are_told_whole(rules):
    """Of a nested object that was changed somewhere, all members are told."""

    class Wrong(Remembering):
        def notification(self, change, version):
            told = {
                name: self.section[name] if isinstance(value, dict) else value
                for name, value in change.items()
            }
            return super().notification(told, version)

    twin_rules(rules, Wrong)


@fault("desired.replace")
def replacement_is_not_told(rules):
    """Only PATCH leads to a notification."""

    class Wrong(TwinRules):
        def announces_replacement(self):
            return False

    twin_rules(rules, Wrong)


@fault("desired.replace-removed")
def replacement_is_told_beside_what_it_removes(rules):
    """A replacement is merged into what was there before it is told."""

    class Wrong(TwinRules):
        def notification_of_replacement(self, before, after, version):
            return {**self.merged(before, after), "$version": version}

    twin_rules(rules, Wrong)


@fault("desired.order")
def updates_in_a_row_are_told_late(rules):
    """From the fifth version on, a notification has the members of the update before."""

    class Wrong(TwinRules):
        before = None

        def notification(self, change, version):
            told, self.before = (self.before if version > 4 else change), change
            return super().notification(told, version)

    twin_rules(rules, Wrong)


@fault("desired.order")
def updates_in_a_row_are_lost(rules):
    """Of a burst of updates every eighth is not told."""

    class Wrong(TwinRules):
        version = 0

        def notification(self, change, version):
            self.version = version
            return super().notification(change, version)

        def recipients(self, owner):
            return () if self.version % 8 == 0 else super().recipients(owner)

    twin_rules(rules, Wrong)


@fault("desired.unsubscribed")
def notifications_go_on_after_unsubscribe(rules):
    """UNSUBSCRIBE is acknowledged, and the filter of notifications is kept."""

    class Wrong(SubscribeRules):
        def forget(self, subscriptions, topic_filter):
            if topic_filter != DESIRED_FILTER:
                super().forget(subscriptions, topic_filter)

    rules.subscribe = Wrong()


@fault("desired.only-connected", "desired.reconnect-flow")
def notifications_wait_for_the_device(rules):
    """What could not be told at once is told when the device is back, like a cloud-to-device message."""

    class Wrong(TwinRules):
        def keeps_notifications(self):
            return True

    twin_rules(rules, Wrong)


@fault("desired.reconnect-flow", "desired.only-connected")
def subscribing_again_ends_a_subscription(rules):
    """A filter that a kept session already has is given up when it is subscribed to again."""

    class Wrong(SubscribeRules):
        def store(self, subscriptions, topic_filter, granted):
            if topic_filter == DESIRED_FILTER and subscriptions.pop(topic_filter, None) is not None:
                return
            super().store(subscriptions, topic_filter, granted)

    rules.subscribe = Wrong()


@fault("desired.not-for-tags")
def tags_are_told(rules):
    """A change of tags leads to a notification without members."""

    class Wrong(TwinRules):
        def announces(self, section):
            return section != "properties.reported"

    twin_rules(rules, Wrong)


@fault("desired.not-for-reported")
def reports_are_told_back(rules):
    """A device is told of what it reported itself."""

    class Wrong(TwinRules):
        def announces(self, section):
            return section != "tags"

    twin_rules(rules, Wrong)


@fault("desired.not-for-refused")
def refused_updates_are_told(rules):
    """The device is told before the update is checked."""

    class Wrong(TwinRules):
        def notification_of_refused(self, document, version):
            return {**document["properties"]["desired"], "$version": version + 1}

    twin_rules(rules, Wrong)


@fault("desired.null-section")
def section_of_null_is_overlooked(rules):
    """Null in place of a section counts as a section that is not there."""

    class Wrong(TwinRules):
        def patch_of_null(self, section, before):
            return None

    twin_rules(rules, Wrong)


@fault("desired.null-section")
def section_of_null_empties_objects_alone(rules):
    """Of a section of null, only members that are no object are removed."""

    class Wrong(TwinRules):
        def patch_of_null(self, section, before):
            return {name: None for name, value in before.items() if not isinstance(value, dict)}

    twin_rules(rules, Wrong)


@fault("desired.null-section")
def removed_section_is_told_without_its_members(rules):
    """Of an update that removes all members, the device is told the version alone."""

    class Wrong(TwinRules):
        def notification(self, change, version):
            is_removal = len(change) > 1 and all(value is None for value in change.values())
            return super().notification({} if is_removal else change, version)

    twin_rules(rules, Wrong)


@fault("desired.own-only")
def updates_are_told_to_others(rules):
    """Whoever is connected hears of the updates of every twin that was changed since it came."""

    class Wrong(TwinRules):
        known = ()

        def recipients(self, owner):
            self.known = tuple({*self.known, owner})
            return self.known

    twin_rules(rules, Wrong)


@fault("desired.notified")
def change_of_tags_too_is_one_of_tags(rules):
    """An update that names tags beside desired properties is taken for one that is no device's business."""

    def wrap(patch):
        def patched(before, document, *rest):
            change = patch(before, document, *rest)
            return dataclasses.replace(change, notification=None) if "tags" in document else change

        return patched

    wrapped(twin, "patch_twin", wrap)


@fault("desired.notified")
def replacement_on_a_condition_is_not_told(rules):
    """Where the back end names an etag, it is taken to be in step with its device already."""

    def wrap(replace):
        def replaced(before, document, if_match, *rest):
            change = replace(before, document, if_match, *rest)
            return change if if_match in {None, "*"} else dataclasses.replace(change, notification=None)

        return replaced

    wrapped(twin, "replace_twin", wrap)
