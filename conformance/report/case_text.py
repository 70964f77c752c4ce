"""The evidence of one case as text: what was expected, what was seen, what went over the wire."""

from typing import Final, Protocol

from conformance.report.printable import first_line
from conformance.verdict.verdicts import Verdict

_WIDTH: Final = 10
# Three places where two values differ, each with the name of the quantity.
LONGEST_SIDE: Final = 480


class Evidence(Protocol):
    """A case that was settled, in this run or in a statement that was read back."""

    @property
    def verdict(self) -> Verdict: ...  # noqa: D102 - the fields of a case, as its own class explains them
    @property
    def message(self) -> str: ...  # noqa: D102
    @property
    def observed(self) -> str: ...  # noqa: D102
    @property
    def expected(self) -> str | None: ...  # noqa: D102
    @property
    def actual(self) -> str | None: ...  # noqa: D102
    @property
    def transcript(self) -> str | None: ...  # noqa: D102


class Rule(Protocol):
    """A clause, of the catalogue or of a statement."""

    @property
    def id(self) -> str: ...  # noqa: D102 - likewise
    @property
    def says(self) -> str: ...  # noqa: D102
    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def level(self) -> str: ...  # noqa: D102
    @property
    def link(self) -> str: ...  # noqa: D102


def case_text(case: Evidence, clause: Rule) -> str:
    """Return the block that the terminal and Allure show for a case that is not a pass."""
    lines = [f"{clause.id}  {clause.says}"]
    lines += _entry("Source", f"{clause.source}, level {clause.level}  {clause.link}")
    lines += _entry("Verdict", f"{case.verdict}: {case.message}" if case.message else str(case.verdict))
    lines += _entry("Expected", case.expected)
    lines += _entry("Actual", case.actual or case.observed)
    lines += _entry("Wire", case.transcript)
    return "\n".join(lines)


def one_line(case: Evidence) -> str:
    """Return expected and actual of a violation in one line, or its message where it has neither."""
    if not case.expected:
        return case.message
    expected, actual = (
        first_line(side, LONGEST_SIDE) for side in (case.expected, case.actual or case.observed)
    )
    return f"expected {expected}; actual {actual}"


def _entry(name: str, text: str | None) -> list[str]:
    if not text:
        return []
    first, *rest = text.splitlines()
    return [f"  {name:<{_WIDTH}}{first}", *(" " * (_WIDTH + 2) + line for line in rest)]
