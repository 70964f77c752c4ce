"""What tests of the Will ask for: a session that leaves one, and what then reaches the back end."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from conformance.evidence.words import preview
from conformance.running.fixtures import Stage

if TYPE_CHECKING:  # a run that only collects loads neither side of a hub
    from conformance.device import Connection, Device
    from conformance.service import TelemetryReader


@pytest.fixture
def willed(device: "Device", stage: Stage) -> "Connection":
    """Open a session of `device`, CleanSession 0, whose Will is b"gone" with QoS 1 on its events topic."""
    from conformance.device import Will  # noqa: PLC0415 - a run that only collects does without

    will = Will(topic=device.topics.events, payload=b"gone", qos=1)
    return stage(device.connect, clean_session=False, will=will, needs="will.accepted")


@pytest.fixture
def arrivals(telemetry: "TelemetryReader") -> "Callable[[Device], str]":
    """``arrivals(device)`` describes all that reached the back end from a device, until no Will is due.

    ``"gone" (iothub-MessageType=Will)``, several joined by " and ", or ``nothing``.
    """

    def describe(device: "Device") -> str:
        messages = telemetry.until_no_will_is_due(device)
        return (
            " and ".join(f"{preview(message.body)} ({message.properties_in_words})" for message in messages)
            or "nothing"
        )

    return describe
