"""A worker's supply of devices: new ones, never used twice, nothing left behind."""

import contextlib

import pytest

from conformance.errors import NotTested, ServiceError
from conformance.run.identities import (
    FIRST_BATCH,
    FIRST_OF_A_KIND,
    LARGEST_STOCK,
    NewIdentities,
    ReadyIdentities,
    left_behind,
)
from conformance.run.orders import PLAIN, Order
from conformance.target.certificates import DeviceAuthority
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
        self.enrolled = []
        self.refusal = ""

    def enrol(self, enrolments):
        self.asked += 1
        if self.fails:
            raise ServiceError("503")
        self.calls.append(len(enrolments))
        self.exists |= {each.identity.device_id for each in enrolments}
        self.enrolled += enrolments
        return {each.identity.id: self.refusal for each in enrolments if each.thumbprints and self.refusal}

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
    names = [supply.take().identity.device_id for _ in range(FIRST_BATCH + 1)]

    assert len(set(names)) == FIRST_BATCH + 1
    assert names[0] == "conf-1-gw0-1"
    assert registry.calls == [FIRST_BATCH, 2 * FIRST_BATCH]


CERTIFIED = Order(proof="SHA-1")
WITH_MODULES = Order(ending="-x", modules=(("module-1-x", "keys"), ("module-2", "SHA-256")))


def planned_supply(registry, tmp_path, **plan):
    return NewIdentities(registry, "conf-1-gw0", tmp_path / "devices-gw0.txt", **plan)


def test_what_is_planned_is_made_at_once_whatever_it_is_known_by(registry, tmp_path):
    supply = planned_supply(registry, tmp_path, plan={PLAIN: 30, CERTIFIED: 2, WITH_MODULES: 1})

    certified, device = supply.take(CERTIFIED), supply.take(WITH_MODULES)

    assert registry.calls == [30 + 2 + 1 + 2]
    assert [each.thumbprint() for each in certified.certificates] == list(certified.enrolment.thumbprints)
    assert {name: made.identity.id for name, made in device.modules.items()} == {
        "module-1-x": f"{device.identity.id}/module-1-x",
        "module-2": f"{device.identity.id}/module-2",
    }
    assert [len(made.enrolment.thumbprints or ()) for made in device.modules.values()] == [0, 2]
    assert device.identity.id.endswith("-x")


def test_more_than_is_planned_is_made_as_it_is_needed(registry, tmp_path):
    supply = planned_supply(registry, tmp_path, plan={CERTIFIED: 2})

    names = {supply.take(CERTIFIED).identity.id for _ in range(5)}

    assert (len(names), registry.calls) == (5, [2, FIRST_OF_A_KIND])


def test_of_a_large_plan_a_part_is_made_at_a_time(registry, tmp_path):
    supply = planned_supply(registry, tmp_path, plan={PLAIN: LARGEST_STOCK + 1, CERTIFIED: 1})

    names = {supply.take().identity.id for _ in range(LARGEST_STOCK + 1)}

    assert (len(names), registry.calls) == (LARGEST_STOCK + 1, [LARGEST_STOCK + 1, 1])


def test_a_kind_that_the_hub_does_not_take_breaks_no_other(registry, tmp_path):
    registry.refusal = "could not make it (400004)"
    supply = planned_supply(registry, tmp_path, plan={PLAIN: 2, CERTIFIED: 1})

    supply.take()

    with pytest.raises(ServiceError, match="400004"):
        supply.take(CERTIFIED)


def test_what_an_authority_vouches_for_has_certificates_of_it_and_no_thumbprint(registry, tmp_path):
    authority, vouched = DeviceAuthority.new(), Order(proof="authority")
    supply = planned_supply(registry, tmp_path, plan={vouched: 1}, authority=authority)

    made = supply.take(vouched)

    assert (made.enrolment.by_authority, made.enrolment.thumbprints) == (True, None)
    assert [each.name for each in made.certificates] == [made.identity.id] * 2


def test_without_an_authority_what_it_would_vouch_for_is_not_tested(registry, tmp_path):
    vouched = Order(proof="authority")
    supply = planned_supply(registry, tmp_path, plan={PLAIN: 1, vouched: 1})

    supply.take()

    with pytest.raises(NotTested, match="device-authority"):
        supply.take(vouched)


def test_a_worker_deletes_what_it_made_in_bulk(supply, registry, tmp_path):
    for _ in range(FIRST_BATCH + 1):
        supply.take()

    supply.close()

    assert registry.exists == set()
    assert registry.calls[2:] == [-3 * FIRST_BATCH]
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
    assert supply.unused_name() not in {supply.take().identity.device_id for _ in range(FIRST_BATCH)}


def test_workers_share_ready_made_devices():
    ready = [identity(name) for name in "abcde"]

    shares = [ReadyIdentities(ready, share, 2) for share in (0, 1)]

    assert [shares[0].take().identity.device_id for _ in range(4)] == ["a", "c", "e", "a"]
    assert [shares[1].take().identity.device_id for _ in range(3)] == ["b", "d", "b"]


def test_a_worker_without_a_ready_made_device_tests_nothing():
    with pytest.raises(NotTested, match="fewer"):
        ReadyIdentities([identity("a")], 1, 2).take()


def test_devices_can_be_alike_but_for_their_endings(supply, registry, tmp_path):
    plain = supply.take().identity.device_id
    orders = [Order(ending=ending) for ending in ("-a:b", "-a@b", "")]
    alike = [each.identity.device_id for each in supply.take_alike(orders)]
    later = [supply.take().identity.device_id for _ in range(FIRST_BATCH)]

    begin = f"conf-1-gw0-{FIRST_BATCH + 1}"
    assert alike == [f"{begin}-a:b", f"{begin}-a@b", begin]
    assert len({plain, *alike, *later}) == 1 + 3 + FIRST_BATCH
    assert set(left_behind(tmp_path.glob("devices-*.txt"))) == registry.exists

    supply.close()
    assert registry.exists == set()


def test_ready_made_devices_have_their_own_ids():
    ready = ReadyIdentities([identity("ready-made-1")], 0, 1)

    with pytest.raises(NotTested, match="needs a device whose id ends in '-a:b'"):
        ready.take_alike([Order(ending="-a:b")])
