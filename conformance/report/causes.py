"""Which violations are probably one: a fault shows in the rule that it breaks, and in what relies on it.

Two violated clauses are told as one where a case, or a search, broke both; where in cases of both the same
kind of packet was wrong in the same way behind the same step; and where cases of one section expected the
same and the same came. What was seen in passing alone is told with the cases of its own section. Of such a
group the most specific clause stands first. None of this changes a verdict, a count or an exit code.
"""

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from conformance.report.case_text import Evidence
from conformance.report.steps import BACK_END, SERVICE, steps
from conformance.verdict.verdicts import JUDGED, Verdict

# What differs between two cases that are the same: names of devices, numbers, marks of a run.
_OWN: Final = re.compile(r"conf-[0-9a-f]+[^\s'/]*|0x[0-9a-f]+|[0-9a-f]{8,}|\d+")
_TOPIC: Final = re.compile(r"(?:devices|\$iothub)/\S*")
_KEPT: Final = ("events", "devicebound", "twin", "methods", "GET", "PATCH", "POST", "res")
# What a client does so that it hears something, or because it has, is not what the hub gets wrong.
_BESIDE: Final = frozenset({"FRAME", "PINGREQ", "PUBACK", "SUBSCRIBE"})
# Packets that say something; others acknowledge.
_SAYING: Final = frozenset({"CONNACK", "HTTP", "PUBLISH", "PUBREC", "UNREADABLE"})
# Where a message says what came.
_CAME: Final = re.compile(r"(?:[;,] got|; actual) (.*)", re.DOTALL)
# In which ways a packet is wrong, by the words of what came.
_WAYS: Final = (
    ("nothing", re.compile(r"^(nothing|no |none\b|silence|\[\]|the hub did not answer)")),
    ("the end", re.compile(r"\bclosed\b")),
    ("still open", re.compile(r"still open")),
)


class Found(Evidence, Protocol):
    """A case that was settled, and whether it is one of another clause."""

    @property
    def id(self) -> str: ...  # noqa: D102 - the fields of a case, as its own class explains them
    @property
    def in_passing(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True)
class Cause:
    """Clauses that one fault has probably turned red, the most specific first."""

    first: str
    others: tuple[str, ...] = ()

    @property
    def clauses(self) -> tuple[str, ...]:
        """All of them."""
        return self.first, *self.others


def causes(clauses: Mapping[str, Sequence[Found]], violated: Iterable[str]) -> tuple[Cause, ...]:
    """Group the violated clauses of a run; `clauses` are all, in the catalogue's order, with their cases.

    First come clauses of which every case of their own is violated: one that is red because it relies on
    another's rule is red in those cases alone that do. Among these the section decides in which more clauses
    are violated; of others, the number of cases. A clause without a case of its own that is violated, seen in
    passing or by a search, comes behind those that have one.
    """
    transcripts = {
        case.id: case.transcript for cases in clauses.values() for case in cases if case.transcript
    }
    violated = list(violated)
    sections = Counter(map(_section, violated))
    order = sorted(violated, key=lambda each: (*_breadth(clauses[each]), -sections[_section(each)]))
    groups: list[tuple[list[str], set[Hashable]]] = []
    for clause in order:
        marks = set(_marks(_section(clause), clauses[clause], transcripts))
        # Of what was seen in passing alone, the cases of its own section tell most.
        of_section = {("section", _section(clause))}
        asked = marks | of_section if _breadth(clauses[clause])[0] else marks
        akin = next((group for group in groups if group[1] & asked), None)
        if akin is None:
            groups.append(([clause], marks | of_section))
        else:
            akin[0].append(clause)
            akin[1].update(marks | of_section)
    return tuple(Cause(names[0], tuple(names[1:])) for names, _ in groups)


def _section(clause: str) -> str:
    return clause.partition(".")[0]


def _breadth(cases: Sequence[Found]) -> tuple[bool, bool, int]:
    """Return what sorts a clause: whether none of its cases is violated, whether one holds, how many not."""
    own = [case.verdict for case in cases if not case.in_passing and case.verdict in JUDGED]
    count = own.count(Verdict.VIOLATION)
    return not count, count < len(own), -count if count < len(own) else 0


def _marks(section: str, cases: Sequence[Found], transcripts: Mapping[str, str]) -> Iterator[Hashable]:
    """Yield what another clause's case may have in common with these."""
    for case in cases:
        if case.verdict is Verdict.VIOLATION:
            yield case.id
            if case.expected:
                yield section, _masked(case.expected), _masked(case.actual or "")
            if case.id in transcripts:
                yield *_last(transcripts[case.id]), _way(case)


def _way(case: Found) -> str:
    came = _CAME.search(case.message)
    actual = case.actual or (came[1] if came else case.message)
    return next((way for way, words in _WAYS if words.search(actual)), "another")


@lru_cache(maxsize=1024)
def _last(transcript: str) -> tuple[str, str]:
    """Return the last step that the hub had to act on, and the last packet that said something."""
    act = said = ""
    for step in steps(transcript):
        name, _, rest = step.text.partition(" ")
        if step.glyph == "←" and name in _SAYING:
            said = _kind(name, rest)
        elif step.glyph == "→" and name not in _BESIDE:
            act = _kind(name, rest)
        elif step.who == SERVICE and name in BACK_END:
            act = _masked(step.text).partition(":")[0]
    return act, said


def _kind(name: str, rest: str) -> str:
    topic = _TOPIC.search(rest)
    levels = () if topic is None else re.split(r"[/?]", topic[0])
    return " ".join([name, *(level for level in levels if level in _KEPT)])


def _masked(text: str) -> str:
    return _OWN.sub("#", text)
