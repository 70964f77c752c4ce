"""What a run wrote into twins of ready-made devices is gone behind each case, and else behind the run."""

import dataclasses

import pytest

from conformance.errors import ServiceError
from conformance.evidence.case import Evidence
from conformance.mqtt.twin import REPORT, TwinClient
from conformance.run.bench import DeviceBench
from conformance.run.dependencies import Place
from conformance.run.ready_twins import ReadyTwins, member_of, take_away_all
from conformance.target.credentials import Identity
from conformance.target.target import Limits

OWNERS = {"owner": "keeps", "depth": {"low": 1}}
MEMBER = member_of("1")


@pytest.fixture
def identity(back_end):
    (made,) = back_end.service.registry.create([back_end.unused_name])
    TwinClient(back_end.device(made).connect()).subscribe().establish(OWNERS)
    return made


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "twins-gw0.txt"


@pytest.fixture
def twins(back_end, journal):
    return ReadyTwins(back_end.device, MEMBER, journal, may_write=True)


@pytest.fixture
def unreachable_twins(identity, journal):
    """Those of a hub that lets nobody in any more."""

    def refuse(_identity):
        asked.append("asked")
        raise ServiceError("nobody is let in")

    asked = []
    made = ReadyTwins(refuse, MEMBER, journal, may_write=True)
    made.member(identity).request(REPORT, b"{}")
    return made, asked


@pytest.fixture
def bench(hub, identity, journal):
    """A worker's bench on a hub of which only this ready-made device can be used."""
    target = dataclasses.replace(
        hub,
        service=None,
        identities=(identity,),
        capabilities=frozenset({"twin"}),
        limits=Limits(workers=1, large=False, writes_twin=True),
    )
    place = Place(
        run="1",
        worker="gw0",
        number=0,
        workers=1,
        prefix="conf-1-gw0",
        journal=journal.with_name("devices.txt"),
        twin_journal=journal,
    )
    made = DeviceBench(target, place)
    yield made
    made.close()


def write(back_end, twins, identity):
    """Do what a case does: report, and leave without a word."""
    device = back_end.device(identity)
    device.own_member = twins.member(identity)
    TwinClient(device.connect()).subscribe().establish({"a": 1})
    device.close()


def reported(back_end, identity):
    return back_end.service.twins.get(back_end.device(identity)).reported.values


def test_a_case_writes_into_the_member_and_nowhere_else(back_end, twins, identity, journal):
    write(back_end, twins, identity)

    assert reported(back_end, identity) == {**OWNERS, MEMBER: {"a": 1}}
    assert journal.read_text() == identity.id


def test_behind_a_case_the_twin_is_as_its_owner_left_it(back_end, twins, identity, journal):
    write(back_end, twins, identity)

    twins.clear()

    assert reported(back_end, identity) == OWNERS
    assert not journal.exists()


def report_and_fail(bench):
    with bench.for_case(Evidence()) as case:
        TwinClient(case.device().connect()).subscribe().establish({"a": 1})
        raise ZeroDivisionError


def test_behind_a_case_that_failed_too(back_end, bench, identity, journal):
    with pytest.raises(ZeroDivisionError):
        report_and_fail(bench)

    assert reported(back_end, identity) == OWNERS
    assert not journal.exists()


def test_a_device_that_is_not_known_has_no_twin_to_write(bench):
    with bench.for_case(Evidence()) as case:
        assert case.unknown_device().own_member is None
        assert case.device().own_member.name == MEMBER


def test_what_a_worker_left_the_controller_takes_away(back_end, twins, identity, journal):
    write(back_end, twins, identity)
    another = Identity(device_id="another", primary_key=identity.primary_key)

    take_away_all([another, identity], journal.read_text().splitlines(), MEMBER, back_end.device)

    assert reported(back_end, identity) == OWNERS


def test_a_hub_that_lets_nobody_in_costs_no_case_more_than_two_attempts(unreachable_twins, journal, identity):
    twins, asked = unreachable_twins

    twins.clear()
    twins.clear()
    twins.clear()

    assert asked == ["asked", "asked"]
    assert journal.read_text() == identity.id


def test_the_end_of_a_worker_is_one_more_attempt(unreachable_twins, journal, identity):
    twins, asked = unreachable_twins
    twins.clear()
    twins.clear()

    twins.close()

    assert len(asked) == 3
    assert journal.read_text() == identity.id
