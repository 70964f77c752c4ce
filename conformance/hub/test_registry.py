"""Identities by their documents: what a back end reads, changes and deletes.

Microsoft, "Understand the identity registry in your IoT hub", and the REST reference. Clauses:
clauses/registry.toml.
"""

import pytest

from conformance.backend.identities import ABSENT
from conformance.target.credentials import random_key

clause = pytest.mark.clause

THUMBPRINTS = {"primaryThumbprint": "A1" * 20, "secondaryThumbprint": "0F" * 32}
NO_THUMBPRINTS = {"primaryThumbprint": None, "secondaryThumbprint": None}


@clause("registry.members")
def test_an_identity_reads_back_as_it_was_made(free_name, identities, two_keys):
    """Each member, from the answer to its creation and from the registry behind it."""
    made = identities.create(
        free_name,
        status="disabled",
        statusReason="in the workshop",
        authentication=two_keys,
        capabilities={"iotEdge": True},
    )

    members = {
        "deviceId": free_name,
        "status": "disabled",
        "statusReason": "in the workshop",
        "connectionState": "Disconnected",
        "cloudToDeviceMessageCount": 0,
        "authentication.type": "sas",
        "authentication.symmetricKey": two_keys["symmetricKey"],
        "authentication.x509Thumbprint": NO_THUMBPRINTS,
        "capabilities.iotEdge": True,
    }
    found = identities.get(free_name)
    assert (made.shows(*members), found.shows(*members)) == (members, members)
    assert (made.etag, made["generationId"]) == (found.etag, found["generationId"])
    assert ABSENT not in {found.etag, found["generationId"]}


@clause("registry.members")
def test_what_was_not_asked_for_has_its_default(free_name, identities):
    """Enabled, without a reason, by keys; nothing has happened to it yet."""
    made = identities.create(free_name)

    assert made.shows("status", "statusReason", "authentication.type", "capabilities.iotEdge") == {
        "status": "enabled",
        "statusReason": None,
        "authentication.type": "sas",
        "capabilities.iotEdge": False,
    }
    times = ("statusUpdatedTime", "connectionStateUpdatedTime", "lastActivityTime")
    assert [made.time(name) for name in times] == [None, None, None]


@clause("registry.keys-made")
def test_a_device_without_keys_is_given_two(free_name, identities):
    """They are not alike, and stay what they are."""
    made = identities.create(free_name)["authentication.symmetricKey"]

    assert all(made.values())
    assert made["primaryKey"] != made["secondaryKey"]
    assert identities.get(free_name)["authentication.symmetricKey"] == made


@clause("registry.keys-made")
def test_empty_keys_are_none(free_name, identities):
    """Microsoft's SDK for Node sends them so."""
    proof = {"type": "sas", "symmetricKey": {"primaryKey": "", "secondaryKey": ""}}

    assert all(identities.create(free_name, authentication=proof)["authentication.symmetricKey"].values())


@clause("registry.authentication")
def test_thumbprints_read_back(free_name, identities):
    """A device that is known by two certificates has their thumbprints, and no keys."""
    identities.create(free_name, authentication={"type": "selfSigned", "x509Thumbprint": THUMBPRINTS})

    found = identities.get(free_name)
    assert found.shows("authentication.type", "authentication.x509Thumbprint") == {
        "authentication.type": "selfSigned",
        "authentication.x509Thumbprint": THUMBPRINTS,
    }
    keys = found["authentication.symmetricKey"]
    assert {name: key for name, key in keys.items() if key} == {}


@clause("registry.authority")
def test_an_authority_is_a_type(free_name, identities):
    """A device that an authority vouches for has neither keys nor thumbprints."""
    identities.create(free_name, authentication={"type": "certificateAuthority"})

    found = identities.get(free_name)
    assert found.shows("authentication.type", "authentication.x509Thumbprint") == {
        "authentication.type": "certificateAuthority",
        "authentication.x509Thumbprint": NO_THUMBPRINTS,
    }


@clause("registry.replaced")
@pytest.mark.parametrize("named", ["its-etag", "any-etag"])
def test_an_identity_is_replaced(free_name, identities, two_keys, named):
    """All that is said anew holds, and what is not said has its default."""
    made = identities.create(free_name, status="disabled", statusReason="lost", authentication=two_keys)

    etag = {"its-etag": made.etag, "any-etag": "*"}[named]
    replaced = identities.replace(free_name, etag=etag, authentication=two_keys, status="enabled")

    found = identities.get(free_name)
    expected = {
        "status": "enabled",
        "statusReason": None,
        "authentication.symmetricKey": two_keys["symmetricKey"],
        "generationId": made["generationId"],
    }
    assert (replaced.shows(*expected), found.shows(*expected)) == (expected, expected)
    assert replaced.etag == found.etag != made.etag


@clause("registry.status-time")
@pytest.mark.clock
def test_a_change_of_status_has_its_time(free_name, identities, two_keys, c2d, hub):
    """Not before the status changed, and from then on; other changes leave it."""
    made = identities.create(free_name, authentication=two_keys)
    disabled = identities.replace(free_name, authentication=two_keys, status="disabled")
    changed_else = identities.replace(
        free_name, authentication=two_keys, status="disabled", capabilities={"iotEdge": True}
    )

    assert made.time("statusUpdatedTime") is None
    assert disabled.time("statusUpdatedTime") is not None
    assert abs(disabled.time("statusUpdatedTime") - c2d.hubs_time()) <= hub.timeouts.reaction
    assert changed_else["statusUpdatedTime"] == disabled["statusUpdatedTime"]


@clause("registry.generation")
def test_a_device_that_is_made_again_is_of_another_generation(free_name, identities):
    """The id is the same; what is about the one before is not about this one."""
    before = identities.create(free_name)["generationId"]
    identities.delete(free_name)

    again = identities.create(free_name)["generationId"]

    assert ABSENT not in {before, again}
    assert before != again


@clause("registry.etag")
def test_a_change_under_an_old_etag_is_refused(free_name, identities, two_keys):
    """Neither a replacement nor a deletion; the identity is as it was."""
    old = identities.create(free_name, authentication=two_keys)
    current = identities.replace(free_name, authentication=two_keys, statusReason="moved")

    replaced = identities.replace(free_name, etag=old.etag, status="disabled")
    deleted = identities.delete(free_name, etag=old.etag)

    assert (replaced.status, deleted.status) == (412, 412)
    assert identities.get(free_name).members == current.members


@clause("registry.etag")
def test_an_etag_lets_an_identity_be_deleted(free_name, identities):
    """The current one."""
    made = identities.create(free_name)

    assert identities.delete(free_name, etag=made.etag).status == 204


@clause("registry.deleted")
def test_a_deleted_identity_is_gone(free_name, identities):
    """It can be neither read nor deleted again."""
    identities.create(free_name)

    outcomes = [identities.delete(free_name), identities.get(free_name), identities.delete(free_name)]

    assert [reply.status for reply in outcomes] == [204, 404, 404]


@clause("registry.errors")
def test_refusals_have_their_names(free_name, free_names, identities):
    """Status and name, as Microsoft's SDKs turn them into errors."""
    (nobody,) = free_names("-nobody")
    identities.create(free_name)

    assert [
        identities.get(nobody).outcome,
        identities.replace(nobody).outcome,
        identities.delete(nobody).outcome,
        identities.create(free_name).outcome,
        identities.replace(free_name, etag="AAAAAAAAAAA=").outcome,
        identities.delete(free_name, etag="AAAAAAAAAAA=").outcome,
    ] == [
        "404 DeviceNotFound",
        "404 DeviceNotFound",
        "404 DeviceNotFound",
        "409 DeviceAlreadyExists",
        "412 PreconditionFailed",
        "412 PreconditionFailed",
    ]


@clause("registry.ids")
def test_an_id_has_all_characters_that_it_may_have(free_names, identities):
    """They read back as they are, and letter case tells two ids apart."""
    names = free_names("-.+%_#*?!(),:=@$'aZ09", "-.+%_#*?!(),:=@$'Az09")

    assert [identities.create(name)["deviceId"] for name in names] == list(names)
    assert [identities.get(name)["deviceId"] for name in names] == list(names)


@clause("registry.ids")
def test_an_id_has_128_characters(longest_name, identities):
    """And is told whole."""
    assert identities.create(longest_name)["deviceId"] == longest_name


@clause("registry.ids")
def test_another_id_is_refused(unlawful_names, identities, untouched):
    """One of more than 128 characters, and one with any other sign."""
    names = unlawful_names("x" * 128, "-~", "- ", "-é", '-"', "-<", "-|", "-^")

    assert [identities.create(name).status for name in names] == [400] * 8
    assert {identities.get(name).status for name in names} <= {400, 404}
    untouched.confirm()


@clause("registry.status-reason")
def test_a_reason_of_128_characters_is_kept(free_names, identities):
    """Characters, whatever they take in UTF-8."""
    reasons = ["x" * 128, "é" * 128, "龍" * 128]
    names = free_names("-a", "-b", "-c")

    _ = [identities.create(name, statusReason=reason) for name, reason in zip(names, reasons, strict=True)]

    assert [identities.get(name)["statusReason"] for name in names] == reasons


@clause("registry.status-reason-longer")
def test_a_reason_of_129_characters(free_name, identities, observed):
    """Whether it is refused, cut or kept is written down."""
    observed(identities.create(free_name, statusReason="x" * 129).outcome)


@clause("registry.list")
def test_a_list_has_as_many_devices_as_are_asked_for(free_names, identities):
    """Two there are at least; each is there once, as it is by itself."""
    _ = [identities.create(name) for name in free_names("-a", "-b")]

    one, two = identities.first(1), identities.first(2)

    assert (len(one), len(two)) == (1, 2)
    assert len({each["deviceId"] for each in two}) == 2
    assert ABSENT not in {each[name] for each in two for name in ("deviceId", "generationId", "status")}


@clause("registry.statistics")
def test_devices_are_counted(free_names, identities):
    """With one that is enabled and one that is disabled at least."""
    enabled, disabled = free_names("-enabled", "-disabled")
    identities.create(enabled)
    identities.create(disabled, status="disabled")

    counted = identities.count()

    assert counted["totalDeviceCount"] == counted["enabledDeviceCount"] + counted["disabledDeviceCount"]
    assert min(counted["enabledDeviceCount"], counted["disabledDeviceCount"]) >= 1


@clause("registry.credentials")
def test_a_token_of_the_policy_opens_the_registry(service):
    """There is no such device, says the hub."""
    assert service.status_under() == "404"


@clause("registry.credentials")
@pytest.mark.parametrize(
    "flaw",
    [
        pytest.param(lambda: {"key": random_key()}, id="another-key"),
        pytest.param(lambda: {"name": "another-hub.example"}, id="another-hub"),
        pytest.param(lambda: {"age": 7200.0}, id="expired", marks=pytest.mark.clock),
    ],
)
def test_another_token_opens_nothing(service, untouched, flaw):
    """An hour is more than clocks may differ."""
    assert service.status_under(**flaw()) == "401"
    untouched.confirm()


@clause("registry.scopes")
def test_an_edge_device_has_a_scope(free_name, identities, two_keys):
    """Of its own making, and the same behind a change that names another."""
    edge = {"authentication": two_keys, "capabilities": {"iotEdge": True}}
    made = identities.create(free_name, **edge)["deviceScope"]

    changed = identities.replace(free_name, **edge, deviceScope="ms-azure-iot-edge://another-1")

    assert made not in {None, "", ABSENT}
    assert (changed["deviceScope"], identities.get(free_name)["deviceScope"]) == (made, made)


@clause("registry.scopes")
def test_a_device_is_put_into_the_scope_of_an_edge_device(free_names, identities):
    """Its own scope is the parent's, and so is the one above it."""
    parent, child = free_names("-edge", "-child")
    scope = identities.create(parent, capabilities={"iotEdge": True})["deviceScope"]

    identities.create(child, deviceScope=scope)

    assert identities.get(child).shows("deviceScope", "parentScopes") == {
        "deviceScope": scope,
        "parentScopes": [scope],
    }


@clause("registry.path-escaped")
def test_a_path_with_its_slash_escaped(free_name, identities, observed):
    """/devices%2F{id}, of a device that there is."""
    identities.create(free_name)

    observed(identities.get_by_escaped_path(free_name).outcome)


@clause("registry.device-token")
def test_a_device_asks_by_its_own_token(device, service, observed):
    """It makes a module, reads it, and reads itself."""
    answers = service.statuses_under_own_token(device.id, device.primary_key, "made-by-its-device")
    observed(", ".join(f"{what}: {status}" for what, status in answers.items()))
