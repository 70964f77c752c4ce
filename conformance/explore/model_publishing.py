"""The model's rules of what devices publish: acknowledgements, and what reaches the back end. Pure."""

from collections.abc import Sequence
from typing import Final

from conformance.explore.actions import Action
from conformance.explore.corpus import BAGS, COMPONENT
from conformance.explore.expectations import BACK_END, Event, Holding, OneOf, Order, Part, Times
from conformance.explore.model_connections import connected
from conformance.explore.model_twins import askable, got, request_id
from conformance.explore.plan import Plan
from conformance.explore.state import Link, Person, State
from conformance.explore.subscribing import HINDRANCES as SUBSCRIBING_HINDRANCES
from conformance.explore.subscribing import PLANNERS as SUBSCRIBING_PLANNERS
from conformance.explore.subscribing import unsubscribed

RETAINED: Final = frozenset({"x-opt-retain", "mqtt-retain"})
# A device that resends may have left a mark: d2c.dup-property.
RESENT: Final = frozenset({"mqtt-dup"})


def _link(state: State, action: Action) -> Link:
    link = state.people[action.who].link
    if link is None:
        raise AssertionError("an action that can be done has its connection")
    return link


def _publish(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    link = _link(state, action)
    qos = int(action["qos"])
    if qos:
        rule = "puback-of-resend" if action.flag("dup") else "puback"
        plan.owe(link.label, "puback", action.id, Times.ONCE, rule)
        state.published.setdefault(action.who, []).append(action.id)
    _cut(plan, link, action["cut"])
    reaches(
        state.people[action.who],
        link,
        plan,
        action.id,
        bag=action["bag"],
        retain=action.flag("retain"),
        dup=action.flag("dup"),
        size=int(action["size"]),
    )


def reaches(
    person: Person,
    link: Link,
    plan: Plan,
    number: str,
    *,
    bag: str = "none",
    retain: bool = False,
    dup: bool = False,
    size: int = 0,
) -> None:
    """Owe the back end a message that was published."""
    text = BAGS[bag]
    rule = "telemetry-of-module" if person.cast.is_module else "telemetry"
    if link.over == "ws" and not person.cast.is_module:
        rule = "telemetry-over-websocket"
    besides = (RETAINED if retain else frozenset()) | (RESENT if dup else frozenset())
    own = {name: OneOf((value,)) for name, value in text.properties.items()}
    # What the name of a component means of a device that has announced no model, no source says.
    unsaid = frozenset({COMPONENT}) if text.component else frozenset()
    properties = Holding(own, only=True, besides=besides | unsaid)
    parts = [
        Part("sender", OneOf((person.name,)), "telemetry-stamped"),
        Part("source", OneOf(("Telemetry",)), "telemetry-stamped"),
        Part("scope", OneOf(("module" if person.cast.is_module else "device",)), "telemetry-stamped"),
        Part("body", OneOf((number,)), "telemetry-body"),
        # A body has its number, whatever size is asked for.
        Part("size", OneOf((max(size, len(number) + 1),)), "telemetry-body"),
        Part("properties", properties, text.rule),
    ]
    if person.cast.credential == "sas":
        # How a certificate is called, sources differ: x509.auth-method.
        parts.append(Part("type", OneOf(("sas",)), "telemetry-stamped"))
    if text.system:
        system = Holding({name: OneOf((value,)) for name, value in text.system.items()})
        parts.append(Part("system", system, "telemetry-system"))
    if retain:
        parts.append(Part("retain", OneOf(("mqtt-retain", "x-opt-retain")), "telemetry-retain"))
    plan.owe(BACK_END, "telemetry", number, Times.AT_LEAST_ONCE, rule, *parts, needs=("telemetry",))
    _names_its_model(person, link, plan, number, text.component, Holding(own, only=True, besides=besides))


def _names_its_model(
    person: Person, link: Link, plan: Plan, number: str, component: str, properties: Holding
) -> None:
    """Owe a message the model of its connection, and that of nobody else."""
    if person.has_announced and not link.model:
        return  # whether a model that an earlier connection announced goes on, no source says
    parts = [Part("model", OneOf((link.model or None,)), "telemetry-model")]
    # A device of a profile's own may have announced one in an earlier scenario.
    needs = ("telemetry", "model-id", *(() if link.model else ("registry",)))
    if link.model and component:
        parts.append(Part("component", OneOf((component,)), "telemetry-component"))
        parts.append(Part("properties", properties, "telemetry-component"))
    plan.owe(BACK_END, "telemetry", number, Times.ANY, "telemetry-model", *parts, needs=needs)


def _cut(plan: Plan, link: Link, cut: str) -> None:
    if cut != "whole":
        # Nothing comes of a cut but what comes without one: a PINGRESP says that all was read.
        rule = "any-frame" if link.over == "ws" else "any-cut"
        plan.owe(link.label, "fence", "", Times.ONCE, rule)


def _burst(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    link = _link(state, action)
    person = state.people[action.who]
    for place, item in enumerate(action["items"].split(","), 1):
        number = f"{action.id}.{place}"
        match item:
            case "ping":
                pings = sum(each.kind == "pingresp" for each in plan.owed)
                plan.owe(link.label, "pingresp", str(pings + 1), Times.ONCE, "ping")
            case "unsubscribe":
                unsubscribed(link, plan, number, ["methods"])
            case "get":
                got(state, person, link, plan, request_id(number, "dash"))
            case _:
                if item == "publish-1":
                    plan.owe(link.label, "puback", number, Times.ONCE, "puback")
                reaches(person, link, plan, number)
    _cut(plan, link, action["cut"])


def _burstable(state: State, action: Action) -> str:
    asks = "get" in action["items"].split(",")
    return askable(state, action) if asks else connected(state, action)


def _trespass(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    link = _link(state, action)
    plan.may_end(link.label, "unknown", "foreign-never-theirs")
    if action["qos"] == "1":
        link.loose.add(("puback", action.id))
    mine = Part("sender", OneOf((action.who,)), "foreign-never-theirs")
    plan.owe(BACK_END, "telemetry", action.id, Times.ANY, "foreign-never-theirs", mine, needs=("telemetry",))
    _reaches_no_other(state, action, plan)


def _reaches_no_other(state: State, action: Action, plan: Plan) -> None:
    for link in state.links():
        if link.who != action.who:
            plan.never(link.label, "message", action.id, "no-device-to-device")


def _trespassable(state: State, action: Action) -> str:
    if action["other"] not in state.people or action["other"] == action.who:
        return "there is no such other identity"
    return connected(state, action)


def _publish_twice_over(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    link = _link(state, action)
    # Closed or acknowledged: one of them has to come, and nothing of QoS 2.
    plan.owe(
        link.label,
        "outcome",
        action.id,
        Times.ONCE,
        "qos-2",
        Part("outcome", OneOf(("closed", "puback")), "qos-2"),
    )
    plan.may_end(link.label, "unknown", "qos-2")
    link.loose.add(("puback", action.id))
    plan.owe(BACK_END, "telemetry", action.id, Times.ANY, "qos-2", needs=("telemetry",))


def in_order(state: State, plan: Plan) -> None:
    """Owe in order what was acknowledged one before the next."""
    for numbers in state.published.values():
        plan.orders.append(Order(BACK_END, "telemetry", tuple(numbers), "telemetry-order", "telemetry"))


PLANNERS: Final = {
    "publish": _publish,
    "burst": _burst,
    "trespass": _trespass,
    "publish-twice-over": _publish_twice_over,
    **SUBSCRIBING_PLANNERS,
}
HINDRANCES: Final = {
    "publish": connected,
    "burst": _burstable,
    "trespass": _trespassable,
    "publish-twice-over": connected,
    **SUBSCRIBING_HINDRANCES,
}
