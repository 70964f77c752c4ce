"""A twin and its changes: value in, value out."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.hub.twin import Properties, Twin, new_twin, patch_twin, replace_twin, report
from iothub_emulator.hub.twin_rules import TwinRules

RULES = TwinRules()
EARLIER, NOW = 1_600_000_000.0, 1_600_000_100.25
THEN, LATER = "2020-09-13T12:26:40.000000Z", "2020-09-13T12:28:20.250000Z"

NAMES = st.sampled_from(["a", "b", "c", "é"])
LEAVES = st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.lists(st.integers(0, 3), max_size=2)
OBJECTS = st.recursive(
    st.dictionaries(NAMES, LEAVES, max_size=3),
    lambda inner: st.dictionaries(NAMES, inner | LEAVES, max_size=3),
)
PATCHES = st.recursive(
    st.dictionaries(NAMES, LEAVES | st.none(), max_size=3),
    lambda inner: st.dictionaries(NAMES, inner | LEAVES | st.none(), max_size=3),
)


def reported(values, version=1):
    return Twin(Properties(), Properties(values, {}, version))


def nulls(values, path=""):
    """Yield where a member is null; an array is a value, whatever it holds."""
    for name, inner in values.items():
        if inner is None:
            yield f"{path}/{name}"
        elif isinstance(inner, dict):
            yield from nulls(inner, f"{path}/{name}")


def refusal(call, *arguments):
    with pytest.raises(Refused) as raised:
        call(*arguments)
    return raised.value.code


# The device's side


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [
        ({}, {"a": 1}, {"a": 1}),
        ({"a": 1, "b": 2}, {"a": "x"}, {"a": "x", "b": 2}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": True}}, {"a": {"b": True, "c": 2}}),
        ({"a": 1}, {"a": {"b": 2}}, {"a": {"b": 2}}),
        ({"a": {"b": 2}}, {"a": 1}, {"a": 1}),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ({"a": {"b": 1}}, {"a": {"b": None}}, {"a": {}}),
        ({}, {"a": None}, {}),
        ({}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": [1]}, {"a": [None, {"b": None}]}, {"a": [None, {"b": None}]}),
    ],
)
def test_patches_merge(before, patch, after):
    assert report(reported(before), patch, None, RULES, NOW).twin.reported.values == after


@given(OBJECTS, PATCHES)
def test_laws_of_merging(before, patch):
    """An empty patch changes nothing, a repeated one nothing more, and no null is ever stored."""
    untouched = copy.deepcopy(before)
    once = RULES.merged(before, patch)

    assert before == untouched
    assert RULES.merged(before, {}) == before
    assert RULES.merged(once, patch) == once
    assert list(nulls(once)) == []
    assert set(once) == (set(before) | set(patch)) - {name for name in patch if patch[name] is None}


def test_a_null_is_found_and_the_word_is_not():
    assert list(nulls({"None": "None", "null": [None], "a": {"b": None, "c": 0}})) == ["/a/b"]


@given(OBJECTS, OBJECTS)
def test_a_section_can_be_turned_into_any_other(before, wanted):
    """Deleting what is there and adding what is wanted gives what is wanted."""
    cleared = RULES.merged(before, dict.fromkeys(before))

    assert cleared == {}
    assert RULES.merged(cleared, wanted) == wanted


def test_versions_rise_each_on_its_own():
    twin = new_twin(EARLIER)
    after = report(twin, {"a": 1}, None, RULES, NOW).twin

    assert (twin.desired.version, twin.reported.version, twin.version) == (1, 1, 2)
    assert (after.desired.version, after.reported.version, after.version) == (1, 2, 3)
    assert after.etag == twin.etag == "AAAAAAAAAAE="


def test_a_report_is_announced_to_nobody():
    assert report(new_twin(EARLIER), {"a": 1}, None, RULES, NOW).notification is None


def test_a_stale_version_is_refused():
    assert refusal(report, reported({}, 3), {"a": 1}, 2, RULES, NOW) is ErrorCode.PreconditionFailed
    assert report(reported({}, 3), {"a": 1}, 3, RULES, NOW).twin.reported.version == 4


@pytest.mark.parametrize("patch", [[], 1, "x", None, True, {"ok": 1, "$a": 1}, {"a": {"b.c": 1}}])
def test_what_is_refused_changes_nothing(patch):
    twin = reported({"a": {"b": 1}})

    assert refusal(report, twin, patch, None, RULES, NOW) is ErrorCode.ArgumentInvalid
    assert twin == reported({"a": {"b": 1}})


def test_metadata_bears_the_time_at_every_level_that_changed():
    twin = report(new_twin(EARLIER), {"a": {"b": 1, "c": 2}, "d": [1]}, None, RULES, EARLIER).twin
    twin = report(twin, {"a": {"b": 3, "c": None}}, None, RULES, NOW).twin

    assert twin.reported.metadata == {
        "a": {"b": {"$lastUpdated": LATER}, "$lastUpdated": LATER},
        "d": {"$lastUpdated": THEN},
        "$lastUpdated": LATER,
    }


@given(OBJECTS, PATCHES)
def test_metadata_mirrors_the_values(before, patch):
    def names(values):
        return {
            name: names(inner) if isinstance(inner, dict) else {}
            for name, inner in values.items()
            if not name.startswith("$")
        }

    twin = report(report(new_twin(EARLIER), before, None, RULES, EARLIER).twin, patch, None, RULES, NOW).twin

    assert names(twin.reported.metadata) == names(twin.reported.values)


def test_the_device_sees_both_sections_without_metadata_and_tags():
    twin = patch_twin(
        new_twin(EARLIER), {"tags": {"t": 1}, "properties": {"desired": {"a": 1}}}, None, RULES, NOW
    ).twin

    assert twin.for_device(RULES) == {"desired": {"a": 1, "$version": 2}, "reported": {"$version": 1}}


# The back end's side


def test_desired_properties_and_tags_are_merged_and_announced():
    twin = patch_twin(
        new_twin(EARLIER),
        {"tags": {"t": {"u": 1}}, "properties": {"desired": {"a": {"b": 1}, "c": 1}}},
        None,
        RULES,
        EARLIER,
    ).twin
    change = patch_twin(twin, {"properties": {"desired": {"a": {"d": 2}, "c": None}}}, None, RULES, NOW)

    assert change.notification == {"a": {"d": 2}, "c": None, "$version": 3}
    assert change.twin.desired.values == {"a": {"b": 1, "d": 2}}
    assert change.twin.tags == {"t": {"u": 1}}
    stamp = {"$lastUpdated": LATER, "$lastUpdatedVersion": 3}
    old = {"$lastUpdated": THEN, "$lastUpdatedVersion": 2}
    assert change.twin.desired.metadata == {"a": {"b": old, "d": stamp} | stamp} | stamp
    assert (change.twin.etag, change.twin.version) == ("AAAAAAAAAAM=", 4)


@pytest.mark.parametrize(
    "document",
    [
        {"tags": {"a": 1}},
        {"tags": {"a": 1}, "properties": {"desired": {}}},
        {"tags": None, "properties": {"desired": None}},
        {"properties": {"reported": {"a": 1}}},
        {"properties": None},
        {"deviceId": "d", "$anything": []},
        {},
    ],
)
def test_what_touches_no_desired_property_is_not_announced(document):
    change = patch_twin(new_twin(EARLIER), document, None, RULES, NOW)

    assert change.notification is None
    assert change.twin.desired == new_twin(EARLIER).desired
    assert change.twin.reported == new_twin(EARLIER).reported


def test_a_section_of_null_removes_all_of_its_members():
    """desired.null-section: the device is told of each as null; in a replacement null is nothing."""
    given = {"tags": {"t": 1}, "properties": {"desired": {"a": {"b": 1}, "c": 2}}}
    twin = patch_twin(new_twin(EARLIER), given, None, RULES, EARLIER).twin

    desired = patch_twin(twin, {"properties": {"desired": None}}, None, RULES, NOW)
    tags = patch_twin(twin, {"tags": None}, None, RULES, NOW)
    both = replace_twin(twin, {"tags": None, "properties": {"desired": None}}, None, RULES, NOW)

    assert desired.notification == {"a": None, "c": None, "$version": 3}
    assert (desired.twin.desired.values, desired.twin.tags) == ({}, {"t": 1})
    assert (tags.twin.desired, tags.twin.tags, tags.notification) == (twin.desired, {}, None)
    assert (both.twin.desired.values, both.twin.tags) == ({}, {})
    assert both.notification == {"a": None, "c": None, "$version": 3}


def test_a_twin_that_was_read_may_be_sent_back_changed():
    twin = patch_twin(new_twin(EARLIER), {"properties": {"desired": {"a": 1}}}, None, RULES, NOW).twin
    document = {"properties": {"desired": twin.desired.for_service() | {"a": 2}}}

    assert patch_twin(twin, document, None, RULES, NOW).twin.desired.values == {"a": 2}
    assert patch_twin(twin, document, None, RULES, NOW).notification == {"a": 2, "$version": 3}


@pytest.mark.parametrize("change", [patch_twin, replace_twin])
@pytest.mark.parametrize(
    "document",
    [
        [],
        None,
        {"properties": []},
        {"tags": []},
        {"properties": {"desired": 1}},
        {"tags": {"$a": 1}},
        {"properties": {"desired": {"$other": 1}}},
        {"properties": {"desired": {"a": {"$version": 1}}}},
    ],
)
def test_documents_that_are_refused(change, document):
    assert refusal(change, new_twin(EARLIER), document, None, RULES, NOW) is ErrorCode.ArgumentInvalid


@pytest.mark.parametrize("if_match", [None, "*", '"*"', "AAAAAAAAAAE=", '"AAAAAAAAAAE="', 'W/"AAAAAAAAAAE="'])
def test_etags_that_match(if_match):
    assert patch_twin(new_twin(EARLIER), {"tags": {"a": 1}}, if_match, RULES, NOW).twin.tags == {"a": 1}


@pytest.mark.parametrize("change", [patch_twin, replace_twin])
@pytest.mark.parametrize("if_match", ["", "AAAAAAAAAAI=", '"x"'])
def test_etags_that_do_not(change, if_match):
    code = refusal(change, new_twin(EARLIER), {"tags": {"a": 1}}, if_match, RULES, NOW)

    assert code is ErrorCode.PreconditionFailed


def test_replacing_leaves_nothing_of_what_was():
    twin = patch_twin(
        new_twin(EARLIER), {"tags": {"t": 1}, "properties": {"desired": {"a": 1, "b": 2}}}, None, RULES, NOW
    ).twin
    change = replace_twin(twin, {"properties": {"desired": {"a": 3, "c": None}}}, None, RULES, NOW)

    assert change.twin.desired.values == {"a": 3}
    assert change.twin.tags == {}
    assert change.notification == {"a": 3, "b": None, "$version": 3}
    assert set(change.twin.desired.metadata) == {"a", "$lastUpdated", "$lastUpdatedVersion"}


@given(OBJECTS, OBJECTS)
def test_a_replacement_is_told_as_the_patch_that_makes_it(before, after):
    """Whoever merges what is told has the new section; what stays is told too."""
    twin = patch_twin(new_twin(EARLIER), {"properties": {"desired": before}}, None, RULES, NOW).twin
    change = replace_twin(twin, {"properties": {"desired": after}}, None, RULES, NOW)
    told = {name: value for name, value in change.notification.items() if name != "$version"}

    assert RULES.merged(twin.desired.values, told) == change.twin.desired.values
    assert RULES.merged({}, told) == change.twin.desired.values


def test_one_rule_replaced_announces_tags():
    class AnnouncesAll(TwinRules):
        def announces(self, section):
            return True

    assert patch_twin(new_twin(EARLIER), {"tags": {"a": 1}}, None, AnnouncesAll(), NOW).notification == {
        "$version": 1
    }
    assert report(new_twin(EARLIER), {"a": 1}, None, AnnouncesAll(), NOW).notification == {
        "a": 1,
        "$version": 2,
    }
