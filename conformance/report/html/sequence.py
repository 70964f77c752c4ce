"""The two-sided sequence of one case: packets of its connections left, what the back end saw right."""

from typing import Final

from conformance.report.html.markup import Markup, element
from conformance.report.steps import SERVICE, Step, steps

# Of a longer transcript the page shows both ends; `conformance.json` holds all.
LONGEST: Final = 400
_MEANING: Final = {"→": "sent", "←": "received", "=": "state"}


def sequence(transcript: str, longest: int = LONGEST) -> Markup | None:
    """Return the sequence as a table of about so many lines at most; None where there is no transcript."""
    if not transcript:
        return None
    entries = list(steps(transcript))
    if len(entries) > longest:
        half = max(longest // 2, 1)
        omitted = f"… {len(entries) - 2 * half} lines more in conformance.json …"
        entries = [*entries[:half], Step(text=omitted), *entries[-half:]]
    head = [
        element("th", words, scope="col", role="columnheader")
        for words in ("ms", "Device side", "Service side")
    ]
    return element(
        "table",
        element("caption", "Sequence, in milliseconds since the case began"),
        element("thead", element("tr", head, role="row"), role="rowgroup"),
        element("tbody", [_row(step) for step in entries], role="rowgroup"),
        class_="sequence",
        role="table",
    )


def _row(step: Step) -> Markup:
    if not step.glyph:
        return element("tr", element("td", step.text, colspan=3, role="cell"), class_="gap", role="row")
    time = element("td", step.milliseconds, class_="ms", role="cell")
    is_service = step.who == SERVICE
    said = [] if is_service else _packet(step)
    seen = [step.text] if is_service else []
    return element(
        "tr",
        time,
        element("td", said, class_="device", role="cell"),
        element("td", seen, class_="service", role="cell"),
        class_={"→": "out", "←": "in"}.get(step.glyph, "state"),
        role="row",
    )


def _packet(step: Step) -> list[str]:
    arrow = element("span", step.glyph, aria_hidden="true", class_="glyph")
    meaning = element("span", f" {_MEANING[step.glyph]} ", class_="unseen")
    name, space, rest = step.text.partition(" ")
    text = [element("b", name), space, rest] if step.glyph in "→←" else [step.text]
    return [element("span", step.who, class_="who"), " ", arrow, meaning, " ", *text]
