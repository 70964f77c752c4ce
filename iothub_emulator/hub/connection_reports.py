"""Which connections and disconnections a hub tells of: net changes, looked at in intervals.

Source: Microsoft, "React to IoT Hub events by using Event Grid", device connection state events. The hub
looks at intervals, and does not tell of a change that was undone in between; a device counts as connected
once it has used its connection.

Identities go by their key, `{device}` or `{device}/{module}`; times are unix seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass

from iothub_emulator.hub.hub_events import EventRules


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """An identity that is connected now and was not, or the reverse. `when` is when that came about."""

    identity_key: str
    connected: bool
    when: float
    number: int
    """Rises by each report, over all identities."""


@dataclass(slots=True)
class _State:
    """One identity: how things are, since when, and what the back end was last told."""

    connected: bool = False
    used: bool = False
    """It has published or subscribed on its connection."""
    since: float = 0.0
    told: bool = False

    @property
    def counts(self) -> bool:
        return self.connected and self.used


class ConnectionReports:
    """The connections of a hub, as its back end is told of them. `started` is when the hub came to be."""

    def __init__(self, rules: Callable[[], EventRules], started: float) -> None:
        self._rules = rules
        self._started = started
        self._states: dict[str, _State] = {}
        self._pending: set[str] = set()
        self._look_at: float | None = None
        self._count = 0

    def connected(self, identity_key: str, now: float) -> None:
        """Take note of a connection; a take-over is one too, and changes nothing."""
        state = self._states.setdefault(identity_key, _State())
        if not state.connected:
            state.connected, state.used, state.since = True, False, now

    def active(self, identity_key: str, now: float) -> None:
        """Take note that an identity used its connection."""
        state = self._states.get(identity_key)
        if state is not None and state.connected and not state.used:
            state.used = True
            self._changed(identity_key, now)

    def disconnected(self, identity_key: str, now: float) -> None:
        """Take note that an identity has no connection any more."""
        state = self._states.get(identity_key)
        if state is None or not state.connected:
            return
        counted = state.counts
        state.connected, state.since = False, now
        if counted:
            self._changed(identity_key, now)
        elif not state.told and identity_key not in self._pending:
            del self._states[identity_key]

    def forget(self, identity_key: str) -> None:
        """Tell nothing more of an identity that is gone."""
        self._states.pop(identity_key, None)
        self._pending.discard(identity_key)

    def next_deadline(self) -> float | None:
        """Return when connections are looked at next; None: nothing is to be told."""
        return self._look_at if self._pending else None

    def advance(self, now: float) -> list[ConnectionReport]:
        """Return what is to be told by now, in the order in which it came about."""
        if self._look_at is None or now < self._look_at:
            return []
        rules, reports = self._rules(), []
        for key in sorted(self._pending, key=lambda key: self._states[key].since):
            state = self._states[key]
            if rules.is_change(told=state.told, connected=state.counts):
                self._count += 1
                state.told = state.counts
                reports.append(ConnectionReport(key, state.counts, state.since, self._count))
            if not state.connected and not state.told:
                del self._states[key]
        self._pending.clear()
        self._look_at = None
        return reports

    def _changed(self, identity_key: str, now: float) -> None:
        self._pending.add(identity_key)
        if self._look_at is None:
            self._look_at = self._rules().next_look(now, self._started)
