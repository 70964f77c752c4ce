"""The model's rules of twins: what either side reads, and what the device is told. Pure."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from conformance.explore.actions import Action
from conformance.explore.corpus import BAD_CHANGES, BAD_PATCHES
from conformance.explore.expectations import (
    BACK_END,
    Above,
    Event,
    Holding,
    OneOf,
    Part,
    Replaced,
    Times,
    Within,
)
from conformance.explore.model_connections import connected
from conformance.explore.plan import Plan
from conformance.explore.state import ANSWERS, DESIRED, Link, Person, State, TwinState

# Whoever asks too often is told so, and nothing else (S54, S57).
THROTTLED: Final = (("status", "429"),)
FORMS: Final = ("short", "long", "uuid", "zeros", "letters")
SECTIONS: Final = ("desired", "reported", "tags")


def request_id(number: str, form: str) -> str:
    """Return the request id of a request: letters, digits and dashes, 1 to 64 of them."""
    if form == "long":
        return f"{number}-{'r' * 64}"[:64]
    if form == "zeros":  # which a number would lose
        return f"00{number}"
    if form == "letters":
        return f"aB-{number}-Cd-"
    if form == "dash":  # of one of several requests: the dot of its number is none of those
        return number.replace(".", "-")
    return f"{number}-00000000-0000-4000-8000-0000000000aB" if form == "uuid" else number


def merged(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a patch makes of properties: members are added or updated, null removes one (S56)."""
    result = dict(base)
    for name, value in patch.items():
        before = result.get(name)
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(before, dict):
            result[name] = merged(before, value)
        else:
            result[name] = value
    return result


def nulls_in(patch: Mapping[str, Any]) -> list[str]:
    """Return the names that a patch removes."""
    return sorted(name for name, value in patch.items() if value is None)


# -- what can be done


def _there(state: State, action: Action) -> str:
    return "" if state.people[action.who].exists else f"{action.who} is deleted"


def askable(state: State, action: Action) -> str:
    """Say why somebody's requests cannot be judged."""
    hindrance = connected(state, action)
    link = state.people[action.who].link
    if hindrance or link is None:
        return hindrance
    # Whether a subscription to answers was kept, no source says: session.twin-subscriptions.
    sure = link.has(ANSWERS) or not link.may_have(ANSWERS)
    return "" if sure else f"whether {action.who} hears answers is not known"


def _reportable(state: State, action: Action) -> str:
    twin = state.people[action.who].twin
    patch = json.loads(action["patch"])
    if any(name not in twin.reported for name in nulls_in(patch)):
        return f"{action.who} has reported no such member"
    if action.verb == "report-for":
        version = twin.reported_version
        if version is None or (action["version"] == "stale" and version < 2):  # noqa: PLR2004 - the second
            return f"no such version of {action.who} is known"
        link = state.people[action.who].link
        if link is not None and not link.has(ANSWERS):
            return f"{action.who} hears no answers"
    return askable(state, action)


def _desirable(state: State, action: Action) -> str:
    person = state.people[action.who]
    section = person.twin.tags if action.verb == "tag" else person.twin.desired
    if any(name not in section for name in nulls_in(json.loads(action["patch"]))):
        return f"there is no such member of {action.who}"
    return _there(state, action)


# -- requests of the device


def _link(state: State, action: Action) -> Link:
    link = state.people[action.who].link
    if link is None:
        raise AssertionError("an action that can be done has its connection")
    return link


def _get(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    person, link = state.people[action.who], _link(state, action)
    got(state, person, link, plan, request_id(action.id, action["form"]))
    _acknowledged(action, link, plan)


def got(state: State, person: Person, link: Link, plan: Plan, number: str) -> None:
    """Owe the answer to a GET with this request id."""
    twin = person.twin
    parts = [
        Part("status", OneOf(("200", "204")), "answer-status"),
        *_sections(person, ("desired", "answer-desired"), ("reported", "answer-reported")),
        *_versions(person, "answer-versions", "answer-versions"),
    ]
    if person.cast.is_module:
        parts.append(Part("status", OneOf(("200", "204")), "answer-of-module"))
    _answered(state, link, number, plan, "answer", parts)

    def note(events: Sequence[Event]) -> None:
        for event in events:
            if (event.where, event.kind, event.key) == (link.label, "answer", number):
                _learn(twin, event.values)

    plan.then.append(note)


def _learn(twin: TwinState, values: Mapping[str, object]) -> None:
    """Take note of what somebody read, of the sections of which nothing was known."""
    for name in SECTIONS:
        read = values.get(name)
        if name in twin.unsure and isinstance(read, dict):
            setattr(twin, name, read)
            twin.unsure.discard(name)
    desired, reported = values.get("desired version"), values.get("reported version")
    if isinstance(desired, int):
        twin.desired_version = desired
    if isinstance(reported, int):
        twin.reported_version = reported


def _sections(person: Person, *rules: tuple[str, str]) -> list[Part]:
    """Return what each of these sections has to hold, as far as that is known, by which rule."""
    twin = person.twin
    parts = []
    for name, rule in rules:
        if name not in twin.unsure:
            parts.append(Part(name, OneOf((getattr(twin, name),)), rule))
    return parts


def _versions(person: Person, desired_rule: str, reported_rule: str) -> list[Part]:
    # Which versions a new twin has, no source says for sure; but that it has some.
    twin = person.twin
    desired = Above(-1) if twin.desired_version is None else OneOf((twin.desired_version,))
    reported = Above(-1) if twin.reported_version is None else OneOf((twin.reported_version,))
    return [Part("desired version", desired, desired_rule), Part("reported version", reported, reported_rule)]


def _answered(state: State, link: Link, number: str, plan: Plan, rule: str, parts: Sequence[Part]) -> None:
    if link.has(ANSWERS):
        identified = Part("request id", OneOf((number,)), "answer-id")
        times = Times.AT_LEAST_ONCE if link.wild else Times.ONCE
        plan.owe(link.label, "answer", number, times, rule, identified, *parts, excused=THROTTLED)
    else:
        plan.never(link.label, "answer", number, "answer-unasked")
    for other in state.links():
        if other is not link:
            family = state.people[other.who].cast.device == state.people[link.who].cast.device
            rule_of_other = "family-twins-apart" if family else "twins-apart"
            plan.never(other.label, "answer", number, rule_of_other)


def _acknowledged(action: Action, link: Link, plan: Plan) -> None:
    if action["qos"] == "1":
        plan.owe(link.label, "puback", action.id, Times.ONCE, "request-acknowledged")


def _report(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    _patch(state, action, plan, "patched")
    _acknowledged(action, _link(state, action), plan)


def _report_for(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    if action["version"] == "current":
        _patch(state, action, plan, "patch-current")
        return
    _refuse(state, action, plan, "patch-stale", Part("status", OneOf(("412",)), "patch-stale"))


def _patch(state: State, action: Action, plan: Plan, rule: str) -> None:
    person, link = state.people[action.who], _link(state, action)
    twin, patch = person.twin, json.loads(action["patch"])
    parts = [
        Part("status", OneOf(("204", "200")), "patched-status"),
        Part("version", Above(twin.reported_version or 0), "patched-version"),
    ]
    _answered(state, link, action.id, plan, rule, parts)
    plan.never(link.label, "desired", "", "not-for-reported")

    def note(events: Sequence[Event]) -> None:
        answers = [
            each for each in events if (each.where, each.kind, each.key) == (link.label, "answer", action.id)
        ]
        status = answers[0].values.get("status") if answers else None
        if status in {"204", "200"}:
            twin.reported = merged(twin.reported, patch)
            version = answers[0].values.get("version")
            twin.reported_version = version if isinstance(version, int) else None
            twin.nulled = twin.nulled or bool(nulls_in(patch))
        elif status != "429":
            twin.unsure.add("reported")
            twin.reported_version = None

    plan.then.append(note)


def _misreport(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    bad = BAD_PATCHES[action["what"]]
    _refuse(state, action, plan, bad.rule, Part("status", Within(bad.least, bad.most), bad.rule))


def _refuse(state: State, action: Action, plan: Plan, rule: str, status: Part) -> None:
    link = _link(state, action)
    _answered(state, link, action.id, plan, rule, [status])
    plan.never(link.label, "desired", "", "not-for-reported")


# -- changes by the back end


def _told(person: Person, replies: Sequence[Event]) -> int | None:
    versions = [each.values.get("desired version") for each in replies if each.kind == "changed"]
    told = versions[0] if versions else (person.twin.desired_version or 1) + 1
    return told if isinstance(told, int) else None


def _desire(state: State, action: Action, plan: Plan, replies: Sequence[Event]) -> None:
    person = state.people[action.who]
    patch = json.loads(action["patch"])
    nulls = nulls_in(patch)
    members = Part("members", OneOf((patch,)), "notified-members")
    removed = Part("nulls", OneOf((nulls,)), "notified-null" if nulls else "notified-members")
    rule = "notified-module" if person.cast.is_module else "notified"
    _change(state, action, plan, replies, merged(person.twin.desired, patch), rule, (members, removed))


def _replace(state: State, action: Action, plan: Plan, replies: Sequence[Event]) -> None:
    twin = state.people[action.who].twin
    before, document = twin.desired, json.loads(action["document"])
    # Whether what stays the same, and what is removed, is told too, sources differ (F14).
    new = {
        name: Replaced(before.get(name), value)
        for name, value in document.items()
        if "desired" not in twin.unsure and before.get(name) != value
    }
    members = Part("members", Holding(new), "notified-replacement")
    _change(state, action, plan, replies, document, "notified-replacement", (members,))


def _change(
    state: State,
    action: Action,
    plan: Plan,
    replies: Sequence[Event],
    desired: dict[str, Any],
    rule: str,
    parts: Sequence[Part],
) -> None:
    person = state.people[action.who]
    twin, told = person.twin, _told(person, replies)
    checks = [Part("desired version", Above(twin.desired_version or 0), "changed-version")]
    if "desired" not in twin.unsure or action.verb == "replace":
        checks.append(Part("desired", OneOf((desired,)), "changed-as-asked"))
        twin.unsure.discard("desired")
    plan.back_end("changed", action.id, Times.ONCE, "changed-as-asked", *checks)
    twin.desired, twin.desired_version = desired, told
    plan.then.append(_learner(twin, "changed", action.id))
    versions = (
        Part("version", OneOf((told,)), "notified-version"),
        Part("version in body", OneOf((told,)), "notified-version"),
    )
    _notify(state, person, plan, rule, (*parts, *versions))


def _notify(state: State, person: Person, plan: Plan, rule: str, parts: Sequence[Part]) -> None:
    for link in state.links():
        if link.doomed:
            continue
        if link.who != person.name:
            family = state.people[link.who].cast.device == person.cast.device
            plan.never(link.label, "desired", "", "family-twins-apart" if family else "notified-own")
        elif link.has(DESIRED):
            times = Times.AT_LEAST_ONCE if link.wild else Times.ONCE
            plan.owe(link.label, "desired", "", times, rule, *parts)
        elif DESIRED in link.unsubscribed and not link.may_have(DESIRED):
            plan.never(link.label, "desired", "", "notified-unsubscribed")
        else:
            # Told without a subscription, or by one that was kept: desired.needs-subscription says nothing.
            plan.owe(link.label, "desired", "", Times.ANY, rule, *parts)


def _tag(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    person = state.people[action.who]
    person.twin.tags = merged(person.twin.tags, json.loads(action["patch"]))
    plan.back_end(
        "changed", action.id, Times.ONCE, "changed-as-asked", *_sections(person, ("tags", "changed-as-asked"))
    )
    plan.then.append(_learner(person.twin, "changed", action.id))
    for link in state.links():
        if not link.doomed:
            plan.never(link.label, "desired", "", "not-for-tags")


def _misdesire(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    rule = "patch-reserved" if "$bad" in BAD_CHANGES[action["what"]] else "patch-illegal"
    plan.back_end("refused", action.id, Times.ONCE, rule, Part("status", Within(400, 499), rule))
    for link in state.links():
        if not link.doomed:
            plan.never(link.label, "desired", "", "not-for-refused")


def _read(state: State, action: Action, plan: Plan, _replies: Sequence[Event]) -> None:
    person = state.people[action.who]
    _seen_by_back_end(person, action.id, plan)
    plan.then.append(_learner(person.twin, "twin", action.id))


def _learner(twin: TwinState, kind: str, key: str) -> Callable[[Sequence[Event]], None]:
    def note(events: Sequence[Event]) -> None:
        for event in events:
            if (event.where, event.kind, event.key) == (BACK_END, kind, key):
                _learn(twin, event.values)

    return note


def _seen_by_back_end(person: Person, key: str, plan: Plan) -> None:
    merge = "patched-null" if person.twin.nulled else "patched-merge"
    parts = [
        *_sections(
            person, ("desired", "changed-as-asked"), ("reported", merge), ("tags", "changed-as-asked")
        ),
        *_versions(person, "changed-as-asked", "patched-visible"),
    ]
    plan.owe(BACK_END, "twin", key, Times.ONCE, "patched-visible", *parts, needs=("twin",))
    if person.twin.models:
        model = Part("model", OneOf(tuple(sorted(person.twin.models, reverse=True))), "twin-model")
        plan.owe(BACK_END, "twin", key, Times.ANY, "twin-model", model, needs=("twin", "model-id"))


def finally_read(state: State, plan: Plan) -> None:
    """In the end the back end reads every twin."""
    for person in state.people.values():
        if person.exists and (not person.cast.is_module or state.people[person.cast.device].exists):
            _seen_by_back_end(person, f"of {person.name}", plan)


PLANNERS: Final = {
    "get": _get,
    "report": _report,
    "misreport": _misreport,
    "report-for": _report_for,
    "desire": _desire,
    "replace": _replace,
    "misdesire": _misdesire,
    "tag": _tag,
    "read": _read,
}
HINDRANCES: Final = {
    "get": askable,
    "report": _reportable,
    "misreport": askable,
    "report-for": _reportable,
    "desire": _desirable,
    "replace": _there,
    "misdesire": _there,
    "tag": _desirable,
    "read": _there,
}
