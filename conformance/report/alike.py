"""Cases that fail alike: of one clause, with the same word, where the same was expected. Pure.

What stands in quotes is a case's own value, as a device's name is, and makes no difference.
"""

import re
from collections.abc import Hashable, Iterable, Sequence
from typing import Final, Protocol, TypeVar

from conformance.verdict.verdicts import Verdict

# A value as Python writes it, and a name that is this run's own.
_OWN: Final = re.compile(r"""b?'(?:[^'\\]|\\.)*'|b?"(?:[^"\\]|\\.)*"|conf-[0-9a-f]+[^\s'/]*|\{device\}""")


class Failed(Protocol):
    """A case that was settled, in this run or in a statement."""

    @property
    def verdict(self) -> Verdict: ...  # noqa: D102 - the fields of a case, as its own class explains them
    @property
    def message(self) -> str: ...  # noqa: D102
    @property
    def observed(self) -> str: ...  # noqa: D102
    @property
    def expected(self) -> str | None: ...  # noqa: D102


T = TypeVar("T", bound=Failed)


def likeness(case: Failed) -> Hashable:
    """Return what two cases of one clause have in common that fail alike."""
    if case.expected:
        return case.verdict, _without_values(case.observed), _without_values(case.expected)
    return case.verdict, _without_values(case.observed), _without_values(case.message)


def alike(cases: Iterable[T]) -> Sequence[Sequence[T]]:
    """Return the cases of one clause in groups that are alike, each group where its first case stands."""
    groups: dict[Hashable, list[T]] = {}
    for case in cases:
        groups.setdefault(likeness(case), []).append(case)
    return list(groups.values())


def own_part(case_id: str) -> str:
    """Return what tells a case from others of its test: ``[0x21]``, ``@websocket[0x21]``; else its test."""
    module, _, name = case_id.partition("::")
    test = re.split(r"[@\[]", name, maxsplit=1)[0]
    return name.removeprefix(test) or test or module


def _without_values(text: str) -> str:
    return _OWN.sub("…", text)
