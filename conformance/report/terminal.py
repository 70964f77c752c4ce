"""What a run says at its end: a table by section, each violated clause in a line, where the report lies."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from conformance.catalogue import Catalogue
from conformance.report.case_text import one_line
from conformance.report.statement import RunPart
from conformance.verdict.clause import Case, Judgement
from conformance.verdict.deviation_states import Found
from conformance.verdict.run import ExitCode, summary
from conformance.verdict.words import WORST_FIRST, Verdict

# The columns of the table, with the short words that fit over a number.
COLUMNS: Final = {
    Verdict.PASS: "pass",
    Verdict.OBSERVED: "observed",
    Verdict.KNOWN_DEVIATION: "deviation",
    Verdict.NOT_TESTED: "not tested",
    Verdict.BROKEN: "broken",
    Verdict.STALE_DEVIATION: "stale",
    Verdict.VIOLATION: "violation",
    Verdict.NOT_CLAIMED: "not claimed",
    Verdict.UNTESTABLE: "untestable",
}
# Shown even where no clause has it: their absence is what a reader looks for.
ALWAYS: Final = frozenset({Verdict.PASS, Verdict.VIOLATION})
# Worth a line of their own, in this order.
_LISTED: Final = (Verdict.VIOLATION, Verdict.STALE_DEVIATION, Verdict.BROKEN, Verdict.NOT_TESTED)
_SAYS: Final = {
    ExitCode.CONFORMS: "every claimed clause holds",
    ExitCode.VIOLATED: "a clause is violated",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.USAGE: "no case applies to what the profile claims",
    ExitCode.INCONCLUSIVE: "inconclusive: cases are broken, and no clause is violated",
    ExitCode.SECRET_FOUND: "the report held a secret, the run is invalid",
    ExitCode.POLICY: "a claimed clause was not tested, or a stated deviation does not hold",
}
# A part of the suite says nothing about the rest.
_SAYS_OF_A_PART: Final = {
    ExitCode.CONFORMS: "what was selected holds",
    ExitCode.POLICY: "nothing that was selected was tested",
}


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What the last lines tell beside the judgements.

    `report` is None where none was written; `slowest` are the cases that were asked for, with their times.
    """

    run: RunPart
    report: str | None
    deviations: Sequence[Found] = ()
    warnings: Sequence[str] = ()
    slowest: Sequence[Case] = ()


def lines(catalogue: Catalogue, judgements: Sequence[Judgement], ending: Ending) -> Iterator[str]:
    """Write the summary, line by line."""
    shown = [each for each in judgements if each.cases or not ending.run.partial]
    yield from _table(catalogue, shown)
    yield from _listed(shown)
    yield from _readings(shown)
    yield from _deviations(ending.deviations)
    yield from _slowest(ending.slowest)
    yield from ending.warnings
    yield ""
    yield _headline(shown, ending.run)
    if ending.report:
        yield f"report: {ending.report}"


def _table(catalogue: Catalogue, judgements: Sequence[Judgement]) -> Iterator[str]:
    used = summary(judgements)
    sections = {judgement.clause.section for judgement in judgements}
    columns = [verdict for verdict in COLUMNS if verdict in ALWAYS or verdict in used]
    width = max(len("section"), *(len(section.name) for section in catalogue.sections))
    yield "  ".join([f"{'section':<{width}}", *(COLUMNS[verdict] for verdict in columns)])
    for section in catalogue.sections:
        if section.name not in sections:
            continue
        counts = summary(judgement for judgement in judgements if judgement.clause.section == section.name)
        cells = (f"{counts.get(verdict) or '.':>{len(COLUMNS[verdict])}}" for verdict in columns)
        yield "  ".join([f"{section.name:<{width}}", *cells])


def _listed(judgements: Sequence[Judgement]) -> Iterator[str]:
    for verdict in _LISTED:
        found = [judgement for judgement in judgements if judgement.verdict is verdict]
        if not found:
            continue
        yield ""
        yield f"{verdict}:"
        width = max(len(judgement.clause.id) for judgement in found)
        yield from (f"  {judgement.clause.id:<{width}}  {_why(judgement)}" for judgement in found)


def _why(judgement: Judgement) -> str:
    cases = [case for case in judgement.cases if case.verdict is judgement.verdict]
    if not cases:
        return judgement.reason
    more = f" (and {len(cases) - 1} more cases)" if len(cases) > 1 else ""
    return f"{one_line(cases[0]).splitlines()[0] if one_line(cases[0]) else cases[0].id}{more}"


def _readings(judgements: Sequence[Judgement]) -> Iterator[str]:
    disputed = [judgement for judgement in judgements if judgement.readings]
    if disputed:
        yield ""
        yield "disputed, with the readings seen:"
        width = max(len(judgement.clause.id) for judgement in disputed)
        yield from (f"  {each.clause.id:<{width}}  {'; '.join(each.readings)}" for each in disputed)


def _deviations(deviations: Sequence[Found]) -> Iterator[str]:
    if deviations:
        yield ""
        yield "deviations that the profile states:"
    for found in deviations:
        stated = found.deviation
        where = f"{stated.clause}  {stated.case}"
        yield f"  {found.state:<9}  {where}: {stated.observed} (until {stated.expires})"


def _slowest(cases: Sequence[Case]) -> Iterator[str]:
    if cases:
        yield ""
        yield "slowest cases:"
        yield from (f"  {case.seconds:6.2f} s  {case.id} ({case.clause})" for case in cases)


def _headline(judgements: Sequence[Judgement], run: RunPart) -> str:
    counts = summary(judgements)
    words = [f"{verdict} {counts[verdict]}" for verdict in WORST_FIRST if verdict in counts]
    share = run.slept_seconds / (run.seconds * run.workers) if run.seconds else 0.0
    partial = "partial selection, no claim of conformance: " if run.partial else ""
    says = _SAYS | _SAYS_OF_A_PART if run.partial else _SAYS
    verdict = says.get(ExitCode(run.exit_code)) if run.exit_code in set(ExitCode) else None
    return (
        f"{partial}{len(judgements)} clauses: {_join(words)}; {run.cases} cases in {run.seconds:.1f} s on "
        f"{run.workers} worker{'s' * (run.workers != 1)}, {share:.1%} slept"
        + (f" -> {verdict} (exit code {run.exit_code})" if verdict else f" (exit code {run.exit_code})")
    )


def _join(words: Iterable[str]) -> str:
    return ", ".join(words) or "none judged"
