"""One behaviour: from the verdicts of its cases, and of the watch, to its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from conformance.documents.catalogue import Catalogue, Clause
from conformance.verdict.consequences import by_reading
from conformance.verdict.deviation import Deviation
from conformance.verdict.needs import Claims, is_shut, not_claimed
from conformance.verdict.verdicts import Verdict, worst
from conformance.ways.way import only_in

# The reason of a clause that a selection, or an interruption, left out.
NO_CASE: Final = "no case of it ran"
# A reason tells so many different messages, and how many more there are: each stands with its case.
MOST_MESSAGES: Final = 10
_FINE: Final = frozenset({Verdict.PASS, Verdict.OBSERVED})


@dataclass(frozen=True, kw_only=True)
class Breach:
    """A watched rule broken by packets that some case received; `deviation` as the profile states it.

    `message` and `observed` are those of the first packet, `count` says how many there were.
    """

    clause: str
    message: str
    observed: str = ""
    verdict: Verdict = Verdict.VIOLATION
    deviation: Deviation | None = None
    count: int = 1


@dataclass(frozen=True, kw_only=True)
class Case:
    """A case that was to run: settled, or left out for a reason. `transcript` is empty where all was well.

    It stands in the case's own entry alone, also where nothing but a watched rule was broken.

    `sightings` counts, for each watched clause, the packets that were held against it. It `began` at that
    unix time, 0 where nobody knows; `seconds` is wall time, `slept` the part of it spent in pauses. `title`
    is the rule that the test states, with its parameters. `in_passing`: a watched rule was broken here, in a
    case of another clause, by `count` packets. `deviation` is what the profile states about it, whether it
    came true or not. `flood` says what was too much of the hub, where the suite ended a connection for that.
    `consequence` is what the reading it saw keeps a known client from, in words.
    `heard` is when something last came from the hub meanwhile, `said` when something was last sent to it, in
    unix seconds, 0 where nothing was; `unanswered`, when the first thing was sent behind which nothing came,
    the beginning where that was an earlier case's; `tail` the last lines of the transcript, in any verdict.
    `messages`, `registry_operations` and `connections` were asked of the hub meanwhile, as it counts them;
    `identities` were made for it.
    """

    id: str
    clause: str
    verdict: Verdict
    reading: str | None = None
    observed: str = ""
    began: float = 0.0
    seconds: float = 0.0
    message: str = ""
    expected: str = ""
    actual: str = ""
    transcript: str = ""
    slept: float = 0.0
    worker: str = ""
    messages: int = 0
    registry_operations: int = 0
    connections: int = 0
    identities: int = 0
    flood: str = ""
    breaches: tuple[Breach, ...] = ()
    sightings: tuple[tuple[str, int], ...] = ()
    title: str = ""
    in_passing: bool = False
    count: int = 0
    deviation: Deviation | None = None
    consequence: str = ""
    heard: float = 0.0
    said: float = 0.0
    unanswered: float = 0.0
    tail: str = ""


class Finding(Protocol):
    """What a clause's verdict rests on: a case of a run, or of a statement that was read back."""

    @property
    def id(self) -> str:
        """The case's id."""

    @property
    def verdict(self) -> Verdict:
        """The case's own verdict."""

    @property
    def message(self) -> str:
        """Why it is not better."""

    @property
    def in_passing(self) -> bool:
        """Whether the case is one of another clause."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The verdict of one clause, why it is not more, the readings met, and the cases it rests on.

    In a watched clause, `cases` also holds one entry for each case in which the rule was broken: that
    case's id, with the breach as its violation. `sightings` counts the packets held against such a clause.
    `consequences` says what readings met keep known clients from, by reading.
    """

    clause: Clause
    verdict: Verdict
    reason: str = ""
    readings: tuple[str, ...] = ()
    consequences: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cases: tuple[Case, ...] = ()
    claimed: bool = True
    sightings: int = 0


def judge(catalogue: Catalogue, cases: Sequence[Case], claims: Claims) -> tuple[Judgement, ...]:
    """Fold all cases of a run into one judgement for each clause of the catalogue, in its order."""
    own: dict[str, list[Case]] = {clause_id: [] for clause_id in catalogue.clauses}
    seen = dict.fromkeys(catalogue.clauses, 0)
    broken: dict[str, list[Case]] = {clause_id: [] for clause_id in catalogue.clauses}
    for case in cases:
        if case.clause in own:
            own[case.clause].append(case)
        for clause_id, count in case.sightings:
            if clause_id in seen:
                seen[clause_id] += count
        for breach in case.breaches:
            if breach.clause in broken:
                broken[breach.clause].append(_as_evidence(case, breach))
    return tuple(
        _judge_one(clause, own[clause.id], broken[clause.id], seen[clause.id], claims)
        for clause in catalogue.clauses.values()
    )


def _judge_one(
    clause: Clause, cases: Sequence[Case], breaches: Sequence[Case], sightings: int, claims: Claims
) -> Judgement:
    if clause.level == "untestable":
        reason = clause.untestable or ""
        return Judgement(clause=clause, verdict=Verdict.UNTESTABLE, reason=reason, claimed=False)
    unclaimed = not_claimed(clause.needs, claims)
    if unclaimed is not None:
        return Judgement(
            clause=clause, verdict=Verdict.NOT_CLAIMED, reason=unclaimed, cases=tuple(cases), claimed=False
        )
    if clause.level == "observe":
        breaches = [replace(case, verdict=Verdict.OBSERVED) for case in breaches]
    evidence = (*cases, *breaches)
    verdict, reason = fold(evidence, watched=clause.is_watched, sightings=sightings)
    readings = tuple(sorted({case.reading for case in cases if case.reading}))
    return Judgement(
        clause=clause,
        verdict=verdict,
        reason=reason,
        readings=readings,
        consequences=by_reading(cases),
        cases=evidence,
        claimed=verdict is not Verdict.NOT_CLAIMED,
        sightings=sightings,
    )


def fold(evidence: Sequence[Finding], *, watched: bool, sightings: int) -> tuple[Verdict, str]:
    """Return the verdict that a claimed clause has from its cases, and the reason for it."""
    if not evidence:
        return Verdict.NOT_TESTED, NO_CASE
    # What cannot be asked in one way is asked in the others; the run as a whole says so.
    evidence = [case for case in evidence if not is_shut(case.message)] or evidence
    verdict = worst(case.verdict for case in evidence)
    unseen = watched and not sightings and not any(case.in_passing for case in evidence)
    if unseen and verdict in {Verdict.PASS, Verdict.OBSERVED}:
        return Verdict.NOT_TESTED, "no packet that the rule is about was seen in the whole run"
    messages = list(
        dict.fromkeys(case.message for case in evidence if case.verdict == verdict and case.message)
    )
    more = [f"and {len(messages) - MOST_MESSAGES} more"] if len(messages) > MOST_MESSAGES else []
    reason = "; ".join([*messages[:MOST_MESSAGES], *more])
    only = only_where(evidence, verdict)
    return verdict, f"{only}: {reason}" if only else reason


def only_where(evidence: Sequence[Finding], verdict: Verdict) -> str:
    """Say in which ways alone a clause is violated or broken, where that shows: "over WebSocket only"."""
    if verdict not in {Verdict.VIOLATION, Verdict.BROKEN}:
        return ""
    failed = [case.id for case in evidence if case.verdict is verdict]
    return only_in(failed, [case.id for case in evidence if case.verdict in _FINE]) if failed else ""


def _as_evidence(case: Case, breach: Breach) -> Case:
    return replace(
        case,
        clause=breach.clause,
        verdict=breach.verdict,
        deviation=breach.deviation,
        reading=None,
        consequence="",
        observed=breach.observed,
        message=breach.message,
        expected="",
        actual="",
        transcript="",
        flood="",
        breaches=(),
        sightings=(),
        in_passing=True,
        count=breach.count,
    )
