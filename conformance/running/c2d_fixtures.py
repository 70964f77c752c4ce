"""Fixtures about cloud-to-device messages: who is ready for them, and who is away.

Like all fixtures they set the stage: what fails here makes the case broken.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Final

import pytest

from conformance.errors import StageFailed, TooLate

if TYPE_CHECKING:  # a run that only collects loads neither side of a hub
    from conformance.device import Connection, Device
    from conformance.running.fixtures import Stage
    from conformance.target.target import Target

SUBSCRIPTION: Final = "c2d.granted-qos"


@pytest.fixture
def receiver(device: "Device", stage: "Stage") -> "Connection":
    """Open a session of `device` that is subscribed to its messages with QoS 1."""
    return _subscribed(stage(device.connect), stage)


@pytest.fixture
def other_receiver(other_device: "Device", stage: "Stage") -> "Connection":
    """Open the same of `other_device`."""
    return _subscribed(stage(other_device.connect), stage)


@pytest.fixture
def subscribed(stage: "Stage") -> "Callable[[Device], Connection]":
    """``subscribed(device)`` opens a session of it that is subscribed to its messages with QoS 1."""
    return lambda device: _subscribed(stage(device.connect), stage)


@pytest.fixture
def holder(device: "Device", stage: "Stage") -> "Connection":
    """Open a session of `device` with CleanSession 0, subscribed, which acknowledges what the test says."""
    return _subscribed(stage(device.connect, clean_session=False, manual_acknowledgement=True), stage)


@pytest.fixture
def away(device: "Device", stage: "Stage") -> "Device":
    """Return a device whose session with CleanSession 0 is subscribed to its messages, and which has left."""
    connection = _subscribed(stage(device.connect, clean_session=False), stage)
    stage(connection.disconnect)
    return device


@pytest.fixture
def redelivery(hub: "Target") -> float:
    """Within how many seconds a message that nobody acknowledged is there again: its lock, and a reaction."""
    return hub.timing["c2d-lock"] + hub.timeouts.reaction


@pytest.fixture
def within_lock(hub: "Target") -> Callable[[], AbstractContextManager[None]]:
    """Return what holds a block, from sending a message to the PINGRESP behind its PUBACK, to the hub's lock.

    The hub locks a message after we sent it, and has taken the PUBACK before it answers the PINGREQ behind.
    A block that takes longer raises TooLate: the message may have come again by right.
    """

    @contextmanager
    def measure() -> Iterator[None]:
        lock, began = hub.timing.get("c2d-lock", math.inf), time.monotonic()
        try:
            yield
        finally:
            taken = time.monotonic() - began
            if taken >= lock:
                raise TooLate(f"a message is locked for {lock:g} s; to acknowledge it took {taken:.1f} s")

    return measure


def _subscribed(connection: "Connection", stage: "Stage") -> "Connection":
    """Subscribe with QoS 1; anything else than that granted leaves nothing to stand on."""
    granted = stage(connection.subscribe, connection.device.topics.devicebound, qos=1, needs=SUBSCRIPTION)
    if granted != 1:
        raise StageFailed(f"needs {SUBSCRIPTION}: QoS 1 was asked for, the SUBACK has {granted}")
    return connection
