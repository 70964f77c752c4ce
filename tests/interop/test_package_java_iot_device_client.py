"""iot-device-client, Microsoft's device for Java, against the embedded hub."""

import pytest
from environments import java_environment

PACKAGE = "iot-device-client (Maven)"
SCRIPT = "java/AzureIotDevice.java"
ENVIRONMENT = java_environment
DEADLINE = 400

# Half a minute of JVMs that start and tokens that end: not in CI's time.
pytestmark = pytest.mark.outside_ci

# It reads no port from a connection string.
FIXED_PORTS = {"MQTT": ("mqtt",), "WebSocket": ("https",)}

FULL = (
    "connect",
    "telemetry with every property",
    "cloud-to-device with every property",
    "twin get",
    "twin reported",
    "twin desired",
    "subscribe to methods",
    "method with payload",
    "method without payload",
    "reconnect after a drop",
    "method with payload after a drop",
    "method without payload after a drop",
    "disconnect",
)
SHORT = ("connect", "telemetry with every property", "disconnect")
ROUNDS = {
    "device by key": FULL,
    "module by key": tuple(name for name in FULL if "cloud-to-device" not in name),
    "device by certificate": SHORT,
    "device by token": (*SHORT, "reconnect after a drop", "shows another token after a drop"),
    "device with colons in its id": tuple(name for name in FULL if "twin" not in name and "drop" not in name),
    "device by a wrong key": ("is refused",),
}
STEPS = tuple(
    f"{transport} {way}: {name}"
    for transport in ("MQTT", "WebSocket")
    for way, names in ROUNDS.items()
    for name in names
)


@pytest.mark.parametrize("step", STEPS)
def test_java_iot_device_client(passes, step):
    passes(step)


def test_java_iot_device_client_performs_no_other_steps(performance):
    assert set(performance.steps) <= set(STEPS)
