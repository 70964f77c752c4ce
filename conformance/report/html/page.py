"""The page of a statement: what each of its templates shows, gathered."""

from conformance.report.html import templating
from conformance.report.html.clauses import clauses, index
from conformance.report.html.glossary import glossary
from conformance.report.html.other_results import other_results
from conformance.report.html.overview import overview
from conformance.report.html.sentences import sentences
from conformance.report.statement import Statement


def render(statement: Statement) -> str:
    """Return the page of a statement."""
    return templating.render(
        "page.html",
        statement=statement,
        contents=[
            ("attention", "Needs attention"),
            ("matrix", "Sections"),
            ("run", "Run"),
            ("index", "Find a clause"),
            ("clauses", "Clauses"),
            ("beside", "Beside the claim"),
            *([("sentences", "Sentences")] if statement.document.sentences else []),
            ("glossary", "How to read this"),
        ],
        **overview(statement),
        **other_results(statement),
        **clauses(statement),
        **index(statement),
        **sentences(statement),
        **glossary(statement),
    )
