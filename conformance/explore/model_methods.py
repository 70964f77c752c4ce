"""The model's rules of direct methods: who is called, and what the caller gets. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from conformance.explore.actions import Action
from conformance.explore.expectations import Event, NoneOf, OneOf, Part, Times, Until
from conformance.explore.model_connections import connected
from conformance.explore.plan import Plan
from conformance.explore.state import METHODS, Call, Link, Person, State

NOTHING: Final = "-"
# How a request id is wrong that resembles the right one, or does not.
WRONG_IDS: Final = ("other", "longer", "shorter", "zero")


# What a method may be called (Microsoft, "Understand and invoke direct methods from IoT Hub"): the name ends
# with the number of its action. A command of a component has a star in it (Microsoft, "IoT Plug and Play
# device developer guide").
METHOD_NAMES: Final[Mapping[str, str]] = {
    "plain": "m",
    "capital": "M",
    "underscores": "_m_",
    "long": f"m{'x' * 90}y",
    "component": "part1*m",
    "other-component": "Part_1*M",
}


def method_of(number: str, form: str) -> str:
    """Return the name of the method that an action calls."""
    return f"{METHOD_NAMES[form]}{number}"


def wrong_id(request_id: str, how: str) -> str:
    """Return a request id that is not this one."""
    return {
        "other": f"none-{request_id}",
        "longer": f"{request_id}0",
        "shorter": request_id[:-1] or "none",
        "zero": f"0{request_id}",
    }[how]


def _link_of(person: Person) -> Link | None:
    return person.link if person.link is not None and person.link.open else None


# -- what can be done


def _callable(state: State, action: Action) -> str:
    person = state.people[action.who]
    link = _link_of(person)
    if not person.exists or link is None:
        return ""
    if link.doomed:
        return f"the hub may drop {action.who} at any time"
    sure = link.has(METHODS) or not link.may_have(METHODS)
    return "" if sure and not link.wild else f"whether {action.who} hears calls is not known"


def _lapsable(state: State, action: Action) -> str:
    hindrance = connected(state, action)
    link = state.people[action.who].link
    if hindrance or link is None:
        return hindrance
    return "" if link.has(METHODS) and not link.wild else f"{action.who} has not subscribed to calls"


def _answerable(state: State, action: Action) -> str:
    call = state.calls.get(action["call"])
    wanted = "timed out" if action.verb == "answer-late" else "heard"
    if call is None or call.to != action.who or call.state != wanted or not call.request_id:
        return f"{action.who} has no such call"
    link = _link_of(state.people[action.who])
    if link is None or link.label != call.label:
        return f"{action.who} has lost the connection on which it was called"
    if action.verb == "misanswer":
        wrong = wrong_id(call.request_id, action["how"])
        if any(each.request_id == wrong for each in state.calls.values() if each.to == action.who):
            return f"{wrong} is the request id of another call of {action.who}"
    return connected(state, action)


def _meddlesome(state: State, action: Action) -> str:
    call = state.calls.get(action["call"])
    if call is None or call.to == action.who or call.state != "heard" or not call.request_id:
        return "there is no such call of another identity"
    own = [each for each in state.calls.values() if each.to == action.who]
    # Request ids are a connection's own: one of its own calls may have the very same.
    if any(each.request_id == call.request_id or not each.request_id for each in own):
        return f"{action.who} may have a call with that request id"
    return connected(state, action)


# -- what is owed


def _call(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    person = state.people[action.who]
    link = _link_of(person)
    if not person.exists or link is None or not link.has(METHODS):
        rule = "offline" if link is None else "not-subscribed"
        if not person.exists:
            rule = "unknown-callee"
        outcome = Part("outcome", OneOf(("404",)), rule)
        plan.back_end("result", action.id, Times.ONCE, rule, outcome)
        _heard_by_no_other(state, action.id, "", plan)
        return
    state.calls[action.id] = Call(action.id, action.who, link.label)
    _requested(state, action.id, action["payload"], link, plan, action["name"])


def _requested(state: State, number: str, payload: str, link: Link, plan: Plan, form: str = "plain") -> None:
    person = state.people[link.who]
    others = {each.request_id for each in state.calls.values() if each.label == link.label} - {""}
    # What a device gets of null, sources differ (F17): null, or nothing.
    rule = {NOTHING: "request-empty", "null": "request-null"}.get(payload, "request-body")
    bodies: tuple[object, ...] = (
        ({"json": json.loads(payload)},) if rule == "request-body" else ({}, {"json": None})
    )
    plan.owe(
        link.label,
        "request",
        number,
        Times.ONCE,
        "request-of-module" if person.cast.is_module else "request",
        Part("name", OneOf((method_of(number, form),)), _rule_of_name(form)),
        Part("body", OneOf(bodies), rule),
        Part("request id", NoneOf(frozenset(others)), "request-ids-differ"),
    )
    _heard_by_no_other(state, number, link.label, plan)

    def note(events: Sequence[Event]) -> None:
        call = state.calls[number]
        for event in events:
            if (event.where, event.kind, event.key) == (link.label, "request", number):
                call.request_id = str(event.values.get("request id", ""))
                call.state = "heard" if call.state == "called" else call.state

    plan.then.append(note)


def _rule_of_name(form: str) -> str:
    return "request-of-component" if form.endswith("component") else "request-name"


def _heard_by_no_other(state: State, number: str, label: str, plan: Plan) -> None:
    for link in state.links():
        if link.label != label and not link.doomed:
            plan.never(link.label, "request", number, "request-own")


def _answer(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    call = state.calls[action["call"]]
    others = [each for each in state.calls.values() if each.state == "heard" and each is not call]
    outcome = Part("outcome", OneOf((f"status {action['status']}",)), "result-status")
    rule = "result-concurrent" if others else "result"
    parts = [outcome]
    if action["payload"] != NOTHING:
        value = {"json": json.loads(action["payload"])}
        parts.append(Part("payload", OneOf((value,)), "result-body"))
    plan.back_end("result", call.number, Times.ONCE, rule, *parts)
    if action["qos"] == "1":
        plan.owe(call.label, "puback", action.id, Times.ONCE, "result-acknowledged")
    call.state = "answered"


def _misanswer(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    plan.back_end("result", state.calls[action["call"]].number, Times.NEVER, "result-own-id")


def _meddle(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    plan.back_end("result", state.calls[action["call"]].number, Times.NEVER, "result-own-device")


def _lapse(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    link = state.people[action.who].link
    if link is None:
        raise AssertionError("who lets a call time out is connected")
    state.calls[action.id] = Call(action.id, action.who, link.label, state="timed out")
    _requested(state, action.id, NOTHING, link, plan)
    outcome = Part("outcome", OneOf(("504",)), "timed-out")
    plan.back_end("result", action.id, Times.ONCE, "timed-out", outcome, until=Until.METHOD)


def _answer_late(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    call = state.calls[action["call"]]
    plan.back_end("result", call.number, Times.NEVER, "late-answer")
    call.state = "answered"


def stand(state: State, plan: Plan) -> None:
    """Let calls whose connection is gone come to an end at any time: methods.connection-lost."""
    open_labels = {link.label for link in state.links() if not link.doomed}
    for call in state.calls.values():
        if call.state in {"called", "heard"} and call.label not in open_labels:
            call.state = "lost"
        if call.state == "lost":
            plan.back_end("result", call.number, Times.ANY, "result")


PLANNERS: Final = {
    "call": _call,
    "answer": _answer,
    "misanswer": _misanswer,
    "meddle": _meddle,
    "lapse": _lapse,
    "answer-late": _answer_late,
}
HINDRANCES: Final = {
    "call": _callable,
    "answer": _answerable,
    "misanswer": _answerable,
    "meddle": _meddlesome,
    "lapse": _lapsable,
    "answer-late": _answerable,
}
