"""Debian's mosquitto as a bridge to the embedded hub, by five configurations of its users."""

from functools import partial

import pytest
from environments import debian_environment

PACKAGE = "mosquitto bridge (Debian)"
SCRIPT = "scripts/mosquitto_bridge.py"
ENVIRONMENT = partial(debian_environment, "mosquitto", "mosquitto_pub", "mosquitto_sub")
DEADLINE = 180

SHARED = ("connects", "telemetry", "comes back after a drop")
ROUNDS = {
    "one prefix": (*SHARED, "cloud-to-device"),
    "one pattern": SHARED,
    "by certificate": (
        *SHARED,
        "cloud-to-device",
        "twin get and reported",
        "method",
        "what came while the broker was stopped",
    ),
    "mapped topics": (*SHARED, "cloud-to-device", "what came while the broker was stopped"),
    "private protocol": ("connects", "telemetry", "cloud-to-device"),
}
STEPS = tuple(f"{way}: {name}" for way, names in ROUNDS.items() for name in names)


@pytest.mark.parametrize("step", STEPS)
def test_mosquitto_bridge(passes, step):
    passes(step)


def test_mosquitto_bridge_performs_no_other_steps(performance):
    assert set(performance.steps) <= set(STEPS)
