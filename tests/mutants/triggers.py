"""When a conditional mutant acts: triggers that a client can bring about, each by what it needs to know.

A trigger is drawn only for a node that a run reached with all of that known, so that a mutant of the twin is
not made to wait for the filters of a SUBSCRIBE. It is true now or it is not; `Repeated` counts.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import served
from served import KINDS, SERVED, Moment

MANY_BYTES: Final = 1024
LONG_ID: Final = 64
SEVERAL: Final = 3


@dataclass(frozen=True)
class Trigger:
    """`needs` are names of `served.KINDS`; `holds` is asked with a moment at which they are known."""

    name: str
    needs: tuple[str, ...]
    holds: Callable[[Moment], bool]

    def fits(self, kinds: int) -> bool:
        """Tell whether all that it needs is among what is known, as bits."""
        return all(kinds >> KINDS.index(need) & 1 for need in self.needs)


class Counted:
    """True in the n-th turn in which it is asked on one connection, or for one identity."""

    def __init__(self, number: int, key: Callable[[Moment], object]) -> None:
        self._number = number
        self._key = key
        self._turns: defaultdict[object, int] = defaultdict(int)
        self._last: dict[object, int] = {}

    def __call__(self, moment: Moment) -> bool:
        """Count the turn, once."""
        key = self._key(moment)
        if self._last.get(key) != moment.turn:
            self._last[key] = moment.turn
            self._turns[key] += 1
        return self._turns[key] == self._number


def _identity(moment: Moment) -> str:
    assert moment.identity is not None
    return moment.identity


def _is_clean(moment: Moment) -> bool | None:
    return None if moment.connection is None else moment.connection.clean_session


def _sessions(moment: Moment) -> int:
    return SERVED.identity(_identity(moment)).sessions


def _holds_something(moment: Moment) -> bool:
    """Tell whether a message waits for its PUBACK, or a method for its response."""
    session = moment.session
    if session is None or session._outbox is None:
        return False
    calls = session._hub.calls.get(_identity(moment))
    return bool(session._outbox._locks) or (calls is not None and bool(calls._pending or calls._waiting))


def _has_company(moment: Moment) -> bool:
    """Tell whether the device, or another module of it, is connected too."""
    device = _identity(moment).partition("/")[0]
    if moment.runtime is None:
        return False
    others = (*moment.runtime.connections.of_modules(device), device)
    open_ones = [key for key in others if moment.runtime.connections.get(key) is not None]
    return any(key != moment.identity for key in open_ones)


def _topic(moment: Moment) -> str:
    return moment.packet.topic


def all_triggers() -> dict[str, Trigger]:
    """Return every trigger by its name, with counters that begin anew."""
    found = (
        Trigger("over WebSocket", ("connection",), lambda now: now.connection.endpoint.way == "websocket"),
        Trigger("for a module", ("identity",), lambda now: "/" in _identity(now)),
        Trigger("with a certificate", ("connection",), lambda now: bool(now.session.thumbprints)),
        Trigger("CleanSession 1", ("session",), lambda now: _is_clean(now) is True),
        Trigger("CleanSession 0", ("session",), lambda now: _is_clean(now) is False),
        Trigger("second on a connection", ("connection",), Counted(2, lambda now: now.connection.number)),
        Trigger("third on a connection", ("connection",), Counted(3, lambda now: now.connection.number)),
        Trigger("second for an identity", ("identity",), Counted(2, _identity)),
        Trigger("third for an identity", ("identity",), Counted(3, _identity)),
        Trigger("later session of an identity", ("session", "identity"), lambda now: _sessions(now) > 1),
        Trigger("after a take-over", ("session",), lambda now: now.connection.took_over),
        Trigger("after a refusal", ("identity",), lambda now: SERVED.identity(_identity(now)).errors > 0),
        Trigger("something in flight", ("session", "identity"), _holds_something),
        Trigger("another of the device connected", ("connection", "identity"), _has_company),
        Trigger("several packets in one read", ("packet",), lambda now: now.connection.packets_in_read > 1),
        Trigger("several filters", ("filters",), lambda now: len(now.packet.filters) > 1),
        Trigger("large payload", ("message",), lambda now: len(now.packet.payload) >= MANY_BYTES),
        Trigger("empty payload", ("message",), lambda now: not now.packet.payload),
        Trigger("QoS 0", ("message",), lambda now: now.packet.qos == 0),
        Trigger("QoS 1", ("message",), lambda now: now.packet.qos == 1),
        Trigger("RETAIN", ("message",), lambda now: now.packet.retain),
        Trigger("several properties", ("message",), lambda now: _topic(now).count("=") >= SEVERAL),
        Trigger("escaped or other than ASCII", ("message",), _is_wild),
        Trigger(
            "an id with a sign",
            ("identity",),
            lambda now: any(c in _identity(now) for c in ".:_%#*?!(),=@$'+"),
        ),
        Trigger("a long id", ("identity",), lambda now: len(_identity(now)) > LONG_ID),
        Trigger("an id that ends in 7", ("identity",), lambda now: _identity(now).endswith("7")),
    )
    return {trigger.name: trigger for trigger in found}


def _is_wild(moment: Moment) -> bool:
    return "%" in _topic(moment) or not (_topic(moment).isascii() and moment.packet.payload.isascii())


def holds(trigger: Trigger) -> bool:
    """Tell whether a trigger is true now; never where what it needs is not known."""
    moment = served.now()
    return trigger.fits(moment.kinds()) and trigger.holds(moment)
