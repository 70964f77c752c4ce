"""Two statements side by side, as a page."""

from collections.abc import Mapping

from conformance.report.comparison import CaseChange, ClauseChange, Comparison, Kind
from conformance.report.comparison_lines import ABSENT, target_lines
from conformance.report.counts import own_cases, words_of
from conformance.report.html.badge import badge, kind
from conformance.report.html.markup import Content, Markup, element, join, link
from conformance.report.html.page import document, navigation
from conformance.report.html.sequence import LONGEST, sequence
from conformance.report.limits import LINES, share
from conformance.report.printable import plural
from conformance.report.statement import CasePart, ClausePart, Statement


def render(comparison: Comparison) -> str:
    """Return the page of a comparison."""
    kinds = [each for each in Kind if comparison.of(each)]
    wires = _Wires(comparison)
    contents = [(_place(each), f"{_title(each)} ({len(comparison.of(each))})") for each in kinds]
    return document(
        comparison.headline,
        element(
            "header",
            element("p", "Comparison of two conformance statements", class_="eyebrow"),
            element("h1", comparison.headline),
            element("p", f"{comparison.counts}.", class_="bound"),
            [element("p", remark, class_="bound") for remark in comparison.remarks],
            class_=f"claim {'bad' if comparison.is_regression else 'good'}",
        ),
        navigation(contents) if contents else None,
        _runs(comparison),
        [_section(each, comparison, wires) for each in kinds],
        _omitted(comparison),
    )


def _runs(comparison: Comparison) -> Markup:
    a, b = ([element("p", line) for line in target_lines(made)] for made in (comparison.a, comparison.b))
    return element("section", element("h2", "The two runs", id="runs"), _pair(a, b), aria_labelledby="runs")


class _Wires:
    """What went over the wire in each case, on both sides: shown where a case is named first, and once."""

    def __init__(self, comparison: Comparison) -> None:
        self._sides = [_transcripts(made) for made in (comparison.a, comparison.b)]
        named = {case.either.id for change in comparison.changes for case in change.cases}
        shown = [side[case] for side in self._sides for case in named & side.keys()]
        self._lines = share((text.count("\n") + 1 for text in shown), LINES)
        self._told: set[str] = set()

    def of(self, case: str) -> Markup | None:
        """Return both sequences, folded; None where there is none, or where they stand above."""
        if case in self._told:
            return None
        self._told.add(case)
        sides = zip(("A", "B"), self._sides, strict=True)
        both = [
            join(element("h5", name), wire)
            for name, transcripts in sides
            if (wire := sequence(transcripts.get(case, ""), min(LONGEST, self._lines))) is not None
        ]
        return element("details", element("summary", "Sequences"), both) if both else None


def _transcripts(statement: Statement) -> Mapping[str, str]:
    return {case.id: case.transcript for case in own_cases(statement) if case.transcript}


def _section(which: Kind, comparison: Comparison, wires: _Wires) -> Markup:
    changes = comparison.of(which)
    heading = element(
        "h2", _title(which), element("span", f" {len(changes)}", class_="number"), id=_place(which)
    )
    return element(
        "section",
        heading,
        [_clause(change, wires) for change in changes],
        class_="changed",
        aria_labelledby=_place(which),
    )


def _clause(change: ClauseChange, wires: _Wires) -> Markup:
    clause = change.either
    return element(
        "article",
        element("h3", element("span", clause.id, class_="id"), id=f"clause-{clause.id}"),
        element("p", clause.says, class_="rule"),
        element(
            "p", clause.level, " · ", link(clause.link, "Open the document at this place"), class_="source"
        ),
        _pair(_clause_side(change.a), _clause_side(change.b)),
        [_case(case, wires) for case in change.cases],
        class_="clause",
        aria_labelledby=f"clause-{clause.id}",
    )


def _case(change: CaseChange, wires: _Wires) -> Markup:
    case = change.either
    return element(
        "div",
        element("h4", case.title or case.id, element("span", f" {change.kind}", class_="time")),
        element("p", element("code", case.id), class_="source"),
        _pair(_case_side(change.a), _case_side(change.b)),
        wires.of(case.id),
        class_=f"case {kind(case.verdict)}",
        data_case=case.id,
    )


def _pair(a: Content, b: Content) -> Markup:
    sides = [
        element("div", element("p", name, class_="side"), content) for name, content in (("A", a), ("B", b))
    ]
    return element("div", sides, class_="pair")


def _clause_side(clause: ClausePart | None) -> Content:
    if clause is None:
        return element("p", ABSENT, class_="none")
    said = clause.readings_told or words_of(clause)
    return [badge(clause.verdict), element("p", " · ".join(said)), element("p", clause.reason, class_="why")]


def _case_side(case: CasePart | None) -> Content:
    if case is None:
        return element("p", ABSENT, class_="none")
    lines = [
        ("Reading", case.reading),
        ("Known clients", case.consequence),
        ("Expected", case.expected),
        ("Actual", case.actual),
        ("In a word", case.observed if case.observed != case.actual else None),
        ("Message", None if case.expected else case.message),
    ]
    rows = [
        element("div", element("dt", name), element("dd", element("span", text, class_="verbatim")))
        for name, text in lines
        if text
    ]
    return join(badge(case.verdict), element("dl", rows, class_="said") if rows else None)


def _omitted(comparison: Comparison) -> Markup | None:
    if not comparison.omitted:
        return None
    names = [element("li", element("code", clause)) for clause in comparison.omitted]
    count = plural(len(names), "clause")
    return element(
        "section",
        element("h2", "Not compared", id="omitted"),
        element(
            "details",
            element("summary", f"{count} left out of a partial selection"),
            element("ul", names, class_="ids"),
        ),
        aria_labelledby="omitted",
    )


def _place(which: Kind) -> str:
    return which.lower().replace(" ", "-")


def _title(which: Kind) -> str:
    return f"{which[0].upper()}{which[1:]}"
