"""iotc, the device of IoT Central for Python, against the embedded hub."""

from functools import partial

import pytest
from environments import python_environment

PACKAGE = "iotc"
SCRIPT = "scripts/iotc_device.py"
ENVIRONMENT = partial(python_environment, PACKAGE)
DEADLINE = 120

pytestmark = pytest.mark.outside_ci

# The package knows port 8883 only.
FIXED_PORTS = {"sync": ("mqtt",), "async": ("mqtt",)}

SYNC = (
    "connect",
    "acknowledges what was desired before",
    "telemetry with a property",
    "reported property",
    "desired property, with its acknowledgement",
    "command of a component",
    "command without payload",
    "command that waited for it",
    "disconnect",
)
ASYNC = (
    "connect",
    "telemetry with a property",
    "reported property",
    "command of a component",
    "command that waited for it",
    "disconnect",
)
ROUNDS = {"sync by key": SYNC, "sync by certificate": SYNC, "async by key": ASYNC}
STEPS = tuple(f"{way}: {name}" for way, names in ROUNDS.items() for name in names)


@pytest.mark.parametrize("step", STEPS)
def test_iotc(passes, step):
    passes(step)


def test_iotc_performs_no_other_steps(performance):
    assert set(performance.steps) <= set(STEPS)
