"""@azure/event-hubs 2 by the steps of version 1, against the embedded hub."""

from functools import partial

import pytest
from environments import node_environment
from test_package_npm_event_hubs_1 import DEADLINE, FIXED_PORTS, SCRIPT, STEPS

__all__ = ["DEADLINE", "ENVIRONMENT", "FIXED_PORTS", "PACKAGE", "SCRIPT"]

PACKAGE = "@azure/event-hubs 2 (npm)"
ENVIRONMENT = partial(node_environment, "node-event-hubs-2")

pytestmark = pytest.mark.outside_ci


@pytest.mark.parametrize("step", STEPS)
def test_npm_event_hubs_2(passes, step):
    passes(step)


def test_npm_event_hubs_2_performs_no_other_steps(performance):
    assert set(performance.steps) <= set(STEPS)
