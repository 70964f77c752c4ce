"""@azure/event-hubs 1, which finds the events by the hub's own connection string, against the embedded hub.

The steps are also those of its predecessor and of version 2: one script performs all three.
"""

from functools import partial

import pytest
from environments import node_environment

PACKAGE = "@azure/event-hubs 1 (npm)"
SCRIPT = "node/event_hubs_of_old.js"
ENVIRONMENT = partial(node_environment, "node-event-hubs-1")
DEADLINE = 240

pytestmark = pytest.mark.outside_ci

# It reads no port from a connection string.
FIXED_PORTS = {"hub's": ("amqp", "https"), "events'": ("amqp", "https")}

STEPS = (
    "set the stage: four devices send five events each",
    *(
        f"{way} connection string: {name}"
        for way in ("hub's", "events'")
        for name in (
            "finds the Event Hub",
            "finds the state of each partition",
            "reads both partitions from the beginning",
            "an event is whole",
            "starts after sequence number",
            "starts at sequence number",
            "starts after offset",
            "starts at offset",
            "starts after enqueued time",
            "starts at the latest",
            "takes a batch",
            "a higher epoch takes the partition",
            "close",
            "a wrong key is refused",
        )
    ),
)


@pytest.mark.parametrize("step", STEPS)
def test_npm_event_hubs_1(passes, step):
    passes(step)


def test_npm_event_hubs_1_performs_no_other_steps(performance):
    assert set(performance.steps) <= set(STEPS)
