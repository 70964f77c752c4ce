"""How much a report may hold, whatever a hub sent: all texts of a run together, and the lines of a format.

What is too much is taken from the longest first, so that all keep their beginning and their end, and the
place says what is missing. Pure.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from conformance.evidence.describe import cut
from conformance.report.printable import plural
from conformance.report.statement import CasePart, ClausePart, Statement

# A run of the suite on a hub that keeps the rules has 800 KB of transcripts, of what was only observed.
TRANSCRIPTS: Final = 1536 * 1024
"""Bytes that all transcripts of a statement may have together."""
TEXTS: Final = 512 * 1024
"""Characters that all messages, and expected and actual values, may have together."""
SHORTEST_TEXT: Final = 80
"""However many there are, so many characters of each stay."""
LINES: Final = 8_000
"""Lines of transcripts that one page shows, or that Allure gets as steps: each takes 300 bytes there."""

_OMITTED: Final = "… {} lines left out, to hold the report's size …"
_OF_TRANSCRIPTS: Final = (
    f"shortened: together all may have {TRANSCRIPTS // 1024} KB. Run a clause alone to see more of it."
)
_OF_TEXTS: Final = f"with shortened messages or values: together all may have {TEXTS // 1024} KB."
# Room for that line.
_ROOM: Final = 80
# In what is shortened, many lines say more than a few long ones.
_LONGEST_LINE: Final = 300


def share(sizes: Iterable[int], whole: int) -> int:
    """Return how much each may have at most, so that all together have no more than the whole.

    What the smaller ones do not need goes to the larger ones.
    """
    left, waiting = whole, sorted(sizes)
    for number, size in enumerate(waiting):
        equal = left // (len(waiting) - number)
        if size > equal:
            return equal
        left -= size
    return waiting[-1] if waiting else whole


def shortened(transcript: str, size: int) -> str:
    """Return a transcript of at most so many bytes: lines of both its ends, and how many are missing."""
    if len(transcript.encode(errors="replace")) <= size:
        return transcript
    lines = [cut(line, _LONGEST_LINE) for line in transcript.split("\n")]
    half = max(size - _ROOM, 0) // 2
    head = _fitting(lines, half)
    tail = _fitting(lines[:head:-1], half)
    return "\n".join([*lines[:head], _OMITTED.format(len(lines) - head - tail), *lines[len(lines) - tail :]])


def lines_of(cases: Iterable[CasePart], longest: int, whole: int = LINES) -> int:
    """Return how many lines of each transcript a format shows: `longest` at most, `whole` of all together."""
    counts = (min((case.transcript or "").count("\n") + 1, longest) for case in cases if case.transcript)
    return min(longest, share(counts, whole))


def fitted(statement: Statement) -> Statement:
    """Return a statement whose texts have no more than their room; its remarks say what was shortened."""
    cases = [case for clause in statement.clauses for case in clause.cases]
    size = share((len((case.transcript or "").encode(errors="replace")) for case in cases), TRANSCRIPTS)
    length = max(share((len(text) for case in cases for text in _texts(case)), TEXTS), SHORTEST_TEXT)
    clauses = [_fitted(clause, size, length) for clause in statement.clauses]
    after = [case for clause in clauses for case in clause.cases]
    remarks = [*statement.run.remarks, *_remarks(cases, after)]
    return statement.model_copy(
        update={"clauses": clauses, "run": statement.run.model_copy(update={"remarks": remarks})}
    )


def _fitting(lines: Sequence[str], size: int) -> int:
    """Return how many of the first lines fit into so many bytes."""
    for number, line in enumerate(lines):
        size -= len(line.encode(errors="replace")) + 1
        if size < 0:
            return number
    return len(lines)


def _texts(case: CasePart) -> Iterable[str]:
    return (text for text in (case.message, case.expected, case.actual) if text)


def _fitted(clause: ClausePart, size: int, length: int) -> ClausePart:
    cases = [_case(case, size, length) for case in clause.cases]
    return clause if cases == clause.cases else clause.model_copy(update={"cases": cases})


def _case(case: CasePart, size: int, length: int) -> CasePart:
    changes = {
        "message": cut(case.message, length),
        "expected": None if case.expected is None else cut(case.expected, length),
        "actual": None if case.actual is None else cut(case.actual, length),
        "transcript": None if case.transcript is None else shortened(case.transcript, size),
    }
    changed = any(getattr(case, name) != value for name, value in changes.items())
    return case.model_copy(update=changes) if changed else case


def is_a_note(remark: str) -> bool:
    """Say whether a remark tells how a report was made, and nothing that went wrong in its run."""
    return remark.endswith((_OF_TRANSCRIPTS, _OF_TEXTS))


def _remarks(before: Sequence[CasePart], after: Sequence[CasePart]) -> Iterable[str]:
    transcripts = sum(a.transcript != b.transcript for a, b in zip(before, after, strict=True))
    texts = sum(
        (a.message, a.expected, a.actual) != (b.message, b.expected, b.actual)
        for a, b in zip(before, after, strict=True)
    )
    if transcripts:
        yield f"{plural(transcripts, 'transcript')} {_OF_TRANSCRIPTS}"
    if texts:
        yield f"{plural(texts, 'case')} {_OF_TEXTS}"
