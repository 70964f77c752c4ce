"""Text from the wire as it may be shown: nothing in it that a reader cannot see, or that moves the cursor."""

import re
from datetime import UTC, datetime
from typing import Final

# Control characters but tab and newline, marks that turn the direction of text, and halves of surrogates:
# what a hub sends must not rewrite a report, in a terminal, a page or a summary.
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)


def visible(text: str) -> str:
    r"""Return a text with each hidden character as its escape, such as ``\x1b`` or ``\u202e``."""
    return _HIDDEN.sub(_escape, text)


def first_line(text: str, longest: int = 160) -> str:
    """Return the first line of a text, cut where it is longer."""
    line = text.split("\n", 1)[0]
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def moment(text: str) -> str:
    """Return a point in time as people read it, ``2026-11-23 05:22:11 UTC``; any other text as it is."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if when.tzinfo else text


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 clause``, ``2 clauses``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 - the end of one byte
