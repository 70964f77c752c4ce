"""Every secret that this process ever had, and texts without them.

A run makes thousands of keys and signatures, and every text of a report is searched for all of them. They are
therefore looked for where such a run of characters stands, and found by their first characters.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote, unquote

HIDDEN: Final = "***"

# A shorter value would blacken ordinary words in a report ("dev", "1234"); no key of a hub is that short.
SHORTEST_SECRET: Final = 8

# A secret wherever it stands, also one that nobody registered: a worker that died told nobody what it knew.
_PATTERNS: Final = re.compile(
    r"(?P<before>SharedAccessKey=|\bsig=)(?P<value>[A-Za-z0-9+/%]{20,}=*)"
    r"|-----BEGIN(?: |%20)(?:[A-Z]+(?: |%20))*PRIVATE(?: |%20)KEY-----.*?"
    r"(?:-----END(?: |%20)(?:[A-Z]+(?: |%20))*PRIVATE(?: |%20)KEY-----(?:%0[Aa]|\n)?|\Z)",
    re.DOTALL,
)

# What each of them holds: searching for these words first takes a tenth of the time.
_MARKS: Final = ("SharedAccessKey=", "sig=", "PRIVATE")

# What keys and signatures are made of, plain and escaped. A report holds few runs of it that are so long.
_RUN: Final = re.compile(r"[A-Za-z0-9+/=%]{16,}")

_registered: dict[str, None] = {}
# First characters -> all forms that begin so and are such a run, longest first.
_runs: dict[str, list[str]] = {}
# All other forms, longest first: the few secrets that a person made up.
_others: list[str] = []


def register(text: str) -> None:
    """Hide this text, in each way it may be written, from now on."""
    if len(text) < SHORTEST_SECRET or text in _registered:
        return
    _registered[text] = None
    escaped = quote(text, safe="")
    lower = re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), escaped)
    for form in {text, escaped, lower, unquote(text), base64.b64encode(text.encode()).decode()}:
        if _RUN.fullmatch(form):
            alike = _runs.setdefault(form[:SHORTEST_SECRET], [])
        elif _PATTERNS.fullmatch(form):
            continue
        else:
            alike = _others
        alike.append(form)
        alike.sort(key=len, reverse=True)


def all_secrets() -> tuple[str, ...]:
    """Return every text that was registered in this process."""
    return tuple(_registered)


def redact(text: str) -> str:
    """Return the text with every known secret, and whatever looks like a key or signature, as ``***``."""
    for secret in _others:
        text = text.replace(secret, HIDDEN)
    text = _RUN.sub(lambda run: "".join(_without(run[0], _places(run[0]))), text)
    if not any(mark in text for mark in _MARKS):
        return text
    return _PATTERNS.sub(lambda match: (match["before"] or "") + HIDDEN, text)


def _places(text: str) -> Iterator[tuple[int, int]]:
    """Yield where secrets begin and end in a run."""
    position, last = 0, len(text) - SHORTEST_SECRET
    while position <= last:
        alike = _runs.get(text[position : position + SHORTEST_SECRET])
        found = next((form for form in alike or () if text.startswith(form, position)), None)
        if found is None:
            position += 1
        else:
            yield position, position + len(found)
            position += len(found)


def _without(text: str, places: Iterable[tuple[int, int]]) -> Iterator[str]:
    position = 0
    for begin, end in places:
        yield text[position:begin]
        yield HIDDEN
        position = end
    yield text[position:]
