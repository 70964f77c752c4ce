"""azure-iot-device 2.0, the first stable one of Microsoft's device for Python, against the embedded hub."""

from functools import partial

import pytest
from environments import python_environment

PACKAGE = "azure-iot-device 2.0"
SCRIPT = "scripts/azure_iot_device_2_0.py"
# The urllib3 that it demands cannot be imported on a newer Python.
ENVIRONMENT = partial(python_environment, "azure-iot-device-2.0", newest=(3, 11))
DEADLINE = 120

# The package knows these ports only, and no proxy.
FIXED_PORTS = {
    f"{style} {transport}": (port,)
    for style in ("sync", "async")
    for transport, port in (("MQTT", "mqtt"), ("WebSocket", "https"))
}

FULL = (
    "connect",
    "telemetry with every property",
    "cloud-to-device with every property",
    "twin get",
    "twin reported",
    "twin desired",
    "method with payload",
    "disconnect",
)
ROUNDS = {
    "sync {transport} device by key": FULL,
    "sync {transport} module by key": tuple(name for name in FULL if "cloud-to-device" not in name),
    "sync {transport} device with colons in its id by key": FULL,
    "sync {transport} device by certificate": ("connect", "telemetry with every property", "disconnect"),
    "sync {transport} device by wrong key": ("is refused",),
    "async {transport} device by key": tuple(name for name in FULL if name not in FULL[4:6]),
}
STEPS = (
    *(
        f"{way.format(transport=transport)}: {name}"
        for transport in ("MQTT", "WebSocket")
        for way, names in ROUNDS.items()
        for name in names
    ),
    "sync MQTT device by key: reconnect after a drop",
    "sync MQTT device by key: method with payload after a drop",
)


@pytest.mark.parametrize("step", STEPS)
def test_azure_iot_device_2_0(passes, step):
    passes(step)


def test_azure_iot_device_2_0_performs_no_other_steps(performance):
    assert set(performance.steps) <= set(STEPS)
