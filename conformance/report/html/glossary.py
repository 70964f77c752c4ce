"""How to read the page: what each verdict, level and source means, and how to repeat the run."""

from collections.abc import Mapping, Sequence
from typing import Final

from conformance.report.html.badge import badge
from conformance.report.html.clauses import SOURCE
from conformance.report.html.markup import Content, Markup, element
from conformance.report.reproduce import command, conditions
from conformance.report.statement import Statement
from conformance.verdict.verdicts import WORST_FIRST, Verdict

MEANING: Final[Mapping[Verdict, str]] = {
    Verdict.VIOLATION: "the target did something other than the clause says",
    Verdict.STALE_DEVIATION: "the profile states a known difference that is no longer there, or another one",
    Verdict.BROKEN: "a case failed before or beside the rule it checks: nothing can be said about the target",
    Verdict.NOT_TESTED: "the profile claims what the clause needs, but nothing judged it",
    Verdict.KNOWN_DEVIATION: "the target differs just as the profile states, with a reason",
    Verdict.PASS: "every case of the clause held",
    Verdict.OBSERVED: "what the target does was taken down; no source says what is right",
    Verdict.UNTESTABLE: "nothing outside a hub can provoke or see it",
    Verdict.NOT_CLAIMED: "the profile does not claim what the clause needs, or the hub did not come to do it",
}
LEVEL: Final = {
    "must": "a source states the rule, and it can be judged",
    "disputed": "sources disagree; each named reading passes, and the one seen is reported, "
    "with known clients that cannot work with it",
    "observe": "no source says what is right; what the target does is taken down",
    "untestable": "a source states it, and nothing outside a hub can check it",
}


def glossary(statement: Statement) -> Markup:
    """Return the last part of the page."""
    verdicts = [(badge(verdict), MEANING[verdict]) for verdict in WORST_FIRST]
    return element(
        "section",
        element("h2", "How to read this", id="glossary"),
        element("p", "A clause has the worst verdict of its cases, in the order below down to pass."),
        element("h3", "Verdicts"),
        _definitions(verdicts),
        element("h3", "Levels"),
        _definitions([(word, meaning) for word, meaning in LEVEL.items()]),
        element("h3", "Sources"),
        _definitions([(word, meaning) for word, meaning in SOURCE.items()]),
        element("h3", "How to reproduce"),
        _reproduction(statement),
        element(
            "p",
            "The statement this page was rendered from is ",
            element("code", "conformance.json"),
            " beside it.",
        ),
        aria_labelledby="glossary",
    )


def _reproduction(statement: Statement) -> list[Markup]:
    line = command(statement)
    if line is None:
        return [element("p", "The statement does not say how its run named the hub.")]
    return [
        element(
            "p",
            "The whole run: ",
            element("code", line),
            ". One clause: the command that stands with it. The same suite has the same digest.",
        ),
        element("p", " ".join(conditions(statement))),
    ]


def _definitions(entries: Sequence[tuple[Content, str]]) -> Markup:
    rows = [element("div", element("dt", word), element("dd", meaning)) for word, meaning in entries]
    return element("dl", rows, class_="meanings")
