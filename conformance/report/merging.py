"""One statement from several runs on one target, each of which ran other cases of one suite."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import reduce
from itertools import pairwise
from typing import Final

from conformance.documents.catalogue import WATCH_SECTIONS
from conformance.errors import UsageError
from conformance.report.counts import own_cases
from conformance.report.limits import fitted
from conformance.report.printable import plural
from conformance.report.statement import (
    ClausePart,
    CommandPart,
    CostPart,
    DeviationFoundPart,
    RunPart,
    Statement,
    TargetPart,
)
from conformance.verdict.clause import fold
from conformance.verdict.consequences import by_reading
from conformance.verdict.deviation_states import State
from conformance.verdict.run import ExitCode, exit_code, summary, worst
from conformance.verdict.verdicts import Verdict

# These say more about a run than its clauses do; what one shard has is the whole's.
_ABOVE_ALL: Final = frozenset(
    {ExitCode.INTERNAL_ERROR, ExitCode.INTERRUPTED, ExitCode.SECRET_FOUND, ExitCode.NOT_WRITTEN}
)
# Of one entry in several shards, the first of these decides; *unmatched* only where it is so in all.
_STATES: Final = (State.DIFFERS, State.EXPIRED, State.STALE, State.KNOWN, State.NOT_RUN, State.UNMATCHED)


def merge(
    statements: Sequence[Statement], names: Sequence[str], *, every_case: Collection[str] | None
) -> Statement:
    """Return the statement of all runs together. `names` are the statements' names in an error.

    `every_case` holds the ids of all cases of the suite, where they are known: the whole is a partial
    selection unless it has them all. Raises UsageError where two runs have a case in common, or are not of
    one target, profile and suite.
    """
    for (one, name), (other, other_name) in pairwise(zip(statements, names, strict=True)):
        _refuse_mixed(one, other, f"{other_name} cannot be merged with {name}")
    _refuse_overlaps(statements, names)
    first = statements[0]
    started = min(made.run.started for made in statements)
    shifted = [_on_one_clock(made, started) for made in statements]
    clauses = [_merged(parts) for parts in zip(*(made.clauses for made in shifted), strict=True)]
    deviations = [_deviation(parts) for parts in zip(*(made.deviations for made in statements), strict=True)]
    ran = {case.id for made in statements for case in own_cases(made)}
    partial = every_case is None or not set(every_case) <= ran
    whole = first.model_copy(
        update={
            "target": reduce(_common_target, (made.target for made in statements)),
            "run": _run(statements, clauses, deviations, partial=partial),
            "summary": dict(summary(clauses)),
            "clauses": clauses,
            "deviations": deviations,
            "command": _common_command([made.command for made in statements]),
        }
    )
    return fitted(whole)


def _refuse_mixed(one: Statement, other: Statement, refusal: str) -> None:
    """Name the first thing in which two runs differ and must not."""
    for what, a, b in _identity(one, other):
        if a != b:
            raise UsageError(
                f"{refusal}: {what}: {b} is not {a}. Merge runs of one target, profile and suite."
            )


def _identity(one: Statement, other: Statement) -> Iterator[tuple[str, object, object]]:
    yield "target", one.target.name, other.target.name
    yield "host", one.target.host, other.target.host
    yield "version", one.target.version, other.target.version
    yield "edition", one.target.edition, other.target.edition
    yield "profile", one.profile.name, other.profile.name
    yield "suite", one.suite.version, other.suite.version
    yield "depth", one.suite.depth, other.suite.depth
    yield "digest of the suite", one.suite.digest, other.suite.digest
    yield "digest of the clauses", one.suite.clauses_digest, other.suite.clauses_digest
    yield "claims", one.claims.capabilities, other.claims.capabilities
    yield "timing", dict(one.claims.timing), dict(other.claims.timing)
    yield "large cases", one.claims.large, other.claims.large
    yield "clauses", [clause.id for clause in one.clauses], [clause.id for clause in other.clauses]
    yield "deviations", _stated(one), _stated(other)


def _stated(statement: Statement) -> list[tuple[str, str, str]]:
    return [(each.clause, each.case, each.observed) for each in statement.deviations]


def _refuse_overlaps(statements: Sequence[Statement], names: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for made, name in zip(statements, names, strict=True):
        ids = {case.id for case in own_cases(made)}
        twice = sorted(ids & seen.keys())
        if twice:
            more = f" and {plural(len(twice) - 1, 'more case')}" if len(twice) > 1 else ""
            raise UsageError(
                f"{name} overlaps {seen[twice[0]]}: both ran {twice[0]}{more}. "
                "Select each case in one run alone."
            )
        seen |= dict.fromkeys(ids, name)


def _merged(parts: Sequence[ClausePart]) -> ClausePart:
    first = parts[0]
    cases = [case for part in parts for case in part.cases]
    sightings = sum(part.sightings for part in parts)
    verdict, reason = first.verdict, first.reason
    # What is not claimed, or cannot be tested, is so in every run, whichever cases it selected.
    if {part.verdict for part in parts} not in ({Verdict.NOT_CLAIMED}, {Verdict.UNTESTABLE}):
        verdict, reason = fold(cases, watched=first.section in WATCH_SECTIONS, sightings=sightings)
    readings = sorted({reading for part in parts for reading in part.readings})
    return first.model_copy(
        update={
            "verdict": verdict,
            "reason": reason,
            "readings": readings,
            "consequences": {reading: list(words) for reading, words in by_reading(cases).items()},
            "sightings": sightings,
            "cases": cases,
        }
    )


def _deviation(parts: Sequence[DeviationFoundPart]) -> DeviationFoundPart:
    state = min((part.state for part in parts), key=_STATES.index)
    return parts[0].model_copy(
        update={"state": state, "cases": [case for part in parts for case in part.cases]}
    )


def _common_target(one: TargetPart, other: TargetPart) -> TargetPart:
    """Keep the ports that both have: a hub that each run launched anew listens on others each time."""
    ports = {name: port for name, port in one.ports.items() if other.ports.get(name) == port}
    return one.model_copy(update={"ports": ports})


def _common_command(commands: Sequence[CommandPart | None]) -> CommandPart | None:
    """Return how all runs named one hub; None where they did not."""
    first = commands[0]
    is_one = all(each is not None and first is not None and each.words == first.words for each in commands)
    return first if is_one else None


def _run(
    statements: Sequence[Statement],
    clauses: Sequence[ClausePart],
    deviations: Sequence[DeviationFoundPart],
    *,
    partial: bool,
) -> RunPart:
    runs = [made.run for made in statements]
    cases = [case for made in statements for case in own_cases(made)]
    unmatched = any(each.state is State.UNMATCHED for each in deviations)
    crashed = any(run.exit_code == ExitCode.HUB_CRASHED for run in runs)
    code = exit_code(clauses, cases, partial=partial, unmatched=unmatched, crashed=crashed)
    code = worst(code, *(run.exit_code for run in runs if run.exit_code in _ABOVE_ALL))
    return RunPart(
        started=min(run.started for run in runs),
        seconds=round(sum(run.seconds for run in runs), 3),
        workers=max(run.workers for run in runs),
        cases=len(cases),
        slept_seconds=round(sum(run.slept_seconds for run in runs), 3),
        exit_code=int(code),
        partial=partial,
        selection=[],
        shards=sum(run.shards for run in runs),
        remarks=list(dict.fromkeys(remark for run in runs for remark in run.remarks)),
        cost=_cost(runs),
    )


def _cost(runs: Sequence[RunPart]) -> CostPart:
    costs = [run.cost for run in runs]
    sections = dict.fromkeys(name for cost in costs for name in cost.seconds_by_section)
    slowest = sorted((case for cost in costs for case in cost.slowest), key=lambda case: -case.seconds)
    paid = sum(run.seconds * run.workers for run in runs)
    slept = sum(run.cost.slept_share * run.seconds * run.workers for run in runs)
    return CostPart(
        seconds_by_section={
            name: round(sum(cost.seconds_by_section.get(name, 0.0) for cost in costs), 3) for name in sections
        },
        slowest=slowest[: max(len(cost.slowest) for cost in costs)],
        slept_share=round(slept / paid, 4) if paid else 0.0,
        messages=sum(cost.messages for cost in costs),
        free_messages=sum(cost.free_messages for cost in costs),
        registry_operations=sum(cost.registry_operations for cost in costs),
        connections=sum(cost.connections for cost in costs),
        identities=sum(cost.identities for cost in costs),
    )


def _on_one_clock(statement: Statement, started: str) -> Statement:
    """Return a statement whose cases began so many seconds after another run's start."""
    later = (datetime.fromisoformat(statement.run.started) - datetime.fromisoformat(started)).total_seconds()
    clauses = [
        clause.model_copy(
            update={
                "cases": [
                    case.model_copy(update={"began": round(case.began + later, 3)}) for case in clause.cases
                ]
            }
        )
        for clause in statement.clauses
    ]
    return statement.model_copy(update={"clauses": clauses})
