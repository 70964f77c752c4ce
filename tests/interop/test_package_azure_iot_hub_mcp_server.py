"""azure-iot-hub-mcp-server, a stranger's back end for assistants, against the embedded hub."""

from functools import partial

import pytest
from environments import python_environment

PACKAGE = "azure-iot-hub-mcp-server"
SCRIPT = "scripts/azure_iot_hub_mcp_server.py"
ENVIRONMENT = partial(python_environment, PACKAGE, oldest=(3, 12))
DEADLINE = 180

pytestmark = pytest.mark.outside_ci

STEPS = (
    "registry: create a device",
    "registry: the same device twice is refused",
    "registry: create a device with thumbprints",
    "registry: disable and enable a device",
    "registry: an update without an ETag is refused",
    "registry: list devices",
    "registry: a device that is not there",
    "registry: a module",
    "registry: statistics",
    "twin: update tags and desired properties",
    "twin: replace",
    "twin: of a module",
    "query: page by page",
    "method: with payload",
    "method: a device that is not online",
    "cloud-to-device wants a node made for it, and is refused",
    "purge",
    "registry: delete a module and a device",
)


@pytest.mark.parametrize("step", STEPS)
def test_azure_iot_hub_mcp_server(passes, step):
    passes(step)


def test_azure_iot_hub_mcp_server_performs_no_other_steps(performance):
    assert set(performance.steps) <= set(STEPS)
