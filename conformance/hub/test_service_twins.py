"""Twins by the back end's own interface: what it reads, merges and replaces, and what is refused.

Microsoft, "Understand and use device twins in IoT Hub". Clauses: clauses/service-twins.toml.
"""

import pytest

clause = pytest.mark.clause

DESIRED = {"interval": 5, "route": {"via": "north", "by": {"day": True}}}
TAGS = {"site": {"hall": 3, "row": "b"}, "owner": "works"}


@clause("service-twins.members")
def test_a_twin_has_all_its_members(device, twins):
    """Of a device that never connected, with tags and desired properties."""
    found = twins.patch(device, desired=DESIRED, tags=TAGS)

    device_id, _, module_id = device.id.partition("/")
    members = {
        "deviceId": device_id,
        "status": "enabled",
        "connectionState": "Disconnected",
        "cloudToDeviceMessageCount": 0,
        "tags": TAGS,
    }
    assert twins.get(device).shows(*members) == found.shows(*members) == members
    assert found.module_id == (module_id or None)
    assert (found.desired.values, found.reported.values) == (DESIRED, {})
    assert "(absent)" not in found.shows("etag", "version", "lastActivityTime", "authenticationType").values()


@clause("service-twins.members")
def test_a_twin_says_how_its_device_proves_itself(free_name, identities, twins):
    """By the kind of its authentication, with both thumbprints."""
    thumbprints = {"primaryThumbprint": "A1" * 20, "secondaryThumbprint": "0F" * 32}
    identities.create(
        free_name,
        status="disabled",
        statusReason="lost",
        authentication={"type": "selfSigned", "x509Thumbprint": thumbprints},
    )

    members = {
        "authenticationType": "selfSigned",
        "x509Thumbprint": thumbprints,
        "status": "disabled",
        "statusReason": "lost",
    }
    assert twins.get(free_name).shows(*members) == members


@clause("service-twins.desired-metadata")
def test_desired_metadata_tell_which_version_changed_what(device, twins):
    """A patch stamps what it touches and all that holds it; the rest keeps its stamp."""
    first = twins.patch(device, desired=DESIRED).desired
    second = twins.patch(device, desired={"route": {"via": "south"}}).desired

    one, two = first.version, second.version
    assert first.changed_by() == dict.fromkeys(
        ["", "interval", "route", "route.via", "route.by", "route.by.day"], one
    )
    assert second.changed_by() == {
        "": two,
        "interval": one,
        "route": two,
        "route.via": two,
        "route.by": one,
        "route.by.day": one,
    }


@clause("service-twins.desired-metadata")
@pytest.mark.clock
def test_desired_metadata_tell_when(device, twins, c2d, hub):
    """At about this time, and later for what was changed later; what is removed has none any more."""
    first = twins.patch(device, desired=DESIRED).desired.last_changed()
    second = twins.patch(device, desired={"interval": 6, "route": {"by": None}}).desired.last_changed()

    assert first.keys() == {"", "interval", "route", "route.via", "route.by", "route.by.day"}
    assert abs(first["interval"] - c2d.hubs_time()) <= hub.timeouts.reaction
    assert second.keys() == {"", "interval", "route", "route.via"}
    assert {path: second[path] > first[path] for path in second} == {
        "": True,
        "interval": True,
        "route": True,
        "route.via": False,
    }


@clause("service-twins.desired-metadata")
def test_a_replacement_stamps_all(device, twins):
    """All members are new, of one version."""
    twins.patch(device, desired=DESIRED)

    replaced = twins.replace(device, desired={"interval": 5, "limits": {"low": 1}}).desired

    assert replaced.changed_by() == dict.fromkeys(["", "interval", "limits", "limits.low"], replaced.version)


@clause("service-twins.reported-metadata")
@pytest.mark.clock
def test_reported_metadata_tell_when(device, twin, twins, c2d, hub, stage):
    """Each member has a time; a later report moves those of what it touches, and no other."""
    stage(twin.establish, {"firmware": "v1", "limits": {"low": 1, "high": 9}}, needs="twin.reported")
    first = twins.get(device).reported.last_changed()
    stage(twin.establish, {"limits": {"low": 2}}, needs="twin.reported")
    second = twins.get(device).reported.last_changed()

    assert first.keys() == second.keys() == {"", "firmware", "limits", "limits.low", "limits.high"}
    assert abs(first["firmware"] - c2d.hubs_time()) <= hub.timeouts.reaction
    assert {path: second[path] > first[path] for path in first} == {
        "": True,
        "firmware": False,
        "limits": True,
        "limits.low": True,
        "limits.high": False,
    }


@clause("service-twins.versions")
def test_each_change_has_an_etag_and_a_version(device, twins):
    """One of tags, one of desired properties, and one that replaces both."""
    found = [
        twins.get(device),
        twins.patch(device, tags={"site": "hall"}),
        twins.patch(device, desired={"interval": 5}),
        twins.replace(device, desired={"interval": 6}, tags={"site": "yard"}),
    ]

    assert len({twin.etag for twin in found}) == 4
    assert [twin.version for twin in found] == sorted({twin.version for twin in found})
    first, tagged, desired, replaced = (twin.desired.version for twin in found)
    assert first == tagged < desired < replaced
    assert twins.get(device) == found[-1]


@clause("service-twins.etag")
def test_a_change_under_an_old_etag_is_refused(device, twins):
    """Neither merged nor replaced; under the current one it is carried out."""
    old = twins.get(device).etag
    current = twins.patch(device, desired=DESIRED, tags=TAGS)

    refused = [
        twins.attempt_to_patch(device, desired={"interval": 6}, etag=old),
        twins.attempt_to_replace(device, desired={}, tags={}, etag=old),
    ]
    unchanged = twins.get(device)
    taken = twins.attempt_to_patch(device, desired={"interval": 6}, etag=current.etag)

    assert (refused, unchanged, taken) == (["412", "412"], current, "200")


@clause("service-twins.merged")
def test_a_patch_is_merged(device, twins):
    """At any depth; null removes."""
    twins.patch(device, desired=DESIRED, tags=TAGS)

    change = {"site": {"row": None, "gate": 2}, "owner": None}
    found = twins.patch(
        device, desired={"route": {"by": {"day": False, "night": True}}, "interval": None}, tags=change
    )

    assert found.tags == {"site": {"hall": 3, "gate": 2}}
    assert found.desired.values == {"route": {"via": "north", "by": {"day": False, "night": True}}}
    assert twins.get(device) == found


@clause("service-twins.merged")
def test_an_object_takes_the_place_of_a_value_and_the_reverse(device, twins):
    """Nothing of the one is left in the other."""
    twins.patch(device, desired={"a": {"b": 1}, "c": 2}, tags={"a": {"b": 1}, "c": 2})

    found = twins.patch(device, desired={"a": 3, "c": {"d": 4}}, tags={"a": 3, "c": {"d": 4}})

    assert (found.desired.values, found.tags) == ({"a": 3, "c": {"d": 4}}, {"a": 3, "c": {"d": 4}})


@clause("service-twins.merged")
def test_a_patch_of_one_section_leaves_the_other(device, twins):
    """Tags without desired properties, and the reverse."""
    twins.patch(device, desired=DESIRED, tags=TAGS)

    of_tags = twins.patch(device, tags={"owner": "office"})
    of_desired = twins.patch(device, desired={"interval": 6})

    assert (of_tags.desired.values, of_tags.tags) == (DESIRED, {**TAGS, "owner": "office"})
    assert (of_desired.desired.values, of_desired.tags) == ({**DESIRED, "interval": 6}, of_tags.tags)


@clause("service-twins.replaced")
def test_a_put_replaces_both_sections(device, twins):
    """Of what there was nothing is left."""
    twins.patch(device, desired=DESIRED, tags=TAGS)

    found = twins.replace(device, desired={"route": {"via": "east"}}, tags={"site": {"row": "c"}})

    assert (found.desired.values, found.tags) == ({"route": {"via": "east"}}, {"site": {"row": "c"}})
    assert twins.get(device) == found


@clause("service-twins.reported-kept")
def test_the_back_end_leaves_what_was_reported(device, twin, twins, stage):
    """Neither a merge nor a replacement touches it."""
    stage(twin.establish, {"firmware": "v1", "limits": {"low": 1}}, needs="twin.reported")
    before = twins.get(device).reported

    merged = twins.patch(device, desired=DESIRED, tags=TAGS).reported
    replaced = twins.replace(device, desired={"interval": 6}, tags={}).reported

    assert before.values == {"firmware": "v1", "limits": {"low": 1}}
    assert (merged, replaced) == (before, before)
    assert (merged.metadata, replaced.metadata) == (before.metadata, before.metadata)


# Names of four and five characters, Booleans of four bytes, numbers of eight, text by its characters.
EIGHT_KB = {
    "booleans": {f"b{number:03}": bool(number % 2) for number in range(1000)},
    "numbers": {f"n{number:03}": number / 4 for number in range(670)},
    "text": {f"t{number}": "é" * 2000 for number in range(4)},
    "objects": {f"o{number:03}": {"i": 1} for number in range(620)},
}
TOO_MUCH = {
    "booleans": {f"b{number:03}": True for number in range(1100)},
    "numbers": {f"n{number:03}": number for number in range(720)},
    "text": {f"t{number}": "x" * 3000 for number in range(3)},
}
THIRTY_TWO_KB = {f"b{number:04}": False for number in range(1800)} | {
    f"n{number:04}": number for number in range(1200)
}


@clause("service-twins.sizes")
def test_tags_of_nearly_8_kb_are_taken(device, twins):
    """As the page counts them, of each kind of value; they read back whole."""
    found = {
        kind: (twins.attempt_to_replace(device, desired={}, tags=tags), twins.get(device).tags)
        for kind, tags in EIGHT_KB.items()
    }

    assert found == {kind: ("200", tags) for kind, tags in EIGHT_KB.items()}


@clause("service-twins.sizes")
def test_desired_properties_of_nearly_32_kb_are_taken(device, twins):
    """As the page counts them; they read back whole."""
    status = twins.attempt_to_patch(device, desired=THIRTY_TWO_KB)

    assert (status, twins.get(device).desired.values) == ("200", THIRTY_TWO_KB)


@clause("service-twins.sizes")
def test_tags_of_more_than_8_kb_are_refused(device, twins, untouched):
    """Of each kind of value; and change nothing."""
    before = twins.patch(device, tags=TAGS)

    statuses = {kind: twins.attempt_to_patch(device, tags=tags)[0] for kind, tags in TOO_MUCH.items()}

    assert statuses == dict.fromkeys(TOO_MUCH, "4")
    assert twins.get(device) == before
    untouched.confirm()


ILLEGAL = {
    "full stop": {"a.b": 1},
    "space": {"a b": 1},
    "dollar": {"$a": 1},
    "control character": {"a\u0007": 1},
    "name of 1100 characters": {"n" * 1100: 1},
    "text of 4200 characters": {"text": "x" * 4200},
    "number of 54 bits": {"number": 2**53},
    "negative number of 54 bits": {"number": -(2**53)},
    "inside": {"inner": {"a.b": 1}},
    "far inside": {"inner": {"more": {"$a": 1}}},
}


@clause("service-twins.refused")
def test_what_no_twin_may_hold_is_refused(device, twins, untouched):
    """In tags and in desired properties, with what stands beside it, merged and put in their place."""
    before = twins.patch(device, desired=DESIRED, tags=TAGS)

    statuses = {
        what: [
            twins.attempt_to_patch(device, desired={"interval": 6, **member}),
            twins.attempt_to_patch(device, tags={"owner": "office", **member}),
            twins.attempt_to_replace(device, desired={"interval": 6}, tags=member),
        ]
        for what, member in ILLEGAL.items()
    }

    assert statuses == {what: ["400", "400", "400"] for what in ILLEGAL}
    assert twins.get(device) == before
    untouched.confirm()


@clause("service-twins.unknown")
def test_nobody_has_no_twin(free_name, device, twins):
    """Neither a device nor a module that there is not."""
    names = [free_name, f"{device.id.partition('/')[0]}/nobody"]

    assert [twins.attempt_to_get(name) for name in names] == ["404", "404"]
