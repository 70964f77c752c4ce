"""What a reader sees first: the claim and its bounds, who judged what, what needs attention, the matrix."""

from collections.abc import Iterator, Mapping, Sequence

from conformance.report.case_text import LONGEST_SIDE
from conformance.report.counts import (
    ATTENTION,
    case_counts,
    causes_of,
    clause_counts,
    columns,
    of_verdict,
    shown,
)
from conformance.report.html.badge import badge, kind
from conformance.report.html.markup import Content, Markup, element, join, link
from conformance.report.html.other_results import table
from conformance.report.printable import first_line, moment, plural
from conformance.report.statement import CasePart, ClausePart, CostPart, Statement
from conformance.report.summary_line import KEPT_OUT, headline
from conformance.verdict.verdicts import Verdict


def overview(statement: Statement, navigation: Markup) -> Markup:
    """Return the top of the page."""
    claim = headline(statement)
    return join(
        element(
            "header",
            element("p", "Conformance statement", class_="eyebrow"),
            element("p", "Partial selection: no claim of conformance", class_="partial")
            if statement.run.partial
            else None,
            element("h1", claim.title),
            [element("p", sentence, class_="bound") for sentence in claim.bounds],
            [element("p", remark, class_="remark") for remark in statement.run.remarks],
            element("p", _identity(statement), class_="identity"),
            class_=f"claim {claim.tone}",
        ),
        navigation,
        _attention(statement),
        _kept_out(statement),
        _matrix(statement),
        _facts(statement),
    )


def _identity(statement: Statement) -> Markup:
    target, document, suite = statement.target, statement.document, statement.suite
    return join(
        f"{target.where}, profile {statement.profile.name} · document of ",
        element("time", document.date),
        f" ({document.language}) · suite {suite.version} · ",
        _time(statement.run.started),
    )


def _time(started: str) -> Markup:
    return element("time", moment(started), datetime=started)


def _facts(statement: Statement) -> Markup:
    rows = [
        element("div", element("dt", name), element("dd", value)) for name, value in facts(statement) if value
    ]
    return element(
        "section", element("h2", "Run", id="run"), element("dl", rows, class_="facts"), aria_labelledby="run"
    )


def facts(statement: Statement) -> Iterator[tuple[str, Content]]:
    """Yield what identifies a run: name and value."""
    suite, document, run, target = statement.suite, statement.document, statement.run, statement.target
    ports = ", ".join(f"{name} {port}" for name, port in target.ports.items())
    yield "Target", target.where + (f" ({ports})" if ports else "")
    yield "Profile", element("code", statement.profile.name)
    yield "Claims", ", ".join(statement.claims.capabilities) or "nothing beyond MQTT"
    if statement.suite.depth != "whole":
        yield "Depth", f"{statement.suite.depth}: few of the further ways (--thorough for all)"
    yield "States", ", ".join(f"{name} {seconds:g} s" for name, seconds in statement.claims.timing.items())
    yield "Document", link(document.url, f"{document.title} ({document.date}, {document.language})")
    yield "Suite", f"{suite.name} {suite.version}"
    yield "Digest of the suite", element("code", f"sha256:{suite.digest}", class_="digest")
    yield "Digest of the clauses", element("code", f"sha256:{suite.clauses_digest}", class_="digest")
    yield "Started", _time(run.started)
    shards = f", merged from {run.shards} runs" if run.shards > 1 else ""
    slept = f"{run.slept_seconds:.1f} s slept"
    yield "Took", f"{run.seconds:.1f} s on {plural(run.workers, 'worker')}{shards}, {slept}"
    yield "Asked of the target", _asked(run.cost)
    yield "Slowest cases", ", ".join(f"{case.seconds:.1f} s {case.clause}" for case in run.cost.slowest[:3])
    yield "Selection", _selection(statement)
    yield "Exit code", str(run.exit_code)


def _asked(cost: CostPart) -> str | None:
    if not cost.messages:
        return None
    identities = "1 identity" if cost.identities == 1 else f"{cost.identities} identities"
    parts = [plural(cost.messages, "message"), identities]
    if cost.registry_operations:
        parts.insert(1, plural(cost.registry_operations, "registry operation"))
    if cost.connections:
        parts.append(plural(cost.connections, "connection"))
    return ", ".join(parts)


def _selection(statement: Statement) -> Content:
    run = statement.run
    size = (
        f"{plural(run.cases, 'case')}, large ones {'included' if statement.claims.large else 'not asked for'}"
    )
    if not run.partial:
        return f"complete: {size}"
    return join(
        element("strong", "partial"),
        f": {size} ",
        element("code", " ".join(run.selection)) if run.selection else None,
    )


def _attention(statement: Statement) -> Markup:
    found = of_verdict(statement, *ATTENTION)
    content: Content = element("p", "Nothing: no clause is violated, broken or left untested.")
    if found:
        others = [_attention_row(clause) for clause in found if clause.verdict is not Verdict.VIOLATION]
        content = element("ul", _violations(statement), others, class_="attention")
    return element(
        "section",
        element("h2", "Needs attention", _number(len(found)) if found else None, id="attention"),
        content,
        aria_labelledby="attention",
    )


def _violations(statement: Statement) -> Iterator[Markup]:
    """Yield a row for each probable cause: its most specific clause, with the others inside."""
    clauses = {clause.id: clause for clause in statement.clauses}
    for cause in causes_of(statement):
        others = [_attention_row(clauses[clause]) for clause in cause.others]
        yield _attention_row(clauses[cause.first], others)


def _attention_row(clause: ClausePart, others: Sequence[Markup] = ()) -> Markup:
    """Return what is wrong with a clause; `others` are the rows of clauses that the same has turned red."""
    guilty = [case for case in clause.cases if case.verdict is clause.verdict]
    more = f" (and {plural(len(guilty) - 1, 'more case')})" if len(guilty) > 1 else ""
    return element(
        "li",
        badge(clause.verdict),
        " ",
        element("a", clause.id, href=f"#clause-{clause.id}", class_="id"),
        element("p", clause.says),
        element("p", _why(guilty) or clause.reason, more, class_="why"),
        [
            element("p", f"Probably one cause with it: {plural(len(others), 'clause')}.", class_="one-cause"),
            element("ul", others, class_="one-cause"),
        ]
        if others
        else None,
        class_=kind(clause.verdict),
    )


def _why(guilty: Sequence[CasePart]) -> Content:
    if not guilty:
        return None
    case = guilty[0]
    if not case.expected:
        return first_line(case.message, LONGEST_SIDE) or case.id
    about = [case.title, element("br")] if case.verdict is Verdict.VIOLATION else None
    seen = first_line(case.actual or case.observed, LONGEST_SIDE)
    expected = element("b", first_line(case.expected, LONGEST_SIDE))
    return join(about, "expected ", expected, element("br"), "actual ", element("b", seen))


def _kept_out(statement: Statement) -> Markup | None:
    """Return what the readings that were seen keep known clients from; None where that is nothing."""
    rows = [
        [
            element("a", clause.id, href=f"#clause-{clause.id}", class_="id"),
            reading,
            [element("div", element("b", each)) for each in words],
        ]
        for clause in shown(statement)
        for reading, words in clause.consequences.items()
    ]
    if not rows:
        return None
    return element(
        "section",
        element("h2", KEPT_OUT, id="kept-out"),
        element("p", "Each reading is accepted, and yet these clients cannot work with it."),
        table(("Clause", "Reading seen", "Known clients"), rows, "kept-out"),
        aria_labelledby="kept-out",
    )


def _matrix(statement: Statement) -> Markup:
    clauses = shown(statement)
    verdicts = columns(statement)
    head = [element("th", str(verdict), scope="col", role="columnheader") for verdict in verdicts]
    rows = []
    for section in statement.sections:
        own = [clause for clause in clauses if clause.section == section.name]
        if own:
            name = element("a", section.title, href=f"#section-{section.name}")
            rows.append(_matrix_row(name, verdicts, clause_counts(own)))
    total = _matrix_row("All sections", verdicts, clause_counts(clauses))
    cases = _matrix_row("Cases", verdicts, case_counts(statement))
    passing = sum(case.in_passing for clause in clauses for case in clause.cases)
    return element(
        "section",
        element("h2", "Sections and verdicts", id="matrix"),
        element(
            "table",
            element(
                "caption",
                f"Clauses by section and verdict. {plural(len(clauses), 'clause')}, "
                f"{plural(statement.run.cases, 'case')}.",
            ),
            element(
                "thead",
                element("tr", element("th", "Section", scope="col", role="columnheader"), head, role="row"),
                role="rowgroup",
            ),
            element("tbody", rows, role="rowgroup"),
            element("tfoot", total, cases, role="rowgroup"),
            class_="matrix",
            role="table",
        ),
        element(
            "p",
            f"Under a second clause, where the watch saw something in passing: {plural(passing, 'case')}.",
        )
        if passing
        else None,
        aria_labelledby="matrix",
    )


def _matrix_row(name: Content, verdicts: Sequence[Verdict], counts: Mapping[Verdict, int]) -> Markup:
    cells = [
        element(
            "td",
            str(counts.get(verdict, 0)),
            class_=kind(verdict) if counts.get(verdict) else "none",
            data_verdict=str(verdict),
            role="cell",
        )
        for verdict in verdicts
    ]
    return element("tr", element("th", name, scope="row", role="rowheader"), cells, role="row")


def _number(count: int) -> Markup:
    return element("span", f" {count}", class_="number")
