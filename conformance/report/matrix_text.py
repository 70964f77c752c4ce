"""The matrix of several statements as Markdown."""

import html
from collections.abc import Iterator, Sequence

from conformance.report.html.templating import SIGN
from conformance.report.markdown import code, escape, table
from conformance.report.matrix import Cell, Matrix, Row
from conformance.report.printable import visible


def as_markdown(matrix: Matrix) -> str:
    """Return the matrix: the targets, the clauses in which they differ, and all others folded."""
    return "\n".join(_lines(matrix)) + "\n"


def _lines(matrix: Matrix) -> Iterator[str]:
    yield f"# {escape(matrix.title)}"
    yield ""
    yield escape(matrix.found)
    for remark in matrix.remarks:
        yield ""
        yield f"Note: {escape(remark)}"
    yield ""
    yield from table(
        ["Target", "Held", "Claim", "Judged"],
        (
            [
                _linked(escape(each.name), each.page),
                escape(each.held),
                escape(each.claim),
                escape(each.identity),
            ]
            for each in matrix.columns
        ),
    )
    if matrix.differing and len(matrix.columns) > 1:
        yield from ("", "## Where they differ", "")
        yield from _rows(matrix, matrix.differing)
    for title, rows in matrix.sections:
        # Inside of HTML the marks of Markdown mean nothing, and no backslash takes them away.
        yield from ("", f"<details><summary>{html.escape(visible(title))} ({len(rows)})</summary>", "")
        yield from _rows(matrix, rows)
        yield from ("", "</details>")


def _rows(matrix: Matrix, rows: Sequence[Row]) -> list[str]:
    head = ["Clause", "Rule", *(escape(column.name) for column in matrix.columns)]
    return table(head, ([code(row.about.id), escape(row.about.says), *map(_cell, row.cells)] for row in rows))


def _cell(cell: Cell) -> str:
    if cell.clause is None:
        return escape(cell.why)
    verdict = _linked(f"{SIGN[cell.clause.verdict]} {cell.clause.verdict}", cell.link)
    return f"{verdict}: {escape(' · '.join(cell.words))}" if cell.words else verdict


def _linked(words: str, address: str) -> str:
    # The address is quoted where it is made: nothing in it ends the link or a cell.
    return f"[{words}]({address})" if address else words
