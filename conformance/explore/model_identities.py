"""The model's rules of identities that are disabled, deleted, made again or given new keys. Pure.

What becomes of a connection that is open then, no source says for sure: connection.changed-under-way.
"""

from collections.abc import Sequence
from typing import Final

from conformance.explore.actions import Action
from conformance.explore.expectations import Event
from conformance.explore.plan import Plan
from conformance.explore.state import DOCUMENTED, Person, State, Subscription, TwinState


def _here(state: State, action: Action) -> str:
    person = state.people[action.who]
    if not person.exists:
        return f"{action.who} is deleted"
    # The suite changes devices alone, and keys alone.
    if person.cast.is_module:
        return f"{action.who} is a module"
    if action.verb == "rekey" and person.cast.credential != "sas":
        return f"{action.who} has no keys"
    if action.verb in {"disable", "rekey"} and not person.enabled:
        return f"{action.who} is disabled"
    return f"{action.who} is enabled" if action.verb == "enable" and person.enabled else ""


def _gone(state: State, action: Action) -> str:
    person = state.people[action.who]
    if person.cast.is_module or person.cast.credential != "sas":
        return f"{action.who} is not made again"
    return f"{action.who} is there" if person.exists else ""


def _doom(state: State, person: Person) -> None:
    family = [person, *(state.modules_of(person.name) if not person.cast.is_module else ())]
    for each in family:
        if each.link is not None and each.link.open:
            each.link.doomed = True


def _disable(state: State, action: Action, _plan: Plan, _replies: Sequence[Event]) -> None:
    person = state.people[action.who]
    person.enabled = False
    _doom(state, person)


def _enable(state: State, action: Action, _plan: Plan, _replies: Sequence[Event]) -> None:
    person = state.people[action.who]
    person.enabled, person.was_disabled = True, True


def _rekey(state: State, action: Action, _plan: Plan, _replies: Sequence[Event]) -> None:
    person = state.people[action.who]
    person.keys += 1
    _doom(state, person)


def _delete(state: State, action: Action, _plan: Plan, _replies: Sequence[Event]) -> None:
    person = state.people[action.who]
    _doom(state, person)
    for each in (person, *state.modules_of(person.name)):
        each.exists = False
        for message in each.queue:
            if message.fate == "due":
                message.fate = "open"


def _create(state: State, action: Action, _plan: Plan, _replies: Sequence[Event]) -> None:
    person = state.people[action.who]
    person.exists, person.enabled = True, True
    person.keys += 1
    # What is left of the one before, no source says.
    person.twin = TwinState(unsure={"desired", "reported", "tags"}, models=frozenset())
    person.kept = {name: Subscription(1, "maybe") for name in DOCUMENTED}


PLANNERS: Final = {
    "disable": _disable,
    "enable": _enable,
    "rekey": _rekey,
    "delete": _delete,
    "create": _create,
}
HINDRANCES: Final = {
    "disable": _here,
    "enable": _here,
    "rekey": _here,
    "delete": _here,
    "create": _gone,
}
