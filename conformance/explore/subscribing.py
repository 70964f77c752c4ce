"""The model's rules of SUBSCRIBE and UNSUBSCRIBE. Pure."""

from collections.abc import Sequence
from typing import Final

from conformance.explore.actions import Action
from conformance.explore.corpus import STRAYS
from conformance.explore.expectations import Event, OneOf, Part, Times
from conformance.explore.model_connections import connected
from conformance.explore.plan import Plan
from conformance.explore.state import (
    ANSWERS,
    DESIRED,
    DEVICEBOUND,
    DOCUMENTED,
    METHODS,
    Link,
    Person,
    State,
    Subscription,
)

REFUSED: Final = 128
GRANTED: Final = {
    DEVICEBOUND: "granted",
    ANSWERS: "granted-answers",
    DESIRED: "granted-desired",
    METHODS: "granted-methods",
}


def filters_of(text: str) -> list[tuple[str, int]]:
    """Read ``devicebound:1,answers:0``."""
    words = (word.partition(":") for word in text.split(","))
    return [(name, int(qos)) for name, _, qos in words]


def _current(state: State, action: Action) -> tuple[Person, Link]:
    person = state.people[action.who]
    if person.link is None:
        raise AssertionError("an action that can be done has its connection")
    return person, person.link


def _subscribe(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    person, link = _current(state, action)
    wanted = filters_of(action["filters"])
    parts = [Part("count", OneOf((len(wanted),)), "suback")]
    for place, (name, qos) in enumerate(wanted, 1):
        granted = min(qos, 1)
        codes = (granted,) if name == DEVICEBOUND or not granted else (granted, 0)
        parts.append(Part(f"code {place}", OneOf(codes), GRANTED[name]))
        new = name not in link.subscriptions
        link.subscriptions[name] = Subscription(granted, again=not new)
        link.unsubscribed.discard(name)
        if name == DEVICEBOUND:
            person.ever_subscribed = True
        elif new and name == DESIRED:
            plan.never(link.label, "desired", "", "notified-connected")
        elif new and name == METHODS:
            plan.never(link.label, "request", "", "not-queued")
    plan.owe(link.label, "suback", action.id, Times.ONCE, "suback", *parts)

    def note(events: Sequence[Event]) -> None:
        for event in events:
            if (event.where, event.kind, event.key) == (link.label, "suback", action.id):
                _note_codes(link, wanted, event)

    plan.then.append(note)


def _note_codes(link: Link, wanted: Sequence[tuple[str, int]], suback: Event) -> None:
    for place, (name, _) in enumerate(wanted, 1):
        code = suback.values.get(f"code {place}")
        if code in {0, 1} and isinstance(code, int):
            link.subscriptions[name].qos = code
        else:
            link.subscriptions.pop(name, None)
            link.wild = True  # what a hub makes of a subscription that it refused, nobody knows


def _subscribable(state: State, action: Action) -> str:
    names = [name for name, _ in filters_of(action["filters"])]
    if unknown := [name for name in names if name not in DOCUMENTED]:
        return f"{unknown[0]} is no documented filter"
    if state.people[action.who].cast.is_module and DEVICEBOUND in names:
        return f"{action.who} is a module, to which no messages are sent"
    return connected(state, action)


def _renewable(state: State, action: Action) -> str:
    hindrance = _subscribable(state, action)
    link = state.people[action.who].link
    if hindrance or link is None:
        return hindrance
    names = [name for name, _ in filters_of(action["filters"])]
    if link.clean or link.wild or any(name not in link.subscriptions for name in names):
        return f"{action.who} has no session with these filters"
    return ""


def _unsubscribe(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    _, link = _current(state, action)
    unsubscribed(link, plan, action.id, action["filters"].split(","))


def unsubscribed(link: Link, plan: Plan, number: str, names: Sequence[str]) -> None:
    """Take note that an UNSUBSCRIBE from these filters was sent."""
    for name in names:
        link.subscriptions.pop(name, None)
        link.unsubscribed.add(name)
    plan.owe(link.label, "unsuback", number, Times.ONCE, "unsuback")


def _unsubscribable(state: State, action: Action) -> str:
    if unknown := [name for name in action["filters"].split(",") if name not in DOCUMENTED]:
        return f"{unknown[0]} is no documented filter"
    link = state.people[action.who].link
    if link is not None and link.wild:
        return f"another filter of {action.who} may bring the same"
    return connected(state, action)


def _stray(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    _, link = _current(state, action)
    code = Part("code 1", OneOf((REFUSED, 0, 1)), "undocumented-filter")
    plan.owe(link.label, "suback", action.id, Times.AT_MOST_ONCE, "suback", code)
    outcome = Part("outcome", OneOf(("suback", "closed")), "undocumented-filter")
    plan.owe(link.label, "outcome", action.id, Times.ONCE, "undocumented-filter", outcome)
    plan.may_end(link.label, "unknown", "undocumented-filter")
    link.wild = link.wild or STRAYS[action["filter"]][1]


def _strayable(state: State, action: Action) -> str:
    if action["other"] not in state.people or action["other"] == action.who:
        return "there is no such other identity"
    return connected(state, action)


PLANNERS: Final = {
    "subscribe": _subscribe,
    "renew": _subscribe,
    "unsubscribe": _unsubscribe,
    "stray": _stray,
}
HINDRANCES: Final = {
    "subscribe": _subscribable,
    "renew": _renewable,
    "unsubscribe": _unsubscribable,
    "stray": _strayable,
}
