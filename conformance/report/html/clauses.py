"""Each clause: its rule, where the rule comes from, the verdict, the evidence, how to reproduce it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from conformance.report.alike import alike, own_part
from conformance.report.counts import kept_out, own, shown, words_of
from conformance.report.html.sequence import LONGEST, Shown, excerpt, sequence
from conformance.report.html.templating import kind
from conformance.report.limits import lines_of
from conformance.report.printable import plural
from conformance.report.reproduce import command
from conformance.report.statement import CasePart, ClausePart, SectionPart, Statement
from conformance.verdict.verdicts import WORST_FIRST, Verdict

SOURCE: Final = {
    "document": "stated by the document",
    "mqtt": "stated by MQTT 3.1.1",
    "rfc6455": "stated by RFC 6455",
    "microsoft": "stated by other pages of Microsoft",
    "seen": "seen on real hubs by others",
    "inferred": "follows from the document",
}
MOST_WAYS: Final = 8
"""Of so many ways in which a clause fails each has a line; one case of the first is open."""
MOST_NAMED: Final = 6
"""So many of the cases that fail alike are named where they are folded."""
MOST_AT_ONCE: Final = 16
"""A transcript of more lines, those of bytes too, is folded below what matters most of it."""
LONGEST_AT_ONCE: Final = 2400
"""Likewise one of more characters."""
# Evidence of these is shown at once; the rest unfolds.
_OPEN: Final = frozenset({Verdict.VIOLATION, Verdict.STALE_DEVIATION, Verdict.BROKEN})


def clauses(statement: Statement) -> Mapping[str, Any]:
    """Return every clause that the statement says something about, section by section."""
    found = shown(statement)
    cases = _Cases.of(found)
    articles = [_article(clause, statement, cases) for clause in found]
    sections = (
        _section(section, [each for each in articles if each.clause.section == section.name])
        for section in statement.sections
    )
    return {
        "choices": list(_choices(found)),
        "document_sections": [section for section in sections if section.articles or section.others],
    }


def index(statement: Statement) -> Mapping[str, Any]:
    """Return every clause by name, those of one section together: id, the id without its section, verdict."""
    found: dict[str, list[tuple[str, str, Verdict]]] = {}
    for clause in shown(statement):
        name = clause.id.removeprefix(f"{clause.section}.")
        found.setdefault(clause.section, []).append((clause.id, name, clause.verdict))
    return {"index": [(section, sorted(names)) for section, names in sorted(found.items())]}


@dataclass(frozen=True, kw_only=True)
class Section:
    """One section: the clauses with which something is wrong, and the others, which are folded."""

    section: SectionPart
    articles: Sequence["Article"]
    others: Sequence["Article"]

    @property
    def counts(self) -> str:
        """The verdicts of the others in words."""
        return _counted([article.clause.verdict for article in self.others])


def _section(section: SectionPart, articles: Sequence["Article"]) -> Section:
    return Section(
        section=section,
        articles=[each for each in articles if each.is_open],
        others=[each for each in articles if not each.is_open],
    )


def _counted(verdicts: Sequence[Verdict]) -> str:
    counts = ((verdict, verdicts.count(verdict)) for verdict in WORST_FIRST)
    return ", ".join(f"{verdict} {count}" for verdict, count in counts if count)


def _choices(found: Sequence[ClausePart]) -> Iterator[tuple[str, str, int]]:
    """Yield the verdicts that a reader may choose to see: id, words, number of clauses."""
    yield "show-all", "all", len(found)
    for verdict in WORST_FIRST:
        count = sum(clause.verdict is verdict for clause in found)
        if count:
            yield f"show-{kind(verdict)}", str(verdict), count


@dataclass(frozen=True)
class _Cases:
    """What clauses share: the place of each case on the page, and how many lines of a transcript it shows."""

    places: Mapping[str, str]
    lines: int

    @classmethod
    def of(cls, found: Sequence[ClausePart]) -> Self:
        cases = [case for clause in found for case in own(clause)]
        places = {case.id: f"case-{number}" for number, case in enumerate(cases, 1)}
        return cls(places, lines_of(cases, LONGEST))


@dataclass(frozen=True, kw_only=True)
class Article:
    """One clause as the page shows it; of `sentences`, which it covers, each says whether it is on the page.

    `place` is what the link to the document says. `groups` are cases that fail alike, of which the very first
    one is shown at once; `others` are folded, and so is all where nothing is wrong.
    """

    clause: ClausePart
    source: str
    sentences: Sequence[tuple[str, bool]]
    place: str
    said: Sequence[tuple[str, Sequence[str]]]
    counts: str
    groups: Sequence["Group"]
    others: Sequence["Told"]
    is_open: bool
    reproduce: str

    @property
    def other_counts(self) -> str:
        """How many others there are, and their verdicts in words."""
        counts = _counted([told.case.verdict for told in self.others])
        return f"{plural(len(self.others), 'other case')}: {counts}"


@dataclass(frozen=True, kw_only=True)
class Group:
    """Cases that fail alike: the first group has its first one `open`, all others are `folded`."""

    open: "Told | None"
    folded: Sequence["Told"]

    @property
    def words(self) -> str:
        """How many are folded, and what tells the first few of them apart."""
        names = [own_part(told.case.id) for told in self.folded[:MOST_NAMED]]
        more = ["…"] if len(self.folded) > MOST_NAMED else []
        count = len(self.folded)
        which = (
            f"{plural(count, 'more case')} alike" if self.open else f"{plural(count, 'case')} in another way"
        )
        return f"{which}: {' '.join([*names, *more])}"


@dataclass(frozen=True, kw_only=True)
class Told:
    """One case as the page shows it; `place` is its id on the page, or that of the case it was seen in.

    `said` has names, texts, and their classes of style. `excerpt` are the steps that are shown at once where
    all of them would be too many.
    """

    case: CasePart
    place: str
    said: Sequence[tuple[str, str, str]] = ()
    steps: Sequence[Shown] = ()
    excerpt: Sequence[Shown] = ()
    is_open: bool = False


def _article(clause: ClausePart, statement: Statement, shared: _Cases) -> Article:
    known = {sentence.id for sentence in statement.document.sentences}
    is_of_document = clause.source == "document"
    is_open = clause.verdict in _OPEN
    guilty = [case for case in clause.cases if case.verdict is clause.verdict] if is_open else []
    groups = alike(sorted(guilty, key=lambda case: (case.in_passing, _is_of_a_further_way(case))))[:MOST_WAYS]
    shown_already = {id(case) for group in groups for case in group}
    others = [case for case in clause.cases if id(case) not in shown_already]
    return Article(
        clause=clause,
        source=SOURCE[clause.source],
        sentences=[(number, number in known) for number in clause.statements],
        place="Open the document at this place" if is_of_document else "The document's section on it",
        said=list(_said_of(clause)),
        counts=_counted([case.verdict for case in clause.cases]),
        groups=[_group(group, shared, is_first=place == 0) for place, group in enumerate(groups)],
        others=[
            _told(case, shared) for case in sorted(others, key=lambda case: WORST_FIRST.index(case.verdict))
        ],
        is_open=is_open,
        reproduce=_reproduce(clause, statement),
    )


def _group(cases: Sequence[CasePart], shared: _Cases, *, is_first: bool) -> Group:
    folded = cases[1:] if is_first else cases
    return Group(
        open=_told(cases[0], shared, is_open=True) if is_first else None,
        folded=[_told(case, shared) for case in folded],
    )


def _is_of_a_further_way(case: CasePart) -> bool:
    return "@" in case.id.partition("[")[0]


def _said_of(clause: ClausePart) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield what the clause's verdict says beyond its word."""
    told_by_a_case = any(case.verdict is clause.verdict and case.message for case in clause.cases)
    if clause.reason and (not told_by_a_case or clause.verdict is Verdict.NOT_CLAIMED):
        yield "Reason", [clause.reason]
    if clause.level == "disputed":
        yield "Accepted", [" · ".join(clause.accepted)]
        if clause.readings:
            yield "Reading seen", [" · ".join(clause.readings)]
        if clause.consequences:
            yield "Known clients", kept_out(clause)
    if clause.verdict is Verdict.OBSERVED:
        yield "Observed", words_of(clause)
    if clause.sightings:
        yield "Watched", [f"{plural(clause.sightings, 'packet')} of all cases held against the rule"]


def _told(case: CasePart, shared: _Cases, *, is_open: bool = False) -> Told:
    if case.in_passing:
        return Told(case=case, place=shared.places.get(case.id, ""))
    transcript = case.transcript or ""
    is_long = transcript.count("\n") >= MOST_AT_ONCE or len(transcript) > LONGEST_AT_ONCE
    return Told(
        case=case,
        place=shared.places[case.id],
        said=list(_evidence(case)),
        steps=sequence(transcript, shared.lines),
        excerpt=excerpt(transcript) if is_open and is_long else (),
        is_open=is_open and not is_long,
    )


def _evidence(case: CasePart) -> Iterator[tuple[str, str, str]]:
    if case.message and not (case.expected and case.verdict is Verdict.VIOLATION):
        yield "Message", case.message, "verbatim"
    if case.expected:
        yield "Expected", case.expected, "verbatim expected"
    if case.actual:
        yield "Actual", case.actual, "verbatim actual"
    # The word of a case is mostly its actual value, or the beginning of it: no news beside the whole.
    if case.observed and case.observed.removesuffix("…") not in (case.actual or ""):
        yield "In a word", case.observed, "verbatim"
    if case.reading:
        yield "Reading", case.reading, ""
    if case.consequence:
        yield "Known clients", case.consequence, ""


def _reproduce(clause: ClausePart, statement: Statement) -> str:
    if not clause.cases or clause.verdict in {Verdict.UNTESTABLE, Verdict.NOT_CLAIMED}:
        return ""
    return command(statement, clause) or ""
