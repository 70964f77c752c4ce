"""Keys and tokens in what pytest writes itself, and all that is too long: hidden before anything takes it."""

import warnings
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, Final

import pytest

from conformance.evidence.words import cut
from conformance.redaction import redact

# A traceback holds what a hub sent, in messages and in what was compared. JUnit's file and the terminal show
# it twice, and the controller keeps it to the end.
LONGEST_LINE: Final = 1000
MOST_LINES: Final = 200


@pytest.hookimpl(tryfirst=True)
def pytest_warning_recorded(warning_message: warnings.WarningMessage) -> None:
    """Blacken a warning."""
    text = str(warning_message.message)
    if redact(text) != text:
        warning_message.message = redact(text)


def shorten(report: pytest.TestReport) -> None:
    """Cut what pytest writes itself to lengths that a person reads; the evidence of a case has its own."""
    report.longrepr = _changed(report.longrepr, _shortened)
    report.sections = [(name, _shortened(text)) for name, text in report.sections]


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_LINE:
        return text
    lines = [cut(line, LONGEST_LINE) for line in text.split("\n")]
    if len(lines) > MOST_LINES:
        half = MOST_LINES // 2
        lines = [*lines[:half], f"… {len(lines) - 2 * half} lines left out …", *lines[-half:]]
    return "\n".join(lines)


def hide_secrets(report: pytest.TestReport) -> None:
    """Blacken keys and tokens in what pytest writes itself: tracebacks, reasons, captured output."""
    if redact(report.longreprtext) != report.longreprtext:
        report.longrepr = _changed(report.longrepr, redact)
    if redact(report.longreprtext) != report.longreprtext:
        report.longrepr = redact(report.longreprtext)
    report.sections = [(name, redact(text)) for name, text in report.sections]


def _changed(part: Any, change: Callable[[str], str]) -> Any:
    """Return a part of a traceback with its texts changed: pytest's summary needs it whole."""
    if isinstance(part, str):
        return change(part)
    if part and isinstance(part, list) and all(isinstance(line, str) for line in part):
        return change("\n".join(part)).split("\n")  # a key may be longer than a line
    if isinstance(part, list | tuple):
        return type(part)(_changed(each, change) for each in part)
    if is_dataclass(part):
        for each in fields(part):
            before = getattr(part, each.name)
            if (after := _changed(before, change)) != before:
                setattr(part, each.name, after)
    return part
