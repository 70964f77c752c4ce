"""Where the back end's side of a case is written: calls of the service and what they were answered."""

import json
from collections.abc import Callable
from typing import Final, Protocol

from conformance.target.credentials import Secret

# A transcript shows what a call was about; a body of 100 KB would hide it.
LONGEST_BODY: Final = 2000


class Transcript(Protocol):
    """The part of a case's transcript that the back end's side is written to."""

    def service(self, text: str) -> None:
        """Add what the back-end side saw or did."""


class Journal:
    """Writes to the transcript of the case that runs; between two cases nothing is written.

    A worker runs one case at a time. A call that outlives its case must not show up in the next one: it asks
    for its `writer` when it begins.
    """

    def __init__(self) -> None:
        self._transcript: Transcript | None = None

    def follow(self, transcript: Transcript) -> None:
        """Write to this case from now on."""
        self._transcript = transcript

    def forget(self) -> None:
        """Write nothing until the next case begins."""
        self._transcript = None

    def writer(self) -> Callable[[str], None]:
        """Return what writes a line to the case that runs now."""
        transcript = self._transcript
        return _nowhere if transcript is None else transcript.service


def shown(value: object) -> str:
    """Return a value as JSON on one line, keys hidden, cut where it is long; bytes are JSON already."""
    if isinstance(value, bytes):
        return cut(value.decode(errors="replace"))
    return cut(json.dumps(value, ensure_ascii=False, default=_hidden))


def cut(text: str) -> str:
    """Return a text on one line, cut where it is long."""
    line = text if text.isprintable() else repr(text)
    return line if len(line) <= LONGEST_BODY else f"{line[:LONGEST_BODY]}… ({len(line)} characters)"


def _hidden(value: object) -> str:
    return str(value) if isinstance(value, Secret) else f"({type(value).__name__})"


def _nowhere(_: str) -> None:
    return None
