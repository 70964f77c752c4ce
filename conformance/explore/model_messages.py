"""The model's rules of messages to devices: who gets which, when, how often and in which order. Pure."""

from collections.abc import Sequence
from typing import Final

from conformance.explore.actions import Action
from conformance.explore.corpus import MESSAGE_ID, OWN_PROPERTIES, PROPERTIES
from conformance.explore.expectations import BACK_END, Event, Holding, OneOf, Order, Part, Times, Until
from conformance.explore.model_connections import connected
from conformance.explore.plan import Plan
from conformance.explore.state import DEVICEBOUND, Link, Message, Person, State

# A hub takes 50 messages for a device; a scenario stays far below.
MOST: Final = 20


# -- what can be done


def _sendable(state: State, action: Action) -> str:
    person = state.people[action.who]
    if person.cast.is_module:
        return f"{action.who} is a module, to which no messages are sent"
    if not person.exists or not person.enabled:
        return f"{action.who} is not there"
    return "too many messages" if len(person.queue) >= MOST else ""


def _stale(state: State, action: Action) -> str:
    """While it lives nobody may hear it: neither a connection nor one that takes its subscription over."""
    person = state.people[action.who]
    link = person.link
    if link is not None and link.open and (link.doomed or link.may_have(DEVICEBOUND)):
        return f"{action.who} may hear it"
    return _sendable(state, action)


def _acknowledgeable(state: State, action: Action) -> str:
    hindrance = connected(state, action)
    link = state.people[action.who].link
    if hindrance or link is None:
        return hindrance
    if not link.held:
        return f"{action.who} holds no message"
    if action["which"] in {"last", "reversed"} and len(link.held) < 2:  # noqa: PLR2004 - an order is of two
        return f"{action.who} holds one message alone"
    return ""


def _lost(person: Person) -> list[Message]:
    return [message for message in person.queue if message.locked and message.fate == "due"]


def _awaitable(state: State, action: Action) -> str:
    hindrance = connected(state, action)
    person = state.people[action.who]
    if hindrance or person.link is None:
        return hindrance
    if not person.link.has(DEVICEBOUND):
        return f"{action.who} has not subscribed to its messages"
    if person.link.subscriptions[DEVICEBOUND].qos == 0:
        return f"{action.who} is given messages without acknowledgement"
    return "" if _lost(person) else f"no message of {action.who} is lost"


def _purgeable(state: State, action: Action) -> str:
    person = state.people[action.who]
    return "" if person.exists and not person.cast.is_module else f"{action.who} has no queue"


# -- what is owed


def _send(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    person = state.people[action.who]
    properties = action.arguments.get("properties", "none")
    message = Message(action.id, action.who, int(action["size"]), properties)
    message.ack = action.arguments.get("ack", "")
    link = person.link if person.link is not None and person.link.open else None
    message.alone = link is None
    if link is None:
        kept = (person.kept or {}).get(DEVICEBOUND)
        message.sent_while = "away"
        message.fate = "due" if kept is not None and kept.sure == "yes" else "open"
    elif not link.doomed and not link.wild and is_left(link):
        # Delivered as it is, or once the subscription was repeated: session.subscription-persists.
        message.sent_while = "back"
    elif link.doomed or not link.has(DEVICEBOUND):
        message.sent_while = "deaf"
        message.fate = "open"
    person.queue.append(message)
    taken = Part("outcome", OneOf(("accepted",)), "message-taken")
    plan.back_end("sent", action.id, Times.ONCE, "message-taken", taken)


def is_left(link: Link) -> bool:
    """Tell whether a session goes on whose subscription was surely there, and was not renewed."""
    subscription = link.subscriptions.get(DEVICEBOUND)
    return subscription is not None and subscription.sure == "maybe" and subscription.left


def _send_stale(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    message = Message(action.id, action.who, int(action["size"]), "none")
    message.fate, message.why_gone = "gone", "message-expired"
    state.people[action.who].queue.append(message)
    taken = Part("outcome", OneOf(("accepted",)), "message-taken")
    plan.back_end("sent", action.id, Times.ONCE, "message-taken", taken)


def _acknowledge(state: State, action: Action, plan: Plan, replies: Sequence[Event]) -> None:
    person = state.people[action.who]
    link = person.link
    if link is None:
        raise AssertionError("who acknowledges is connected")
    numbers = chosen(link, action["which"])
    in_order = numbers == link.held[: len(numbers)]
    late = {event.key for event in replies if event.kind == "late"}
    if not in_order:
        # Microsoft's clients call an order of their own an error of the client: c2d.ack-order.
        plan.may_end(link.label, "unknown", "alive")

    def note(events: Sequence[Event]) -> None:
        again = {event.key for event in events if event.kind == "message"}
        for number in numbers:
            message = person.message(number)
            if number in link.held:
                link.held.remove(number)
            if message is None or message.fate == "gone":
                continue
            sure = link.open and number not in again and number not in late
            message.fate = "gone" if sure else "open"
            message.settled = "acknowledged" if sure and not message.locked_in_a_purge else ""
            message.why_gone = "message-done-over-websocket" if link.over == "ws" else "message-done"

    plan.then.append(note)


def chosen(link: Link, which: str) -> list[str]:
    """Return the numbers of the messages that are acknowledged, in the order of their PUBACKs."""
    held = list(link.held)
    return {"all": held, "first": held[:1], "last": held[-1:], "reversed": held[::-1]}[which]


def _await_again(_state: State, _action: Action, _plan: Plan, _replies: Sequence[Event]) -> None:
    """Messages that were lost come again: `stand` says so."""


def _purge(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    person = state.people[action.who]
    plan.back_end("purged", action.id, Times.ONCE, "message-purged")
    for message in person.queue:
        if message.fate == "gone":
            continue
        # One that was given out is locked: what a purge does to it, no source says.
        is_locked = message.seen or message.sent_while == "back"
        if not is_locked and (message.fate == "due" or message.alone):
            message.settled = "purged"
        message.fate, message.locked_in_a_purge = ("open", True) if is_locked else ("gone", False)
        message.why_gone = "message-purged"


def stand(state: State, action: Action, plan: Plan) -> None:
    """Say of each message, for each connection, whether it comes."""
    for link in state.links():
        if link.doomed:
            continue
        for person in state.people.values():
            for message in person.queue:
                if person.name == link.who:
                    _own(person, link, message, action, plan)
                else:
                    plan.never(link.label, "message", message.number, "message-own")
        _in_order(state.people[link.who], link, plan)


def _own(person: Person, link: Link, message: Message, action: Action, plan: Plan) -> None:
    again = action.verb == "await-again" and action.who == person.name and message.locked
    if message.fate == "gone":
        plan.never(link.label, "message", message.number, message.why_gone)
    elif link.wild:
        _may(person, link, message, plan, Times.ANY)
    elif DEVICEBOUND not in link.subscriptions:
        if message.number in link.held or (message.seen and not link.clean):
            _may(person, link, message, plan, Times.ANY)
        else:
            plan.never(link.label, "message", message.number, _silence(person, link))
    elif not link.has(DEVICEBOUND) or message.fate == "open" or (message.seen and not again):
        _may(person, link, message, plan, Times.ANY)
    else:
        qos = link.subscriptions[DEVICEBOUND].qos
        times = Times.ONCE if qos == 0 else Times.AT_LEAST_ONCE
        _may(person, link, message, plan, times, again=again)


def _may(
    person: Person, link: Link, message: Message, plan: Plan, times: Times, *, again: bool = False
) -> None:
    properties = PROPERTIES[message.properties]
    # A message of whose fate somebody wants to hear has an id that only it has.
    bag = {**properties.bag, MESSAGE_ID: f"{person.name}-{message.number}"} if message.ack else properties.bag
    parts = [
        Part("addressee", OneOf((person.name,)), "message-topic"),
        Part("body", OneOf((message.number,)), "message-body"),
        Part("size", OneOf((message.size,)), "message-body"),
        Part("retain", OneOf((False,)), "message-retain"),
        Part("properties", Holding({k: OneOf((v,)) for k, v in bag.items()}), properties.rule),
        Part(
            "names",
            Holding(dict.fromkeys(bag, OneOf((True,))), only=True, besides=OWN_PROPERTIES),
            "message-contents",
        ),
    ]
    subscription = link.subscriptions.get(DEVICEBOUND)
    if subscription is not None and not link.wild:
        # Where a subscription was kept, so was its QoS, or it is not known: at most that.
        qos = (subscription.qos,) if subscription.sure == "yes" else (subscription.qos, 0)
        rule = "message-qos-again" if subscription.again else "message-qos"
        parts.append(Part("qos", OneOf(qos), rule))
    rule = "message-again" if again else "message"
    if not again and message.sent_while == "away":
        rule = "message-pending"
    elif not again and message.sent_while == "back":
        rule = "message-renewed"
    elif not again and link.over == "ws":
        rule = "message-over-websocket"
    plan.owe(
        link.label,
        "message",
        message.number,
        times,
        rule,
        *parts,
        until=Until.LOCK if again else Until.REACTION,
    )


def _silence(person: Person, link: Link) -> str:
    if DEVICEBOUND in link.unsubscribed:
        return "message-unsubscribed"
    if link.clean:
        return "message-clean-is-silent" if person.ever_subscribed else "message-not-before-subscribe"
    if DEVICEBOUND in person.was_unsubscribed:
        return "message-stays-unsubscribed"
    return "message-clean-forgets" if person.ever_subscribed else "message-not-before-subscribe"


def _in_order(person: Person, link: Link, plan: Plan) -> None:
    waiting = [message for message in person.queue if not message.seen and message.fate != "gone"]
    if len(waiting) > 1:
        away = any(message.sent_while == "away" for message in waiting)
        numbers = tuple(message.number for message in waiting)
        rule = "message-pending-order" if away else "message-order"
        plan.orders.append(Order(link.label, "message", numbers, rule))


def delivered(state: State, event: Event) -> None:
    """Take note that a message came."""
    replaced = next((each for each in state.replaced if each.label == event.where), None)
    link = state.link(event.where) or replaced
    if link is None:
        return
    person = state.people[link.who]
    message = person.message(event.key)
    if message is None:
        return
    message.seen, message.locked = True, link is replaced
    if event.values.get("qos") == 0:
        if message.fate == "due":
            message.fate = "open" if link.wild else "gone"
            message.why_gone = "message-once-at-qos-0"
    elif message.number not in link.held:
        link.held.append(message.number)


def finally_told(state: State, plan: Plan) -> None:
    """Say of what a sender has heard in the end that asked for it, and of what it must not have."""
    for person in state.people.values():
        for message in person.queue:
            if message.ack:
                _told(message, plan)


def _told(message: Message, plan: Plan) -> None:
    wants = {"full": {"acknowledged", "purged"}, "positive": {"acknowledged"}, "negative": {"purged"}}
    if not message.settled:
        # Whether it was delivered at last, nobody knows.
        plan.back_end("feedback", message.number, Times.ANY, "feedback")
    elif message.settled not in wants[message.ack]:
        plan.never(BACK_END, "feedback", message.number, "feedback-unasked")
    elif message.settled == "acknowledged":
        status = Part("status", OneOf(("Success",)), "feedback")
        plan.back_end(
            "feedback", message.number, Times.AT_LEAST_ONCE, "feedback", status, until=Until.FEEDBACK
        )
    else:
        status = Part("status", OneOf(("Purged",)), "feedback-purged")
        plan.back_end(
            "feedback", message.number, Times.AT_LEAST_ONCE, "feedback-purged", status, until=Until.FEEDBACK
        )


PLANNERS: Final = {
    "send": _send,
    "send-asking": _send,
    "send-stale": _send_stale,
    "acknowledge": _acknowledge,
    "await-again": _await_again,
    "purge": _purge,
}
HINDRANCES: Final = {
    "send": _sendable,
    "send-asking": _sendable,
    "send-stale": _stale,
    "acknowledge": _acknowledgeable,
    "await-again": _awaitable,
    "purge": _purgeable,
}
__all__ = ["BACK_END", "HINDRANCES", "PLANNERS", "chosen", "delivered", "finally_told", "is_left", "stand"]
