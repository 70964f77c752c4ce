"""One phase of a case, between pytest's report of it and the case's record: both must say the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import NoReturn

import pytest
from _pytest._code.code import ReprEntry, ReprExceptionInfo, ReprFileLocation, ReprTraceback
from _pytest.assertion import util as assertion

from conformance.errors import HarnessError, NotOffered, NotTested, ServiceError, StageFailed, Violation
from conformance.report.case_text import case_text, one_line
from conformance.report.printable import first_line, visible
from conformance.run.assertion import Comparison
from conformance.run.cases import RunningCase
from conformance.verdict.verdicts import Verdict


def take_down(case: RunningCase, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Enter how a phase ended into the record of its case."""
    if case.unclaimed is not None:
        return
    if hasattr(report, "wasxfail"):
        case.leave_out(call.when, "marked xfail: a known difference belongs into the profile")
        return
    if call.excinfo is None:
        return
    error = call.excinfo.value
    if isinstance(error, pytest.skip.Exception):
        verdict, _, reason = str(error.msg).partition(": ")
        if verdict == Verdict.NOT_CLAIMED:
            case.find_not_offered(call.when, reason)
        else:
            case.leave_out(call.when, reason if verdict == Verdict.NOT_TESTED else str(error.msg))
    elif not isinstance(error, (KeyboardInterrupt, pytest.exit.Exception)):
        case.fail(call.when, error)


def show_as_settled(
    case: RunningCase, report: pytest.TestReport, error: BaseException | None, *, in_brief: bool
) -> None:
    """Let pytest show what the verdict says, with the evidence below.

    `in_brief`: in a dozen lines, in place of the test's source and of what pytest makes of its assertion; an
    error that is none of the suite's words keeps its traceback.
    """
    record = case.settle()
    if record.verdict in {Verdict.OBSERVED, Verdict.KNOWN_DEVIATION}:
        report.outcome = "passed"
        report.longrepr = None
        return
    if record.verdict is Verdict.STALE_DEVIATION and report.passed:
        report.outcome = "failed"
        report.longrepr = record.message
    text = visible(case_text(record, case.clause))
    crash = getattr(report.longrepr, "reprcrash", None)
    told = record.verdict is Verdict.VIOLATION or isinstance(error, HarnessError)
    if in_brief and told and crash is not None:
        shown = ReprEntry(text.split("\n"), None, None, None, style="value")
        report.longrepr = ReprExceptionInfo(
            reprtraceback=ReprTraceback([shown], None, style="value"),
            reprcrash=ReprFileLocation(crash.path, crash.lineno, visible(first_line(one_line(record)))),
        )
    else:
        report.sections.append((f"{record.clause}: {record.verdict}", text))


def show_only_the_test(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Cut the frames of the harness: the line of the test, and the evidence, say more."""
    error = call.excinfo.value if call.excinfo is not None else None
    if not isinstance(error, Violation | HarnessError):
        return
    frames = list(_frames(error.__traceback__))
    # Where a fixture failed, no frame is the test's: the one that raised has to do.
    kept = [each for each in frames if each.tb_frame.f_code.co_filename == str(item.path)] or frames[-1:]
    shortened: TracebackType | None = None
    for each in reversed(kept):
        shortened = TracebackType(shortened, each.tb_frame, each.tb_lasti, each.tb_lineno)
    call.excinfo = pytest.ExceptionInfo.from_exception(error.with_traceback(shortened))


def _frames(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


class skipping:  # noqa: N801 - reads as a statement
    """Turn NotTested, and NotOffered, into pytest's own skip, which the terminal and JUnit understand."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, NotOffered):
            skip(f"{Verdict.NOT_CLAIMED}: {error}")
        if isinstance(error, NotTested):
            skip(f"{Verdict.NOT_TESTED}: {error}")


@contextmanager
def served(case: RunningCase | None) -> Iterator[None]:
    """Break a case, whatever it found, where the hub did not carry out a call that it needs unchecked.

    A device then waits in vain, for what nobody sent. Only a case that found something waits for the calls
    that have no answer yet: that there is none at all is such a failure too.
    """
    try:
        yield
    except (AssertionError, StageFailed) as error:
        failure = None if case is None else case.failed_call(isinstance(error, AssertionError))
        if failure is None:
            raise
        found = (str(error).splitlines() or ["a check failed"])[0]
        broken = ServiceError(f"{failure} Meanwhile: {found}")
        raise broken.with_traceback(error.__traceback__) from None
    failure = None if case is None else case.failed_call(False)
    if failure is not None:
        raise ServiceError(failure)


@contextmanager
def comparing(case: RunningCase | None) -> Iterator[None]:
    """Keep both sides of a failed comparison, the case's expected and actual; explain long values ourselves.

    A hook cannot keep pytest from explaining them as well, so this takes the place of what calls the hooks.
    """
    explained_by_pytest = assertion._reprcompare  # noqa: SLF001 - see above; tests/suite/test_comparison.py
    if case is None or explained_by_pytest is None:
        yield
        return

    def explain(operator: str, left: object, right: object) -> str | None:
        case.comparison = Comparison.of(operator, left, right)
        lines = case.comparison.explanation
        # pytest's own form: a tilde continues the line above, and what is shown is a format.
        return "\n~".join(lines).replace("%", "%%") if lines else explained_by_pytest(operator, left, right)

    assertion._reprcompare = explain  # noqa: SLF001 - see above
    try:
        yield
    finally:
        assertion._reprcompare = explained_by_pytest  # noqa: SLF001 - see above


def skip(reason: str) -> NoReturn:
    """Skip the test that runs now; its own line is the place that pytest names."""
    raise pytest.skip.Exception(reason, _use_item_location=True)
