"""The evidence of one case as text: what was expected, what was seen, what went over the wire."""

from conformance.catalogue import Clause
from conformance.verdict.clause import Case

_WIDTH = 10


def case_text(case: Case, clause: Clause) -> str:
    """Return the block that the terminal and Allure show for a case that is not a pass."""
    lines = [f"{clause.id}  {clause.says}"]
    lines += _entry("Source", f"{clause.source}, level {clause.level}  {clause.link}")
    lines += _entry("Verdict", f"{case.verdict}: {case.message}" if case.message else str(case.verdict))
    lines += _entry("Expected", case.expected)
    lines += _entry("Actual", case.actual or case.observed)
    lines += _entry("Wire", case.transcript)
    return "\n".join(lines)


def one_line(case: Case) -> str:
    """Return expected and actual of a violation in one line, or its message where it has neither."""
    if not case.expected:
        return case.message
    return f"expected {_first_line(case.expected)}; actual {_first_line(case.actual or case.observed)}"


def _entry(name: str, text: str) -> list[str]:
    if not text:
        return []
    first, *rest = text.splitlines()
    return [f"  {name:<{_WIDTH}}{first}", *(" " * (_WIDTH + 2) + line for line in rest)]


def _first_line(text: str, longest: int = 120) -> str:
    line = text.splitlines()[0] if text else ""
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
