"""Throttles: how many operations of a kind the hub carries out in a time, and what becomes of the rest.

Source of kinds and figures: Microsoft, "IoT Hub quotas and throttling". A bucket holds the operations that
are still free; it fills again at the throttle's rate, so that work goes on after a burst. The queue in which
a live hub first keeps what comes too fast (traffic shaping) is not imitated.
"""

import math
import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

Kind: TypeAlias = Literal["twin-reads", "twin-updates", "d2c-sends", "registry"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
DOCUMENTED: Final[dict[Kind, str]] = {
    "twin-reads": "100/s",
    "twin-updates": "50/s",
    "d2c-sends": "100/s",
    "registry": "100/min",
}
"""The figures of one unit of S1, for a whole hub."""

Scope: TypeAlias = Literal["hub", "identity"]

_UNITS: Final = {"s": 1.0, "min": 60.0}
_THROTTLE: Final = re.compile(r"(?P<kind>[a-z0-9-]+)=(?P<count>[0-9]{1,9})/(?P<unit>s|min)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Throttle:
    """At most `count` operations of a kind in so many seconds."""

    kind: Kind
    count: int
    seconds: float


def parse_throttle(text: str) -> Throttle:
    """Return what `KIND=COUNT/s` or `KIND=COUNT/min` states; ValueError, with a message, for all else."""
    match = _THROTTLE.fullmatch(text)
    if match is None or not int(match["count"]):
        raise ValueError(f"{text!r} is not of the form {KINDS[0]}={DOCUMENTED[KINDS[0]]}")
    for kind in KINDS:
        if match["kind"] == kind:
            return Throttle(kind, int(match["count"]), _UNITS[match["unit"]])
    raise ValueError(f"{match['kind']!r} is none of {', '.join(KINDS)}")


@dataclass
class Bucket:
    """What is left of a throttle, as of a moment in unix seconds."""

    left: float
    when: float


class ThrottleRules:
    """Each decision about a throttle."""

    def __init__(self, throttles: tuple[Throttle, ...] = (), scope: Scope = "hub") -> None:
        self.throttles = {throttle.kind: throttle for throttle in throttles}
        self.scope = scope

    def throttle_of(self, kind: Kind) -> Throttle | None:
        """twin.throttled: the throttle of a kind of operation; None: it has none."""
        return self.throttles.get(kind)

    def shares(self, identity_key: str) -> str:
        """twin.throttled: whose operations are counted together, the whole hub's or one identity's."""
        return identity_key if self.scope == "identity" else ""

    def counts_calls(self) -> bool:
        """Tell whether calls of the back end count: they belong to no identity, only to the hub."""
        return self.scope == "hub"

    def filled(self, bucket: Bucket, throttle: Throttle, now: float) -> float:
        """twin.throttled: what is left by now; after a burst operations are carried out again."""
        passed = max(now - bucket.when, 0.0)
        return min(bucket.left + passed * throttle.count / throttle.seconds, throttle.count)

    def admits(self, left: float) -> bool:
        """twin.throttled: one operation is carried out as long as a whole one is left."""
        return left >= 1

    def retry_after(self, throttle: Throttle) -> int:
        """Return the whole seconds in `Retry-After`: by then one more operation is left."""
        return math.ceil(throttle.seconds / throttle.count)

    def on_telemetry(self) -> Literal["close", "ignore"]:
        """unspecified: a device's message beyond the throttle; MQTT 3.1.1 has no packet to say so.

        Reports tell of closed connections and of PUBACKs that never came (azure-iot-sdk-c issues 1766, 1001);
        with a close a device learns of it.
        """
        return "close"


class Throttles:
    """All buckets of a hub."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[Kind, str], Bucket] = {}

    def admits(self, kind: Kind, identity_key: str, rules: ThrottleRules, now: float) -> bool:
        """Take one operation; False: it is one too many, and costs nothing."""
        throttle = rules.throttle_of(kind)
        if throttle is None:
            return True
        key = (kind, rules.shares(identity_key))
        bucket = self._buckets.setdefault(key, Bucket(throttle.count, now))
        bucket.left, bucket.when = rules.filled(bucket, throttle, now), now
        if not rules.admits(bucket.left):
            return False
        bucket.left -= 1
        return True

    def forget(self, identity_key: str) -> None:
        """Drop the buckets of an identity that is gone."""
        for kind in KINDS:
            self._buckets.pop((kind, identity_key), None)
