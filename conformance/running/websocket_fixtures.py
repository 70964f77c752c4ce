"""Fixtures for tests over WebSocket."""

from typing import TYPE_CHECKING, Final

import pytest

from conformance.running.fixtures import Stage

if TYPE_CHECKING:  # a run that only collects loads neither side of a hub
    from conformance.device import Device, RawWebSocket

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
