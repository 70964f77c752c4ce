"""A worker's supply of devices: new ones, never used twice, nothing left behind."""

import contextlib

import pytest

from conformance.errors import NotTested, ServiceError
from conformance.run.identities import (
    FIRST_BATCH,
    LARGEST_BATCH,
    NewIdentities,
    ReadyIdentities,
    left_behind,
)
from conformance.target.credentials import Identity, Secret

KEY = Secret("a2V5IG9mIGEgZGV2aWNl")


def identity(name):
    return Identity(device_id=name, primary_key=KEY)


class Registry:
    """Remembers what exists, as a hub does."""

    def __init__(self):
        self.calls = []
        self.exists = set()
        self.fails = False
        self.asked = 0

    def create(self, ids):
        self.asked += 1
        if self.fails:
            raise ServiceError("503")
        self.calls.append(len(ids))
        self.exists |= set(ids)
        return [identity(name) for name in ids]

    def delete(self, ids):
        self.calls.append(-len(ids))
        self.exists -= set(ids)


@pytest.fixture
def registry():
    return Registry()


@pytest.fixture
def supply(registry, tmp_path):
    return NewIdentities(registry, "conf-1-gw0", tmp_path / "devices-gw0.txt")


def test_devices_are_made_in_bulk_and_used_once(supply, registry):
    names = [supply.take().device_id for _ in range(FIRST_BATCH + 1)]

    assert len(set(names)) == FIRST_BATCH + 1
    assert names[0] == "conf-1-gw0-1"
    assert registry.calls == [FIRST_BATCH, LARGEST_BATCH]


def test_a_worker_deletes_what_it_made_in_bulk(supply, registry, tmp_path):
    for _ in range(FIRST_BATCH + 1):
        supply.take()

    supply.close()

    assert registry.exists == set()
    assert registry.calls[2:] == [-LARGEST_BATCH, -FIRST_BATCH]
    assert left_behind(tmp_path.glob("devices-*.txt")) == []


def test_a_worker_that_died_leaves_the_list_of_what_it_made(supply, registry, tmp_path):
    supply.take()

    assert set(left_behind(tmp_path.glob("devices-*.txt"))) == registry.exists


def test_what_may_have_been_made_before_a_failure_is_on_the_list(supply, registry, tmp_path):
    """A bulk call that fails half way has made some of its devices."""
    registry.fails = True

    with pytest.raises(ServiceError):
        supply.take()

    assert len(left_behind(tmp_path.glob("devices-*.txt"))) == FIRST_BATCH


def test_a_service_that_keeps_failing_is_asked_three_times(supply, registry):
    registry.fails = True
    for _ in range(5):
        with pytest.raises(ServiceError, match="503"):
            supply.take()

    assert registry.asked == 3


def test_a_service_that_recovers_is_asked_again(supply, registry):
    for fails in (True, True, False):
        registry.fails = fails
        with contextlib.suppress(ServiceError):
            supply.take()

    assert registry.calls == [FIRST_BATCH]


def test_an_unused_name_is_no_devices(supply):
    assert supply.unused_name() not in {supply.take().device_id for _ in range(FIRST_BATCH)}


def test_workers_share_ready_made_devices():
    ready = [identity(name) for name in "abcde"]

    shares = [ReadyIdentities(ready, share, 2) for share in (0, 1)]

    assert [shares[0].take().device_id for _ in range(4)] == ["a", "c", "e", "a"]
    assert [shares[1].take().device_id for _ in range(3)] == ["b", "d", "b"]


def test_a_worker_without_a_ready_made_device_tests_nothing():
    with pytest.raises(NotTested, match="fewer"):
        ReadyIdentities([identity("a")], 1, 2).take()


def test_devices_can_be_alike_but_for_their_endings(supply, registry, tmp_path):
    plain = supply.take().device_id
    alike = [each.device_id for each in supply.take_alike(["-a:b", "-a@b", ""])]
    later = [supply.take().device_id for _ in range(FIRST_BATCH)]

    begin = f"conf-1-gw0-{FIRST_BATCH + 1}"
    assert alike == [f"{begin}-a:b", f"{begin}-a@b", begin]
    assert len({plain, *alike, *later}) == 1 + 3 + FIRST_BATCH
    assert set(left_behind(tmp_path.glob("devices-*.txt"))) == registry.exists

    supply.close()
    assert registry.exists == set()


def test_ready_made_devices_have_their_own_ids():
    ready = ReadyIdentities([identity("ready-made-1")], 0, 1)

    with pytest.raises(NotTested, match="needs a device whose id ends in '-a:b'"):
        ready.take_alike(["-a:b"])
