"""The model's rules of connections: who is let in, who stays, who is dropped, whose Will is sent. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from conformance.explore.actions import Action
from conformance.explore.corpus import BAGS, BREAKS, COMPONENT, LOGINS, MODELS
from conformance.explore.expectations import BACK_END, AtLeast, Event, Holding, OneOf, Part, Times, Until
from conformance.explore.plan import Ending, Plan
from conformance.explore.state import Link, Message, Person, State, Subscription, Will

# Grounds to be refused on, with their rule: of a device with a token, of one with a certificate, of a module.
GROUNDS: Final[Mapping[str, str]] = {
    "bad-signature": "refused-token",
    "other-key": "refused-token",
    "tampered": "refused-tampered",
    "expired": "refused-expired",
    "other-resource": "refused-resource",
    "malformed": "refused-malformed",
    "anonymous": "refused-anonymous",
    "other-client-id": "refused-client-id",
    "other-username": "refused-username",
    "unknown": "refused-unknown",
    "mqtt-3.1": "refused-protocol",
    "mqtt-5": "refused-protocol",
    "late-connect": "refused-late-connect",
    "old-key": "refused-token",
    "disabled": "refused-disabled",
    "deleted": "refused-unknown",
    "other-certificate": "refused-certificate",
    "no-certificate": "refused-without-certificate",
    "other-name": "refused-name",
    "sibling-token": "refused-sibling-token",
}
# The same of a device that is known by its name in a certificate of an authority.
GROUNDS_WITH_AUTHORITY: Final[Mapping[str, str]] = {
    "other-certificate": "refused-own-signature",
    "no-certificate": "refused-without-authority",
}
BY_CERTIFICATE: Final = frozenset({"other-certificate", "no-certificate"})
BY_AUTHORITY: Final = BY_CERTIFICATE | {"other-name"}
# On these grounds an identity with a certificate, or a module, is refused too.
OF_ALL: Final = frozenset(
    {"other-client-id", "other-username", "mqtt-3.1", "mqtt-5", "late-connect", "deleted", "disabled"}
)
# The keep-alive of who falls silent, in seconds: the shortest that MQTT can express.
SHORTEST_KEEP_ALIVE: Final = 1
# These name another identity.
WITH_OTHER: Final = frozenset(
    {"other-key", "other-resource", "other-client-id", "other-username", "other-name", "sibling-token"}
)


# -- what can be done


def connected(state: State, action: Action) -> str:
    """Say why somebody cannot act on a connection."""
    link = state.people[action.who].link
    if link is None or not link.open:
        return f"{action.who} is not connected"
    return f"the hub may drop {action.who} at any time" if link.doomed else ""


def _online(state: State, action: Action) -> str:
    link = state.people[action.who].link
    return "" if link is not None and link.open else f"{action.who} is not connected"


def _admissible(state: State, action: Action) -> str:
    person = state.people[action.who]
    if not person.exists:
        return f"{action.who} is deleted"
    if not _enabled(state, person):
        return f"{action.who} is disabled"
    if person.cast.is_module and not state.people[person.cast.device].exists:
        return f"the device of {action.who} is deleted"
    login = action["login"]
    if login != "plain" and login not in LOGINS[person.cast.credential]:
        return f"{action.who} does not log in by {login}"
    if action.verb == "outlive" and (person.cast.credential != "sas" or person.cast.is_module):
        return f"{action.who} has no token of a device's"
    return ""


def _enabled(state: State, person: Person) -> bool:
    # What becomes of a module whose device is disabled, no source says.
    return person.enabled and (not person.cast.is_module or state.people[person.cast.device].enabled)


def _refusable(state: State, action: Action) -> str:  # noqa: PLR0911 - a list of hindrances
    person, ground = state.people[action.who], action["ground"]
    needs_state = {
        "deleted": not person.exists,
        "disabled": person.exists and not person.enabled,
        "old-key": person.keys > 0 and person.exists,
    }
    if not needs_state.get(ground, person.exists):
        return f"{action.who} cannot be refused as {ground}"
    if ground not in OF_ALL and ground not in grounds_of(person):
        return f"{ground} is no ground with what {action.who} shows"
    if ground == "sibling-token" and not person.cast.is_module:
        return f"{action.who} is no module"
    other = state.people.get(action["other"])
    if ground in WITH_OTHER and (other is None or other is person):
        return f"{ground} needs another identity"
    if ground in {"other-key", "other-resource", "sibling-token"} and (
        other is None or other.cast.credential != "sas" or not other.exists
    ):
        return f"{action['other']} has no key"
    if ground in {"other-key", "other-resource"} and action["other"] == person.cast.device:
        # Hubs were seen to let a module in so (F6); no page says it: module.device-token.
        return f"{action['other']} may sign for {action.who}"
    if ground == "sibling-token" and (
        other is None or not other.cast.is_module or other.cast.device != person.cast.device
    ):
        return f"{action['other']} is no sibling"
    return ""


# -- what is owed


def grounds_of(person: Person) -> frozenset[str]:
    """Return the grounds that are about what somebody shows."""
    by_credential = {"thumbprint": BY_CERTIFICATE, "authority": BY_AUTHORITY}
    return by_credential.get(person.cast.credential, frozenset(GROUNDS) - OF_ALL - BY_AUTHORITY)


def _connect(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    link = _open(state, action, plan)
    state.people[action.who].link = link


def _fall_silent(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    _connect(state, action, plan, ())
    label = _label(state, action.who)
    not_before = Part("after", AtLeast(SHORTEST_KEEP_ALIVE), "keep-alive")
    plan.owe(label, "closed", "", Times.ONCE, "keep-alive", not_before, until=Until.KEEP_ALIVE)
    plan.endings[label] = "silent"


def _outlive(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    _connect(state, action, plan, ())
    label = _label(state, action.who)
    plan.ends(label, "unknown", "expiry", Until.EXPIRY)


def _label(state: State, who: str) -> str:
    link = state.people[who].link
    return "" if link is None else link.label


def _open(state: State, action: Action, plan: Plan) -> Link:
    person = state.people[action.who]
    old = person.link if person.link is not None and person.link.open else None
    person.connections += 1
    link = Link(f"{action.who}#{person.connections}", action.who, action["over"], action.flag("clean"))
    if action["will"] != "none":
        link.will = Will(f"{action.id}w", action["will"].endswith("r"), action["bag"])
    if old is not None and not old.doomed:
        over_websocket = "ws" in {old.over, link.over}
        wins = "newest-wins-over-websocket" if over_websocket else "newest-wins"
        wins = "newest-wins-of-module" if person.cast.is_module else wins
        plan.ends(old.label, "taken over", wins, Until.CONNECT)
    elif old is not None:
        plan.may_end(old.label, "unknown", "newest-wins")
    if old is not None:
        state.replaced.append(old)
    for message in person.queue:
        message.alone = False
    kept = _kept(person, old)
    if link.clean:
        # What becomes of messages that wait, no source says for sure: session.clean-purges.
        for message in person.queue:
            _leave_open(message)
        person.kept = None
    else:
        link.subscriptions = {
            name: Subscription(each.qos, "maybe", left=each.left or each.sure == "yes")
            for name, each in (kept or {}).items()
        }
    _announce(person, link, action["login"])
    rule = _session_rule(person, link, action["login"])
    person.was_disabled = False
    present = Part(
        "session present",
        OneOf((0,) if link.clean else (0, 1)),
        "no-session-present-after-clean" if link.clean else "session-present-is-a-bit",
    )
    plan.owe(link.label, "session", "", Times.ONCE, rule, present, until=Until.CONNECT)
    # What changed while it was away is not told later.
    plan.never(link.label, "desired", "", "notified-connected")
    plan.never(link.label, "request", "", "not-queued")
    return link


def _announce(person: Person, link: Link, login: str) -> None:
    link.model = MODELS.get(login, "")
    person.has_announced = person.has_announced or bool(link.model)
    twin = person.twin
    if link.model:
        twin.models = frozenset({link.model})
    elif twin.models:
        # Whether a connection that announces none takes back what an earlier one said, no source says.
        twin.models |= {""}


def _kept(person: Person, old: Link | None) -> dict[str, Subscription] | None:
    if old is None:
        return person.kept
    return None if old.clean else old.subscriptions


def _session_rule(person: Person, link: Link, login: str) -> str:
    if person.cast.is_module:
        return "session-of-module"
    if login != "plain":
        return LOGINS[person.cast.credential][login]
    if person.cast.is_certified:
        return "session-by-certificate" if person.cast.credential == "thumbprint" else "session-by-authority"
    if person.was_disabled:
        return "session-when-enabled-again"
    if person.keys:
        return "session-with-new-keys"
    return "session-over-websocket" if link.over == "ws" else "session-by-token"


def _refused(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    person, ground = state.people[action.who], action["ground"]
    label = f"{action.who}!{action.id}"
    rule = GROUNDS[ground]
    if person.cast.credential == "authority":
        rule = GROUNDS_WITH_AUTHORITY.get(ground, rule)
    if person.cast.is_module and ground not in {"mqtt-3.1", "mqtt-5", "late-connect", "sibling-token"}:
        rule = "refused-module"
    plan.never(label, "session", "", rule)
    plan.owe(label, "ended", "", Times.ONCE, "refusal-ends", until=Until.CONNECT)
    link = person.link
    if link is not None and link.open and not link.doomed:
        plan.never(link.label, "closed", "", "refusal-takes-nothing-over")
    if action["behind"] == "telemetry":
        plan.never(BACK_END, "telemetry", action.id, "refused-data-ignored")
    if action["behind"] == "will":
        plan.never(BACK_END, "telemetry", f"{action.id}w", "refused-will-ignored")


def _disconnect(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    _ended_by_us(state, action, plan, "left")


def _drop(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    _ended_by_us(state, action, plan, "lost")


def _ended_by_us(state: State, action: Action, plan: Plan, ending: Ending) -> None:
    label = _label(state, action.who)
    end(state, label, ending, plan)


def _ping(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    label = _label(state, action.who)
    for number in range(int(action["count"])):
        plan.owe(label, "pingresp", str(number + 1), Times.ONCE, "ping")


def _break(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    plan.ends(_label(state, action.who), "error", BREAKS[action["what"]][1])


def stay(state: State, action: Action, plan: Plan) -> None:
    """Owe that each connection of which nothing else was said stays open; what may come late, may come."""
    actor = state.people[action.who]
    for link in state.links():
        for kind, key in sorted(link.loose):
            plan.owe(link.label, kind, key, Times.AT_MOST_ONCE, "puback" if kind == "puback" else "suback")
        if link.doomed or plan.speaks_of(link.label, "closed"):
            continue
        if link.shaky:
            plan.may_end(link.label, "unknown", "alive")
            continue
        plan.never(link.label, "closed", "", _staying(actor, state.people[link.who]))


def _staying(actor: Person, other: Person) -> str:
    if actor is other:
        return "alive"
    if actor.cast.device == other.cast.device:
        return "family-stays"
    return "names-alike-stay" if _bare(actor.name) == _bare(other.name) else "others-stay"


def _bare(name: str) -> str:
    return "".join(letter for letter in name if letter.isalnum() or letter == "/")


# -- how connections end


def end(state: State, label: str, ending: Ending, plan: Plan) -> None:
    """Take note that a connection has ended: its Will, its session and the messages that it held."""
    link = state.link(label) or _latest(state, label)
    if link is None or not link.open:
        return
    link.open = False
    person = state.people[link.who]
    if link.will is not None:
        _leave_will(person, link, link.will, ending, plan)
    is_current = person.link is link
    _leave_messages(person, link)
    if is_current and not link.clean:
        person.kept = dict(link.subscriptions)
        person.was_unsubscribed = set(link.unsubscribed) | (person.was_unsubscribed - set(link.subscriptions))
    elif is_current:
        person.kept = None
        person.was_unsubscribed = set()
        for message in person.queue:
            _leave_open(message)


def _leave_messages(person: Person, link: Link) -> None:
    """Take note of the messages that a connection held, and of those that it had not asked for again."""
    for message in person.queue:
        if message.sent_while == "back" and not message.seen:
            _leave_open(message)
    for held in map(person.message, link.held):
        if held is not None and held.fate == "due":
            held.locked = True
            if link.clean or link.is_uncertain:
                _leave_open(held)


def _latest(state: State, label: str) -> Link | None:
    return next((link for link in state.replaced if link.label == label), None)


def _leave_will(person: Person, link: Link, will: Will, ending: Ending, plan: Plan) -> None:
    bag = BAGS[will.bag]
    marked = {"iothub-MessageType": OneOf(("Will",)), **{k: OneOf((v,)) for k, v in bag.properties.items()}}
    besides = frozenset({"x-opt-retain", "mqtt-retain"}) if will.retain else frozenset()
    besides |= {COMPONENT} if bag.component else frozenset()
    parts = [
        Part("sender", OneOf((person.name,)), "telemetry-stamped"),
        Part("mark", OneOf(("Will",)), "will-marked"),
        Part("body", OneOf((will.number,)), "will-body"),
        Part("properties", Holding(marked, only=True, besides=besides), "will-bag"),
    ]
    if will.retain:
        parts.append(Part("retain", OneOf(("mqtt-retain", "x-opt-retain")), "will-retain"))
    # A hub that was about to end a connection may have sent the Will before we left.
    certain = ending in {"lost", "silent", "error"} and not link.clean and not link.is_uncertain
    never = ending == "left" and not link.is_uncertain
    times = Times.ONCE if certain else Times.NEVER if never else Times.AT_MOST_ONCE
    rule = {
        "left": "will-not-after-disconnect",
        "silent": "will-after-silence",
        "error": "will-after-error",
        "lost": "will-sent",
    }.get(ending, "will-once")
    if ending == "lost" and person.cast.is_module:
        rule = "will-of-module"
    elif ending == "lost" and link.over == "ws":
        rule = "will-over-websocket"
    elif ending == "lost" and link.clean:
        rule = "will-once"
    plan.owe(BACK_END, "telemetry", will.number, times, rule, *parts, needs=("telemetry",))


def _leave_open(message: Message) -> None:
    if message.fate == "due":
        message.fate = "open"


PLANNERS: Final = {
    "connect": _connect,
    "refused": _refused,
    "disconnect": _disconnect,
    "drop": _drop,
    "fall-silent": _fall_silent,
    "outlive": _outlive,
    "ping": _ping,
    "break": _break,
}
HINDRANCES: Final = {
    "connect": _admissible,
    "refused": _refusable,
    "disconnect": _online,
    "drop": _online,
    "fall-silent": _admissible,
    "outlive": _admissible,
    "ping": connected,
    "break": connected,
}
