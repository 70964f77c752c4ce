"""Keys and tokens in what pytest writes itself: hidden before anything else takes it."""

import warnings
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from conformance.redaction import redact


@pytest.hookimpl(tryfirst=True)
def pytest_warning_recorded(warning_message: warnings.WarningMessage) -> None:
    """Blacken a warning."""
    text = str(warning_message.message)
    if redact(text) != text:
        warning_message.message = redact(text)


def hide_secrets(report: pytest.TestReport) -> None:
    """Blacken keys and tokens in what pytest writes itself: tracebacks, reasons, captured output."""
    if redact(report.longreprtext) != report.longreprtext:
        report.longrepr = _redacted(report.longrepr)
    if redact(report.longreprtext) != report.longreprtext:
        report.longrepr = redact(report.longreprtext)
    report.sections = [(name, redact(text)) for name, text in report.sections]


def _redacted(part: Any) -> Any:
    """Return a part of a traceback without secrets: pytest's summary needs it whole."""
    if isinstance(part, str):
        return redact(part)
    if part and isinstance(part, list) and all(isinstance(line, str) for line in part):
        return redact("\n".join(part)).split("\n")  # a key may be longer than a line
    if isinstance(part, list | tuple):
        return type(part)(map(_redacted, part))
    if is_dataclass(part):
        for each in fields(part):
            before = getattr(part, each.name)
            if (after := _redacted(before)) != before:
                setattr(part, each.name, after)
    return part
