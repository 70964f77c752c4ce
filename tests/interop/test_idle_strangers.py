"""Devices that say nothing for longer than the hub waits, which is one and a half of their keep-alive.

Slow by nature, and so in `make strangers` alone. All are idle at the same time.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pytest
import test_package_adafruit_circuitpython_azureiot as adafruit
import test_package_azure_iot_device_2_0 as azure_iot_device_2_0
import test_package_java_iot_device_client as java_iot_device_client
import test_package_mosquitto_bridge as mosquitto_bridge
import test_package_npm_azure_iot_device_mqtt as azure_iot_device_mqtt
import test_package_npm_azure_iot_device_mqtt_2019 as azure_iot_device_mqtt_2019
import test_package_npm_mqtt as npm_mqtt
from environments import NotRunError
from strangers import perform

pytestmark = pytest.mark.outside_ci

STAYS = ("connect", "stays connected through the silence, and answers a method")


@dataclass(frozen=True)
class Idle:
    """One package, the seconds of silence, and its steps. Its keep-alive is less than two thirds of them."""

    package: object
    seconds: int
    steps: tuple[str, ...] = STAYS


IDLE = (
    Idle(adafruit, 190),
    Idle(azure_iot_device_2_0, 100),
    Idle(azure_iot_device_mqtt, 280),
    Idle(java_iot_device_client, 350),
    Idle(azure_iot_device_mqtt_2019, 280),
    Idle(npm_mqtt, 100),
    Idle(
        mosquitto_bridge, 100, ("idle: connects", "idle: stays connected through the silence", "idle: method")
    ),
)


@pytest.fixture(scope="module")
def performances(interop_hub):
    """What each printed, or why it cannot be run here."""
    with ThreadPoolExecutor(len(IDLE)) as pool:
        return dict(zip(IDLE, pool.map(partial(_perform, interop_hub), IDLE), strict=True))


@pytest.mark.parametrize("idle", IDLE, ids=lambda idle: idle.package.PACKAGE)
def test_a_stranger_stays_connected_through_silence(performances, idle, record_property):
    record_property("package", idle.package.PACKAGE)
    performance = performances[idle]
    if isinstance(performance, NotRunError):
        pytest.skip(f"NOT RUN: {idle.package.PACKAGE}: {performance}")
    assert {step: performance.failure(step) for step in idle.steps} == dict.fromkeys(idle.steps, "")


def _perform(hub, idle):
    package = idle.package
    knows_one_port = any("mqtt" in names for names in getattr(package, "FIXED_PORTS", {}).values())
    if knows_one_port and hub["ports"]["mqtt"] != 8883:
        return NotRunError("it knows no other port than 8883, and that is not free here")
    try:
        environment = package.ENVIRONMENT()
    except NotRunError as reason:
        return reason
    return perform(
        package.SCRIPT, environment, hub | {"idle": idle.seconds}, deadline=idle.seconds + package.DEADLINE
    )
