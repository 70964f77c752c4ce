"""How long a test waits for what has to come."""

PATIENCE = 60.0
"""Seconds. It takes milliseconds; but a machine that is shared may stand still for half a minute."""

A_RUN = 300.0
"""Seconds, for a whole run of the suite with a hub of its own, which takes a few."""
