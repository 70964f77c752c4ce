"""What is owed, what came, and the difference. Pure.

An `Event` is what somebody saw: a packet on a connection, a message or an answer at the back end. An `Owed`
says which events must, may or must not come of an action, and which rule each of its parts rests on.
`compare` holds one against the other.
"""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from conformance.evidence.difference import NOTHING, Difference, differences, shown, told

BACK_END: Final = "back end"


class Times(enum.Enum):
    """How often something comes."""

    ONCE = "exactly once"
    AT_LEAST_ONCE = "at least once"
    AT_MOST_ONCE = "at most once"
    ANY = "any number of times"
    NEVER = "never"

    @property
    def is_due(self) -> bool:
        """Whether it has to come at all."""
        return self in {Times.ONCE, Times.AT_LEAST_ONCE}

    def admits(self, count: int) -> bool:
        """Tell whether it may come so many times."""
        if self is Times.NEVER:
            return count == 0
        often = count > 1
        return (count > 0 or not self.is_due) and not (often and self in {Times.ONCE, Times.AT_MOST_ONCE})


class Until(enum.Enum):
    """Until when something has to be there."""

    REACTION = "within a reaction"
    LOCK = "once the lock has run out"
    CONNECT = "within the time that a connection may take"
    KEEP_ALIVE = "once the keep-alive has run out"
    EXPIRY = "once the token has expired"
    METHOD = "once the call has timed out"
    FEEDBACK = "once the hub has collected feedback"
    END = "by the end of the scenario"


@dataclass(frozen=True)
class Event:
    """Something that somebody saw.

    `where` is a connection's label, ``a#1``, or the back end; `key` tells events of one kind apart; `values`
    are what rules look at.
    """

    where: str
    kind: str
    key: str = ""
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        key = f" {self.key}" if self.key else ""
        values = ", ".join(f"{name} {_value(value)}" for name, value in self.values.items())
        return f"{self.kind}{key}{f' ({values})' if values else ''} at {self.where}"


@dataclass(frozen=True)
class OneOf:
    """One of these values; the first is what an ideal hub gives."""

    values: tuple[object, ...]

    def admits(self, value: object) -> bool:
        """Tell whether a value will do; `True` is no 1, and `1` is no 1.0."""
        return any(same(value, each) for each in self.values)

    def example(self) -> object:
        """Return a value that will do."""
        return self.values[0]

    def __str__(self) -> str:
        return " or ".join(repr(value) for value in self.values)


@dataclass(frozen=True)
class Above:
    """A whole number above this one."""

    least: int

    def admits(self, value: object) -> bool:
        """Tell whether a value will do."""
        return type(value) is int and value > self.least

    def example(self) -> object:
        """Return a value that will do."""
        return self.least + 1

    def __str__(self) -> str:
        return f"a number above {self.least}"


@dataclass(frozen=True)
class AtLeast:
    """So many seconds, or more."""

    seconds: float

    def admits(self, value: object) -> bool:
        """Tell whether a value will do."""
        return isinstance(value, int | float) and value >= self.seconds

    def example(self) -> object:
        """Return a value that will do."""
        return self.seconds

    def __str__(self) -> str:
        return f"at least {self.seconds:g} s"


@dataclass(frozen=True)
class Within:
    """A status, as text, in this range."""

    least: int
    most: int

    def admits(self, value: object) -> bool:
        """Tell whether a value will do."""
        return isinstance(value, str) and value.isdecimal() and self.least <= int(value) <= self.most

    def example(self) -> object:
        """Return a value that will do."""
        return str(self.least)

    def __str__(self) -> str:
        return f"{self.least} to {self.most}" if self.least < self.most else str(self.least)


@dataclass(frozen=True)
class Holding:
    """An object that has at least these members; a member may be one of several."""

    members: "Mapping[str, OneOf | Replaced]"
    only: bool = False
    """Whether it has no others."""
    besides: frozenset[str] = frozenset()
    """Which others it may have all the same."""

    def admits(self, value: object) -> bool:
        """Tell whether a value will do."""
        if not isinstance(value, Mapping):
            return False
        if any(name not in value or not each.admits(value[name]) for name, each in self.members.items()):
            return False
        return not self.only or set(value) <= set(self.members) | self.besides

    def example(self) -> object:
        """Return a value that will do."""
        return {name: each.example() for name, each in self.members.items()}

    def __str__(self) -> str:
        inside = ", ".join(f"{name}: {each}" for name, each in self.members.items())
        return f"{{{inside}}}{' and no more' if self.only else ''}"


@dataclass(frozen=True)
class Replaced:
    """What a value has become that was another: an object may leave out what is as it was.

    What it had and has no more may be there as null (F14).
    """

    before: object
    after: object

    def admits(self, value: object) -> bool:
        """Tell whether a value will do."""
        before, after = self.before, self.after
        if not (isinstance(value, Mapping) and isinstance(before, Mapping) and isinstance(after, Mapping)):
            return same(value, after)
        due = [name for name in after if name not in before or not same(before[name], after[name])]
        return all(name in value for name in due) and all(
            Replaced(before.get(name), after[name]).admits(told)
            if name in after
            else told is None and name in before
            for name, told in value.items()
        )

    def example(self) -> object:
        """Return a value that will do."""
        return self.after

    def __str__(self) -> str:
        return repr(self.after)


@dataclass(frozen=True)
class NoneOf:
    """A text that is none of these."""

    values: frozenset[str]

    def admits(self, value: object) -> bool:
        """Tell whether a value will do."""
        return isinstance(value, str) and value not in self.values

    def example(self) -> object:
        """Return a value that will do."""
        return f"new-{len(self.values)}"

    def __str__(self) -> str:
        return f"none of {', '.join(sorted(self.values)) or 'none'}"


Accepted = OneOf | Above | AtLeast | Within | Holding | Replaced | NoneOf


@dataclass(frozen=True)
class Part:
    """One value of an event, what it may be, and the rule that says so."""

    name: str
    accepted: Accepted
    rule: str


@dataclass(frozen=True)
class Owed:
    """Events of one kind and key at one place, how often they come, and what each of them says.

    `rule` is broken by how often they come. `excused` are values with which an event says nothing more, such
    as the status 429. `needs` are the capabilities without which nobody can see them.
    """

    where: str
    kind: str
    key: str
    times: Times
    rule: str
    parts: tuple[Part, ...] = ()
    until: Until = Until.REACTION
    excused: tuple[tuple[str, object], ...] = ()
    needs: tuple[str, ...] = ()

    def meets(self, event: Event) -> bool:
        """Tell whether it speaks of this event."""
        return (event.where, event.kind) == (self.where, self.kind) and self.key in {"", event.key}

    def __str__(self) -> str:
        key = f" {self.key}" if self.key else ""
        return f"{self.kind}{key} at {self.where} {self.times.value}"


@dataclass(frozen=True)
class Order:
    """Events of one kind at one place whose first arrivals come in this order of keys."""

    where: str
    kind: str
    keys: tuple[str, ...]
    rule: str
    needs: str = ""


@dataclass(frozen=True)
class Finding:
    """A rule that was broken: what it asked for, and what came instead."""

    rule: str
    expected: str
    actual: str


@dataclass(frozen=True)
class Comparison:
    """What an action brought, held against what it owed.

    `applied` are the rules that had something to judge, `unexpected` the events that nothing spoke of.
    """

    findings: tuple[Finding, ...]
    applied: tuple[str, ...]
    unexpected: tuple[Event, ...]


def compare(owed: Sequence[Owed], orders: Sequence[Order], events: Sequence[Event]) -> Comparison:
    """Hold events against what was owed."""
    findings: list[Finding] = []
    applied: list[str] = []
    spoken_of: set[int] = set()
    for each in owed:
        met = [number for number, event in enumerate(events) if each.meets(event)]
        spoken_of.update(met)
        if met or each.times.is_due or each.times is Times.NEVER:
            applied.append(each.rule)
        if not each.times.admits(len(met)):
            came = "; ".join(str(events[number]) for number in met) or "nothing"
            findings.append(Finding(each.rule, str(each), came))
        elif each.times is not Times.NEVER:
            for number in met:
                applied += [part.rule for part in each.parts]
                findings += _differences(each, events[number])
    for order in orders:
        findings += _disorder(order, events, applied)
    unexpected = tuple(event for number, event in enumerate(events) if number not in spoken_of)
    return Comparison(tuple(findings), tuple(dict.fromkeys(applied)), unexpected)


def missing(owed: Iterable[Owed], events: Sequence[Event]) -> list[Owed]:
    """Return what has to come and is not there yet."""
    return [each for each in owed if each.times.is_due and not any(map(each.meets, events))]


def same(value: object, other: object) -> bool:
    """Tell whether two values are the same in JSON, type and all: ``True`` is no 1, 1 is no 1.0."""
    if type(value) is not type(other):
        return False
    if isinstance(value, dict) and isinstance(other, dict):
        return value.keys() == other.keys() and all(same(value[name], other[name]) for name in value)
    if isinstance(value, list) and isinstance(other, list):
        return len(value) == len(other) and all(map(same, value, other))
    return value == other


def _differences(owed: Owed, event: Event) -> list[Finding]:
    if any(name in event.values and same(event.values[name], value) for name, value in owed.excused):
        return []
    what = f"{owed.kind}{f' {owed.key}' if owed.key else ''}"
    return [
        _finding(what, part, event)
        for part in owed.parts
        if part.name not in event.values or not part.accepted.admits(event.values[part.name])
    ]


def _finding(what: str, part: Part, event: Event) -> Finding:
    """Say what is wrong with a part: of a large value the places alone that are."""
    if part.name not in event.values:
        return Finding(part.rule, f"{what} with {part.name} {part.accepted}", f"no {part.name}")
    found = unmet(part.accepted, event.values[part.name])
    expected, actual = (
        told(found, lambda each: f"{each.of(part.name)} {each.expected}"),
        told(found, lambda each: f"{each.of(part.name)} {each.actual}"),
    )
    return Finding(part.rule, f"{what} with {expected}", actual)


def unmet(accepted: Accepted, value: object, where: str = "") -> list[Difference]:
    """Return the places where a value is not as it may be; it is not."""
    match accepted:
        case OneOf(values=(only,)):
            found = differences(only, value) or [Difference("", repr(only), repr(value))]
            return [replace(each, where=f"{where}.{each.where}".strip(".")) for each in found]
        case Holding(members=members) if isinstance(value, Mapping):
            found = []
            for name, each in members.items():
                if name not in value:
                    found.append(Difference(f"{where}.{name}".strip("."), str(each), NOTHING))
                elif not each.admits(value[name]):
                    found += unmet(each, value[name], f"{where}.{name}".strip("."))
            spare = [name for name in value if name not in members and name not in accepted.besides]
            if accepted.only:
                found += [
                    Difference(f"{where}.{name}".strip("."), NOTHING, _value(value[name])) for name in spare
                ]
            return found
        case _:
            return [Difference(where, str(accepted), _value(value))]


def _value(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else shown(value)


def _disorder(order: Order, events: Sequence[Event], applied: list[str]) -> list[Finding]:
    came = [event.key for event in events if (event.where, event.kind) == (order.where, order.kind)]
    first = [key for key in dict.fromkeys(came) if key in order.keys]
    if len(first) < 2:  # noqa: PLR2004 - an order is of two at least
        return []
    applied.append(order.rule)
    right = [key for key in order.keys if key in first]
    if first == right:
        return []
    return [Finding(order.rule, f"{order.kind} in the order {', '.join(right)}", ", ".join(first))]
