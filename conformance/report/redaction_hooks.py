"""What pytest writes itself: without keys, without what would move a terminal's cursor, and in brief.

A hub decides what stands in a message. It is made harmless before anything else takes it: the ``E`` lines of
a traceback, the reason behind ``FAILED``, captured output, warnings, logs.
"""

import logging
import warnings
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, Final

import pytest

from conformance.evidence.describe import cut
from conformance.report.printable import visible
from conformance.report.redaction import redact

# A traceback holds what a hub sent, in messages and in what was compared. JUnit's file and the terminal show
# it twice, and the controller keeps it to the end.
LONGEST_LINE: Final = 1000
MOST_LINES: Final = 200


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Clean what pytest logs while a case runs; what it logs at its end is part of the case's report."""
    plugin = session.config.pluginmanager.get_plugin("logging-plugin")
    if plugin is not None:
        for handler in (plugin.log_cli_handler, plugin.log_file_handler):
            handler.addFilter(_clean_record)


@pytest.hookimpl(tryfirst=True)
def pytest_warning_recorded(warning_message: warnings.WarningMessage) -> None:
    """Clean a warning."""
    text = str(warning_message.message)
    if clean(text) != text:
        warning_message.message = clean(text)


@pytest.hookimpl(tryfirst=True)
def pytest_internalerror(excrepr: Any) -> None:
    """Clean the traceback of a fault of the suite, which may quote a hub."""
    _changed(excrepr, clean)


def clean(text: str) -> str:
    """Return a text as it may be shown to a person."""
    return visible(redact(text))


def clean_report(report: pytest.TestReport) -> None:
    """Clean what pytest writes itself: tracebacks, reasons, captured output."""
    report.longrepr = _changed(report.longrepr, clean)
    if clean(report.longreprtext) != report.longreprtext:
        report.longrepr = clean(report.longreprtext)
    report.sections = [(name, clean(text)) for name, text in report.sections]


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


def _clean_record(record: logging.LogRecord) -> bool:
    record.msg, record.args = clean(record.getMessage()), ()
    if record.exc_info:
        record.exc_text = clean(logging.Formatter().formatException(record.exc_info))
    return True
