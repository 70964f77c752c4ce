"""How arguments of actions are drawn: from the model's state and the dice alone. Pure."""

import json
from collections.abc import Callable, Mapping
from typing import Final

from conformance.explore.corpus import (
    BAD_CHANGES,
    BAD_PATCHES,
    BAGS,
    BREAKS,
    LOGINS,
    MODELS,
    OF_REGISTRY,
    PROPERTIES,
    STRAYS,
)
from conformance.explore.dice import Dice
from conformance.explore.model_connections import BY_AUTHORITY, GROUNDS, OF_ALL, grounds_of
from conformance.explore.model_methods import METHOD_NAMES, NOTHING, WRONG_IDS
from conformance.explore.model_twins import FORMS
from conformance.explore.state import ANSWERS, DESIRED, DEVICEBOUND, METHODS, Person, State

Arguments = dict[str, str]
Draw = Callable[[State, Person, Dice, int], Arguments]

# Sizes around the steps of MQTT's remaining length (2.2.3), and beyond a TLS record; small ones more often.
SIZES: Final = ("20", "20", "40", "100", "127", "128", "1000", "16383", "16384", "20000", "65000")
MESSAGE_SIZES: Final = ("20", "20", "40", "127", "1000", "16384", "60000")
CUTS: Final = ("whole", "whole", "whole", "bytes", "halves", "header", "thirds")
STATUSES: Final = ("200", "200", "201", "404", "500", "599")
PAYLOADS: Final = (
    "null",
    "1",
    "-1",
    "true",
    "1.5",
    '""',
    '"text"',
    '"007"',
    "4503599627370495",
    "[]",
    '[1,"2",null]',
    "{}",
    '{"a":{"b":[1]}}',
    '"ü€"',
)
ACKS: Final = ("full", "full", "positive", "negative")
ALWAYS: Final = tuple(sorted(OF_ALL - {"deleted", "disabled"}))
BURSTS: Final = ("publish-1", "publish-1", "publish-0", "ping", "ping", "unsubscribe")
# Where somebody hears answers about a twin.
BURSTS_WITH_ANSWERS: Final = (*BURSTS, "get", "get", "get")
# The largest integer of a twin; the smallest is one further away from zero.
LARGEST: Final = 4503599627370495
# Bags that name a component.
COMPONENTS: Final = tuple(name for name, bag in BAGS.items() if bag.component)
# What a method is called; the first more often.
NAMES: Final = ("plain", "plain", "plain", *METHOD_NAMES, "component")
# Names of members that resemble each other, as the identities' names do.
MEMBERS: Final = ("a", "A", "a1", "b")


def compact(value: object) -> str:
    """Return JSON without a space in it, and in ASCII: one word of a line."""
    return json.dumps(value, separators=(",", ":")).replace(" ", "\\u0020")


def _connect(_state: State, person: Person, dice: Dice, _number: int) -> Arguments:
    over = "ws" if _may_take_websocket(_state, person) and dice.chance(35) else "tls"
    will = dice.one_of(("none", "none", "0", "1", "0r", "1r"))
    bag = "none" if will == "none" else dice.one_of(tuple(BAGS))
    waits = any(message.fate == "due" for message in person.queue)
    clean = "0" if waits and dice.chance(85) else dice.one_of(("0", "0", "1"))
    logins = LOGINS[person.cast.credential]
    made = [login for login in logins if login not in OF_REGISTRY or not _is_ready_made(_state)]
    modelled = [login for login in logins if login in MODELS]
    # Few scenarios have certificates, so those they have log in by each way.
    login = dice.one_of(made) if dice.chance(70 if person.cast.is_certified else 40) else "plain"
    if login == "plain" and modelled and dice.chance(15):
        login = dice.one_of(modelled)
    return {"over": over, "clean": clean, "login": login, "will": will, "bag": bag}


def _may_take_websocket(state: State, person: Person) -> bool:
    """Tell whether somebody may come over WebSocket.

    A certificate there is not promised (websocket.x509), and neither is one of a module (x509.module): only
    where the one is asked of a hub, the other is.
    """
    unpromised = any(each.cast.is_module and each.cast.is_certified for each in state.people.values())
    return unpromised or not person.cast.is_certified


def _is_ready_made(state: State) -> bool:
    """Tell whether the scenario needs nothing but devices, which may be a profile's own."""
    return set(state.people) == {"a", "A"}


def _refused(state: State, person: Person, dice: Dice, _number: int) -> Arguments:
    others = [name for name in state.people if name != person.name]
    over = "ws" if _may_take_websocket(state, person) and dice.chance(30) else "tls"
    ground = dice.one_of(tuple(each for each in GROUNDS if each != "other-name"))
    if person.cast.is_certified:
        own = tuple(sorted(grounds_of(person) & BY_AUTHORITY))
        ground = dice.one_of(own if own and dice.chance(70) else ALWAYS)
    elif person.cast.is_module and dice.chance(40):
        ground = "sibling-token"
    # What has just become a ground is tried soon.
    if not person.exists:
        ground = "deleted"
    elif not person.enabled:
        ground = "disabled"
    elif person.keys and dice.chance(50):
        ground = "old-key"
    siblings = [name for name in others if name.startswith(f"{person.cast.device}/")]
    if ground == "sibling-token":
        others = siblings
    other = dice.one_of(others) if others else "-"
    behind = dice.one_of(("nothing", "telemetry", "will"))
    return {"over": over, "ground": ground, "other": other, "behind": behind}


def _publish(_state: State, person: Person, dice: Dice, _number: int) -> Arguments:
    qos = dice.one_of(("0", "1", "1"))
    bags = tuple(BAGS)
    if person.link is not None and person.link.model and dice.chance(40):
        bags = COMPONENTS
    return {
        "qos": qos,
        "retain": "1" if dice.chance(15) else "0",
        "dup": "1" if qos == "1" and dice.chance(10) else "0",
        "size": dice.one_of(SIZES),
        "bag": dice.one_of(bags),
        "cut": dice.one_of(CUTS),
    }


def _burst(_state: State, person: Person, dice: Dice, _number: int) -> Arguments:
    hears = person.link is not None and person.link.has(ANSWERS)
    items = [dice.one_of(BURSTS_WITH_ANSWERS if hears else BURSTS) for _ in range(2 + dice.below(4))]
    # A second UNSUBSCRIBE says nothing new.
    once = [item for place, item in enumerate(items) if item != "unsubscribe" or item not in items[:place]]
    return {"items": ",".join(once), "cut": dice.one_of(CUTS)}


def _other(state: State, person: Person, dice: Dice) -> str:
    others = [name for name in state.people if name != person.name]
    return dice.one_of(others) if others else "-"


def _trespass(state: State, person: Person, dice: Dice, _number: int) -> Arguments:
    return {"other": _other(state, person, dice), "qos": dice.one_of(("0", "1"))}


def _subscribe(_state: State, person: Person, dice: Dice, _number: int) -> Arguments:
    names = [ANSWERS, DESIRED, METHODS] if person.cast.is_module else [DEVICEBOUND, ANSWERS, DESIRED, METHODS]
    # One filter, or nearly all of them; and messages that wait have somebody who hears them.
    wanted = dice.shuffled(names)[: dice.one_of((1, len(names) - 1, len(names)))]
    if DEVICEBOUND not in wanted and any(message.fate == "due" for message in person.queue):
        wanted.append(DEVICEBOUND)
    return {"filters": ",".join(f"{name}:{dice.one_of(('0', '1', '1', '2'))}" for name in wanted)}


def _renew(_state: State, person: Person, dice: Dice, _number: int) -> Arguments:
    had = {} if person.link is None else person.link.subscriptions
    # Nearly always as it was, as a client does that comes back.
    wanted = [(name, str(had[name].qos) if dice.chance(75) else dice.one_of(("0", "1"))) for name in had]
    return {"filters": ",".join(f"{name}:{qos}" for name, qos in dice.shuffled(wanted)) or f"{DEVICEBOUND}:1"}


def _unsubscribe(_state: State, person: Person, dice: Dice, _number: int) -> Arguments:
    names = [ANSWERS, DESIRED, METHODS] if person.cast.is_module else [DEVICEBOUND, ANSWERS, DESIRED, METHODS]
    link = person.link
    there = [name for name in names if link is not None and name in link.subscriptions]
    return {"filters": ",".join(dice.shuffled(there or names)[: 1 + dice.below(2)])}


def _stray(state: State, person: Person, dice: Dice, _number: int) -> Arguments:
    return {
        "filter": dice.one_of(tuple(STRAYS)),
        "other": _other(state, person, dice),
        "qos": dice.one_of(("0", "1")),
    }


def _value(dice: Dice, number: int) -> object:
    kinds: tuple[object, ...] = (
        *(number, -number, number + 0.5, f"v-{number}", f"ü {number}", bool(number % 2)),
        *({"p": number}, {"p": {"q": number}, "r": "s"}, {"q": f"{number}"}, "", {}),
        # What looks like something else, and the largest numbers that are kept.
        *(f"00{number}", "true", "null", "1.0", LARGEST - number, number - LARGEST - 1),
    )
    return dice.one_of(kinds)


def _patched(section: Mapping[str, object], dice: Dice, number: int) -> dict[str, object]:
    patch: dict[str, object] = {}
    for name in dice.shuffled(MEMBERS)[: 1 + dice.below(3)]:
        patch[name] = None if name in section and dice.chance(40) else _value(dice, number)
    return patch


def _reported(_state: State, person: Person, dice: Dice, number: int) -> Arguments:
    return {"qos": dice.one_of(("0", "1")), "patch": compact(_patched(person.twin.reported, dice, number))}


def _report_for(_state: State, person: Person, dice: Dice, number: int) -> Arguments:
    version = dice.one_of(("current", "stale"))
    return {"version": version, "patch": compact(_patched(person.twin.reported, dice, number))}


def _desired(_state: State, person: Person, dice: Dice, number: int) -> Arguments:
    return {"patch": compact(_patched(person.twin.desired, dice, number))}


def _tagged(_state: State, person: Person, dice: Dice, number: int) -> Arguments:
    return {"patch": compact(_patched(person.twin.tags, dice, number))}


def _replaced(_state: State, _person: Person, dice: Dice, number: int) -> Arguments:
    return {"document": compact(_patched({}, dice, number))}


def _get(_state: State, _person: Person, dice: Dice, _number: int) -> Arguments:
    return {
        "qos": dice.one_of(("0", "1")),
        "form": dice.one_of(FORMS),
        "payload": dice.one_of(("empty", "empty", "space", "object")),
    }


def _calls(state: State, *states: str, of: Person | None = None) -> list[str]:
    return [
        call.number
        for call in state.calls.values()
        if call.state in states and (of is None or call.to == of.name)
    ]


def _answer(state: State, person: Person, dice: Dice, _number: int) -> Arguments:
    calls = _calls(state, "heard", of=person)
    return {
        "call": dice.one_of(calls) if calls else "0",
        "status": dice.one_of(STATUSES),
        "payload": dice.one_of((NOTHING, *PAYLOADS)),
        "qos": dice.one_of(("0", "1")),
    }


def _call_of(*states: str, own: bool = True) -> Draw:
    def draw(state: State, person: Person, dice: Dice, _number: int) -> Arguments:
        calls = _calls(state, *states, of=person if own else None)
        return {"call": dice.one_of(calls) if calls else "0"}

    return draw


def _nothing(_state: State, _person: Person, _dice: Dice, _number: int) -> Arguments:
    return {}


def _one(name: str, *values: str) -> Draw:
    return lambda _state, _person, dice, _number: {name: dice.one_of(values)}


DRAWS: Final[Mapping[str, Draw]] = {
    "connect": _connect,
    "fall-silent": _connect,
    "outlive": _connect,
    "refused": _refused,
    "disconnect": _nothing,
    "drop": _one("how", "close", "reset"),
    "ping": _one("count", "1", "2", "3"),
    "break": _one("what", *BREAKS),
    "publish": _publish,
    "burst": _burst,
    "trespass": _trespass,
    "publish-twice-over": _nothing,
    "subscribe": _subscribe,
    "renew": _renew,
    "unsubscribe": _unsubscribe,
    "stray": _stray,
    "send": lambda _state, _person, dice, _number: {
        "size": dice.one_of(MESSAGE_SIZES),
        "properties": dice.one_of(tuple(PROPERTIES)),
    },
    "send-asking": lambda _state, _person, dice, _number: {
        "size": dice.one_of(MESSAGE_SIZES),
        "ack": dice.one_of(ACKS),
    },
    "send-stale": _one("size", *MESSAGE_SIZES),
    "acknowledge": _one("which", "all", "all", "first", "first", "last", "reversed"),
    "await-again": _nothing,
    "purge": _nothing,
    "get": _get,
    "report": _reported,
    "misreport": _one("what", *BAD_PATCHES),
    "report-for": _report_for,
    "desire": _desired,
    "replace": _replaced,
    "misdesire": _one("what", *BAD_CHANGES),
    "tag": _tagged,
    "read": _nothing,
    "call": lambda _state, _person, dice, _number: {
        "name": dice.one_of(NAMES),
        "payload": dice.one_of((NOTHING, *PAYLOADS)),
    },
    "answer": _answer,
    "misanswer": lambda state, person, dice, number: {
        **_call_of("heard")(state, person, dice, number),
        "how": dice.one_of(WRONG_IDS),
    },
    "meddle": _call_of("heard", own=False),
    "lapse": _nothing,
    "answer-late": _call_of("timed out"),
    "disable": _nothing,
    "enable": _nothing,
    "rekey": _nothing,
    "delete": _nothing,
    "create": _nothing,
}
