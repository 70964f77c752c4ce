"""Hubs whose twins a back end reads or changes in another way than the twins' page says."""

import dataclasses

from fault import fault, wrapped

from iothub_emulator.hub import twin
from iothub_emulator.hub.registry import Registry
from iothub_emulator.hub.twin import Twin
from iothub_emulator.hub.twin_rules import TwinRules
from iothub_emulator.rest import owners


def twin_rules(rules, wrong):
    rules.twins = wrong(rules.twins.get_status(), rules.twins.patch_status())


@fault("service-twins.members")
def each_twin_is_of_a_device_with_keys(_rules):
    """Whatever a device proves itself by, its twin says that these are keys."""

    def wrap(document):
        return lambda shown, owner, rules: {**document(shown, owner, rules), "authenticationType": "sas"}

    wrapped(owners, "twin_document", wrap)


@fault("service-twins.members")
def twins_have_no_status(_rules):
    """The twin says nothing of the device's status."""

    def wrap(document):
        def wrong(shown, owner, rules):
            found = document(shown, owner, rules)
            return {name: found[name] for name in found if name != "status"}

        return wrong

    wrapped(owners, "twin_document", wrap)


@fault("service-twins.desired-metadata", "service-twins.reported-metadata")
def times_have_another_name(_rules):
    """Metadata have lastUpdated in the place of $lastUpdated."""

    def wrap(stamp):
        def wrong(now, version=None):
            return {
                name.replace("$lastUpdated", "lastUpdated"): value
                for name, value in stamp(now, version).items()
            }

        return wrong

    wrapped(twin, "_stamp", wrap)


@fault("service-twins.desired-metadata", "service-twins.reported-metadata")
def each_change_stamps_all(_rules):
    """The metadata of all members tell of the last change of the section."""

    def wrap(merged):
        def stamped(tree, stamp):
            members = {name: inner for name, inner in tree.items() if not name.startswith("$")}
            return {name: stamped(inner, stamp) for name, inner in members.items()} | stamp

        return lambda before, patch, stamp, rules: stamped(merged(before, patch, stamp, rules), stamp)

    wrapped(twin, "_merged_metadata", wrap)


@fault("service-twins.versions")
def twins_have_one_etag(_rules):
    """The etag of a twin is always the same."""
    wrapped(Twin, "etag", lambda _right: property(lambda self: "AAAAAAAAAAE="))


@fault("service-twins.etag")
def twins_change_under_any_etag(rules):
    """If-Match is not looked at."""

    class Wrong(TwinRules):
        def matches(self, if_match, etag):
            return True

    twin_rules(rules, Wrong)


@fault("service-twins.merged")
def nulls_inside_stay(rules):
    """Null removes a member of a section, and is kept inside an object."""

    class Wrong(TwinRules):
        def merged(self, before, patch):
            after = super().merged(before, patch)
            for name, value in patch.items():
                if isinstance(value, dict):
                    after[name] |= {inner: None for inner, each in value.items() if each is None}
            return after

    twin_rules(rules, Wrong)


@fault("service-twins.replaced")
def a_put_is_merged(rules):
    """What a PUT does not name is left as it was."""

    class Wrong(TwinRules):
        def replaced(self, before, wanted):
            return self.merged(before, wanted)

    twin_rules(rules, Wrong)


@fault("service-twins.reported-kept")
def a_put_replaces_what_was_reported(_rules):
    """A replacement empties the reported properties too."""

    def wrap(replace):
        def wrong(before, document, if_match, rules, now):
            change = replace(before, document, if_match, rules, now)
            emptied = dataclasses.replace(change.twin.reported, values={}, metadata={})
            return dataclasses.replace(change, twin=dataclasses.replace(change.twin, reported=emptied))

        return wrong

    wrapped(twin, "replace_twin", wrap)


@fault("service-twins.sizes", "twin.within-limits")
def booleans_count_as_numbers(rules):
    """A Boolean counts 8 bytes."""

    class Wrong(TwinRules):
        def size_of(self, value):
            return 8 if isinstance(value, bool) else super().size_of(value)

    twin_rules(rules, Wrong)


@fault("service-twins.sizes")
def tags_have_no_limit(rules):
    """Tags may be as large as they like."""

    class Wrong(TwinRules):
        def accepts_size(self, section, before, after):
            return section == "tags" or super().accepts_size(section, before, after)

    twin_rules(rules, Wrong)


@fault("service-twins.refused")
def names_inside_are_not_looked_at(_rules):
    """An object inside a section may have names that no section may have."""

    def wrap(problem_with):
        def wrong(value, depth, rules):
            return None if isinstance(value, dict) else problem_with(value, depth, rules)

        return wrong

    wrapped(twin, "_problem_with", wrap)


@fault("service-twins.unknown")
def whoever_is_asked_for_has_a_twin(_rules):
    """A device that there is not is answered for with another one's twin."""

    def wrap(require):
        def wrong(self, device_id):
            return self.get(device_id) or next(iter(self))

        return wrong

    wrapped(Registry, "require", wrap)
