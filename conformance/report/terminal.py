"""What a run says at its end, before it writes: a table by section, each violated clause, the verdict."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Final

from conformance.documents.catalogue import Catalogue
from conformance.report.case_text import one_line
from conformance.report.causes import causes
from conformance.report.counts import how_many
from conformance.report.printable import visible
from conformance.report.statement import RunPart
from conformance.verdict.clause import Case, Judgement, only_where
from conformance.verdict.consequences import told
from conformance.verdict.deviation_states import Found
from conformance.verdict.run import ExitCode, summary
from conformance.verdict.verdicts import WORST_FIRST, Verdict

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
    ExitCode.VIOLATED: "a test beside the suite failed",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.USAGE: "no case applies to what the profile claims",
    ExitCode.INCONCLUSIVE: "inconclusive: cases are broken, and no clause is violated",
    ExitCode.HUB_CRASHED: "the launched hub wrote a traceback: what it closed may look like a refusal",
    ExitCode.SECRET_FOUND: "the report held a secret, the run is invalid",
    ExitCode.NOT_WRITTEN: "not all of the report could be written",
    ExitCode.POLICY: "a claimed clause was not tested, or a stated deviation does not hold",
}
# A part of the suite says nothing about the rest.
_PART_HOLDS: Final = "what was selected holds"
_PART_UNSEEN: Final = "what was tested holds; not all of the selection was"
_PART_NOT_SEEN: Final = "nothing that was selected was tested"

# What was found is broken into lines of so many columns at least.
_NARROWEST: Final = 40


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What the last lines tell beside the judgements.

    `slowest` are the cases that were asked for, with their times.
    """

    run: RunPart
    deviations: Sequence[Found] = ()
    warnings: Sequence[str] = ()
    slowest: Sequence[Case] = ()


def lines(
    catalogue: Catalogue, judgements: Sequence[Judgement], ending: Ending, width: int | None = None
) -> Iterator[str]:
    """Write the summary, line by line; nothing that a hub sent moves the cursor.

    `width`: the columns of a terminal, into which a clause's line is made to fit; None where it need not.
    """
    return map(visible, _lines(catalogue, judgements, ending, width))


def _lines(
    catalogue: Catalogue, judgements: Sequence[Judgement], ending: Ending, width: int | None
) -> Iterator[str]:
    shown = [each for each in judgements if each.cases or not ending.run.partial]
    table = list(_table(catalogue, shown))
    too_wide = width is not None and any(len(line) > width for line in table)
    yield from _narrow_table(catalogue, shown) if too_wide else table
    yield from _listed(shown, width)
    yield from _readings(shown)
    yield from _deviations(ending.deviations)
    yield from _slowest(ending.slowest)
    yield from ending.warnings
    yield ""
    yield _headline(shown, ending.run)


def _by_section(
    catalogue: Catalogue, judgements: Sequence[Judgement]
) -> Iterator[tuple[str, Mapping[Verdict, int]]]:
    """Yield each section that has a judgement, padded to one width, with its counts of clauses."""
    width = max(len("section"), *(len(section.name) for section in catalogue.sections))
    for section in catalogue.sections:
        own = [judgement for judgement in judgements if judgement.clause.section == section.name]
        if own:
            yield f"{section.name:<{width}}", summary(own)


def _table(catalogue: Catalogue, judgements: Sequence[Judgement]) -> Iterator[str]:
    used = summary(judgements)
    columns = [verdict for verdict in COLUMNS if verdict in ALWAYS or verdict in used]
    rows = list(_by_section(catalogue, judgements))
    width = max((len(name) for name, _ in rows), default=len("section"))
    yield "  ".join([f"{'section':<{width}}", *(COLUMNS[verdict] for verdict in columns)])
    for name, counts in rows:
        cells = (f"{counts.get(verdict) or '.':>{len(COLUMNS[verdict])}}" for verdict in columns)
        yield "  ".join([name, *cells])


def _narrow_table(catalogue: Catalogue, judgements: Sequence[Judgement]) -> Iterator[str]:
    """Write the counts in words, worst first: as many as a section has, not as many as there are."""
    for name, counts in _by_section(catalogue, judgements):
        yield f"{name}  {', '.join(f'{COLUMNS[verdict]} {count}' for verdict, count in counts.items())}"


def _listed(judgements: Sequence[Judgement], width: int | None) -> Iterator[str]:
    for verdict in _LISTED:
        found = [judgement for judgement in judgements if judgement.verdict is verdict]
        if not found:
            continue
        yield ""
        yield f"{verdict}:"
        if verdict is Verdict.VIOLATION:
            yield from _violations(judgements, found, width)
        else:
            longest = max(len(judgement.clause.id) for judgement in found)
            for judgement in found:
                yield from _told(f"  {judgement.clause.id:<{longest}}  ", "", judgement, width)


def _violations(
    judgements: Sequence[Judgement], found: Sequence[Judgement], width: int | None
) -> Iterator[str]:
    """Write each violated clause; those that one fault has probably turned red stand together."""
    by_id = {each.clause.id: each for each in found}
    cases = {each.clause.id: each.cases for each in judgements}
    for cause in causes(cases, by_id):
        for clause in cause.clauses:
            indent = "  " if clause == cause.first else "      "
            rule = by_id[clause].clause.says.removesuffix(".")
            yield from _told(f"{indent}{clause}  ", rule, by_id[clause], width)
            if cause.others and clause == cause.first:
                yield f"    probably one cause with it ({len(cause.others)}):"


def _told(name: str, rule: str, judgement: Judgement, width: int | None) -> Iterator[str]:
    """Write a clause's rule and what was found, in one line; in a narrow terminal what was found is below it.

    There the rule gives way, and nothing of what was found.
    """
    why = _why(judgement)
    whole = f"{name}{rule}: {why}" if rule else f"{name}{why}"
    if width is None or len(whole) <= width:
        yield whole
        return
    room = width - len(name)
    yield f"{name}{rule if len(rule) <= room else f'{rule[: max(room, 1) - 1].rstrip()}…'}".rstrip()
    indent = " " * (len(name) - len(name.lstrip()) + 4)
    yield from wrap(why, max(width, _NARROWEST), initial_indent=indent, subsequent_indent=indent)


def _why(judgement: Judgement) -> str:
    cases = [case for case in judgement.cases if case.verdict is judgement.verdict]
    if not cases:
        return judgement.reason
    case = cases[0]
    count = how_many(judgement.cases, judgement.verdict)
    more = f" ({count})" if count else ""
    only = only_where(judgement.cases, judgement.verdict)
    about = "" if case.in_passing or judgement.verdict is not Verdict.VIOLATION else case.title.rstrip(".")
    said = one_line(case).splitlines()[0] if one_line(case) else case.id
    return ": ".join(filter(None, (only, about, f"{said}{more}")))


def _readings(judgements: Sequence[Judgement]) -> Iterator[str]:
    disputed = [judgement for judgement in judgements if judgement.readings]
    if disputed:
        yield ""
        yield "disputed, with the readings seen:"
        width = max(len(judgement.clause.id) for judgement in disputed)
        for each in disputed:
            seen = (told(reading, each.consequences.get(reading, ())) for reading in each.readings)
            yield f"  {each.clause.id:<{width}}  {'; '.join(seen)}"


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
    verdict = _says(run, counts) if run.exit_code in set(ExitCode) else None
    return (
        f"{partial}{len(judgements)} clauses: {_join(words)}; {run.cases} cases in {run.seconds:.1f} s on "
        f"{run.workers} worker{'s' * (run.workers != 1)}, {share:.1%} slept"
        + (f" -> {verdict} (exit code {run.exit_code})" if verdict else f" (exit code {run.exit_code})")
    )


def _says(run: RunPart, counts: Mapping[Verdict, int]) -> str | None:
    """Return in words what the exit code says."""
    code = ExitCode(run.exit_code)
    violated = counts.get(Verdict.VIOLATION, 0)
    if code is ExitCode.VIOLATED and violated:
        return "a clause is violated" if violated == 1 else f"{violated} clauses are violated"
    if run.partial and code is ExitCode.CONFORMS:
        return _PART_UNSEEN if Verdict.NOT_TESTED in counts else _PART_HOLDS
    if run.partial and code is ExitCode.POLICY and Verdict.STALE_DEVIATION not in counts:
        return _PART_NOT_SEEN
    return _SAYS.get(code)


def _join(words: Iterable[str]) -> str:
    return ", ".join(words) or "none judged"
