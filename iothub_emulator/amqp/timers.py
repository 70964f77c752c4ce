"""What the clock asks of one connection: all in unix seconds, none of it waited for here (part 2, 2.4.5)."""

CLOSE_TIME_OUT = 5.0
"""Seconds that the peer's Close is awaited after the hub's."""
PATIENCE = 2.0
"""A peer may be silent for twice the time-out it was told: 2.4.5 has it announced as half of the real one."""
HEARTBEAT_SHARE = 0.5
"""Of the peer's time-out, after which a silent hub sends an empty frame."""
SHORTEST_HEARTBEAT = 0.05
"""Seconds; a peer that asks for more frames than this does not get them."""


class Timers:
    """When things were last heard and said, and what follows from it."""

    def __init__(self, open_time_out: float, now: float) -> None:
        self._open_by: float | None = now + open_time_out
        self._close_by: float | None = None
        self._heard = now
        self._said = now
        self._silence_allowed: float | None = None
        self._heartbeat: float | None = None

    def opened(self, now: float, own_time_out: int, peer_time_out: int | None) -> None:
        """Take both idle time-outs, in milliseconds; none, or 0: the peer expects no heartbeats."""
        self._open_by = None
        self._heard = now
        self._silence_allowed = own_time_out / 1000 * PATIENCE
        if peer_time_out:
            self._heartbeat = max(peer_time_out / 1000 * HEARTBEAT_SHARE, SHORTEST_HEARTBEAT)

    def received(self, now: float) -> None:
        """Note that the peer said something."""
        self._heard = now

    def sent(self, now: float) -> None:
        """Note that the hub did."""
        self._said = now

    def closing(self, now: float) -> None:
        """Note that the hub has sent its Close."""
        self._close_by = now + CLOSE_TIME_OUT

    def must_finish(self, now: float) -> bool:
        """Tell whether the transport is to be closed: no Open came, or no Close in answer to ours."""
        return any(limit is not None and now >= limit for limit in (self._open_by, self._close_by))

    def peer_is_gone(self, now: float) -> bool:
        """Tell whether the peer has been silent for too long."""
        return self._silence_allowed is not None and now >= self._heard + self._silence_allowed

    def heartbeat_is_due(self, now: float) -> bool:
        """Tell whether the peer should hear something."""
        return self._heartbeat is not None and now >= self._said + self._heartbeat

    def next_deadline(self, other: float | None, *, is_idle: bool) -> float | None:
        """Return the first moment at which one of these, or `other`, may hold.

        `is_idle`: nothing waits to be sent. What waits for a slow reader is heartbeat enough once it leaves.
        """
        moments = [self._open_by, self._close_by, other]
        if self._close_by is None:
            if self._silence_allowed is not None:
                moments.append(self._heard + self._silence_allowed)
            if self._heartbeat is not None and is_idle:
                moments.append(self._said + self._heartbeat)
        return min((moment for moment in moments if moment is not None), default=None)
