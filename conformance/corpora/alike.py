"""Values that some language calls equal, in each other's place. Pure.

1, 1.0 and true are equal in Python, "" and false in JavaScript, ABC and abc where case is ignored. A hub
that keeps what it has where the new value is "the same" keeps the old one.
"""

import json
import unicodedata
from collections.abc import Iterable

from conformance.corpora.corpus import Value
from conformance.corpora.whole import Whole, as_members

_TRUTH = {"true": "1", "false": "0", "": "0"}


def turns(values: Iterable[Value]) -> list[Whole[str, str]]:
    """Return those values that another one is alike, as they are, and in each other's place in turn."""
    groups: dict[str, list[Value]] = {}
    for value in values:
        if not value.text.startswith(("{", "[")):  # objects are merged
            groups.setdefault(_folded(value.text), []).append(value)
    alike = [group for group in groups.values() if len(group) > 1]
    first = as_members(value for group in alike for value in group)
    return [
        Whole(
            {
                value.id: group[(place + turn) % len(group)].text
                for group in alike
                for place, value in enumerate(group)
            },
            first.ids,
            first.compare,
        )
        for turn in range(max(map(len, alike)))
    ]


def _folded(text: str) -> str:
    """Return what is left of a value of JSON where type, letter case, white space and form are forgotten."""
    words = unicodedata.normalize("NFKC", str(json.loads(text))).strip().casefold()
    words = _TRUTH.get(words, words)
    try:
        return str(float(words))
    except ValueError:
        return words
