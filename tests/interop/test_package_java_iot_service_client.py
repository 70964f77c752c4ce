"""iot-service-client, Microsoft's back end for Java, against the embedded hub."""

import pytest
from environments import java_environment

PACKAGE = "iot-service-client (Maven)"
SCRIPT = "java/AzureIotService.java"
ENVIRONMENT = java_environment
DEADLINE = 240

pytestmark = pytest.mark.outside_ci

# It reads no port from a connection string.
FIXED_PORTS = {"TLS": ("amqp", "https"), "": ("https",)}

STEPS = (
    "registry: create a device",
    "registry: create a device with thumbprints",
    "registry: the same device twice is refused",
    "registry: update a device",
    "registry: a module",
    "registry: statistics",
    "registry: a device that is not there",
    "registry: a wrong key is refused",
    "twin: patch tags and desired properties",
    "twin: read",
    "twin: replace",
    "query: twins",
    "query: columns",
    "query: a mistake is refused",
    "method: a device that is not online",
    "method: with payload",
    "method: without payload",
    *(
        f"{way}: {name}"
        for way in ("TLS", "WebSocket")
        for name in ("cloud-to-device with every property", "feedback", "a device that is not there")
    ),
    "registry: delete a device",
)


@pytest.mark.parametrize("step", STEPS)
def test_java_iot_service_client(passes, step):
    passes(step)


def test_java_iot_service_client_performs_no_other_steps(performance):
    assert set(performance.steps) <= set(STEPS)
