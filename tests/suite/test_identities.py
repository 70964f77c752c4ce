"""A worker's supply of devices: new ones, never used twice, nothing left behind."""

import contextlib

import pytest

from conformance.errors import NotTested, ServiceError
from conformance.run.identities import (
    LARGEST_BATCH,
    UNFORESEEN,
    NewIdentities,
    ReadyIdentities,
    left_behind,
)
from conformance.run.orders import KEPT, MOST_AT_ONCE, PLAIN, Need, Order, share_of, window
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
        self.keeps = False

    def enrol(self, enrolments):
        self.asked += 1
        if self.fails:
            raise ServiceError("503")
        self.calls.append(len(enrolments))
        self.exists |= {each.identity.device_id for each in enrolments}
        self.enrolled += enrolments
        return {each.identity.id: self.refusal for each in enrolments if each.thumbprints and self.refusal}

    def delete(self, ids):
        if self.keeps:
            raise ServiceError("503")
        self.calls.append(-len(ids))
        self.exists -= set(ids)


@pytest.fixture
def registry():
    return Registry()


@pytest.fixture
def supply(registry, tmp_path):
    return NewIdentities(registry, "conf-1-gw0", tmp_path / "devices-gw0.txt")


def test_devices_that_nobody_foresaw_are_made_some_at_a_time_and_used_once(supply, registry):
    names = [supply.take().identity.device_id for _ in range(UNFORESEEN + 1)]

    assert len(set(names)) == UNFORESEEN + 1
    assert names[0] == "conf-1-gw0-1"
    assert registry.calls == [UNFORESEEN, UNFORESEEN]


CERTIFIED = Order(proof="SHA-1")
WITH_MODULES = Order(ending="-x", modules=(("module-1-x", "keys"), ("module-2", "SHA-256")))


def case(*orders, more=0):
    return Need(orders=orders, more=more)


def planned_supply(registry, tmp_path, *needs, **more):
    return NewIdentities(registry, "conf-1-gw0", tmp_path / "devices-gw0.txt", needs=needs, **more)


def test_what_the_next_cases_need_is_made_at_once_whatever_it_is_known_by(registry, tmp_path):
    needs = [case(PLAIN)] * 30 + [case(CERTIFIED, CERTIFIED), case(WITH_MODULES)]
    supply = planned_supply(registry, tmp_path, *needs)

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
    supply = planned_supply(registry, tmp_path, case(CERTIFIED, CERTIFIED))

    names = {supply.take(CERTIFIED).identity.id for _ in range(5)}

    assert (len(names), registry.calls) == (5, [2, 2, 2])


def run(supply, number, need):
    """Run a case as a worker does, and return the names of its devices."""
    supply.begin(number)
    names = [supply.take(order).identity.device_id for order in need.orders]
    supply.end()
    return names


def test_a_device_is_deleted_when_its_case_is_over_and_others_are_made(registry, tmp_path):
    needs = [case(PLAIN)] * 4 + [case(PLAIN, more=2)] * 2
    supply = planned_supply(registry, tmp_path, *needs, share=4)

    names = [name for number, need in enumerate(needs) for name in run(supply, number, need)]

    assert registry.calls == [4, -4, 1, -1, 1]
    assert registry.exists == {names[-1]} == set(left_behind(tmp_path.glob("devices-*.txt")))


def test_what_is_kept_is_there_to_the_end(registry, tmp_path):
    supply = planned_supply(registry, tmp_path, *[case(PLAIN)] * 9, share=3)
    kept = supply.take(keep=True).identity.device_id

    _ = [run(supply, number, case(PLAIN)) for number in range(9)]

    assert kept in registry.exists
    assert len(registry.exists) <= 4


def test_what_was_made_for_cases_that_another_worker_took_is_deleted_too(registry, tmp_path):
    """The next case stands elsewhere."""
    supply = planned_supply(registry, tmp_path, *[case(PLAIN)] * 8, *[case(CERTIFIED)] * 8, share=4)
    run(supply, 0, case(PLAIN))

    run(supply, 8, case(CERTIFIED))

    assert registry.calls == [4, -4, 4]


def test_what_cannot_be_deleted_now_is_tried_again(registry, tmp_path):
    supply = planned_supply(registry, tmp_path, *[case(PLAIN)] * 6, share=2)
    registry.keeps = True
    _ = [run(supply, number, case(PLAIN)) for number in range(4)]
    registry.keeps = False

    run(supply, 4, case(PLAIN))

    assert registry.calls == [2, 2, -4, 2]
    assert len(left_behind(tmp_path.glob("devices-*.txt"))) == 2


@pytest.mark.parametrize("workers", [1, 2, 4, 12, 16])
def test_all_workers_together_have_at_most_three_hundred_devices(workers):
    assert workers * (share_of(workers) + KEPT) <= MOST_AT_ONCE == 300


def test_a_case_that_needs_more_than_a_share_is_prepared_alone():
    assert window([case(more=9), case(PLAIN)], 4) == 1
    assert window([case(PLAIN), case(more=9)], 4) == 1
    assert window([case(PLAIN)] * 3, 4) == 3


def test_a_kind_that_the_hub_does_not_take_breaks_no_other(registry, tmp_path):
    registry.refusal = "could not make it (400004)"
    supply = planned_supply(registry, tmp_path, case(PLAIN, PLAIN, CERTIFIED))

    supply.take()

    with pytest.raises(ServiceError, match="400004"):
        supply.take(CERTIFIED)


def test_what_an_authority_vouches_for_has_certificates_of_it_and_no_thumbprint(registry, tmp_path):
    authority, vouched = DeviceAuthority.new(), Order(proof="authority")
    supply = planned_supply(registry, tmp_path, case(vouched), authority=authority)

    made = supply.take(vouched)

    assert (made.enrolment.by_authority, made.enrolment.thumbprints) == (True, None)
    assert [each.name for each in made.certificates] == [made.identity.id] * 2


def test_without_an_authority_what_it_would_vouch_for_is_not_tested(registry, tmp_path):
    vouched = Order(proof="authority")
    supply = planned_supply(registry, tmp_path, case(PLAIN, vouched))

    supply.take()

    with pytest.raises(NotTested, match="device-authority"):
        supply.take(vouched)


def test_a_worker_deletes_what_it_made_in_bulk(supply, registry, tmp_path):
    for _ in range(LARGEST_BATCH + 1):
        supply.take()

    supply.close()

    assert registry.exists == set()
    assert registry.calls[-2:] == [-LARGEST_BATCH, -UNFORESEEN]
    assert left_behind(tmp_path.glob("devices-*.txt")) == []


def test_a_worker_that_died_leaves_the_list_of_what_it_made(supply, registry, tmp_path):
    supply.take()

    assert set(left_behind(tmp_path.glob("devices-*.txt"))) == registry.exists


def test_what_may_have_been_made_before_a_failure_is_on_the_list(supply, registry, tmp_path):
    """A bulk call that fails half way has made some of its devices."""
    registry.fails = True

    with pytest.raises(ServiceError):
        supply.take()

    assert len(left_behind(tmp_path.glob("devices-*.txt"))) == UNFORESEEN


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

    assert registry.calls == [UNFORESEEN]


def test_an_unused_name_is_no_devices(supply):
    assert supply.unused_name() not in {supply.take().identity.device_id for _ in range(UNFORESEEN)}


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
    later = [supply.take().identity.device_id for _ in range(UNFORESEEN)]

    begin = f"conf-1-gw0-{UNFORESEEN + 1}"
    assert alike == [f"{begin}-a:b", f"{begin}-a@b", begin]
    assert len({plain, *alike, *later}) == 1 + 3 + UNFORESEEN
    assert set(left_behind(tmp_path.glob("devices-*.txt"))) == registry.exists

    supply.close()
    assert registry.exists == set()


def test_ready_made_devices_have_their_own_ids():
    ready = ReadyIdentities([identity("ready-made-1")], 0, 1)

    with pytest.raises(NotTested, match="needs a device whose id ends in '-a:b'"):
        ready.take_alike([Order(ending="-a:b")])
