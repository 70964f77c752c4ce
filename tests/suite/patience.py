"""How long a test waits for what has to come."""

PATIENCE = 60.0
"""Seconds. It takes milliseconds; but a machine that is shared may stand still for half a minute."""
