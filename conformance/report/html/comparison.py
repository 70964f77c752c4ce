"""Two statements side by side, as a page."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from conformance.report.comparison import Comparison, Kind
from conformance.report.comparison_lines import ABSENT, target_lines
from conformance.report.counts import own_cases, words_of
from conformance.report.html import templating
from conformance.report.html.sequence import LONGEST, Shown, sequence
from conformance.report.limits import LINES, share
from conformance.report.statement import CasePart, ClausePart, Statement

_Side = TypeVar("_Side")
_Said = TypeVar("_Said")


def render(comparison: Comparison) -> str:
    """Return the page of a comparison."""
    wires = _Wires(comparison)
    changes = [
        (
            _place(each),
            _title(each),
            [
                (
                    change,
                    _sides((change.a, _said_of(change.a)), (change.b, _said_of(change.b))),
                    [
                        (
                            case,
                            _sides((case.a, _said(case.a)), (case.b, _said(case.b))),
                            wires.of(case.either.id),
                        )
                        for case in change.cases
                    ],
                )
                for change in comparison.of(each)
            ],
        )
        for each in Kind
        if comparison.of(each)
    ]
    return templating.render(
        "comparison.html",
        comparison=comparison,
        contents=[(place, f"{title} ({len(changed)})") for place, title, changed in changes],
        runs=[("A", target_lines(comparison.a)), ("B", target_lines(comparison.b))],
        changes=changes,
        ABSENT=ABSENT,
    )


class _Wires:
    """What went over the wire in each case, on both sides: shown where a case is named first, and once."""

    def __init__(self, comparison: Comparison) -> None:
        self._sides = [_transcripts(made) for made in (comparison.a, comparison.b)]
        named = {case.either.id for change in comparison.changes for case in change.cases}
        shown = [side[case] for side in self._sides for case in named & side.keys()]
        self._lines = share((text.count("\n") + 1 for text in shown), LINES)
        self._told: set[str] = set()

    def of(self, case: str) -> Sequence[tuple[str, Sequence[Shown]]]:
        """Return both sequences with the names of their sides; none where they stand above."""
        if case in self._told:
            return ()
        self._told.add(case)
        sides = zip(("A", "B"), self._sides, strict=True)
        return [
            (name, wire)
            for name, transcripts in sides
            if (wire := sequence(transcripts.get(case, ""), min(LONGEST, self._lines)))
        ]


def _transcripts(statement: Statement) -> Mapping[str, str]:
    return {case.id: case.transcript for case in own_cases(statement) if case.transcript}


def _sides(a: tuple[_Side, _Said], b: tuple[_Side, _Said]) -> Sequence[tuple[str, _Side, _Said]]:
    return ("A", *a), ("B", *b)


def _said_of(clause: ClausePart | None) -> Sequence[str]:
    return () if clause is None else clause.readings_told or words_of(clause)


def _said(case: CasePart | None) -> Sequence[tuple[str, str]]:
    return () if case is None else list(_lines(case))


def _lines(case: CasePart) -> Iterator[tuple[str, str]]:
    lines = [
        ("Reading", case.reading),
        ("Known clients", case.consequence),
        ("Expected", case.expected),
        ("Actual", case.actual),
        ("In a word", case.observed if case.observed != case.actual else None),
        ("Message", None if case.expected else case.message),
    ]
    return ((name, text) for name, text in lines if text)


def _place(which: Kind) -> str:
    return which.lower().replace(" ", "-")


def _title(which: Kind) -> str:
    return f"{which[0].upper()}{which[1:]}"
