"""What tests of events, routes and throttles ask for."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from conformance.running.fixtures import Stage

if TYPE_CHECKING:  # a run that only collects loads neither side of a hub
    from conformance.device import Connection, Device
    from conformance.device.twin import TwinClient
    from conformance.device.twin_burst import Operation, TwinBurst
    from conformance.running.bench import CaseBench
    from conformance.service import ConnectionEvents, TelemetryReader
    from conformance.target.target import Target


@pytest.fixture
def connection_events(device: "Device", _bench: "CaseBench") -> "ConnectionEvents":
    """Return what the hub tells of the connections of `device` and its modules; nothing is missed."""
    return _bench.connection_events(device)


@pytest.fixture
def reported_connection(
    device: "Device", connection_events: "ConnectionEvents", stage: Stage
) -> "Connection":
    """Open a session of `device`, publish, and wait until the hub has told of the connection."""
    connection = stage(device.connect)
    stage(connection.publish, device.topics.events, b"here", needs="d2c.puback")
    stage(connection_events.next, device, needs="monitoring.connected")
    return connection


@pytest.fixture
def burst(twin: "TwinClient", hub: "Target") -> "Callable[[Operation], TwinBurst]":
    """``burst("get")``, ``burst("report")``: many requests at once on the twin of `device`."""
    from conformance.device.twin_burst import TwinBurst  # noqa: PLC0415 - a run that only collects loads none

    return lambda operation: TwinBurst(twin, operation, hub.timeouts.reaction)


@pytest.fixture
def routed(_bench: "CaseBench") -> "TelemetryReader":
    """Return the reader of what a route brings to the custom endpoint; it reads since before the case acts.

    The route's condition is ``iothub-MessageType = "Will" AND destination = "routed"``.
    """
    return _bench.routed
