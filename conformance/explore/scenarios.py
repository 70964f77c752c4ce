"""Scenarios: drawn whole from a number and the model alone, before any hub is touched. Pure.

Scenario 17 is the same text on every machine, for every hub and profile. Which stratum it is of follows from
its number: a third needs nothing but devices.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Final

from conformance.errors import UsageError
from conformance.explore import ideal
from conformance.explore.actions import Action, parse
from conformance.explore.dice import Dice
from conformance.explore.drawing import DRAWS
from conformance.explore.model import Model, needs_of
from conformance.explore.model_messages import is_left
from conformance.explore.state import ANSWERS, DESIRED, DEVICEBOUND, METHODS, Cast, Person

CREDENTIALS: Final = ("sas", "thumbprint", "authority")
# How many there are where nothing else is said: as many as take no longer than all other cases together.
DEFAULT: Final = 144
# On a live hub one of each of these is played, and none that takes long there or changes an identity.
LIVE: Final = ("device", "messages", "twins", "methods")
_NOT_LIVE: Final = frozenset(
    {
        *("fall-silent", "outlive", "await-again", "lapse", "send-asking", "send-stale"),
        *("disable", "enable", "rekey", "delete", "create"),
    }
)
SHORTEST: Final = 20
LONGER_BY_UP_TO: Final = 17
# A scenario's name at the end of a case's id.
_NAME: Final = re.compile(r"::explore\.[a-z]+\[(\d+)\]$")
# Tries to draw an action that can be done, before the scenario ends as it is.
PATIENCE: Final = 600
# So often in a hundred a module is preferred to a device, somebody who is away comes back next, and somebody
# who hears nothing subscribes.
MODULES_FIRST: Final = 50
COME_BACK: Final = 15
SUBSCRIBE_SOON: Final = 28
# So often what somebody hears of is done to somebody who hears it.
SOMEBODY_HEARS: Final = 75
_HEARD_BY: Final = {
    "call": METHODS,
    "send": DEVICEBOUND,
    "send-asking": DEVICEBOUND,
    "desire": DESIRED,
    "replace": DESIRED,
    "get": ANSWERS,
    "report": ANSWERS,
    "misreport": ANSWERS,
}
# And so often what only another action made possible is done next: an answer, a PUBACK.
FOLLOW_UP: Final = 36
_FOLLOW_UPS: Final = (
    *("acknowledge", "await-again", "answer", "answer", "misanswer", "meddle", "answer-late"),
    *("acknowledge", "await-again", "await-again", "drop", "drop", "connect", "subscribe", "purge"),
    *("enable", "create", "report-for", "refused", "call", "desire", "disconnect", "disconnect"),
    *("send-asking", "send", "renew"),
)

_CONNECTIONS: Final = {"connect": 8, "refused": 14, "disconnect": 4, "drop": 8, "ping": 4, "break": 4}
# Where something else is the subject, less of that.
_AROUND: Final = {"connect": 5, "refused": 6, "disconnect": 3, "drop": 5, "ping": 1, "break": 2}
# Each takes seconds, so few scenarios have them.
_SLOW: Final = {"fall-silent": 10, "outlive": 10}
SLOW_ONES: Final = 10
# In so many of a hundred scenarios a sender asks what became of its messages: the others need no feedback.
ASKING_ONES: Final = 50
_PUBLISHING: Final = {"publish": 20, "burst": 14, "trespass": 5, "publish-twice-over": 3}
_SUBSCRIBING: Final = {"subscribe": 10, "renew": 4, "unsubscribe": 10, "stray": 3}
_MESSAGES: Final = {"send": 40, "acknowledge": 20, "await-again": 10, "purge": 6, "send-stale": 4}
_ASKING: Final = {"send-asking": 40, "purge": 12}
_TWINS: Final = {
    "get": 44,
    "report": 30,
    "misreport": 30,
    "report-for": 10,
    "desire": 24,
    "replace": 10,
    "misdesire": 6,
    "tag": 8,
    "read": 4,
}
_METHODS: Final = {"call": 40, "answer": 30, "misanswer": 6, "meddle": 6, "lapse": 6, "answer-late": 6}
_IDENTITIES: Final = {"disable": 8, "enable": 10, "rekey": 8, "delete": 8, "create": 10}
# An action of these takes seconds: one of each in a scenario at most.
_ONCE: Final = frozenset({"fall-silent", "outlive", "await-again", "lapse", "send-stale"})


@dataclass(frozen=True)
class Stratum:
    """Scenarios of one kind: who takes part, or which `others`, and how likely each verb is."""

    cast: tuple[Cast, ...]
    weights: Mapping[str, int]
    others: tuple[tuple[Cast, ...], ...] = ()


def _sas(*names: str) -> tuple[Cast, ...]:
    return tuple(Cast(name) for name in names)


STRATA: Final[Mapping[str, Stratum]] = {
    "device": Stratum(_sas("a", "A"), {**_CONNECTIONS, **_SLOW, **_PUBLISHING}),
    "messages": Stratum(_sas("a", "A", "a.1"), {**_AROUND, **_SUBSCRIBING, "publish": 8, **_MESSAGES}),
    "twins": Stratum(_sas("a", "a1", "a.1"), {**_AROUND, **_SUBSCRIBING, "publish": 8, **_TWINS}),
    "methods": Stratum(_sas("a", "A", "a1"), {**_AROUND, **_SUBSCRIBING, "publish": 8, **_METHODS}),
    "registry": Stratum(_sas("a", "A", "a1", "a.1"), {**_AROUND, "publish": 16, "call": 8, **_IDENTITIES}),
    "modules": Stratum(
        _sas("a", "a/m", "a/M", "a1/m", "a1"),
        {
            **_AROUND,
            **_SUBSCRIBING,
            **_PUBLISHING,
            **_METHODS,
            **_TWINS,
            "send": 20,
            "acknowledge": 10,
            "publish": 50,
            "refused": 16,
            "drop": 24,
        },
    ),
    "certificates": Stratum(
        (Cast("a", "thumbprint"), Cast("A", "thumbprint"), Cast("a1")),
        {**_AROUND, "refused": 32, **_SUBSCRIBING, **_PUBLISHING, **_TWINS, **_MESSAGES},
        (
            (Cast("a", "authority"), Cast("A", "authority"), Cast("a1")),
            (Cast("a", "thumbprint"), Cast("a/m", "thumbprint"), Cast("A", "authority")),
        ),
    ),
    "mixed": Stratum(
        _sas("a", "A", "a.1", "a/m"),
        _AROUND | _SUBSCRIBING | _PUBLISHING | _METHODS | _TWINS | _MESSAGES | _IDENTITIES,
    ),
}
# Of twelve scenarios four need devices alone.
_TURNS: Final = (
    *("device", "messages", "twins", "device", "methods", "registry"),
    *("device", "modules", "certificates", "device", "messages", "mixed"),
)


@dataclass(frozen=True)
class Scenario:
    """A list of actions of some identities."""

    number: int
    section: str
    cast: tuple[Cast, ...]
    actions: tuple[Action, ...]

    @property
    def name(self) -> str:
        """``explore.c2d[17]``: what it is called in pytest and in reports."""
        return f"explore.{self.section}[{self.number}]"

    @property
    def ways(self) -> frozenset[tuple[str, bool, bool]]:
        """In which ways it connects: over what, with a certificate or not, as a module or not."""
        cast = {each.name: each for each in self.cast}
        return frozenset(
            (action["over"], cast[action.who].is_certified, cast[action.who].is_module)
            for action in self.actions
            if "login" in action.arguments
        )

    @cached_property  # a play asks with each step
    def needs(self) -> tuple[str, ...]:
        """The capabilities without which it cannot be played."""
        return tuple(needs_of(self.actions, self.cast))

    def with_actions(self, actions: Iterable[Action]) -> "Scenario":
        """Return the same with fewer actions."""
        return Scenario(self.number, self.section, self.cast, tuple(actions))

    def without_bystanders(self) -> "Scenario":
        """Return the same without identities that no action names; a module's device stays."""
        named = {action.who for action in self.actions} | {
            action.arguments["other"] for action in self.actions if "other" in action.arguments
        }
        devices = {name.partition("/")[0] for name in named}
        cast = tuple(each for each in self.cast if each.name in named | devices)
        return Scenario(self.number, self.section, cast, self.actions)

    def __str__(self) -> str:
        lines = [
            f"scenario {self.number} {self.section}",
            *(f"identity {each}" for each in self.cast),
            *map(str, self.actions),
        ]
        return "\n".join(lines) + "\n"


def is_extra(case_id: str) -> bool:
    """Tell whether a case is a scenario beyond the default ones."""
    found = _NAME.search(case_id)
    return found is not None and int(found[1]) >= DEFAULT


def section_of(number: int) -> str:
    """Return the stratum of a scenario."""
    return _TURNS[number % len(_TURNS)]


@cache
def draw(number: int) -> Scenario:
    """Draw a scenario: always the same."""
    section = section_of(number)
    stratum = STRATA[section]
    dice = Dice(f"scenario {number}")
    if not dice.chance(SLOW_ONES):
        quick = {verb: weight for verb, weight in stratum.weights.items() if verb not in _SLOW}
        stratum = replace(stratum, weights=quick)
    if section == "messages" and dice.chance(ASKING_ONES):
        stratum = replace(stratum, weights={**stratum.weights, **_ASKING})
    if stratum.others:
        casts = (stratum.cast, stratum.cast, *stratum.others)
        stratum = replace(stratum, cast=casts[number // len(_TURNS) % len(casts)])
    model = Model(stratum.cast)
    actions: list[Action] = []
    length = SHORTEST + dice.below(LONGER_BY_UP_TO)
    for _ in range(PATIENCE):
        if len(actions) == length:
            break
        action = _draw_action(model, stratum, dice, len(actions) + 1, actions)
        if action is not None:
            actions.append(action)
            ideal.advance(model, action)
    return Scenario(number, section, stratum.cast, tuple(actions))


def _draw_action(
    model: Model, stratum: Stratum, dice: Dice, number: int, before: Sequence[Action]
) -> Action | None:
    """Draw a verb, and whom it is about among those who can do it; None where nobody can."""
    people = dice.shuffled(list(model.state.people.values()))
    if dice.chance(MODULES_FIRST):
        people.sort(key=lambda each: not each.cast.is_module)
    done = {action.verb for action in before}
    weights = {verb: weight for verb, weight in stratum.weights.items() if verb not in done & _ONCE}
    verb = dice.weighted(weights)
    away = [each for each in people if each.link is None or not each.link.open]
    deaf = [each for each in people if _is_deaf(each)]
    if away and dice.chance(COME_BACK):
        verb, people = "connect", away
    elif deaf and "subscribe" in weights and dice.chance(SUBSCRIBE_SOON):
        verb, people = "subscribe", deaf
    elif dice.chance(FOLLOW_UP) and (follow_up := _follow_up(model, weights, dice, number)) is not None:
        return follow_up
    wanted = _HEARD_BY.get(verb)
    if wanted is not None and dice.chance(SOMEBODY_HEARS):
        people.sort(key=lambda each: not _hears(each, wanted))
    for person in people:
        action = Action(number, person.name, verb, DRAWS[verb](model.state, person, dice, number))
        if not model.hindrance(action):
            return action
    return None


def _hears(person: Person, name: str) -> bool:
    link = person.link
    return link is not None and link.open and not link.doomed and link.has(name)


def _is_deaf(person: Person) -> bool:
    link = person.link
    if link is None or not link.open or link.doomed:
        return False
    return not any(each.sure == "yes" for each in link.subscriptions.values())


def _follow_up(model: Model, weights: Mapping[str, int], dice: Dice, number: int) -> Action | None:
    for verb in dice.shuffled([verb for verb in _FOLLOW_UPS if verb in weights]):
        for person in dice.shuffled(list(model.state.people.values())):
            if verb in _IN_PLACE and not _IN_PLACE[verb](person):
                continue
            action = Action(number, person.name, verb, DRAWS[verb](model.state, person, dice, number))
            if not model.hindrance(action):
                return action
    return None


def _loses(person: Person) -> bool:
    """Tell whether a lost connection would leave messages behind that have to come again."""
    return person.link is not None and not person.link.clean and bool(person.link.held)


def _is_here(person: Person) -> bool:
    return person.link is not None and person.link.open


def _waits(person: Person) -> bool:
    """Tell whether messages wait that have to come."""
    return any(message.fate == "due" and (message.locked or not message.seen) for message in person.queue)


def _keeps(person: Person, name: str) -> bool:
    """Tell whether somebody who is away will surely hear of this again."""
    return person.kept is not None and name in person.kept and person.kept[name].sure == "yes"


def _is_back(person: Person) -> bool:
    """Tell whether somebody has returned to a session, and not renewed its subscription to messages."""
    return _is_here(person) and person.link is not None and is_left(person.link)


def _has_unheard(person: Person) -> bool:
    """Tell whether something was sent since that has to come once it is renewed."""
    return any(each.sent_while == "back" and each.fate == "due" and not each.seen for each in person.queue)


def _has_left(person: Person, name: str) -> bool:
    link = person.link
    return link is not None and link.open and not link.clean and name in link.unsubscribed


# What is a follow-up only of somebody of whom this is so.
_IN_PLACE: Final[Mapping[str, Callable[[Person], bool]]] = {
    "refused": lambda person: not person.exists or not person.enabled,
    "call": lambda person: not person.exists,
    "drop": _loses,
    "purge": lambda person: any(each.ack and each.fate == "due" and not each.seen for each in person.queue),
    "send-asking": lambda person: not _is_here(person) and _keeps(person, DEVICEBOUND),
    "connect": lambda person: not _is_here(person) and _waits(person),
    "send": lambda person: _is_back(person) and not _has_unheard(person),
    "renew": lambda person: _is_back(person) and _has_unheard(person),
    "subscribe": lambda person: _is_here(person) and _waits(person) and not _hears(person, DEVICEBOUND),
    "desire": lambda person: _has_left(person, DESIRED),
    "disconnect": lambda person: _has_left(person, DEVICEBOUND),
}


def default() -> list[Scenario]:
    """Return the scenarios that run where nothing else is said."""
    return [draw(number) for number in range(DEFAULT)]


def live() -> list[int]:
    """Return the numbers of those that are played on a live hub: the first of each section that will do."""
    fitting = [each for each in default() if not _NOT_LIVE & {action.verb for action in each.actions}]
    return [next(each.number for each in fitting if each.section == section) for section in LIVE]


def not_live() -> list[int]:
    """Return the number of one scenario of each section that is not played on a live hub."""
    return [
        next(each.number for each in default() if each.section == name) for name in STRATA if name not in LIVE
    ]


def digest(scenarios: Iterable[Scenario]) -> str:
    """Return the SHA-256 over the texts of scenarios."""
    return hashlib.sha256("\n".join(map(str, scenarios)).encode()).hexdigest()


def read(text: str) -> Scenario:
    """Return the scenario of a text, as ``str`` writes it. Raises UsageError with what is wrong in it."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    words = lines[0].split() if lines else []
    if len(words) != 3 or words[0] != "scenario" or not words[1].isdecimal():  # noqa: PLR2004 - three words
        raise UsageError("not a scenario: its first line is: scenario NUMBER SECTION")
    if words[2] not in STRATA:
        raise UsageError(f"no section {words[2]!r}. There are: {', '.join(STRATA)}.")
    identities = [line.split() for line in lines[1:] if line.startswith("identity ")]
    for line in identities:
        if len(line) != 3 or line[2] not in CREDENTIALS:  # noqa: PLR2004 - likewise
            raise UsageError(f"{' '.join(line)!r}: write: identity NAME {', or '.join(CREDENTIALS)}")
    cast = tuple(Cast(line[1], line[2]) for line in identities)
    actions = tuple(parse(line) for line in lines[1:] if not line.startswith("identity "))
    names = {each.name for each in cast}
    for action in actions:
        if action.who not in names:
            raise UsageError(
                f"{str(action)!r}: no identity {action.who!r}. Name it in a line: identity NAME sas"
            )
    return Scenario(int(words[1]), words[2], cast, actions)
