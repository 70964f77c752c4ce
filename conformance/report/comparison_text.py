"""A comparison for the terminal and in Markdown."""

from collections.abc import Iterator

from conformance.report.comparison import CaseChange, ClauseChange, Comparison, Kind
from conformance.report.comparison_lines import case_words, clause_words, evidence, target_lines
from conformance.report.markdown import code, escape, table
from conformance.report.printable import plural, visible


def as_terminal(comparison: Comparison) -> str:
    """Return the comparison as lines of text."""
    return visible("\n".join(_terminal(comparison)))


def _terminal(comparison: Comparison) -> Iterator[str]:
    for name, statement in (("A", comparison.a), ("B", comparison.b)):
        first, *rest = target_lines(statement)
        yield f"{name}  {first}"
        yield from (f"   {line}" for line in rest)
    yield from (f"note: {remark}" for remark in comparison.remarks)
    for kind in Kind:
        changes = comparison.of(kind)
        if changes:
            yield ""
            yield f"{kind}:"
        for change in changes:
            yield from _clause_lines(change)
    yield ""
    if comparison.omitted:
        yield f"not compared, left out of a partial selection: {plural(len(comparison.omitted), 'clause')}"
    yield comparison.counts
    yield comparison.headline


def _clause_lines(change: ClauseChange) -> Iterator[str]:
    yield f"  {change.either.id}  {change.either.says}"
    yield f"      A  {clause_words(change.a)}"
    yield f"      B  {clause_words(change.b)}"
    for case in change.cases:
        yield f"    {case.either.id} ({case.kind})"
        yield from _case_lines(case)


def _case_lines(change: CaseChange) -> Iterator[str]:
    for name, case in (("A", change.a), ("B", change.b)):
        yield f"      {name}  {case_words(case)}"
        if evidence(case):
            yield f"         {evidence(case)}"


def as_markdown(comparison: Comparison) -> str:
    """Return the comparison as Markdown."""
    return "\n".join(_markdown(comparison))


def _markdown(comparison: Comparison) -> Iterator[str]:
    yield f"# {escape(comparison.headline)}"
    yield ""
    yield f"{escape(comparison.counts)}."
    yield ""
    sides = zip(target_lines(comparison.a), target_lines(comparison.b), strict=True)
    yield from table(["A", "B"], ([escape(a), escape(b)] for a, b in sides))
    for remark in comparison.remarks:
        yield ""
        yield f"Note: {escape(remark)}"
    for kind in Kind:
        changes = comparison.of(kind)
        if changes:
            yield from ("", f"## {kind[0].upper()}{kind[1:]} ({len(changes)})", "")
            yield from table(
                ["Clause or case", "A", "B"], (row for change in changes for row in _rows(change))
            )
    if comparison.omitted:
        yield ""
        yield f"Not compared, left out of a partial selection: {plural(len(comparison.omitted), 'clause')}."


def _rows(change: ClauseChange) -> Iterator[list[str]]:
    name = f"{code(change.either.id)} {escape(change.either.says)}"
    yield [name, escape(clause_words(change.a)), escape(clause_words(change.b))]
    for case in change.cases:
        cells = [
            escape(f"{case_words(side)} ({evidence(side)})" if evidence(side) else case_words(side))
            for side in (case.a, case.b)
        ]
        yield [f"{code(case.either.id)} ({case.kind})", *cells]
