"""azure-iothub, Microsoft's back end for Node, against the embedded hub."""

import pytest
from environments import node_environment

PACKAGE = "azure-iothub (npm)"
SCRIPT = "node/azure_iothub.js"
ENVIRONMENT = node_environment
DEADLINE = 180

# The package speaks to ports 443 and 5671, whatever the connection string says.
FIXED_PORTS = {
    "cloud-to-device over TLS": ("https", "amqp"),
    "": ("https",),
}

STEPS = (
    "registry: create a device",
    "registry: empty keys are replaced by made ones",
    "registry: create a device with thumbprints",
    "registry: the same device twice is refused",
    "registry: update a device",
    "registry: list devices",
    "registry: create, update and remove devices in bulk",
    "registry: a device that is gone is not found",
    "registry: statistics",
    "set the stage: node-twin connects",
    "modules: create",
    "modules: read and list",
    "modules: update",
    "modules: remove",
    "set the stage: node-twin/m-1 connects",
    "twin: read a new one",
    "twin: update desired properties and tags",
    "twin: the device is told",
    "twin: an update with an old etag is refused",
    "twin: what the device reports",
    "twin: of a module",
    "methods: with a payload",
    "methods: without a payload",
    "methods: of a module",
    "methods: a device that is not connected",
    "query: all devices in pages",
    "query: a condition",
    "query: what is not understood is refused",
    *(
        f"cloud-to-device over {how}: {name}"
        for how in ("TLS", "WebSocket")
        for name in (
            "open",
            "feedback receiver",
            "a message with every property",
            "feedback says success",
            "50 messages keep their order",
            "an unknown device is refused",
            "close",
        )
    ),
)


@pytest.mark.parametrize("step", STEPS)
def test_npm_azure_iothub(passes, step):
    passes(step)


def test_npm_azure_iothub_performs_no_other_steps(performance):
    assert set(performance.steps) <= set(STEPS)
