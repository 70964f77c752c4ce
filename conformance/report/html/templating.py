"""The templates, and what all of them know: each text is escaped, and what a reader cannot see is shown.

A template is markup, and a text never: nothing here or there declares a text to be markup.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension

from conformance.report.printable import first_line, moment, plural, visible
from conformance.verdict.verdicts import Verdict

TEMPLATES: Final = Path(__file__).with_name("templates")
# The schemes that a link from a profile or a clause may have.
_SAFE: Final = ("https://", "http://", "#")
_LINE_BREAK: Final = re.compile(r"\n[ ]*")

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
"""Stands beside the word of a verdict and its colour; none stands alone."""


class OneLine(Extension):
    """Take line breaks of a template, and the spaces behind them, for none: they are for its readers."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Return the source as it is rendered; of a style sheet nothing is changed."""
        del filename
        return source if name is not None and name.endswith(".css") else _LINE_BREAK.sub("", source)


def render(template: str, **values: Any) -> str:
    """Return a page."""
    return ENVIRONMENT.get_template(template).render(values)


def kind(verdict: Verdict) -> str:
    """Return a verdict as a class name of the style sheet."""
    return str(verdict).replace(" ", "-")


def is_web_address(address: str | None) -> bool:
    """Say whether a page may link to an address; else it shows the words of the link alone."""
    return address is not None and address.startswith(_SAFE)


def _shown(value: object) -> object:
    """Return a text with its hidden characters as escapes; what a template has made already, as it is."""
    if value is None:
        raise TypeError("a template shows None: it must ask first")
    return value if hasattr(value, "__html__") else visible(str(value))


ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_shown,
    extensions=[OneLine],
    keep_trailing_newline=True,
    auto_reload=False,
)
ENVIRONMENT.filters |= {"kind": kind, "plural": plural, "first_line": first_line, "moment": moment}
ENVIRONMENT.tests["web_address"] = is_web_address
ENVIRONMENT.globals["SIGN"] = SIGN
ENVIRONMENT.globals["VIOLATION"] = Verdict.VIOLATION
