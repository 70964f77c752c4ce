"""What the model says of one action: what it owes, in which order, and how connections end by it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from conformance.explore.expectations import BACK_END, Event, Order, Owed, Part, Times, Until

# How a connection ended, as far as its Will goes.
Ending = Literal["left", "lost", "taken over", "silent", "error", "unknown"]


@dataclass
class Plan:
    """What is owed while an action is played.

    `endings` says how the connections end that may end by it, `shaken` which of them need not. `then` learns
    from the events, behind what the model learns from each kind of event.
    """

    owed: list[Owed] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    endings: dict[str, Ending] = field(default_factory=dict)
    shaken: set[str] = field(default_factory=set)
    then: list[Callable[[Sequence[Event]], None]] = field(default_factory=list)

    def owe(
        self,
        where: str,
        kind: str,
        key: str,
        times: Times,
        rule: str,
        *parts: Part,
        until: Until = Until.REACTION,
        excused: tuple[tuple[str, object], ...] = (),
        needs: tuple[str, ...] = (),
    ) -> None:
        """Add something that is owed."""
        self.owed.append(Owed(where, kind, key, times, rule, parts, until, excused, needs))

    def ends(self, label: str, ending: Ending, rule: str, until: Until = Until.REACTION) -> None:
        """Owe that the hub ends this connection."""
        self.owe(label, "closed", "", Times.ONCE, rule, until=until)
        self.endings[label] = ending

    def may_end(self, label: str, ending: Ending, rule: str) -> None:
        """Let the hub end this connection or not."""
        self.owe(label, "closed", "", Times.AT_MOST_ONCE, rule)
        self.shaken.add(label)
        self.endings[label] = ending

    def never(self, where: str, kind: str, key: str, rule: str) -> None:
        """Owe that this does not come."""
        self.owe(where, kind, key, Times.NEVER, rule)

    def back_end(
        self, kind: str, key: str, times: Times, rule: str, *parts: Part, until: Until = Until.REACTION
    ) -> None:
        """Add something that the back end is owed."""
        self.owe(BACK_END, kind, key, times, rule, *parts, until=until)

    def speaks_of(self, where: str, kind: str) -> bool:
        """Tell whether something is said of events of this kind at this place."""
        return any((each.where, each.kind) == (where, kind) for each in self.owed)
