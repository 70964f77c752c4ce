"""The verdict as a word, with a sign and a colour beside it; neither stands alone."""

from collections.abc import Mapping
from typing import Final

from conformance.report.html.markup import Markup, element
from conformance.verdict.verdicts import Verdict

SIGN: Final[Mapping[Verdict, str]] = {
    Verdict.VIOLATION: "✕",
    Verdict.STALE_DEVIATION: "✕",
    Verdict.BROKEN: "!",
    Verdict.NOT_TESTED: "?",
    Verdict.KNOWN_DEVIATION: "≈",
    Verdict.PASS: "✓",
    Verdict.OBSERVED: "•",
    Verdict.UNTESTABLE: "\N{EN DASH}",
    Verdict.NOT_CLAIMED: "\N{EN DASH}",
}


def kind(verdict: Verdict) -> str:
    """Return a verdict as a class name of the style sheet."""
    return str(verdict).replace(" ", "-")


def badge(verdict: Verdict) -> Markup:
    """Return the verdict as a small label."""
    sign = element("span", SIGN[verdict], aria_hidden="true")
    return element("span", sign, f" {verdict}", class_=f"badge {kind(verdict)}")
