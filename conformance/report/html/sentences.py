"""The document, sentence by sentence: which clauses check each, and what they found."""

from collections.abc import Sequence

from conformance.report.counts import left_out
from conformance.report.html.badge import badge
from conformance.report.html.markup import Content, Markup, element
from conformance.report.html.other_results import table
from conformance.report.printable import plural
from conformance.report.statement import ClausePart, SentencePart, Statement


def sentences(statement: Statement) -> Markup | None:
    """Return the section; None where the statement names no sentences."""
    document = statement.document
    if not document.sentences:
        return None
    further = sum(not clause.statements for clause in statement.clauses)
    rows = [[*_sentence(each), _covered(statement, each)] for each in document.sentences]
    return element(
        "section",
        element("h2", "The document, sentence by sentence", id="sentences"),
        element(
            "p",
            f"All that the document of {document.date} ({document.language}) asserts, in the suite's words, "
            f"with the lines of its source text, and the clauses that check it. Beside it "
            f"{plural(further, 'further clause')} rest on MQTT 3.1.1, other pages of Microsoft's, "
            "or what others saw of hubs.",
        ),
        table(("Sentence", "Line", "Says", "Clauses"), rows, "sentences"),
        aria_labelledby="sentences",
    )


def _sentence(sentence: SentencePart) -> Sequence[Content]:
    return element("span", sentence.id, id=sentence.id, class_="id"), sentence.lines, sentence.says


def _covered(statement: Statement, sentence: SentencePart) -> Content:
    if sentence.untestable is not None:
        return element("span", f"None: {sentence.untestable}", class_="note")
    return [_clause(clause, skipped=left_out(statement, clause)) for clause in _clauses(statement, sentence)]


def _clause(clause: ClausePart, *, skipped: bool) -> Markup:
    if skipped:
        found: list[Content] = [element("span", clause.id, class_="id"), " not in this selection"]
    else:
        name = element("a", clause.id, href=f"#clause-{clause.id}", class_="id")
        found = [name, " ", badge(clause.verdict)]
        if clause.level == "disputed" and clause.readings:
            found.append(element("div", f"disputed: {' · '.join(clause.readings_told)}", class_="note"))
    return element("div", found, class_="check")


def _clauses(statement: Statement, sentence: SentencePart) -> list[ClausePart]:
    return [clause for clause in statement.clauses if sentence.id in clause.statements]
