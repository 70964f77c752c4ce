"""azure-eventhub, Microsoft's reader for Python, against the embedded hub."""

from functools import partial

import pytest
from environments import python_environment

PACKAGE = "azure-eventhub"
SCRIPT = "scripts/azure_eventhub.py"
ENVIRONMENT = partial(python_environment, PACKAGE)
DEADLINE = 400

READING = (
    "finds the Event Hub",
    "finds the state of partition 0",
    "finds the state of partition 1",
    "reads both partitions from the beginning",
    "an event is whole",
    "starts after sequence number",
    "starts at sequence number",
    "starts after offset",
    "starts at offset",
    "starts after enqueued time",
    "starts at enqueued time",
    "starts at the latest",
    "reads with the default prefetch",
    "a higher owner level takes the partition",
    "a wrong key is refused",
    "another entity is refused",
)

# A position is the same filter whatever carries it: each costs the package half a second or more.
OTHER_POSITIONS = (
    "starts after offset",
    "starts at offset",
    "starts after enqueued time",
    "starts at enqueued time",
)
ELSEWHERE = {
    # Over WebSocket the package reads on for a whole prefetch before it hands over the first event.
    "WebSocket": (*OTHER_POSITIONS, "reads with the default prefetch"),
    "development emulator": OTHER_POSITIONS,
}

STEPS = (
    "set the stage: six devices send five events each",
    *(
        f"{way} {style}: {name}"
        for way in ("TLS", "WebSocket", "development emulator")
        for style in ("sync", "async")
        for name in READING
        if name not in ELSEWHERE.get(way, ())
    ),
)


@pytest.mark.parametrize("step", STEPS)
def test_azure_eventhub(passes, step):
    passes(step)


def test_azure_eventhub_performs_no_other_steps(performance):
    assert set(performance.steps) <= set(STEPS)
