"""When this process last heard from the hub, and what it has said since: by bytes of MQTT or of HTTP.

What TLS needs for itself does not count: a balancer in front of a hub that is gone shakes hands too. Nor does
what an Event Hubs-compatible endpoint sends, which on a live hub is another service.
"""

import time

_heard = 0.0
_said = 0.0
_unanswered = 0.0


def heard() -> None:
    """Note that something came from the hub just now."""
    global _heard  # noqa: PLW0603 - one ear per process, by design
    _heard = time.time()


def said() -> None:
    """Note that the network took something for the hub just now."""
    global _said, _unanswered  # noqa: PLW0603 - likewise
    _said = time.time()
    if _unanswered <= _heard:
        _unanswered = _said


def last_heard() -> float:
    """Return when something last came, in unix seconds; 0 where nothing ever did."""
    return _heard


def last_said() -> float:
    """Return when something was last sent, in unix seconds; 0 where nothing ever was."""
    return _said


def unanswered_since() -> float:
    """Return when the first thing was sent behind which nothing came; of an earlier time where all was."""
    return _unanswered
