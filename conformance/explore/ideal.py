"""A hub in thought: what the model owes comes, once and in order, and nothing else. Pure.

It lets scenarios be drawn whole before any hub is touched, and shows that the model agrees with itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from conformance.explore.actions import Action
from conformance.explore.expectations import Comparison, Event, Times, compare
from conformance.explore.model import Model
from conformance.explore.plan import Plan

Change = Callable[[Action, list[Event]], list[Event]]


def events_of(plan: Plan) -> list[Event]:
    """Return what an ideal hub brings of a plan."""
    events: list[Event] = []
    for owed in plan.owed:
        if not owed.times.is_due:
            continue
        values = {part.name: part.accepted.example() for part in owed.parts}
        events.append(Event(owed.where, owed.kind, owed.key, values))
        if values.get("outcome") == "closed":
            events.append(Event(owed.where, "closed"))
    return [_with_more(event, plan) for event in events]


def _with_more(event: Event, plan: Plan) -> Event:
    """Return an event with what else is said of it: parts that not every hub has to show."""
    more = {
        part.name: part.accepted.example()
        for owed in plan.owed
        if owed.times is Times.ANY and owed.key and owed.meets(event)
        for part in owed.parts
    }
    return replace(event, values={**more, **event.values})


def play(model: Model, action: Action, change: Change | None = None) -> Comparison | None:
    """Play an action; None where it cannot be done. `change` makes the hub a wrong one."""
    if model.hindrance(action):
        return None
    plan = model.plan(action)
    events = events_of(plan)
    if change is not None:
        events = change(action, events)
    compared = compare(plan.owed, plan.orders, events)
    model.learn(plan, events)
    return compared


def advance(model: Model, action: Action) -> None:
    """Let an action that can be done be done, and hold nothing against anything."""
    plan = model.plan(action)
    model.learn(plan, events_of(plan))


def finish(model: Model, change: Callable[[list[Event]], list[Event]] | None = None) -> Comparison:
    """Play the end of a scenario."""
    plan = model.final()
    events = events_of(plan)
    return compare(plan.owed, plan.orders, events if change is None else change(events))


def play_all(model: Model, actions: Sequence[Action]) -> list[Comparison]:
    """Play actions and the end behind them; those that cannot be done are left out."""
    played = [play(model, action) for action in actions]
    return [*(each for each in played if each is not None), finish(model)]
