"""One behaviour: from the verdicts of its cases, and of the watch, to its own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from conformance.catalogue import Catalogue, Clause
from conformance.verdict.needs import Claims, not_claimed
from conformance.verdict.words import Verdict, worst


@dataclass(frozen=True, kw_only=True)
class Breach:
    """A watched rule broken by a packet that some case received."""

    clause: str
    message: str
    observed: str = ""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A case that was to run: settled, or left out for a reason. `transcript` is empty where all was well.

    `sightings` counts, for each watched clause, the packets that were held against it; `seconds` is wall
    time, `slept` the part of it spent in pauses.
    """

    id: str
    clause: str
    verdict: Verdict
    reading: str | None = None
    observed: str = ""
    seconds: float = 0.0
    message: str = ""
    expected: str = ""
    actual: str = ""
    transcript: str = ""
    slept: float = 0.0
    worker: str = ""
    breaches: tuple[Breach, ...] = ()
    sightings: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The verdict of one clause, why it is not more, the readings met, and the cases it rests on.

    In a watched clause, `cases` also holds one entry for each case in which the rule was broken: that
    case's id, with the breach as its violation.
    """

    clause: Clause
    verdict: Verdict
    reason: str = ""
    readings: tuple[str, ...] = ()
    cases: tuple[Case, ...] = ()
    claimed: bool = True


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
    verdict = worst(case.verdict for case in evidence)
    reason = "; ".join(
        dict.fromkeys(case.message for case in evidence if case.verdict == verdict and case.message)
    )
    if not evidence:
        reason = "no case of it ran"
    elif clause.is_watched and not sightings and not breaches and verdict in {Verdict.PASS, Verdict.OBSERVED}:
        verdict, reason = Verdict.NOT_TESTED, "no packet that the rule is about was seen in the whole run"
    readings = tuple(sorted({case.reading for case in cases if case.reading}))
    return Judgement(
        clause=clause,
        verdict=verdict,
        reason=reason,
        readings=readings,
        cases=evidence,
        claimed=verdict is not Verdict.NOT_CLAIMED,
    )


def _as_evidence(case: Case, breach: Breach) -> Case:
    return replace(
        case,
        clause=breach.clause,
        verdict=Verdict.VIOLATION,
        reading=None,
        observed=breach.observed,
        message=breach.message,
        expected="",
        actual=breach.observed,
        breaches=(),
        sightings=(),
    )
