"""A badge of one statement as SVG: what it claims in a few words, whether it is partial, and its date."""

from dataclasses import dataclass
from typing import Final

from conformance.report.counts import CLAIMED, clause_counts, shown
from conformance.report.html import templating
from conformance.report.printable import moment
from conformance.report.statement import Statement
from conformance.report.summary_line import Tone, headline
from conformance.verdict.run import ExitCode
from conformance.verdict.verdicts import Verdict

LABEL: Final = "IoT Hub MQTT"
# Pixels of a letter, on average, at 11 pixels of size; the text is stretched to what this comes to.
_LETTER: Final = 6.4
_MARGIN: Final = 6
_COLOUR: Final = {"good": "#1c6433", "bad": "#a3161c", "unsure": "#7a4b00"}


@dataclass(frozen=True, kw_only=True)
class Badge:
    """The words of a badge; `says` ends with the day on which the hub was judged."""

    says: str
    title: str
    tone: Tone


def badge(statement: Statement) -> Badge:
    """Return what a badge says of a statement: no more than its headline, and never without *partial*."""
    claim = headline(statement)
    counts = clause_counts(shown(statement))
    held, claimed = counts.get(Verdict.PASS, 0), sum(counts.get(verdict, 0) for verdict in CLAIMED)
    words = f"{held} of {claimed} clauses held"
    if statement.run.exit_code == ExitCode.SECRET_FOUND:
        words = "invalid"
    elif violated := counts.get(Verdict.VIOLATION):
        words = f"{violated} of {claimed} clauses violated"
    elif claim.tone != "good" and not statement.run.partial:
        words = f"no claim, {words}"
    partial = "partial: " if statement.run.partial else ""
    day = moment(statement.run.started)[:10]
    return Badge(
        says=f"{partial}{words}, {day}",
        title=f"{claim.title}; {statement.target.where}; suite {statement.suite.version}, {day}",
        tone=claim.tone,
    )


def as_svg(found: Badge) -> str:
    """Return the badge as a picture that loads and runs nothing."""
    label, says = (round(len(text) * _LETTER) for text in (LABEL, found.says))
    return templating.render(
        "badge.svg",
        badge=found,
        label=LABEL,
        colour=_COLOUR[found.tone],
        margin=_MARGIN,
        label_length=label,
        says_length=says,
        left=label + 2 * _MARGIN,
        right=says + 2 * _MARGIN,
    )
