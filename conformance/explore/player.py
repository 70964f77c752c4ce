"""Plays a scenario on a hub: does what each action says, waits for what it owes, and tells what came.

No step sleeps. What has to come is waited for with a deadline; what must not come is not there once every
open connection has answered a PINGREQ that was sent behind the stimulus, and telemetry once a message sent
last has arrived.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

from conformance.errors import HarnessError, StageFailed, Violation
from conformance.explore import wire
from conformance.explore.actions import Action
from conformance.explore.back_end import BackEnd
from conformance.explore.expectations import (
    BACK_END,
    Comparison,
    Event,
    Finding,
    Owed,
    Until,
    compare,
    missing,
)
from conformance.explore.logins import Logins
from conformance.explore.model import Model, unexpected_rule
from conformance.explore.model_connections import SHORTEST_KEEP_ALIVE
from conformance.explore.model_messages import chosen
from conformance.explore.plan import Plan
from conformance.explore.refusals import Refusals
from conformance.explore.sayings import Sayings
from conformance.explore.scenarios import Scenario
from conformance.explore.stage import IN_TIME, Stage, Wire
from conformance.run.bench import CaseBench

_OF_BACK_END: Final = frozenset(
    {
        *(
            "send",
            "send-asking",
            "send-stale",
            "purge",
            "desire",
            "replace",
            "tag",
            "misdesire",
            "read",
            "call",
            "lapse",
        ),
        *("disable", "enable", "rekey", "delete", "create"),
    }
)
# What may come of a packet of which one of several things has to come, the end of its connection first.
OUTCOMES: Final = ("closed", "puback", "suback")
# How long a token lives that runs out while it is used, in seconds: longer than it takes to connect with it.
SHORT_LIFE: Final = 2
LONG_LIFE: Final = 3600


class Played:
    """What came of a play: the findings of the first action that had any, and each rule that applied."""

    def __init__(self) -> None:
        self.findings: tuple[Finding, ...] = ()
        self.at = ""
        self.applied: dict[str, int] = {}
        self.left_out = 0

    @property
    def rule(self) -> str | None:
        """The rule that was broken first."""
        return self.findings[0].rule if self.findings else None

    def take(self, compared: Comparison, at: str) -> bool:
        """Take note of a comparison; tell whether it found something."""
        for rule in compared.applied:
            self.applied[rule] = self.applied.get(rule, 0) + 1
        found = list(compared.findings)
        for event in compared.unexpected:
            broken = unexpected_rule(event)
            if broken is not None:
                found.append(Finding(broken, f"no such thing now: {event.kind}", str(event)))
        if found:
            self.findings, self.at = tuple(found), at
        return bool(found)


class Player:
    """Plays one scenario once."""

    def __init__(self, bench: CaseBench, scenario: Scenario) -> None:
        self._scenario = scenario
        self._model = Model(scenario.cast)
        self._stage = Stage(bench, scenario)
        self._refusals = Refusals(self._stage)
        self._logins = Logins(self._stage)
        self._sayings = Sayings(self._stage, self._model.state)
        self._timeouts = bench.target.timeouts
        self._timing = bench.target.timing
        self._reads_telemetry = "telemetry" in bench.target.capabilities
        self._unseen = {"model-id", "registry"} - bench.target.capabilities
        self._back_end: BackEnd | None = None
        if bench.target.service is not None:
            self._back_end = BackEnd(self._stage, bench.service, self._model.state)
            if self._reads_telemetry:
                bench.telemetry  # noqa: B018 - opens the reader before anybody publishes
        self._results: list[Event] = []
        self._telemetry: list[Event] = []
        self._played = Played()
        self._transcript = bench.evidence.transcript

    def play(self) -> Played:
        """Play it, up to the first action that brings what no right hub brings."""
        for action in self._scenario.actions:
            if self._back_end is not None:
                self._model.give_up(self._back_end.overdue())
            hindrance = self._model.hindrance(action)
            if hindrance:
                self._played.left_out += 1
                self._transcript.add("scenario", "=", f"left out: {action} ({hindrance})")
                continue
            self._transcript.add("scenario", "=", str(action))
            if self._step(action):
                return self._played
        self._transcript.add("scenario", "=", "the end")
        self._end()
        return self._played

    # -- one action

    def _step(self, action: Action) -> bool:
        replies = self._before(action)
        sent = self._perform_early(action)
        replies += sent
        plan = self._model.plan(action, replies)
        if action.verb not in _OF_BACK_END:
            replies += self._perform(action)
        events = self._gather(plan, replies)
        doomed = {link.label for link in self._model.state.links() if link.doomed}
        heard = _heard_by_others(events, plan, doomed)
        lost = self._model.lost_by(events)
        owed = [each for each in self._visible(plan.owed) if each.where not in lost]
        heard = [each for each in heard if each.where not in lost]
        compared = compare(owed, plan.orders, heard)
        self._model.learn(plan, events)
        self._await_wills()
        return self._played.take(compared, str(action))

    def _before(self, action: Action) -> list[Event]:
        """Say which messages are acknowledged too late to be sure of anything."""
        link = self._model.state.people[action.who].link
        lock = self._timing.get("c2d-lock")
        if action.verb != "acknowledge" or link is None or lock is None:
            return []
        given = self._stage.wires[link.label].given
        now = _now()
        return [
            Event(BACK_END, "late", number)
            for number in chosen(link, action["which"])
            if now - given.get(number, 0.0) > IN_TIME * lock
        ]

    def _perform_early(self, action: Action) -> list[Event]:
        """Let the back end act: what it was told is part of what is owed."""
        if action.verb not in _OF_BACK_END:
            return []
        return self._needs_back_end().perform(action)

    def _perform(self, action: Action) -> list[Event]:
        match action.verb:
            case "connect" | "fall-silent" | "outlive":
                self._connect(action)
            case "refused":
                return self._refusals.attempt(action)
            case "disconnect":
                self._disconnect(action)
            case "drop":
                one = self._wire(action.who)
                one.raw.reset() if action["how"] == "reset" else one.raw.drop()
                self._stage.leave(one.label)
            case _:
                self._say(action)
        return []

    def _needs_back_end(self) -> BackEnd:
        if self._back_end is None:
            raise StageFailed("needs registry: the profile names no back end")
        return self._back_end

    def _wire(self, who: str) -> Wire:
        person = self._model.state.people[who]
        # After an action that ends it the model has forgotten the link already.
        label = f"{who}#{person.connections}"
        return self._stage.wires[label]

    # -- connections

    def _connect(self, action: Action) -> None:
        device = self._stage.devices[action.who]
        link = self._model.state.people[action.who].link
        if link is None:
            raise HarnessError(f"{action}: the model has no connection")
        device = self._logins.device(device, action["login"])
        try:
            raw = device.websocket() if action["over"] == "ws" else device.raw()
        except Violation:
            return  # no connection at all: the session that is owed does not come
        wire_of = self._stage.open(link.label, action.who, raw)
        wire_of.raw.send(
            self._logins.connect(
                device,
                action["login"],
                clean_session=action.flag("clean"),
                keep_alive=SHORTEST_KEEP_ALIVE if action.verb == "fall-silent" else None,
                expires_in=SHORT_LIFE if action.verb == "outlive" else LONG_LIFE,
                will=self._sayings.will(action),
            )
        )

    def _disconnect(self, action: Action) -> None:
        one = self._wire(action.who)
        one.raw.send(wire.DISCONNECT)
        one.raw.half_close()
        one.raw.wait_closed(within=self._timeouts.reaction)
        one.raw.close()
        self._stage.leave(one.label)

    def _say(self, action: Action) -> None:
        one = self._wire(action.who)
        for piece in self._sayings.pieces(action, one):
            one.raw.send(piece)

    # -- what comes

    def _gather(self, plan: Plan, replies: Sequence[Event]) -> list[Event]:
        owed = self._visible(plan.owed)
        events = [*replies, *self._news()]
        for each in [one for one in owed if one.times.is_due and one.kind != "fence"]:
            end = _now() + self._allowed(each.until)
            while not _is_there(each, events) and _now() < end:
                if not self._wait_for(each, end - _now()):
                    break
                events += self._news()
        events += self._fence(plan)
        events += self._news()
        return [*events, *_outcomes(owed, events)]

    def _allowed(self, until: Until) -> float:
        timing, reaction = self._timing, self._timeouts.reaction
        return {
            Until.REACTION: reaction,
            Until.CONNECT: self._timeouts.connect,
            Until.LOCK: timing.get("c2d-lock", 0.0) + reaction,
            Until.KEEP_ALIVE: 1.5 * SHORTEST_KEEP_ALIVE + timing.get("keep-alive-tolerance", 0.0) + reaction,
            Until.EXPIRY: SHORT_LIFE + timing.get("sas-skew", 0.0) + timing.get("sas-grace", 0.0) + reaction,
            Until.METHOD: timing.get("method-timeout", 0.0) + reaction,
            Until.END: reaction,
            # Who reads feedback waits for the hub's own time beside that.
            Until.FEEDBACK: reaction,
        }[until]

    def _wait_for(self, owed: Owed, within: float) -> bool:
        """Wait until something new came where this is owed; tell whether waiting on makes sense."""
        if owed.where == BACK_END:
            if self._back_end is None or owed.kind != "result":
                return False
            self._results += self._back_end.results(owed.key, within)
            return True
        one = self._stage.wires.get(owed.where)
        if one is None:
            return False
        one.raw.wait_for(one.has_news, within)
        return one.has_news() or (one.raw.has_ended and not one.told_end)

    def _news(self) -> list[Event]:
        events = self._stage.news()
        if self._back_end is not None:
            events += self._results + self._back_end.results()
            self._results = []
        return events

    def _fence(self, plan: Plan) -> list[Event]:
        """Have every open connection answer a PINGREQ: what was on its way has come then."""
        due = {each.where for each in plan.owed if each.kind == "closed" and each.times.is_due}
        doomed = {link.label for link in self._model.state.links() if link.doomed}
        fenced = [
            one for one in self._stage.wires.values() if not one.told_end and one.label not in due | doomed
        ]
        fences: list[tuple[Wire, Callable[[float], bool]]] = [(one, one.raw.begin_fence()) for one in fenced]
        events = []
        for one, passed in fences:
            if passed(self._timeouts.reaction):
                events.append(Event(one.label, "fence"))
            elif not one.raw.has_ended:
                events.append(Event(one.label, "silence"))
        return events

    # -- telemetry

    def _visible(self, owed: Sequence[Owed]) -> list[Owed]:
        """Return what can be seen of this target."""
        unseen = self._unseen | (set() if self._reads_telemetry else {"telemetry"})
        if "twin" not in self._scenario.needs:
            unseen.add("twin")
        return [each for each in owed if unseen.isdisjoint(each.needs)]

    def _await_wills(self) -> None:
        """Wait for a Will that is sure to come before its identity connects again.

        A hub that is told of the end and of the new connection at once could take one for the other.
        """
        for each in self._visible(self._model.wills_due()):
            self._await_telemetry(each)

    def _await_telemetry(self, owed: Owed) -> None:
        sender = _sender(owed)
        end = _now() + self._timeouts.reaction
        while missing([owed], self._telemetry) and _now() < end:
            self._telemetry += self._needs_back_end().arrived(sender, max(end - _now(), 0.0))

    def _end(self) -> None:
        """Look at what reached the back end, and at every twin."""
        plan = self._model.final()
        owed = self._visible(plan.owed)
        read = dict.fromkeys(each.key for each in owed if each.kind == "twin")
        events = [self._needs_back_end().read(key.removeprefix("of "), key) for key in read]
        feedback = [each for each in owed if each.kind == "feedback"]
        if feedback:
            events += self._needs_back_end().feedback([each.key for each in feedback if each.times.is_due])
        if self._reads_telemetry:
            for who, person in self._model.state.people.items():
                self._collect(who, owed, fence=person.connections > 0 and self._model.gets_in(who))
        orders = plan.orders if self._reads_telemetry else []
        self._played.take(compare(owed, orders, [*events, *self._telemetry]), "the end")

    def _collect(self, who: str, owed: Sequence[Owed], *, fence: bool) -> None:
        """Take what somebody's messages brought to the back end: all of it, behind a message sent last."""
        back_end = self._needs_back_end()
        if fence:
            link = self._model.last_link(who)
            one = None if link is None or link.doomed else self._stage.wires.get(link.label)
            over = one if one is not None and not one.told_end else None
            try:
                came = back_end.until_fence(who, over)
            except StageFailed:
                # Whatever is owed may be lost as the marker is: that says more than that the marker is.
                if not missing(owed, self._telemetry):
                    raise
            else:
                self._telemetry += came
        while came := back_end.arrived(who):
            self._telemetry += came
        for each in owed:
            if each.kind == "telemetry" and each.times.is_due and _sender(each) == who:
                self._await_telemetry(each)


def _sender(owed: Owed) -> str:
    return next((str(part.accepted.example()) for part in owed.parts if part.name == "sender"), "")


def _now() -> float:
    return time.monotonic()


def _heard_by_others(events: Sequence[Event], plan: Plan, doomed: set[str]) -> list[Event]:
    """Leave out what came on connections that end, or may, if the plan says nothing of such events."""
    ending = {*plan.endings, *doomed}
    return [each for each in events if each.where not in ending or plan.speaks_of(each.where, each.kind)]


def _is_there(owed: Owed, events: Sequence[Event]) -> bool:
    """Tell whether something came; of an outcome, whether any of those that there are did."""
    if owed.kind == "outcome":
        return any(_is_outcome(owed, event) for event in events)
    return not missing([owed], events)


def _is_outcome(owed: Owed, event: Event) -> bool:
    """Tell whether an event is what came of a packet: the end of its connection, or its acknowledgement."""
    return event.where == owed.where and event.kind in OUTCOMES and event.key in {"", owed.key}


def _outcomes(owed: Sequence[Owed], events: Sequence[Event]) -> list[Event]:
    """Say in a word what came of a packet of which one of several things has to come."""
    outcomes = []
    for each in owed:
        if each.kind == "outcome":
            kinds = {event.kind for event in events if _is_outcome(each, event)}
            outcome = next((word for word in OUTCOMES if word in kinds), "no answer")
            outcomes.append(Event(each.where, "outcome", each.key, {"outcome": outcome}))
    return outcomes
