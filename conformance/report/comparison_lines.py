"""One side of a comparison in words: the same lines in the terminal, in Markdown and in the page."""

from collections.abc import Sequence

from conformance.report.counts import words_of
from conformance.report.printable import first_line
from conformance.report.statement import CasePart, ClausePart, Statement
from conformance.verdict.consequences import told

ABSENT = "none"


def target_lines(statement: Statement) -> Sequence[str]:
    """Return what names a run: its hub, profile, suite, time and size."""
    target, run, suite = statement.target, statement.run, statement.suite
    return (
        target.where,
        f"profile {statement.profile.name}, suite {suite.version} {suite.digest[:12]}",
        f"{run.started}, {run.cases} cases{', partial' if run.partial else ''}, exit code {run.exit_code}",
    )


def clause_words(clause: ClausePart | None) -> str:
    """Return verdict and readings of a clause, or the words that it observed."""
    if clause is None:
        return ABSENT
    said = clause.readings_told or words_of(clause)
    return f"{clause.verdict}: {' · '.join(said)}" if said else str(clause.verdict)


def case_words(case: CasePart | None) -> str:
    """Return verdict, and reading or word, of a case."""
    if case is None:
        return ABSENT
    said = told(case.reading, filter(None, [case.consequence])) if case.reading else case.observed
    return f"{case.verdict}: {said}" if said else str(case.verdict)


def evidence(case: CasePart | None) -> str:
    """Return expected and actual of a case in a line, or its message; empty where all was well."""
    if case is None:
        return ""
    if case.expected:
        return f"expected {first_line(case.expected)}; actual {first_line(case.actual or case.observed)}"
    return first_line(case.message)
