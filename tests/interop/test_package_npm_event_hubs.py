"""@azure/event-hubs, Microsoft's reader for Node, against the embedded hub."""

import pytest
from environments import node_environment

PACKAGE = "@azure/event-hubs (npm)"
SCRIPT = "node/event_hubs.js"
ENVIRONMENT = node_environment
DEADLINE = 180

STEPS = (
    "set the stage: six devices send five events each",
    *(
        f"{way}: {name}"
        for way in ("TLS", "WebSocket", "development emulator")
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
            "a higher owner level takes the partition",
            "close",
            "a wrong key is refused",
        )
    ),
)


@pytest.mark.parametrize("step", STEPS)
def test_npm_event_hubs(passes, step):
    passes(step)


def test_npm_event_hubs_performs_no_other_steps(performance):
    assert set(performance.steps) <= set(STEPS)
