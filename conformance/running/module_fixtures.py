"""Fixtures for tests of modules, which connect like devices."""

from typing import TYPE_CHECKING, Final

import pytest

from conformance.running.fixtures import Stage
from conformance.running.method_fixtures import RESPONSE, CalleeOf, OpenExchange

if TYPE_CHECKING:  # a run that only collects loads neither side of a hub
    from conformance.device import Connection, Device
    from conformance.device.methods import MethodsClient
    from conformance.device.twin import TwinClient
    from conformance.running.bench import CaseBench

SESSION: Final = "module.connect"


@pytest.fixture
def admitted_module(module: "Device", stage: Stage) -> "Device":
    """Return a module that was just shown to get a session and has left it: for tests of a refusal."""
    stage(module.expect_accepted, needs=SESSION)
    return module


@pytest.fixture
def module_connection(module: "Device", stage: Stage) -> "Connection":
    """Open a session of `module`."""
    return stage(module.connect, needs=SESSION)


@pytest.fixture
def sibling_connection(other_module: "Device", stage: Stage) -> "Connection":
    """Open a session of `other_module`."""
    return stage(other_module.connect, needs=SESSION)


@pytest.fixture
def unknown_module(device: "Device", _bench: "CaseBench") -> "Device":
    """Return a module of `device` that the hub does not know, with a well-formed key."""
    return _bench.unknown_module(device)


@pytest.fixture
def namesake(other_device: "Device", _bench: "CaseBench") -> "Device":
    """Return the first module of `other_device`, whose name is that of `module`, the first of `device`."""
    return _bench.module(other_device)


@pytest.fixture
def module_twin(module_connection: "Connection", stage: Stage) -> "TwinClient":
    """Return the twin as `module` meets it, on a connection that hears the answers."""
    from conformance.device.twin import TwinClient  # noqa: PLC0415 - a run that only collects loads no device

    return stage(TwinClient(module_connection).subscribe, needs="module.twin")


@pytest.fixture
def sibling_twin(sibling_connection: "Connection", stage: Stage) -> "TwinClient":
    """Return the twin as `other_module` meets it, on a connection that hears the answers."""
    from conformance.device.twin import TwinClient  # noqa: PLC0415 - a run that only collects loads no device

    return stage(TwinClient(sibling_connection).subscribe, needs="module.twin")


@pytest.fixture
def module_listener(module_twin: "TwinClient", stage: Stage) -> "TwinClient":
    """Return `module_twin`, on a connection that hears of changed desired properties too."""
    return stage(module_twin.subscribe_to_desired, needs="module.desired")


@pytest.fixture
def module_callee(module: "Device", callee_of: CalleeOf) -> "MethodsClient":
    """Return `module` as it is called: connected, and subscribed to requests of methods."""
    return callee_of(module)


@pytest.fixture
def reachable_module(
    module_callee: "MethodsClient", open_exchange: OpenExchange, stage: Stage
) -> "MethodsClient":
    """Return `module_callee`, just shown to be called and to answer: for a call that comes to nothing."""
    stage(open_exchange(module_callee).complete, needs=RESPONSE)
    return module_callee
