"""Many identities in one call, and the modules of a device.

Microsoft, "Import and export IoT Hub device identities in bulk", and the REST reference (Bulk Registry,
Modules). Clauses: clauses/registry.toml.
"""

import pytest

from conformance.backend.identities import BulkReply

clause = pytest.mark.clause

ALL_DONE = BulkReply(200, is_successful=True, failures={})


@clause("registry.bulk")
def test_devices_are_made_and_deleted_in_one_call(free_names, identities):
    """Each of them, and what the call says of each."""
    first, second = free_names("-a", "-b")

    made = identities.change_many(
        [
            {"id": first, "importMode": "create", "status": "disabled", "statusReason": "new"},
            {"id": second, "importMode": "createOrUpdate"},
        ]
    )
    found = [identities.get(name).shows("status", "statusReason") for name in (first, second)]
    gone = identities.change_many([{"id": name, "importMode": "delete"} for name in (first, second)])

    assert (made, gone) == (ALL_DONE, ALL_DONE)
    assert found == [
        {"status": "disabled", "statusReason": "new"},
        {"status": "enabled", "statusReason": None},
    ]
    assert [identities.get(name).status for name in (first, second)] == [404, 404]


@clause("registry.bulk")
def test_each_change_is_made_by_its_mode(free_names, identities):
    """With the etag that it has, where the mode asks for that."""
    names = free_names("-update", "-or-update", "-match", "-delete")
    etags = [identities.create(name).etag for name in names]

    done = identities.change_many(
        [
            {"id": names[0], "importMode": "update", "statusReason": "1"},
            {"id": names[1], "importMode": "createOrUpdate", "statusReason": "2"},
            {"id": names[2], "importMode": "updateIfMatchETag", "eTag": etags[2], "statusReason": "3"},
            {"id": names[3], "importMode": "deleteIfMatchETag", "eTag": etags[3]},
        ]
    )

    assert done == ALL_DONE
    assert [identities.get(name)["statusReason"] for name in names[:3]] == ["1", "2", "3"]
    assert identities.get(names[3]).status == 404


@clause("registry.bulk")
def test_changes_that_fail_are_told_and_change_nothing(free_names, identities):
    """The others are made all the same."""
    there, nobody, matched, kept, new = free_names("-there", "-nobody", "-match", "-kept", "-new")
    before = [identities.create(name) for name in (there, matched, kept)]

    result = identities.change_many(
        [
            {"id": there, "importMode": "create", "statusReason": "again"},
            {"id": nobody, "importMode": "update"},
            {"id": matched, "importMode": "updateIfMatchETag", "eTag": "AAAAAAAAAAA=", "statusReason": "x"},
            {"id": kept, "importMode": "deleteIfMatchETag", "eTag": "AAAAAAAAAAA="},
            {"id": new, "importMode": "create"},
        ]
    )

    assert (result.status, result.is_successful) == (400, False)
    assert result.failures == {
        there: "DeviceAlreadyExists",
        nobody: "DeviceNotFound",
        matched: "PreconditionFailed",
        kept: "PreconditionFailed",
    }
    assert [identities.get(name).members for name in (there, matched, kept)] == [
        reply.members for reply in before
    ]
    assert [identities.get(name).status for name in (nobody, new)] == [404, 200]


@clause("registry.bulk-twice")
def test_a_call_that_names_a_device_twice(free_name, identities, observed):
    """What the call says, and what the device is behind it, is written down."""
    entries = [{"id": free_name, "importMode": "create", "statusReason": reason} for reason in ("1", "2")]

    result = identities.change_many(entries)

    observed(f"{result.status}, {len(result.failures)} failed; then {identities.get(free_name).status}")


@clause("registry.modules")
def test_modules_are_made_listed_replaced_and_deleted(device, identities, two_keys):
    """Each member reads back; the list has both, and what is deleted is not in it."""
    first, second = f"{device.id}/first", f"{device.id}/second"
    made = identities.create(first, authentication=two_keys, managedBy="the operator")
    identities.create(second)
    expected = {
        "deviceId": device.id,
        "moduleId": "first",
        "managedBy": "the operator",
        "connectionState": "Disconnected",
        "authentication.type": "sas",
        "authentication.symmetricKey": two_keys["symmetricKey"],
    }
    found = identities.get(first)
    listed = sorted(each["moduleId"] for each in identities.modules_of(device))
    replaced = identities.replace(first, etag=made.etag, authentication=two_keys)
    deleted = identities.delete(second)

    assert (made.shows(*expected), found.shows(*expected)) == (expected, expected)
    assert listed == ["first", "second"]
    assert (replaced["generationId"], deleted.status) == (made["generationId"], 204)
    assert replaced.etag != made.etag
    assert [each["moduleId"] for each in identities.modules_of(device)] == ["first"]


@clause("registry.modules")
def test_a_device_takes_its_modules_along(free_name, identities):
    """One that is made again has none."""
    identities.create(free_name)
    identities.create(f"{free_name}/first")

    identities.delete(free_name)
    identities.create(free_name)

    assert identities.modules_of(free_name) == []
    assert identities.get(f"{free_name}/first").status == 404


@clause("registry.modules")
def test_a_module_that_is_made_again_is_of_another_generation(device, identities):
    """As a device is."""
    name = f"{device.id}/first"
    before = identities.create(name)
    identities.delete(name, etag=before.etag)

    assert identities.create(name)["generationId"] != before["generationId"]


@clause("registry.modules-refused")
def test_modules_are_refused_as_devices_are(device, free_name, identities):
    """There already, not there, of a device that is not there, and under another etag."""
    name = f"{device.id}/first"
    made = identities.create(name)

    assert [
        identities.create(name).status,
        identities.get(f"{device.id}/nobody").status,
        identities.delete(f"{device.id}/nobody").status,
        identities.create(f"{free_name}/first").status,
        identities.replace(name, etag="AAAAAAAAAAA=").status,
        identities.delete(name, etag="AAAAAAAAAAA=").status,
    ] == [409, 404, 404, 404, 412, 412]
    assert identities.get(name).members == made.members


@clause("registry.module-limit")
@pytest.mark.large
def test_a_device_has_50_modules(device, identities):
    """Each of the first fifty is taken; the next one is not."""
    statuses = [identities.create(f"{device.id}/m-{number}").status for number in range(51)]

    assert [status in {200, 201} for status in statuses] == [True] * 50 + [False]
