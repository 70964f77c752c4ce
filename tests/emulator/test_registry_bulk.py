"""Bulk changes: each stands or fails alone."""

import itertools

import pytest

from iothub_emulator.hub.identity import Fresh, Wanted
from iothub_emulator.hub.registry import Registry
from iothub_emulator.hub.registry_bulk import Failure, Operation, carry_out
from iothub_emulator.hub.registry_rules import RegistryRules
from iothub_emulator.hub.service_errors import ErrorCode


@pytest.fixture
def fresh():
    numbers = itertools.count(1)

    def make(_identity_key):
        number = next(numbers)
        return Fresh(
            etag=f"etag-{number}",
            generation_id=f"generation-{number}",
            primary_key=f"primary-{number}",
            secondary_key=f"secondary-{number}",
            now=float(number),
        )

    return make


@pytest.fixture
def registry(fresh):
    made = Registry(RegistryRules())
    made.create(Wanted(device_id="old"), fresh("old"))  # has etag-1
    return made


def operation(mode, device_id, etag=None, **fields):
    return Operation(mode=mode, wanted=Wanted(device_id=device_id, **fields), etag=etag)


@pytest.mark.parametrize(
    "change",
    [
        operation("create", "new"),
        operation("createOrUpdate", "new"),
        operation("createOrUpdate", "old", status="disabled"),
        operation("update", "old", status="disabled"),
        operation("updateIfMatchETag", "old", '"etag-1"', status="disabled"),
    ],
)
def test_changes_that_succeed(registry, fresh, change):
    assert carry_out(registry, [change], fresh) == []
    assert registry.get(change.device_id).status == change.wanted.status


@pytest.mark.parametrize(
    "change", [operation("delete", "old"), operation("deleteIfMatchETag", "old", "etag-1")]
)
def test_deletions_that_succeed(registry, fresh, change):
    assert carry_out(registry, [change], fresh) == []
    assert len(registry) == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (operation("create", "old"), ErrorCode.DeviceAlreadyExists),
        (operation("create", "bad id"), ErrorCode.ArgumentInvalid),
        (operation("update", "new"), ErrorCode.DeviceNotFound),
        (operation("updateIfMatchETag", "old", "etag-2"), ErrorCode.PreconditionFailed),
        (operation("updateIfMatchETag", "old"), ErrorCode.PreconditionFailed),
        (operation("delete", "new"), ErrorCode.DeviceNotFound),
        (operation("deleteIfMatchETag", "old", "etag-2"), ErrorCode.PreconditionFailed),
        (operation("deleteIfMatchETag", "old"), ErrorCode.PreconditionFailed),
    ],
)
def test_changes_that_fail_change_nothing(registry, fresh, change, code):
    before = list(registry)
    (failure,) = carry_out(registry, [change], fresh)
    assert (failure.device_id, failure.code) == (change.device_id, code)
    assert list(registry) == before


def test_one_failure_does_not_stop_the_others(registry, fresh):
    failures = carry_out(
        registry,
        [operation("create", "a"), operation("create", "old"), operation("create", "b")],
        fresh,
    )
    assert [failure.device_id for failure in failures] == ["old"]
    assert [identity.device_id for identity in registry] == ["old", "a", "b"]


def test_a_device_named_twice_is_left_alone(registry, fresh):
    failures = carry_out(
        registry,
        [operation("update", "old", status="disabled"), operation("create", "a"), operation("delete", "old")],
        fresh,
    )
    assert [failure.code for failure in failures] == [ErrorCode.DeviceDefinedMultipleTimes] * 2
    assert registry.get("old").status == "enabled"
    assert registry.get("a") is not None


def test_what_failed_while_it_was_read_stays_in_order(registry, fresh):
    unread = Failure(device_id="x", code=ErrorCode.ArgumentInvalid, message="unreadable")
    failures = carry_out(registry, [operation("create", "old"), unread, operation("update", "new")], fresh)
    assert [failure.device_id for failure in failures] == ["old", "x", "new"]
