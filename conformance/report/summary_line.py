"""What a statement claims, in words that say where the claim ends. Every format for people begins with it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from conformance.report.counts import ATTENTION, CLAIMED, clause_counts, left_out, own, shown, unheld
from conformance.report.printable import plural
from conformance.report.statement import Statement
from conformance.verdict.run import ExitCode
from conformance.verdict.verdicts import Verdict

Tone = Literal["good", "bad", "unsure"]

# The title of what the readings seen mean for clients that are known.
KEPT_OUT: Final = "Known clients that cannot work here"


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The claim in one sentence, and the sentences that bound it."""

    title: str
    bounds: tuple[str, ...]
    tone: Tone


# What is said instead of any claim, by the exit code of a run that did not come to its end.
_NO_STATEMENT: Final = {
    ExitCode.INTERRUPTED: "Interrupted: no claim about {target}",
    ExitCode.INTERNAL_ERROR: "The suite failed: no claim about {target}",
    ExitCode.HUB_CRASHED: "The hub crashed inside: no claim about {target}",
    ExitCode.SECRET_FOUND: "Invalid: a secret stood in the output of this run on {target}",
}


def headline(statement: Statement) -> Headline:
    """Return the claim that a statement makes; made anew from its clauses, not from its exit code alone."""
    counts = clause_counts(shown(statement))
    target = statement.target.title
    title, tone = _title(statement, counts, target)
    return Headline(title=title, bounds=tuple(_bounds(statement, counts)), tone=tone)


def _title(statement: Statement, counts: Mapping[Verdict, int], target: str) -> tuple[str, Tone]:
    for code, words in _NO_STATEMENT.items():
        if statement.run.exit_code == code:
            return words.format(target=target), "bad" if code is ExitCode.SECRET_FOUND else "unsure"
    title, tone = _judgement(counts, target)
    if tone == "good" and (lost := unheld(statement)) and not statement.run.partial:
        return f"No claim: {plural(len(lost), 'stated deviation')} not found as stated on {target}", "unsure"
    if tone == "good" and statement.run.exit_code != ExitCode.CONFORMS:
        return f"No claim about {target}: the run ended with exit code {statement.run.exit_code}", "unsure"
    if not statement.run.partial:
        return title, tone
    if tone == "good":
        return f"Partial: what was selected holds on {target}", "unsure"
    return f"Partial: {title[0].lower()}{title[1:]}", tone


def _judgement(counts: Mapping[Verdict, int], target: str) -> tuple[str, Tone]:
    """Name the worst thing found; where there is none, the claim."""
    worst = next((verdict for verdict in ATTENTION if verdict in counts), None)
    number = counts[worst] if worst else 0
    if worst is Verdict.VIOLATION:
        return f"{_are(number, 'claimed clause')} violated on {target}", "bad"
    if worst is Verdict.STALE_DEVIATION:
        return f"No claim: {_are(number, 'known deviation')} stale on {target}", "bad"
    if worst is not None:
        claim = "Inconclusive" if worst is Verdict.BROKEN else "No claim"
        return f"{claim}: {_are(number, 'claimed clause')} {worst} on {target}", "unsure"
    if not CLAIMED.intersection(counts):
        return f"No claim: no claimed clause was judged on {target}", "unsure"
    deviating = counts.get(Verdict.KNOWN_DEVIATION)
    but = f", but for {plural(deviating, 'known deviation')}" if deviating else ""
    return f"Every claimed clause holds on {target}{but}", "good"


def _bounds(statement: Statement, counts: Mapping[Verdict, int]) -> Iterator[str]:
    claimed = sum(counts.get(verdict, 0) for verdict in CLAIMED)
    holding = counts.get(Verdict.PASS, 0)
    cases = sum(len(own(clause)) for clause in shown(statement) if clause.verdict in CLAIMED)
    yield f"{holding} of {plural(claimed, 'claimed clause')} held, judged in {plural(cases, 'case')}."
    if disputed := sum(
        clause.level == "disputed" for clause in shown(statement) if clause.verdict in CLAIMED
    ):
        yield f"{disputed} of them {'is' if disputed == 1 else 'are'} disputed: any accepted reading counts."
    if hard := sum(bool(clause.consequences) for clause in shown(statement) if clause.verdict in CLAIMED):
        yield f"In {hard} of these the reading seen keeps known clients from working."
    worse = [
        f"{verdict} {counts[verdict]}"
        for verdict in (*ATTENTION, Verdict.KNOWN_DEVIATION)
        if verdict in counts
    ]
    if worse:
        yield f"The others: {', '.join(worse)}."
    beside = [f"{counts.get(Verdict.NOT_CLAIMED, 0)} not claimed"]
    if observed := counts.get(Verdict.OBSERVED):
        beside.append(f"{observed} only observed, without judgement")
    if untestable := counts.get(Verdict.UNTESTABLE):
        beside.append(f"{untestable} not testable from outside")
    yield f"Not part of the claim: {'; '.join(beside)}."
    omitted = sum(left_out(statement, clause) for clause in statement.clauses)
    if statement.run.partial:
        yield (
            f"This is a partial selection, which claims no conformance: {plural(omitted, 'clause')} of "
            f"{len(statement.clauses)} had no case in it."
        )


def _are(count: int, noun: str) -> str:
    return f"{plural(count, noun)} {'is' if count == 1 else 'are'}"
