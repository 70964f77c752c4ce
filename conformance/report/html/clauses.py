"""Each clause: its rule, where the rule comes from, the verdict, the evidence, how to reproduce it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from conformance.report.counts import kept_out, own, shown, words_of
from conformance.report.html.badge import badge, kind
from conformance.report.html.markup import Content, Markup, element, join, link
from conformance.report.html.sequence import LONGEST, sequence
from conformance.report.limits import lines_of
from conformance.report.printable import plural
from conformance.report.reproduce import command
from conformance.report.statement import CasePart, ClausePart, DeviationPart, Statement
from conformance.verdict.verdicts import WORST_FIRST, Verdict

SOURCE: Final = {
    "document": "stated by the document",
    "mqtt": "stated by MQTT 3.1.1",
    "rfc6455": "stated by RFC 6455",
    "microsoft": "stated by other pages of Microsoft",
    "seen": "seen on real hubs by others",
    "inferred": "follows from the document",
}
# Evidence of these is shown at once; the rest unfolds.
_OPEN: Final = frozenset({Verdict.VIOLATION, Verdict.STALE_DEVIATION, Verdict.BROKEN})


def clause_sections(statement: Statement) -> Markup:
    """Return every clause that the statement says something about, section by section."""
    clauses = shown(statement)
    cases = _Cases.of(clauses)
    sections = []
    for section in statement.sections:
        found = [clause for clause in clauses if clause.section == section.name]
        if found:
            heading = element(
                "h3",
                section.title,
                element("span", f" {len(found)}", class_="number"),
                id=f"section-{section.name}",
            )
            articles = [_clause(clause, statement, cases) for clause in found]
            sections.append(
                element(
                    "section",
                    heading,
                    articles,
                    class_="document-section",
                    aria_labelledby=f"section-{section.name}",
                )
            )
    return element(
        "section",
        element("h2", "Clauses", id="clauses"),
        _filter(clauses),
        sections,
        aria_labelledby="clauses",
    )


def _filter(clauses: Sequence[ClausePart]) -> Markup:
    """Return the choice of a verdict to show; style alone acts on it."""
    used = {clause.verdict for clause in clauses}
    choices = [("show-all", "all", len(clauses), True)]
    choices += [
        (f"show-{kind(verdict)}", str(verdict), sum(clause.verdict is verdict for clause in clauses), False)
        for verdict in WORST_FIRST
        if verdict in used
    ]
    inputs = [
        element(
            "label",
            element("input", type="radio", name="show", id=choice, checked=checked),
            f" {words} ",
            element("span", str(count), class_="number"),
        )
        for choice, words, count, checked in choices
    ]
    return element("fieldset", element("legend", "Show"), inputs, class_="filter")


@dataclass(frozen=True)
class _Cases:
    """What clauses share: the place of each case on the page, and how many lines of a transcript it shows."""

    places: Mapping[str, str]
    lines: int

    @classmethod
    def of(cls, clauses: Sequence[ClausePart]) -> Self:
        cases = [case for clause in clauses for case in own(clause)]
        places = {case.id: f"case-{number}" for number, case in enumerate(cases, 1)}
        return cls(places, lines_of(cases, LONGEST))


def _clause(clause: ClausePart, statement: Statement, cases: _Cases) -> Markup:
    heading = element(
        "h4", badge(clause.verdict), " ", element("span", clause.id, class_="id"), id=f"name-{clause.id}"
    )
    return element(
        "article",
        heading,
        element("p", clause.says, class_="rule"),
        element("p", _source(clause, statement), class_="source"),
        element("p", clause.note, class_="note") if clause.note else None,
        _summary(clause),
        _cases(clause, statement, cases),
        id=f"clause-{clause.id}",
        class_=f"clause {kind(clause.verdict)}",
        aria_labelledby=f"name-{clause.id}",
    )


def _source(clause: ClausePart, statement: Statement) -> Iterator[Content]:
    yield element("span", clause.level, class_="level")
    yield f" · {SOURCE[clause.source]}"
    known = {sentence.id for sentence in statement.document.sentences}
    for number in clause.statements:
        yield " · "
        yield element("a", number, href=f"#{number}") if number in known else number
    for number in clause.mqtt:
        yield f" · [{number}]"
    yield " · "
    place = (
        "Open the document at this place" if clause.source == "document" else "The document's section on it"
    )
    yield link(clause.link, place, class_="document")


def _summary(clause: ClausePart) -> Markup | None:
    """Return what the clause's verdict says beyond its word."""
    lines: list[tuple[str, Content]] = []
    told_by_a_case = any(case.verdict is clause.verdict and case.message for case in clause.cases)
    if clause.reason and (not told_by_a_case or clause.verdict is Verdict.NOT_CLAIMED):
        lines.append(("Reason", clause.reason))
    if clause.level == "disputed":
        lines.append(("Accepted", " · ".join(clause.accepted)))
        if clause.readings:
            lines.append(("Reading seen", element("b", " · ".join(clause.readings))))
        if clause.consequences:
            lines.append(("Known clients", [element("div", words) for words in kept_out(clause)]))
    if clause.verdict is Verdict.OBSERVED:
        lines.append(("Observed", [element("div", word) for word in words_of(clause)]))
    if clause.sightings:
        lines.append(("Watched", f"{plural(clause.sightings, 'packet')} of all cases held against the rule"))
    if not lines:
        return None
    return element(
        "dl",
        [element("div", element("dt", name), element("dd", value)) for name, value in lines],
        class_="said",
    )


def _cases(clause: ClausePart, statement: Statement, shared: _Cases) -> Markup | None:
    """Return the cases, worst first, and the command that runs them again."""
    if not clause.cases:
        return None
    counts = {verdict: sum(case.verdict is verdict for case in clause.cases) for verdict in WORST_FIRST}
    words = ", ".join(f"{verdict} {count}" for verdict, count in counts.items() if count)
    cases = sorted(clause.cases, key=lambda case: WORST_FIRST.index(case.verdict))
    return element(
        "details",
        element("summary", f"{plural(len(clause.cases), 'case')}: {words}"),
        _reproduce(clause, statement),
        element(
            "ol",
            [_in_passing(case, shared) if case.in_passing else _case(case, shared) for case in cases],
            class_="cases",
        ),
        open=clause.verdict in _OPEN,
    )


def _in_passing(case: CasePart, shared: _Cases) -> Markup:
    """Return how a case of another clause broke the rule, in short: the packets stand with that case."""
    place = shared.places.get(case.id)
    name = element("code", case.id)
    how_often = f" {plural(case.count, 'packet')}" if case.count else None
    head = element(
        "p",
        badge(case.verdict),
        " seen in ",
        element("a", name, href=f"#{place}") if place else name,
        element("span", how_often, class_="time") if how_often else None,
        class_="case-head",
    )
    return element(
        "li",
        head,
        element("p", case.message, class_="verbatim"),
        element("p", _deviation(case.deviation), class_="note") if case.deviation else None,
        class_=f"case {kind(case.verdict)}",
        data_case=case.id,
        data_verdict=str(case.verdict),
        data_in_passing=True,
    )


def _case(case: CasePart, shared: _Cases) -> Markup:
    title = case.title or case.id
    head = element(
        "p",
        badge(case.verdict),
        " ",
        element("span", title, class_="title"),
        element("span", f" {case.seconds * 1000:.0f} ms", class_="time"),
        class_="case-head",
    )
    return element(
        "li",
        head,
        _evidence(case, shared.lines),
        class_=f"case {kind(case.verdict)}",
        data_case=case.id,
        data_verdict=str(case.verdict),
        id=shared.places[case.id],
    )


def _evidence(case: CasePart, longest: int) -> Content:
    lines: list[tuple[str, Content]] = []
    if case.message and not (case.expected and case.verdict is Verdict.VIOLATION):
        lines.append(("Message", element("span", case.message, class_="verbatim")))
    if case.expected:
        lines.append(("Expected", element("span", case.expected, class_="verbatim expected")))
    if case.actual:
        lines.append(("Actual", element("span", case.actual, class_="verbatim actual")))
    # The word of a case is mostly its actual value, or the beginning of it: no news beside the whole.
    if case.observed and case.observed.removesuffix("…") not in (case.actual or ""):
        lines.append(("In a word", element("span", case.observed, class_="verbatim")))
    if case.reading:
        lines.append(("Reading", case.reading))
    if case.consequence:
        lines.append(("Known clients", case.consequence))
    if case.deviation is not None:
        lines.append(("Deviation", _deviation(case.deviation)))
    lines.append(("Case", element("code", case.id)))
    told = element(
        "dl",
        [element("div", element("dt", name), element("dd", value)) for name, value in lines],
        class_="said",
    )
    wire = sequence(case.transcript or "", longest)
    if wire is not None and case.verdict not in _OPEN:
        wire = element("details", element("summary", "Sequence"), wire)
    return join(told, wire)


def _deviation(deviation: DeviationPart) -> Content:
    dates = f" (since {deviation.since}, expires {deviation.expires})"
    return join(f"states {deviation.observed}: ", link(deviation.link, deviation.reason), dates)


def _reproduce(clause: ClausePart, statement: Statement) -> Markup | None:
    line = command(statement, clause)
    if line is None or clause.verdict in {Verdict.UNTESTABLE, Verdict.NOT_CLAIMED}:
        return None
    return element(
        "p", element("span", "Reproduce ", class_="label"), element("code", line), class_="reproduce"
    )
