"""summary.md: what a reviewer of a change reads, also where GitHub shows the summary of a job's step."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from conformance.report.case_text import LONGEST_SIDE
from conformance.report.counts import (
    ATTENTION,
    case_counts,
    causes_of,
    clause_counts,
    columns,
    how_many,
    of_verdict,
    shown,
    words_of,
)
from conformance.report.markdown import code, escape, table
from conformance.report.printable import first_line, moment, plural
from conformance.report.reproduce import command, conditions
from conformance.report.statement import ClausePart, Statement
from conformance.report.summary_line import KEPT_OUT, headline
from conformance.verdict.verdicts import Verdict

# GitHub drops the whole summary of a step that is larger.
LIMIT_BYTES: Final = 1024 * 1024
VARIABLE: Final = "GITHUB_STEP_SUMMARY"
_CUT: Final = "\n\n*Cut here: too long for a summary. The rest is in conformance.html.*\n"


def render(statement: Statement) -> str:
    """Return the summary, short enough for GitHub."""
    return cut("\n".join(_lines(statement)) + "\n")


def cut(text: str, limit: int = LIMIT_BYTES) -> str:
    """Return a summary of at most `limit` bytes: cut at a line's end, with a word about it."""
    if len(text.encode()) <= limit:
        return text
    room = limit - len(_CUT.encode())
    if room < 0:
        return ""
    return text.encode()[:room].decode(errors="ignore").rpartition("\n")[0] + _CUT


def publish(summary: Path, environment: Mapping[str, str]) -> list[str]:
    """Append a summary to the file that the environment names; return a warning where that fails.

    What other commands of the same step have written there counts against the limit.
    """
    name = environment.get(VARIABLE)
    if not name:
        return []
    file = Path(name)
    try:
        begun = file.stat().st_size if file.exists() else 0
        with file.open("a", encoding="utf-8") as stream:
            stream.write(cut(summary.read_text(encoding="utf-8"), max(LIMIT_BYTES - begun, 0)))
    except OSError as error:
        return [f"{VARIABLE}={name}: {error.strerror}; the summary is not in it."]
    return []


def _lines(statement: Statement) -> Iterator[str]:
    claim = headline(statement)
    suite, document, run, target = statement.suite, statement.document, statement.run, statement.target
    yield f"# {escape(claim.title)}"
    yield ""
    if run.partial:
        yield "**Partial selection: no claim of conformance.**"
        yield ""
    yield " ".join(escape(sentence) for sentence in claim.bounds)
    yield ""
    for remark in run.remarks:
        yield f"Note: {escape(remark)}"
        yield ""
    yield (
        f"Target {escape(target.where)}, profile "
        f"{code(statement.profile.name)}, document *{escape(document.title)}* ({document.date}). "
        f"Suite {escape(suite.version)}, digest {code(suite.digest[:12])}. "
        f"Started {escape(moment(run.started))}, {run.seconds:.1f} s on {plural(run.workers, 'worker')}."
    )
    yield from _matrix(statement)
    yield from _attention(statement)
    yield from _kept_out(statement)
    yield from _rest(statement)


def _matrix(statement: Statement) -> Iterator[str]:
    clauses = shown(statement)
    verdicts = columns(statement)

    def row(name: str, counts: Mapping[Verdict, int]) -> list[str]:
        return [name, *(str(counts.get(verdict, 0)) for verdict in verdicts)]

    rows = []
    for section in statement.sections:
        own = [clause for clause in clauses if clause.section == section.name]
        if own:
            rows.append(row(escape(section.title), clause_counts(own)))
    rows.append(row("**All sections**", clause_counts(clauses)))
    rows.append(row("**Cases**", case_counts(statement)))
    yield ""
    yield from table(["Section", *(str(verdict) for verdict in verdicts)], rows, numbers=True)


def _attention(statement: Statement) -> Iterator[str]:
    found = of_verdict(statement, *ATTENTION)
    if not found:
        return
    clauses = {each.id: each for each in found}
    # Below the most specific clause those that the same fault has probably turned red.
    below = {clause for cause in causes_of(statement) for clause in cause.others}
    violated = [clauses[clause] for cause in causes_of(statement) for clause in cause.clauses]
    found = [*violated, *(each for each in found if each.verdict is not Verdict.VIOLATION)]
    yield from ("", "## Needs attention", "")
    yield from table(
        ["Clause", "Verdict", "Rule", "Expected", "Actual"],
        (
            [
                f"{'↳ ' if each.id in below else ''}{code(each.id)}",
                _verdict(each),
                escape(each.says),
                *_sides(each),
            ]
            for each in found
        ),
    )
    yield ""
    if below:
        yield "↳ has probably one cause with the clause above it."
        yield ""
    line = command(statement, found[0])
    if line is not None:
        yield f"Reproduce one: {code(line)}"
        yield from conditions(statement)


def _verdict(clause: ClausePart) -> str:
    count = how_many(clause.cases, clause.verdict)
    return f"{clause.verdict} ({count})" if count else str(clause.verdict)


def _kept_out(statement: Statement) -> Iterator[str]:
    found = [clause for clause in shown(statement) if clause.consequences]
    if not found:
        return
    yield from ("", f"## {KEPT_OUT}", "")
    yield from table(
        ["Clause", "Reading seen", "Known clients"],
        (
            [code(each.id), escape(reading), escape("; ".join(words))]
            for each in found
            for reading, words in each.consequences.items()
        ),
    )


def _sides(clause: ClausePart) -> tuple[str, str]:
    case = next((case for case in clause.cases if case.verdict is clause.verdict), None)
    if case is None or not case.expected:
        return "", escape(first_line(case.message if case and case.message else clause.reason))
    seen = first_line(case.actual or case.observed, LONGEST_SIDE)
    return escape(first_line(case.expected, LONGEST_SIDE)), escape(seen)


def _rest(statement: Statement) -> Iterator[str]:
    disputed = [clause for clause in shown(statement) if clause.readings]
    yield from _list("Disputed readings seen", disputed, lambda each: " · ".join(each.readings_told))
    deviations = [
        f"- {code(each.clause)} {each.state}: {escape(each.reason)} (expires {escape(each.expires)})"
        for each in statement.deviations
    ]
    yield from _folded("Deviations", deviations)
    observed = of_verdict(statement, Verdict.OBSERVED)
    yield from _list("Observations", observed, lambda each: " · ".join(words_of(each)))
    yield from _list("Not claimed", of_verdict(statement, Verdict.NOT_CLAIMED), lambda each: each.reason)
    yield from _list(
        "Not testable from outside", of_verdict(statement, Verdict.UNTESTABLE), lambda each: each.reason
    )


def _list(title: str, clauses: Sequence[ClausePart], words: Callable[[ClausePart], str]) -> Iterator[str]:
    yield from _folded(title, [f"- {code(each.id)} {escape(words(each))}" for each in clauses])


def _folded(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield from ("", f"<details><summary>{title} ({len(items)})</summary>", "", *items, "", "</details>")
