"""mosquitto's command line clients, as Debian has them, against the embedded hub."""

from functools import partial

import pytest
from environments import debian_environment

PACKAGE = "mosquitto-clients (Debian)"
SCRIPT = "scripts/mosquitto_clients.py"
ENVIRONMENT = partial(debian_environment, "mosquitto_pub", "mosquitto_sub", "mosquitto_rr")
DEADLINE = 120

STEPS = (
    "mosquitto_pub by token: telemetry",
    "mosquitto_pub by token: telemetry with a property bag",
    "mosquitto_pub by token: telemetry with RETAIN",
    "mosquitto_pub by token: 20 lines of standard input keep their order",
    "mosquitto_pub by certificate: telemetry",
    "mosquitto_pub by token: a device id with colons",
    "mosquitto_sub -t devices/mosquitto-sub/messages/devicebound/#: cloud-to-device",
    "mosquitto_sub -t #: cloud-to-device",
    "mosquitto_sub -c: what came meanwhile",
    "mosquitto_sub: desired properties",
    "mosquitto_rr: twin get",
    "mosquitto_sub by token: its Will is sent when it is killed",
    "mosquitto_sub by certificate: its Will is sent when it is killed",
    "mosquitto_pub by a token of another device: is refused",
    "mosquitto_pub -V mqttv5: is refused",
)


@pytest.mark.parametrize("step", STEPS)
def test_mosquitto_clients(passes, step):
    passes(step)


def test_mosquitto_clients_perform_no_other_steps(performance):
    assert set(performance.steps) <= set(STEPS)
