"""The id of a hub: what ``--same-hub`` compares, so that a line from a report judges no other one.

A hub that a profile starts is the same where the same command starts it; one that is attached to, while it
has the same address and the same certificate authority (an embedded hub makes both anew when it starts,
unless it is told to keep them); any other, while it has the same addresses. Nothing secret is in it.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Final

from conformance.profile.loading import Profile
from conformance.target.target import Target

_DIGITS: Final = 12


def fingerprint(target: Target, profile: Profile) -> str:
    """Return the id, some hexadecimal digits."""
    known: dict[str, object]
    if target.origin == "launched" and profile.launch is not None:
        known = {"command": [*profile.launch.command, *profile.launch.arguments], "timing": profile.timing}
    else:
        known = {"host": target.host, "ports": asdict(target.ports), "back end": _back_end(target)}
    if target.origin == "attached" and target.ca_file is not None:
        known |= {"edition": target.edition, "authority": Path(target.ca_file).read_bytes().hex()}
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:_DIGITS]


def _back_end(target: Target) -> list[str]:
    if target.service is None:
        return []
    strings = (target.service.hub, target.service.events, target.service.routed)
    return [string.host_name for string in strings if string is not None]
