"""The identity registry: creation, replacement and deletion under their preconditions."""

import dataclasses

import pytest

from iothub_emulator.hub.identity import Fresh, Wanted
from iothub_emulator.hub.registry import Registry
from iothub_emulator.hub.registry_rules import RegistryRules
from iothub_emulator.hub.service_errors import ErrorCode, Refused

FIRST_KEY = "Zmlyc3Qta2V5LW9mLTE2LWI="
SECOND_KEY = "c2Vjb25kLWtleS1vZi0xNi1i"
SHA_1 = "0123456789abcdef0123456789ABCDEF01234567"


def fresh(number: int = 1, now: float = 1000.0) -> Fresh:
    """Return values that show by their text which call they were made for."""
    return Fresh(
        etag=f"etag-{number}",
        generation_id=f"generation-{number}",
        primary_key=f"primary-{number}",
        secondary_key=f"secondary-{number}",
        now=now,
    )


@pytest.fixture
def registry():
    return Registry(RegistryRules())


def code_of(call, *arguments):
    """Return the code under which a call is refused."""
    with pytest.raises(Refused) as caught:
        call(*arguments)
    return caught.value.code


def test_a_new_identity_takes_what_is_wanted_and_the_rest_fresh(registry):
    created = registry.create(Wanted(device_id="d1"), fresh(1))

    assert dataclasses.asdict(created) == {
        "device_id": "d1",
        "generation_id": "generation-1",
        "etag": "etag-1",
        "status": "enabled",
        "status_reason": None,
        "status_updated_time": None,
        "authentication_type": "sas",
        "primary_key": "primary-1",
        "secondary_key": "secondary-1",
        "primary_thumbprint": None,
        "secondary_thumbprint": None,
        "iot_edge": False,
        "device_scope": None,
        "parent_scopes": (),
    }
    assert registry.get("d1") is created


def test_given_keys_are_kept(registry):
    created = registry.create(
        Wanted(device_id="d1", primary_key=FIRST_KEY, secondary_key=SECOND_KEY), fresh()
    )
    assert created.keys == (FIRST_KEY, SECOND_KEY)


def test_ids_differ_by_case(registry):
    registry.create(Wanted(device_id="d1"), fresh(1))
    registry.create(Wanted(device_id="D1"), fresh(2))
    assert len(registry) == 2
    assert registry.get("d1").etag == "etag-1"


def test_an_id_is_taken_once(registry):
    registry.create(Wanted(device_id="d1"), fresh(1))
    assert code_of(registry.create, Wanted(device_id="d1"), fresh(2)) == ErrorCode.DeviceAlreadyExists
    assert registry.get("d1").etag == "etag-1"


def test_put_without_precondition_creates_and_never_replaces(registry):
    registry.put(Wanted(device_id="d1"), None, fresh(1))
    assert code_of(registry.put, Wanted(device_id="d1"), None, fresh(2)) == ErrorCode.DeviceAlreadyExists


@pytest.mark.parametrize("if_match", ["*", '"*"', "etag-1", '"etag-1"', 'W/"etag-1"', '"other", "etag-1"'])
def test_put_with_a_matching_precondition_replaces(registry, if_match):
    registry.create(Wanted(device_id="d1"), fresh(1))
    replaced = registry.put(Wanted(device_id="d1", status="disabled"), if_match, fresh(2))
    assert (replaced.status, replaced.etag, replaced.generation_id) == ("disabled", "etag-2", "generation-1")


@pytest.mark.parametrize("if_match", ["etag-2", '"etag"', "ETAG-1", '""'])
def test_put_with_another_etag_changes_nothing(registry, if_match):
    before = registry.create(Wanted(device_id="d1"), fresh(1))
    assert code_of(registry.put, Wanted(device_id="d1"), if_match, fresh(2)) == ErrorCode.PreconditionFailed
    assert registry.get("d1") is before


def test_put_with_a_precondition_never_creates(registry):
    assert code_of(registry.put, Wanted(device_id="d1"), "*", fresh()) == ErrorCode.DeviceNotFound
    assert len(registry) == 0


def test_replacing_without_keys_makes_new_ones(registry):
    registry.create(Wanted(device_id="d1", primary_key=FIRST_KEY, secondary_key=SECOND_KEY), fresh(1))
    assert registry.put(Wanted(device_id="d1"), "*", fresh(2)).keys == ("primary-2", "secondary-2")


def test_a_changed_copy_keeps_the_rest(registry):
    created = registry.create(
        Wanted(device_id="d1", primary_key=FIRST_KEY, secondary_key=SECOND_KEY), fresh(1)
    )
    registry.put(dataclasses.replace(created.as_wanted(), status="disabled"), created.etag, fresh(2))
    assert registry.get("d1") == dataclasses.replace(
        created, status="disabled", etag="etag-2", status_updated_time=1000.0
    )


@pytest.mark.parametrize(
    ("change", "updated"),
    [
        ({"status": "disabled"}, 2000.0),
        ({"status_reason": "lost"}, 2000.0),
        ({"iot_edge": True}, None),
    ],
)
def test_the_status_time_moves_with_status_and_reason_alone(registry, change, updated):
    created = registry.create(Wanted(device_id="d1"), fresh(1, now=1000.0))
    replaced = registry.put(
        dataclasses.replace(created.as_wanted(), primary_key=FIRST_KEY, secondary_key=SECOND_KEY, **change),
        "*",
        fresh(2, now=2000.0),
    )
    assert replaced.status_updated_time == updated


def test_delete_needs_an_etag(registry):
    registry.create(Wanted(device_id="d1"), fresh(1))
    assert code_of(registry.delete, "d1", None) == ErrorCode.PreconditionFailed
    assert code_of(registry.delete, "d1", "other") == ErrorCode.PreconditionFailed
    assert registry.delete("d1", '"etag-1"').device_id == "d1"
    assert registry.get("d1") is None


def test_deleting_what_is_not_there(registry):
    assert code_of(registry.delete, "d1", "*") == ErrorCode.DeviceNotFound


def test_a_recreated_device_has_another_generation(registry):
    registry.create(Wanted(device_id="d1"), fresh(1))
    registry.delete("d1", "*")
    assert registry.create(Wanted(device_id="d1"), fresh(2)).generation_id == "generation-2"


def test_list_is_in_order_of_creation_and_cut_at_top(registry):
    for number in range(5):
        registry.create(Wanted(device_id=f"d{number}"), fresh(number))
    assert [identity.device_id for identity in registry.list(3)] == ["d0", "d1", "d2"]
    assert len(registry.list()) == 5


def test_a_certificate_device_has_no_keys(registry):
    created = registry.create(
        Wanted(device_id="d1", authentication_type="selfSigned", primary_thumbprint=SHA_1), fresh()
    )
    assert created.keys == ()
    assert created.thumbprints == (SHA_1,)


def test_a_device_of_an_authority_has_neither_keys_nor_thumbprints(registry):
    wanted = Wanted(device_id="d1", authentication_type="certificateAuthority", primary_thumbprint=SHA_1)
    created = registry.create(wanted, fresh())
    assert (created.keys, created.thumbprints) == ((), ())


def test_a_key_device_has_no_thumbprints(registry):
    created = registry.create(Wanted(device_id="d1", primary_thumbprint=SHA_1), fresh())
    assert created.thumbprints == ()


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(Wanted(device_id=""), id="empty-id"),
        pytest.param(Wanted(device_id="d1", status_reason="r" * 129), id="long-reason"),
        pytest.param(Wanted(device_id="d1", primary_key=FIRST_KEY), id="one-key"),
        pytest.param(
            Wanted(device_id="d1", authentication_type="selfSigned", secondary_thumbprint="12"),
            id="short-thumbprint",
        ),
    ],
)
def test_what_no_identity_may_have_is_refused(registry, wanted):
    assert code_of(registry.create, wanted, fresh()) == ErrorCode.ArgumentInvalid
    assert len(registry) == 0
