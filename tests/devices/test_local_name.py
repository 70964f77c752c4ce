"""A hub that accepts no local name: why devices are judged on one."""

import pytest

from conformance.backend import Service
from conformance.evidence.case import Evidence
from conformance.mqtt.device import Device
from conformance.mqtt.reactor import Reactor
from conformance.profile import loading
from conformance.target.opening import open_target
from conformance.target.preflight import endpoint_of


@pytest.fixture(scope="module")
def target():
    with open_target(loading.load("hub-behind")) as opened:
        yield opened.target


@pytest.fixture
def attempt(target):
    service, reactor = Service(target, telemetry=False), Reactor()
    opened = []

    def attempt(name):
        (identity,) = service.registry.create([f"device-{len(opened)}-{name}"])
        opened.append(Device(identity, endpoint_of(target), reactor, Evidence(), host=name))
        return opened[-1].attempt()

    yield attempt
    for device in opened:
        device.close()
    reactor.stop()
    service.close()


def test_a_device_that_says_localhost_is_refused(attempt):
    """It would be let in by an embedded hub as it starts by itself, and by no real one."""
    assert attempt("localhost") == "connack 5"


@pytest.mark.parametrize("name", ["emulator.azure-devices.net", "emulator.device.azure-devices.net"])
def test_a_device_that_says_the_hubs_name_is_let_in(attempt, name):
    assert attempt(name) == "accepted"


def test_the_target_says_which_name_that_is(target):
    assert (target.host, target.name_for_devices) == ("localhost", "emulator.azure-devices.net")
