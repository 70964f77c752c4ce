"""The evidence of one case as text, in a dozen lines: the rule, what was expected, what came, the packets."""

import re
from collections.abc import Sequence
from typing import Final, Protocol

from conformance.report.alike import Failed
from conformance.report.printable import first_line, plural
from conformance.report.steps import BACK_END, SERVICE, Step, steps
from conformance.verdict.verdicts import Verdict

WIDTH: Final = 10
"""The column in which each entry of a block begins."""
# Three places where two values differ, each with the name of the quantity.
LONGEST_SIDE: Final = 480
# A case that fails takes a dozen lines with as many packets.
MOST_PACKETS: Final = 6
LONGEST_PACKET: Final = 160
# What a client does so that it hears something, or because it has; how a connection comes about.
_BESIDE: Final = frozenset({"FRAME", "PINGREQ", "PINGRESP", "SUBSCRIBE", "SUBACK", "opened"})


# What every connection begins and ends with.
_PLAIN: Final = _BESIDE | {"CONNECT", "DISCONNECT"}
# What the suite does for itself: it marks the end of what it waits for by a message of its own, leaves, and
# writes down the scenario that it played.
_ITS_OWN: Final = re.compile(
    r'"fence-[0-9a-f]+"|\[fence\]$|^(closed by us|we will send no more|the end$|\| )'
)


class Evidence(Failed, Protocol):
    """Likewise, with what is shown of it."""

    @property
    def title(self) -> str: ...  # noqa: D102 - the fields of a case, as its own class explains them
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
    """Return the block that the terminal, JUnit and Allure show for a case that is not a pass."""
    is_told = case.verdict is Verdict.VIOLATION and case.expected
    lines = [f"{clause.id}  {clause.says}"]
    lines += _entry("Source", f"{clause.source}, level {clause.level}  {clause.link}")
    lines += _entry("Case", case.title)
    if not is_told:
        said = first_line(case.message, LONGEST_SIDE)
        lines += _entry("Verdict", f"{case.verdict}: {said}" if said else str(case.verdict))
    lines += _entry("Expected", first_line(case.expected or "", LONGEST_SIDE))
    lines += _entry("Actual", first_line(case.actual or case.observed, LONGEST_SIDE))
    lines += _entry("Packets", "\n".join(packets_that_matter(case.transcript or "")))
    return "\n".join(lines)


def packets_that_matter(transcript: str, most: int = MOST_PACKETS) -> Sequence[str]:
    """Return the lines of a transcript that show how a case failed, `most` of them, and how many more it has.

    They are those from the last step on that the hub had to act on, and of what was before it the latest:
    without signs of life, subscriptions, frames, the opening of connections, and what the suite does for
    itself.
    """
    found, rest = steps_that_matter(transcript, most)
    lines = [_line(step) for step in found]
    return [*lines, f"… {plural(rest, 'line')} more in the report"] if rest > 0 else lines


def steps_that_matter(transcript: str, most: int = MOST_PACKETS) -> tuple[Sequence[Step], int]:
    """Return the same as steps, and how many more there are."""
    every = list(steps(transcript)) if transcript else []
    own = _connections_of_its_own(every)
    found = [step for step in every if _matters(step) and step.who not in own] or every
    act = max((place for place, step in enumerate(found) if _is_act(step)), default=0)
    chosen = found[-most:]
    if len(found) - act > most:  # the hub's answers alone are more than there is room for
        chosen = [found[act], *found[-(most - 1) :]]
    return chosen, len(every) - len(chosen)


def one_line(case: Evidence) -> str:
    """Return expected and actual of a violation in one line, or its message where it has neither."""
    if not case.expected:
        return case.message
    expected, actual = (
        first_line(side, LONGEST_SIDE) for side in (case.expected, case.actual or case.observed)
    )
    return f"expected {expected}; actual {actual}"


def _connections_of_its_own(every: Sequence[Step]) -> set[str]:
    """Return the connections on which the suite did nothing but mark an end."""
    said = [step for step in every if step.glyph == "→" and step.text.partition(" ")[0] not in _PLAIN]
    marks = {step.who for step in said if _ITS_OWN.search(step.text)}
    return marks - {step.who for step in said if not _ITS_OWN.search(step.text)}


def _matters(step: Step) -> bool:
    name = step.text.partition(" ")[0]
    is_beside = name in _BESIDE or (step.glyph == "→" and name == "PUBACK")
    return bool(step.glyph) and not is_beside and _ITS_OWN.search(step.text) is None


def _is_act(step: Step) -> bool:
    if step.who == SERVICE:
        return step.text.partition(" ")[0] in BACK_END
    return step.glyph == "→"


def _line(step: Step) -> str:
    if not step.glyph:
        return step.text
    text = " ".join(step.text.split())
    return first_line(f"{step.milliseconds:>6} ms  {step.who} {step.glyph} {text}", LONGEST_PACKET)


def _entry(name: str, text: str | None) -> list[str]:
    if not text:
        return []
    first, *rest = text.splitlines()
    return [f"  {name:<{WIDTH}}{first}", *(" " * (WIDTH + 2) + line for line in rest)]
