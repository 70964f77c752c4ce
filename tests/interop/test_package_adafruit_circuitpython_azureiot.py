"""adafruit-circuitpython-azureiot, Adafruit's device for boards, under CPython against the embedded hub."""

from functools import partial

import pytest
from environments import python_environment

PACKAGE = "adafruit-circuitpython-azureiot"
SCRIPT = "scripts/adafruit_circuitpython_azureiot.py"
ENVIRONMENT = partial(python_environment, PACKAGE)
DEADLINE = 180

# The package knows no other port, and no proxy.
FIXED_PORTS = {"": ("mqtt",)}

BEFORE = (
    "connect, subscribe to messages, methods and the twin",
    "the desired properties come after connecting",
    "telemetry",
    "telemetry with properties",
    "cloud-to-device",
    "method with payload",
    "method without payload",
)
STEPS = (
    *(f"feather: {name}" for name in BEFORE),
    "feather: twin desired",
    "feather: twin reported",
    "feather: reconnect after a drop",
    "feather: cloud-to-device after a drop",
    "feather: twin desired after a drop",
    "feather: method with payload after a drop",
    "feather: method without payload after a drop",
    "feather: disconnect, connect again: the whole twin comes",
    *(f"24:0a:c4:00:01:10: {name}" for name in BEFORE),
    "24:0a:c4:00:01:10: disconnect",
    "wrong-key: is refused",
)


@pytest.mark.parametrize("step", STEPS)
def test_adafruit_circuitpython_azureiot(passes, step):
    passes(step)


def test_adafruit_circuitpython_azureiot_performs_no_other_steps(performance):
    assert set(performance.steps) <= set(STEPS)
