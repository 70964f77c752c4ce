"""The model: what a hub that keeps to the document owes each client and the back end. Pure.

Written from the document, today's page, the facts and the field's rows alone, before it met any hub; each
rule is in ``rules.toml`` with its sources. The model is told of an action, says what it owes, and learns from
what came where sources leave something open. It never asks for what nobody promises, and counts nothing as a
breach that a source leaves open.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from conformance.explore import (
    model_connections,
    model_identities,
    model_messages,
    model_methods,
    model_publishing,
    model_twins,
)
from conformance.explore.actions import VERBS, Action
from conformance.explore.expectations import Event, Owed, Times
from conformance.explore.plan import Plan
from conformance.explore.state import Cast, Link, Person, State

RULES: Final = Path(__file__).resolve().parent / "rules.toml"

Planner = Callable[[State, Action, Plan, Sequence[Event]], None]
Hindrance = Callable[[State, Action], str]

PLANNERS: Final[Mapping[str, Planner]] = {
    **model_connections.PLANNERS,
    **model_publishing.PLANNERS,
    **model_messages.PLANNERS,
    **model_twins.PLANNERS,
    **model_methods.PLANNERS,
    **model_identities.PLANNERS,
}
HINDRANCES: Final[Mapping[str, Hindrance]] = {
    **model_connections.HINDRANCES,
    **model_publishing.HINDRANCES,
    **model_messages.HINDRANCES,
    **model_twins.HINDRANCES,
    **model_methods.HINDRANCES,
    **model_identities.HINDRANCES,
}
# What an event breaks of which nothing was said. A CONNACK too many and the like are the watch's.
UNEXPECTED: Final = {
    "message": "message-body",
    "answer": "answer-id",
    "desired": "notified",
    "request": "not-queued",
    "puback": "puback",
    "suback": "suback",
    "unsuback": "unsuback",
    "pingresp": "ping",
    "closed": "alive",
    "telemetry": "telemetry-body",
    "result": "result",
    "feedback": "feedback-unasked",
}


@dataclass(frozen=True)
class Rule:
    """A rule of the model, the clause whose breach it is, and what it rests on."""

    name: str
    clause: str
    level: str
    sources: tuple[str, ...]
    says: str


@cache
def rules() -> Mapping[str, Rule]:
    """Return every rule by its name."""
    table = tomllib.loads(RULES.read_text(encoding="utf-8"))
    return {
        name: Rule(name, each["clause"], each["level"], tuple(each["sources"]), each["says"])
        for name, each in table.items()
    }


class Model:
    """The state of a hub as it has to be, from a scenario's identities on."""

    def __init__(self, cast: Sequence[Cast]) -> None:
        self.state = State({each.name: Person(each) for each in cast})
        self._final = Plan()
        self._latest: list[Owed] = []
        self._shaken: set[str] = set()

    def hindrance(self, action: Action) -> str:
        """Say why an action cannot be done now; nothing where it can."""
        if action.who not in self.state.people:
            return f"there is no {action.who}"
        return HINDRANCES[action.verb](self.state, action)

    def plan(self, action: Action, replies: Sequence[Event] = ()) -> Plan:
        """Say what an action owes. `replies` are what the back end was told while it was done.

        An action is planned once, when it is done: the state knows of it from then on.
        """
        plan = Plan()
        PLANNERS[action.verb](self.state, action, plan, replies)
        model_connections.stay(self.state, action, plan)
        self._shaken = plan.shaken & {link.label for link in self.state.links() if not link.shaky}
        model_messages.stand(self.state, action, plan)
        model_methods.stand(self.state, plan)
        self._latest = [each for each in plan.owed if each.kind == "telemetry"]
        # What reaches the back end of telemetry is looked at in the end, in one go.
        for each in plan.owed:
            if each.kind == "telemetry":
                self._final.owed.append(each)
        plan.owed = [each for each in plan.owed if each.kind != "telemetry"]
        self._final.orders += [each for each in plan.orders if each.kind == "telemetry"]
        plan.orders = [each for each in plan.orders if each.kind != "telemetry"]
        return plan

    def lost_by(self, events: Sequence[Event]) -> set[str]:
        """Return the connections that ended because of something before: nothing on them is owed any more."""
        closed = {event.where for event in events if event.kind == "closed"}
        lost = {link.label for link in self.state.links() if link.shaky and link.label in closed}
        return lost - self._shaken

    def learn(self, plan: Plan, events: Sequence[Event]) -> None:
        """Take note of what came."""
        if self.lost_by(events):
            # What was published on them behind that may be lost too.
            self._final.owed = [each for each in self._final.owed if each not in self._latest]
        for event in events:
            if event.kind == "closed":
                ending = plan.endings.get(event.where, "unknown")
                model_connections.end(self.state, event.where, ending, self._final)
            elif event.kind == "message":
                model_messages.delivered(self.state, event)
        for each in plan.then:
            each(events)
        for link in self.state.links():
            link.shaky = link.shaky or link.label in self._shaken

    def give_up(self, calls: Iterable[str]) -> None:
        """Take note that nothing is sure of these calls any more, by number: their callers may have gone."""
        for number in calls:
            call = self.state.calls.get(number)
            if call is not None and call.state in {"called", "heard"}:
                call.state = "lost"

    def wills_due(self) -> list[Owed]:
        """Return the Wills that the action planned last has to bring."""
        return [each for each in self._latest if each.times is Times.ONCE]

    def gets_in(self, who: str) -> bool:
        """Tell whether somebody would get a session now."""
        person = self.state.people[who]
        device = self.state.people[person.cast.device]
        return person.exists and device.exists and person.enabled and device.enabled

    def last_link(self, who: str) -> Link | None:
        """Return somebody's last connection; the end of a scenario says nothing of it any more."""
        return self.state.people[who].link

    def final(self) -> Plan:
        """Say what has to be true in the end: all telemetry, each Will, and every twin."""
        for link in list(self.state.links()):
            model_connections.end(self.state, link.label, "taken over", self._final)
        model_publishing.in_order(self.state, self._final)
        model_twins.finally_read(self.state, self._final)
        model_messages.finally_told(self.state, self._final)
        return self._final


def unexpected_rule(event: Event) -> str | None:
    """Return the rule that an event breaks of which nothing was said; None if another one sees to it."""
    return UNEXPECTED.get(event.kind)


def needs_of(actions: Sequence[Action], cast: Sequence[Cast]) -> list[str]:
    """Return the capabilities that these actions of these identities need, by name."""
    needs = {need for action in actions for need in VERBS[action.verb].needs}
    if any("get" in action.arguments.get("items", "").split(",") for action in actions):
        needs |= {"twin", "registry"}
    for action in actions:
        if action.arguments.get("over") == "ws":
            needs.add("websocket")
        if action.arguments.get("filters", "") and any(
            word.partition(":")[0] == "devicebound" for word in action["filters"].split(",")
        ):
            needs |= {"c2d"}
    certified = {each.name for each in cast if each.is_certified}
    if any(action.who in certified and action.arguments.get("over") == "ws" for action in actions):
        needs.add("x509-over-websocket")
    for each in cast:
        if each.is_module:
            needs |= {"modules", "registry", *(("x509-modules",) if each.is_certified else ())}
        if each.is_certified:
            needs |= {"x509" if each.credential == "thumbprint" else "x509-ca", "registry"}
    return sorted(needs)


def due(plan: Plan) -> list[Owed]:
    """Return what has to come."""
    return [each for each in plan.owed if each.times.is_due]


__all__ = ["Model", "Rule", "Times", "due", "needs_of", "rules", "unexpected_rule"]
