"""A transcript taken apart: the entries that a case's evidence was written from, in their order."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from conformance.evidence.transcript import RAW

SERVICE: Final = "service"
# What the back end does, as its line begins; it also reads, and is told.
BACK_END: Final = frozenset({"DELETE", "PATCH", "POST", "PUT", "sends"})
_LINE: Final = re.compile(r"^ *(\d+(?:\.\d+)?) ms  (\S+) ([→←=]) (.*)$")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One entry of a transcript; `raw` has its packet's bytes. What is none has neither time nor glyph."""

    milliseconds: str = ""
    who: str = ""
    glyph: str = ""
    text: str = ""
    raw: str = ""


def steps(transcript: str) -> Iterator[Step]:
    """Take a transcript apart; a line that does not begin an entry belongs to the one before."""
    pending: Step | None = None
    for line in transcript.split("\n"):
        if line.startswith(RAW):
            if pending is not None:
                pending = replace(pending, raw=line.removeprefix(RAW))
            continue
        found = _LINE.match(line)
        if found is None and pending is not None and not line.startswith("… "):
            pending = replace(pending, text=f"{pending.text}\n{line}")
            continue
        if pending is not None:
            yield pending
        if found is None:
            pending = None
            yield Step(text=line)
        else:
            milliseconds, who, glyph, text = found.groups()
            pending = Step(milliseconds=milliseconds, who=who, glyph=glyph, text=text)
    if pending is not None:
        yield pending
