"""Markdown with nothing in it that a text from elsewhere could start: each mark of it is escaped."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from conformance.report.printable import visible

_MARKS: Final = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$])")


def escape(text: str) -> str:
    """Return a text as one line of Markdown that shows it."""
    return _MARKS.sub(r"\\\1", " ".join(visible(text).split()))


def code(text: str) -> str:
    """Return a text as code in one line; a pipe in it must not end a table's cell."""
    line = " ".join(visible(text).split()).replace("|", "\\|")
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}" if line else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = False) -> list[str]:
    """Return the lines of a table whose cells are Markdown already; `numbers`: all but the first column."""
    rule = ["---", *(["--:" if numbers else "---"] * (len(head) - 1))]
    return [f"| {' | '.join(line)} |" for line in (head, rule, *rows)]
