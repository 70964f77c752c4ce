"""Fixtures for tests over WebSocket."""

from typing import TYPE_CHECKING, Final

import pytest

from conformance.running.fixtures import Stage

if TYPE_CHECKING:  # a run that only collects loads neither side of a hub
    from conformance.device import Connection, Device, RawWebSocket

# What every other clause of WebSocket needs and does not check: a session over it.
SESSION: Final = "websocket.mqtt"


@pytest.fixture
def websocket_admitted(device: "Device", stage: Stage) -> "Device":
    """Return a device that was just shown to get a session over WebSocket and has left it."""
    from conformance.device import WebSocket  # noqa: PLC0415 - a run that only collects loads no device

    stage(device.expect_accepted, over=WebSocket(), needs=SESSION)
    return device


@pytest.fixture
def websocket(websocket_admitted: "Device", stage: Stage) -> "RawWebSocket":
    """Open a WebSocket of an admitted device on which nothing was sent yet."""
    return stage(websocket_admitted.websocket, needs=SESSION)


@pytest.fixture
def websocket_connected(device: "Device", stage: Stage) -> "RawWebSocket":
    """Open a session of `device` over WebSocket, on a connection that takes literal bytes."""
    return stage(device.websocket_connected, needs=SESSION)


@pytest.fixture
def over_websocket(device: "Device", stage: Stage) -> "Connection":
    """Open a session of `device` over WebSocket."""
    from conformance.device import WebSocket  # noqa: PLC0415 - a run that only collects loads no device

    return stage(device.connect, over=WebSocket(), needs=SESSION)


@pytest.fixture
def over_websocket_holder(device: "Device", stage: Stage) -> "Connection":
    """Open the same with CleanSession 0, subscribed to messages, which acknowledges what the test says."""
    from conformance.device import WebSocket  # noqa: PLC0415 - a run that only collects loads no device

    connection = stage(
        device.connect, clean_session=False, manual_acknowledgement=True, over=WebSocket(), needs=SESSION
    )
    stage(connection.subscribe, device.topics.devicebound, qos=1, needs="websocket.subscribe")
    return connection


@pytest.fixture
def willed_over_websocket(device: "Device", stage: Stage) -> "Connection":
    """Open a session of `device` over WebSocket whose Will is b"gone" with QoS 1 on its events topic."""
    from conformance.device import WebSocket, Will  # noqa: PLC0415 - a run that only collects loads no device

    will = Will(topic=device.topics.events, payload=b"gone", qos=1)
    return stage(device.connect, clean_session=False, will=will, over=WebSocket(), needs="will.accepted")
