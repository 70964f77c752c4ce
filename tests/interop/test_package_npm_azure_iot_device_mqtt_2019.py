"""azure-iot-device-mqtt of 2019, by the same script: devices live long, and what they run lives as long.

Without the calls of methods that carry no payload: an empty body ends this version's process.
"""

from functools import partial

import pytest
from environments import node_environment

PACKAGE = "azure-iot-device-mqtt 1.10.3 (npm)"
SCRIPT = "node/azure_iot_device_mqtt.js"
ENVIRONMENT = partial(node_environment, "node-2019")
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
    "reconnect after a drop",
    "method with payload after a drop",
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
def test_npm_azure_iot_device_mqtt_2019(passes, step):
    passes(step)


def test_npm_azure_iot_device_mqtt_2019_performs_no_other_steps(performance):
    assert set(performance.steps) <= set(STEPS)
