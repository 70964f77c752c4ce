"""The frame of every page: head, style, policy. The policy lets a browser load nothing at all."""

from functools import cache
from pathlib import Path
from typing import Final

from conformance.report.html.clauses import clause_sections
from conformance.report.html.glossary import glossary
from conformance.report.html.markup import Content, Markup, element, join
from conformance.report.html.other_results import lists
from conformance.report.html.overview import overview
from conformance.report.html.sentences import sentences
from conformance.report.statement import Statement
from conformance.report.summary_line import headline

STYLE: Final = Path(__file__).with_name("style.css")
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)


def render(statement: Statement) -> str:
    """Return the page of a statement."""
    contents = [
        ("attention", "Needs attention"),
        ("matrix", "Sections"),
        ("run", "Run"),
        ("beside", "Beside the claim"),
        ("clauses", "Clauses"),
        *([("sentences", "Sentences")] if statement.document.sentences else []),
        ("glossary", "How to read this"),
    ]
    return document(
        f"{headline(statement).title} · {statement.profile.name}",
        overview(statement, navigation(contents)),
        lists(statement),
        clause_sections(statement),
        sentences(statement),
        glossary(statement),
    )


def navigation(contents: list[tuple[str, str]]) -> Markup:
    """Return links to the parts of a page."""
    links = [element("li", element("a", words, href=f"#{place}")) for place, words in contents]
    return element("nav", element("ul", links), aria_label="Parts of this page")


def document(title: str, *content: Content) -> str:
    """Return a whole page around some content."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("link", rel="icon", href="data:,"),
        Markup(f"<style>{_style()}</style>"),
    )
    skip = element("a", "Skip to the content", href="#content", class_="skip")
    body = element("body", skip, element("main", join(*content), id="content"))
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


@cache
def _style() -> str:
    return STYLE.read_text(encoding="utf-8")
