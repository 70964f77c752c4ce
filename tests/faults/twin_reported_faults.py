"""Hubs that apply updates of reported properties wrongly."""

from fault import fault
from twin_faults import twin_rules

from iothub_emulator.hub.refusals import invalid
from iothub_emulator.hub.twin_rules import TwinRules


@fault("twin.reported")
def patch_is_answered_twice(rules):
    """A patch is answered when it is accepted and again when it is stored."""

    class Wrong(TwinRules):
        def answers(self, topic, payload):
            return super().answers(topic, payload) * (2 if "&$version=" in topic else 1)

    twin_rules(rules, Wrong)


@fault(
    "twin.reported",
    "twin.reported-visible",
    "twin.reported-version",
    "twin.request-qos",
)
def back_end_reads_an_older_twin(rules):
    """The back end reads a replica that has not heard of reported properties yet."""

    class Wrong(TwinRules):
        def visible_to_service(self, tags, desired, reported):
            return super().visible_to_service(tags, desired, {"$version": 1})

    twin_rules(rules, Wrong)


@fault("twin.reported-status")
def patch_is_only_accepted(rules):
    """A patch has the status 202, as if it were still to be applied."""

    class Wrong(TwinRules):
        def patch_status(self):
            return 202

    twin_rules(rules, Wrong)


@fault("twin.reported-version", "twin.reported-visible", "twin.get-body", "twin.get-fresh")
def answer_names_the_version_before(rules):
    """$version in the topic is the version that the patch found, not the one that it made."""

    class Wrong(TwinRules):
        def answer_topic(self, status, request_id, version):
            return super().answer_topic(status, request_id, None if version is None else version - 1)

    twin_rules(rules, Wrong)


@fault("twin.reported-version")
def version_has_two_bits(rules):
    """The version stops to rise at 4."""

    class Wrong(TwinRules):
        def next_version(self, version):
            return min(version + 1, 4)

    twin_rules(rules, Wrong)


@fault("twin.reported-version", "twin.reported-visible")
def back_end_reads_another_version(rules):
    """The back end is shown the version of the desired properties with the reported ones."""

    class Wrong(TwinRules):
        def visible_to_service(self, tags, desired, reported):
            return super().visible_to_service(tags, desired, {**reported, "$version": desired["$version"]})

    twin_rules(rules, Wrong)


@fault("twin.reported-visible")
def back_end_reads_ascii(rules):
    """What is not ASCII reaches the back end as question marks."""

    class Wrong(TwinRules):
        def visible_to_service(self, tags, desired, reported):
            return super().visible_to_service(tags, desired, _ascii(reported))

    twin_rules(rules, Wrong)


def _ascii(value):
    if isinstance(value, dict):
        return {name: _ascii(inner) for name, inner in value.items()}
    return value.encode("ascii", "replace").decode() if isinstance(value, str) else value


class Merging(TwinRules):
    """For hubs that are wrong at one level of a merge."""

    def merged(self, before, patch):
        after = dict(before)
        for name, value in patch.items():
            self.apply(after, name, value)
        return after

    def apply(self, after, name, value):
        if value is None:
            after.pop(name, None)
        elif isinstance(value, dict):
            inner = after.get(name)
            after[name] = self.merged(inner if isinstance(inner, dict) else {}, value)
        else:
            after[name] = value


@fault("twin.reported-merge", "twin.reported-visible")
def nested_objects_are_replaced(rules):
    """A nested object of a patch takes the place of the whole object."""

    class Wrong(Merging):
        def apply(self, after, name, value):
            after.pop(name, None)
            super().apply(after, name, value)

    twin_rules(rules, Wrong)


@fault(
    "twin.reported-merge",
    "twin.get-fresh",
    "twin.reported-visible",
    "twin.current-version",
    "twin.reported-null",
)
def patch_replaces_the_section(rules):
    """PATCH does what PUT does: what a patch does not name is gone."""

    class Wrong(TwinRules):
        def merged(self, before, patch):
            return super().merged({}, patch)

    twin_rules(rules, Wrong)


@fault("twin.reported-merge")
def booleans_become_numbers(rules):
    """True and false are stored as 1 and 0."""

    class Wrong(Merging):
        def apply(self, after, name, value):
            super().apply(after, name, int(value) if isinstance(value, bool) else value)

    twin_rules(rules, Wrong)


@fault("twin.reported-merge")
def empty_string_counts_as_null(rules):
    """A member that is set to an empty string is removed."""

    class Wrong(TwinRules):
        def removes(self, value):
            return value is None or value == ""

    twin_rules(rules, Wrong)


@fault("twin.reported-merge")
def names_have_no_case(rules):
    """Members are found by their names without case, as in a dictionary that ignores it."""

    class Wrong(Merging):
        def apply(self, after, name, value):
            known = next((key for key in after if key.lower() == name.lower()), name)
            super().apply(after, known, value)

    twin_rules(rules, Wrong)


@fault("twin.reported-null")
def null_is_a_value(rules):
    """A member that is set to null stays, with null for its value."""

    class Wrong(TwinRules):
        def removes(self, value):
            return False

    twin_rules(rules, Wrong)


@fault("twin.reported-null")
def null_does_not_remove_objects(rules):
    """null removes a value; an object is only emptied."""

    class Wrong(Merging):
        def apply(self, after, name, value):
            if value is None and isinstance(after.get(name), dict):
                after[name] = {}
            else:
                super().apply(after, name, value)

    twin_rules(rules, Wrong)


@fault("twin.current-version")
def condition_wants_the_next_version(rules):
    """A patch has to name the version that it will make."""

    class Wrong(TwinRules):
        def accepts_version(self, expected, current):
            return expected is None or expected == current + 1

    twin_rules(rules, Wrong)


@fault("twin.stale-version")
def condition_is_not_looked_at(rules):
    """$version in the topic of a patch is ignored."""

    class Wrong(TwinRules):
        def accepts_version(self, expected, current):
            return True

    twin_rules(rules, Wrong)


@fault("twin.stale-version")
def condition_may_be_one_behind(rules):
    """A patch for the version before the current one is applied too."""

    class Wrong(TwinRules):
        def accepts_version(self, expected, current):
            return expected is None or current - 1 <= expected <= current

    twin_rules(rules, Wrong)


@fault("twin.stale-version")
def stale_patch_is_a_conflict(rules):
    """A patch for an older version is answered with 400, like one that cannot be read."""

    class Wrong(TwinRules):
        def other_version(self):
            return invalid("The reported properties have another version.")

    twin_rules(rules, Wrong)
