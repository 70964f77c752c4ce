"""azure-iot-hub, Microsoft's back end for Python, against the embedded hub."""

from functools import partial

import pytest
from environments import python_environment

PACKAGE = "azure-iot-hub"
SCRIPT = "scripts/azure_iot_hub.py"
# uamqp has no wheel for a newer Python, and does not compile there.
ENVIRONMENT = partial(python_environment, PACKAGE, newest=(3, 13))
DEADLINE = 180

# uamqp takes the port from the transport, never from the host name.
FIXED_PORTS = {
    "cloud-to-device over TLS": ("amqp",),
    "purge": ("amqp",),
    "cloud-to-device over WebSocket": ("https",),
}

STEPS = (
    "registry: create a device",
    "registry: keys are made for a device created without",
    "registry: create a device with thumbprints",
    "registry: the same device twice is refused",
    "registry: read a device",
    "registry: update a device",
    "registry: an update with an old etag is refused",
    "registry: list devices",
    "registry: create devices in bulk",
    "registry: delete a device",
    "registry: an Edge device and its child",
    "registry: statistics",
    "set the stage: hub-2m",
    "set the stage: hub-twin",
    "set the stage: hub-purge",
    "set the stage: hub-twin connects",
    "modules: create",
    "modules: create with thumbprints",
    "modules: read",
    "modules: list",
    "modules: update",
    "modules: delete",
    "set the stage: hub-2m/m-1 connects",
    "twin: read a new one",
    "twin: update desired properties and tags",
    "twin: the device is told",
    "twin: null removes",
    "twin: an update with an old etag is refused",
    "twin: replace",
    "twin: what the device reports",
    "twin: of a module",
    "methods: with a payload",
    "methods: without a payload",
    "methods: with both timeouts",
    "methods: of a module",
    "methods: a device that is not connected",
    "cloud-to-device over TLS: a message with every property",
    "cloud-to-device over TLS: 100 messages keep their order",
    "cloud-to-device over TLS: an unknown device is refused",
    "purge: says how many messages it removed",
    "query: all devices",
    "query: a condition",
    "query: a function, of children of an Edge device",
    "query: a count by group",
    "query: pages",
    "query: what is not understood is refused",
    "cloud-to-device over WebSocket: a message with every property",
    "cloud-to-device over WebSocket: 100 messages keep their order",
    "cloud-to-device over WebSocket: an unknown device is refused",
)


@pytest.mark.parametrize("step", STEPS)
def test_azure_iot_hub(passes, step):
    passes(step)


def test_azure_iot_hub_performs_no_other_steps(performance):
    assert set(performance.steps) <= set(STEPS)
