"""azure-iot-device-mqtt, Microsoft's device for Node, against the embedded hub."""

import pytest
from environments import node_environment

PACKAGE = "azure-iot-device-mqtt (npm)"
SCRIPT = "node/azure_iot_device_mqtt.js"
ENVIRONMENT = node_environment
DEADLINE = 180

# A port in the connection string is heeded over MQTT; over WebSocket the package goes to 443.
FIXED_PORTS = {"WebSocket": ("https",)}

FULL = (
    "connect",
    "telemetry with every property",
    "cloud-to-device with every property",
    "twin get",
    "twin reported",
    "twin desired",
    "method with payload",
    "method without payload",
    "reconnect after a drop",
    "method with payload after a drop",
    "method without payload after a drop",
    "disconnect",
)
ROUNDS = {
    "device by key": FULL,
    "module by key": tuple(name for name in FULL if "cloud-to-device" not in name),
    "device by certificate": ("connect", "telemetry with every property", "disconnect"),
    "device with colons in its id": tuple(name for name in FULL if "twin" not in name and "drop" not in name),
    "device by token": ("connect", "telemetry with every property", "disconnect"),
    "device by key with a short life": ("SAS renewal",),
    "device by a wrong key": ("is refused",),
}
STEPS = tuple(
    f"{transport} {way}: {name}"
    for transport in ("MQTT", "WebSocket")
    for way, names in ROUNDS.items()
    for name in names
)


@pytest.mark.parametrize("step", STEPS)
def test_npm_azure_iot_device_mqtt(passes, step):
    passes(step)


def test_npm_azure_iot_device_mqtt_performs_no_other_steps(performance):
    assert set(performance.steps) <= set(STEPS)
