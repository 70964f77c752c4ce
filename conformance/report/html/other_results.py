"""What stands beside the claim: readings seen, observations, deviations, what was not claimed or tested."""

from collections.abc import Iterable, Sequence

from conformance.report.counts import kept_out, left_out, of_verdict, shown, words_of
from conformance.report.html.markup import Content, Markup, element, join, link
from conformance.report.printable import plural
from conformance.report.statement import ClausePart, Statement
from conformance.verdict.verdicts import Verdict


def lists(statement: Statement) -> Markup:
    """Return one table for each kind, in a section of its own; a kind without any says so."""
    return element(
        "section",
        element("h2", "Beside the claim", id="beside"),
        _readings(statement),
        _deviations(statement),
        _observations(statement),
        _left(statement, "not-claimed", "Not claimed", Verdict.NOT_CLAIMED),
        _left(statement, "not-tested", "Not tested", Verdict.NOT_TESTED),
        _left(statement, "untestable", "Not testable from outside", Verdict.UNTESTABLE),
        _selected_out(statement),
        aria_labelledby="beside",
    )


def _readings(statement: Statement) -> Markup:
    rows = [
        [
            _id(clause),
            clause.says,
            " · ".join(clause.accepted),
            [
                element("b", " · ".join(clause.readings) or "none"),
                *(element("div", words, class_="consequence") for words in kept_out(clause)),
            ],
        ]
        for clause in shown(statement)
        if clause.level == "disputed" and clause.verdict is not Verdict.NOT_CLAIMED
    ]
    lead = "Where the document can be read in more than one way, either passes; this is what the target does."
    return _part("readings", "Disputed readings seen", lead, ("Clause", "Rule", "Accepted", "Seen"), rows)


def _observations(statement: Statement) -> Markup:
    rows = [
        [_id(clause), clause.says, [element("div", word) for word in words_of(clause)]]
        for clause in of_verdict(statement, Verdict.OBSERVED)
    ]
    lead = "What the target does where no source says what is right. Nothing here is judged."
    return _part("observations", "Observations", lead, ("Clause", "Question", "Seen"), rows)


def _deviations(statement: Statement) -> Markup:
    known = {clause.id: clause for clause in shown(statement)}
    rows = [
        [
            _id(known[each.clause]) if each.clause in known else each.clause,
            element("b", str(each.state)),
            each.case,
            each.observed,
            link(each.link, each.reason),
            each.since,
            each.expires,
        ]
        for each in statement.deviations
    ]
    lead = "Differences that the profile states. Their cases ran, and had to fail in just the stated way."
    head = ("Clause", "State", "Cases", "Stated", "Reason", "Since", "Expires")
    return _part("deviations", "Deviations", lead, head, rows)


def _left(statement: Statement, place: str, title: str, verdict: Verdict) -> Markup | None:
    rows = [[_id(clause), clause.says, clause.reason] for clause in of_verdict(statement, verdict)]
    return _part(place, title, None, ("Clause", "Rule", "Reason"), rows)


def _selected_out(statement: Statement) -> Markup | None:
    omitted = [clause for clause in statement.clauses if left_out(statement, clause)]
    if not omitted:
        return None
    items = [element("li", element("code", clause.id)) for clause in omitted]
    return element(
        "div",
        element("h3", f"Left out of this partial selection ({len(omitted)})"),
        element(
            "details", element("summary", plural(len(omitted), "clause")), element("ul", items, class_="ids")
        ),
        class_="part",
    )


def _part(
    place: str, title: str, lead: str | None, head: Sequence[str], rows: Sequence[Sequence[Content]]
) -> Markup:
    heading = element("h3", f"{title} ({len(rows)})", id=place)
    if not rows:
        return element("div", heading, element("p", "None.", class_="none"), class_="part")
    return element(
        "div", heading, element("p", lead) if lead else None, table(head, rows, place), class_="part"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[Content]], place: str) -> Markup:
    """Return a table that becomes a list of small cards where the page is narrow."""
    columns = [element("th", words, scope="col", role="columnheader") for words in head]
    body = [
        element(
            "tr",
            [
                element("td", cell, data_head=words, role="cell")
                for words, cell in zip(head, row, strict=True)
            ],
            role="row",
        )
        for row in rows
    ]
    return element(
        "table",
        element("thead", element("tr", columns, role="row"), role="rowgroup"),
        element("tbody", body, role="rowgroup"),
        class_="list",
        role="table",
        aria_labelledby=place,
    )


def _id(clause: ClausePart) -> Markup:
    return join(element("a", clause.id, href=f"#clause-{clause.id}", class_="id"))
