"""The two-sided sequence of one case: packets of its connections left, what the back end saw right."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from conformance.report.case_text import steps_that_matter
from conformance.report.printable import first_line, plural
from conformance.report.steps import SERVICE, Step, steps

# Of a longer transcript the page shows both ends; `conformance.json` holds all.
LONGEST: Final = 400
# What an excerpt shows of one step.
LONGEST_TEXT: Final = 160
LONGEST_RAW: Final = 16 * 3
_MEANING: Final = {"→": "sent", "←": "received", "=": "state"}
_WAY: Final = {"→": "out", "←": "in", "=": "state"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One row: a step, with the name of its packet apart from the rest; `way` is its class of style."""

    milliseconds: str
    who: str
    glyph: str
    text: str
    name: str
    rest: str
    is_service: bool
    is_packet: bool
    raw: str

    @property
    def way(self) -> str:
        """Whether it was sent, came, or is a state."""
        return _WAY[self.glyph]

    @property
    def meaning(self) -> str:
        """The same for who cannot see an arrow."""
        return _MEANING[self.glyph]


def sequence(transcript: str, longest: int = LONGEST) -> Sequence[Shown]:
    """Return the rows of a transcript, about so many at most; none where there is no transcript."""
    if not transcript:
        return ()
    entries = list(steps(transcript))
    if len(entries) > longest:
        half = max(longest // 2, 1)
        omitted = f"… {len(entries) - 2 * half} lines more in conformance.json …"
        entries = [*entries[:half], Step(text=omitted), *entries[-half:]]
    return [_shown(step) for step in entries]


def excerpt(transcript: str) -> Sequence[Shown]:
    """Return the rows that show how a case failed, each cut where it is long."""
    found, rest = steps_that_matter(transcript)
    rows = [
        _shown(replace(step, text=first_line(step.text, LONGEST_TEXT), raw=first_line(step.raw, LONGEST_RAW)))
        for step in found
    ]
    return [*rows, _shown(Step(text=f"… {plural(rest, 'line')} more below …"))] if rest else rows


def _shown(step: Step) -> Shown:
    name, space, rest = step.text.partition(" ")
    return Shown(
        milliseconds=step.milliseconds,
        who=step.who,
        glyph=step.glyph,
        text=step.text,
        name=name,
        rest=space + rest,
        is_service=step.who == SERVICE,
        is_packet=step.glyph in {"→", "←"},
        raw=step.raw,
    )
