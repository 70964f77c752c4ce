"""Module identities: their place beside their device, preconditions, bulk changes."""

import dataclasses

import pytest
from test_registry import FIRST_KEY, SECOND_KEY, SHA_1, code_of, fresh

from iothub_emulator.hub.identity import Wanted, WantedModule
from iothub_emulator.hub.registry import Registry
from iothub_emulator.hub.registry_bulk import Failure, Operation, carry_out
from iothub_emulator.hub.registry_rules import MOST_MODULES, RegistryRules
from iothub_emulator.hub.service_errors import ErrorCode


@pytest.fixture
def registry():
    registry = Registry(RegistryRules())
    registry.create(Wanted(device_id="d1"), fresh(1))
    return registry


def wanted(module_id="m", device_id="d1", **fields):
    return WantedModule(device_id=device_id, module_id=module_id, **fields)


def test_a_new_module_takes_what_is_wanted_and_the_rest_fresh(registry):
    created = registry.modules.create(wanted(managed_by="me"), fresh(2))
    assert dataclasses.asdict(created) == {
        "device_id": "d1",
        "module_id": "m",
        "generation_id": "generation-2",
        "etag": "etag-2",
        "managed_by": "me",
        "authentication_type": "sas",
        "primary_key": "primary-2",
        "secondary_key": "secondary-2",
        "primary_thumbprint": None,
        "secondary_thumbprint": None,
    }
    assert created.key == "d1/m"
    assert registry.identity("d1/m") == registry.module("d1", "m") == created
    assert registry.identity("d1").key == "d1"
    assert registry.identity("d1/M") is None
    assert registry.identity("D1/m") is None
    assert registry.modules.of_device("d1") == [created]


def test_keys_and_thumbprints_are_those_of_its_kind(registry):
    certified = registry.modules.create(
        wanted("x", authentication_type="selfSigned", primary_thumbprint=SHA_1, primary_key=FIRST_KEY),
        fresh(2),
    )
    assert (certified.keys, certified.thumbprints) == ((), (SHA_1,))
    signing = registry.modules.create(
        wanted("y", primary_key=FIRST_KEY, secondary_key=SECOND_KEY, primary_thumbprint=SHA_1), fresh(3)
    )
    assert (signing.keys, signing.thumbprints) == ((FIRST_KEY, SECOND_KEY), ())


@pytest.mark.parametrize(
    "fields",
    [
        {"module_id": ""},
        {"module_id": "a b"},
        {"module_id": "a/b"},
        {"primary_key": FIRST_KEY},
        {"authentication_type": "selfSigned", "primary_thumbprint": "zz"},
    ],
)
def test_what_no_module_may_have(registry, fields):
    assert code_of(registry.modules.create, wanted(**fields), fresh(2)) == ErrorCode.ArgumentInvalid
    assert registry.modules.of_device("d1") == []


def test_an_id_is_taken_once_and_fifty_are_enough(registry):
    for number in range(MOST_MODULES):
        registry.modules.create(wanted(f"m{number}"), fresh(2))
    for module_id, code in (
        ("m1", ErrorCode.ModuleAlreadyExistsOnDevice),
        ("one-more", ErrorCode.TooManyModulesOnDevice),
    ):
        assert code_of(registry.modules.create, wanted(module_id), fresh(3)) == code
    assert len(registry.modules.of_device("d1")) == MOST_MODULES


def test_a_replacement_keeps_the_generation_and_needs_its_etag(registry):
    registry.modules.create(wanted(), fresh(2))
    modules = registry.modules
    assert code_of(modules.put, wanted(), '"etag-1"', fresh(3)) == ErrorCode.PreconditionFailed
    assert code_of(modules.put, wanted("n"), "*", fresh(3)) == ErrorCode.ModuleNotFound
    after = modules.put(wanted(managed_by="you"), '"etag-2"', fresh(3))
    assert (after.generation_id, after.etag, after.managed_by) == ("generation-2", "etag-3", "you")


def test_a_deletion_needs_its_etag(registry):
    registry.modules.create(wanted(), fresh(2))
    delete = registry.modules.delete
    for if_match in (None, "etag-9"):
        assert code_of(delete, "d1", "m", if_match) == ErrorCode.PreconditionFailed
    assert code_of(delete, "d1", "n", "*") == ErrorCode.ModuleNotFound
    delete("d1", "m", "etag-2")
    assert registry.module("d1", "m") is None


def test_a_device_takes_its_modules_along(registry):
    registry.modules.create(wanted(), fresh(2))
    registry.delete("d1", "*")
    registry.create(Wanted(device_id="d1"), fresh(3))
    assert registry.modules.of_device("d1") == []


@pytest.mark.parametrize(
    ("mode", "module_id", "etag", "code"),
    [
        ("create", "new", None, None),
        ("createOrUpdate", "new", None, None),
        ("createOrUpdate", "m", None, None),
        ("update", "m", None, None),
        ("updateIfMatchETag", "m", "etag-2", None),
        ("delete", "m", None, None),
        ("deleteIfMatchETag", "m", '"etag-2"', None),
        ("create", "m", None, ErrorCode.ModuleAlreadyExistsOnDevice),
        ("update", "new", None, ErrorCode.ModuleNotFound),
        ("updateIfMatchETag", "m", "etag-9", ErrorCode.PreconditionFailed),
        ("deleteIfMatchETag", "m", None, ErrorCode.PreconditionFailed),
        ("delete", "new", None, ErrorCode.ModuleNotFound),
    ],
)
def test_bulk_changes(registry, mode, module_id, etag, code):
    registry.modules.create(wanted(), fresh(2))
    operation = Operation(wanted=wanted(module_id, managed_by="bulk"), mode=mode, etag=etag)
    failures = carry_out(registry, [operation], lambda _: fresh(3))
    assert [failure.code for failure in failures] == ([code] if code else [])
    after = registry.module("d1", module_id)
    if code is None:
        assert (after is None) is mode.startswith("delete")
        assert after is None or after.managed_by == "bulk"


def test_a_bulk_call_tells_a_device_from_its_module(registry):
    entries = [
        Operation(wanted=Wanted(device_id="d1"), mode="update"),
        Operation(wanted=wanted(), mode="create"),
        Operation(wanted=wanted("n"), mode="create"),
        Operation(wanted=wanted("n"), mode="create"),
        Operation(wanted=wanted(device_id="nobody"), mode="create"),
    ]
    twice = Failure(
        device_id="d1",
        module_id="n",
        code=ErrorCode.DeviceDefinedMultipleTimes,
        message="The identity is named more than once in this call.",
    )
    nobody = Failure(device_id="nobody", module_id="m", code=ErrorCode.DeviceNotFound, message="nobody")
    assert carry_out(registry, entries, lambda _: fresh(3)) == [twice, twice, nobody]
    assert [module.module_id for module in registry.modules.of_device("d1")] == ["m"]
