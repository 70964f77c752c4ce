"""The two sides of an assertion that failed, as text: which quantity is wrong, and where.

pytest would compare long values line by line, which takes minutes for 64 KB, and does so only where the
environment variable ``CI`` is set.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final

from conformance.evidence.difference import LONGEST_WHOLE, Difference, differences, shown, told, written
from conformance.run.quantity import Source, source_at

# pytest explains values that are no longer than this by itself.
LONGEST_VALUE: Final = 4096
# How much of a long text is shown on either side of what must not stand in it.
AROUND: Final = 24


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What the hub did beside what the rule expects, as it was compared.

    `word` is what the hub did, for deviations: the value itself, or where it differs if that is too long.
    `whole` says where the two sides differ; `parts` the same of each pair, where both are rows of one length.
    """

    word: str
    whole: tuple[Difference, ...]
    parts: tuple[tuple[Difference, ...], ...] = ()
    choice: Difference | None = None
    """For ``in``, the other way round: the left side is the value, the right one those that it may have."""
    explanation: tuple[str, ...] = field(default=(), compare=False)
    """What the terminal shows where the values are too long to be shown whole; else nothing."""

    @classmethod
    def of(cls, operator: str, left: object, right: object) -> "Comparison":
        """Read ``assert left OPERATOR right``: by the suite's habit the left side is what the hub did."""
        is_member = operator in {"in", "not in"}
        actual = written(right if is_member else left)
        whole = tuple(_differences(operator, left, right))
        too_long = max(len(repr(left)), len(repr(right))) > LONGEST_VALUE
        first = whole[0]
        return cls(
            word=f"{first.of('it')}: {first.actual}" if too_long else actual,
            whole=whole,
            parts=_by_part(left, right) if operator == "==" else (),
            choice=_choice(operator, left, right) if is_member else None,
            explanation=(
                "two long values that are equal",
                f"{first.of('it')}: {first.actual} was got",
                f"{first.of('it')}: {first.expected} was expected",
            )
            if too_long and operator == "=="
            else (),
        )


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A failed assertion in words: what both sides of the report show, and all of it in one line."""

    expected: str
    actual: str
    message: str


def in_words(comparison: Comparison, source: Source | None) -> Finding:
    """Say what differs, with the name of each quantity that does."""
    found = _named(comparison, source)
    # Of several places in one quantity the first alone names it.
    named = [
        (quantity, each, place > 0 and quantity == found[place - 1][0])
        for place, (quantity, each) in enumerate(found)
    ]
    return Finding(
        expected=told(named, lambda each: _said(*each, each[1].expected)),
        actual=told(named, lambda each: _said(_head(each[0]), *each[1:], each[1].actual)),
        message=told(named, lambda each: _said(*each, f"expected {each[1].expected}, got {each[1].actual}")),
    )


def claim_in_words(source: Source, names: dict[str, Any]) -> Finding | None:
    """Say what an assertion without comparison claims; `names` are the values of the test's own names."""
    if source.claim is None:
        return None
    quantity, claim = source.claim
    values = [f"{name} {shown(names[name])}" for name in source.subjects if name in names]
    actual = "; ".join(values) or "it is not so"
    return Finding(
        expected=f"{quantity} {claim}",
        actual=actual,
        message=f"expected that {quantity} {claim}, got {actual}",
    )


def where_raised(traceback: TracebackType | None) -> tuple[Source | None, dict[str, Any]]:
    """Return the assertion that raised an error, and the values of the names around it."""
    if traceback is None:
        return None, {}
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    frame = traceback.tb_frame
    return source_at(frame.f_code.co_filename, traceback.tb_lineno), frame.f_locals


def _named(comparison: Comparison, source: Source | None) -> list[tuple[str, Difference]]:
    quantities = source.quantities if source is not None else [""]
    if source is not None and source.is_choice and comparison.choice is not None:
        return [(quantities[0], comparison.choice)]
    if len(quantities) == 1:
        return [(quantities[0], each) for each in comparison.whole]
    if len(quantities) == len(comparison.parts):
        pairs = zip(quantities, comparison.parts, strict=True)
        return [(quantity, each) for quantity, part in pairs for each in part]
    return [("", each) for each in comparison.whole]


def _said(quantity: str, difference: Difference, again: bool, words: str) -> str:
    if again and difference.where:
        return f"`{difference.where}`: {words}"
    part = difference.of(quantity or "it")
    return words if part == "it" else f"{part}: {words}"


def _head(quantity: str) -> str:
    """Return the noun that names a quantity: the other side has said of what it is."""
    if quantity.startswith(("the ", "what ", "that ")):
        return quantity
    return quantity.partition(" of ")[0].partition(" in ")[0]


def _differences(operator: str, left: object, right: object) -> list[Difference]:
    """Return what is wrong, at least one place of it."""
    match operator, left, right:
        case "==" | "is", _, _:
            return differences(right, left) or [Difference("", _whole(right), _whole(left))]
        case "<=", AbstractSet(), AbstractSet():
            return differences(left & right, left)
        case "not in", bytes() | str(), bytes() | str():
            return [_inside(left, right)]
        case "in" | "not in", _, _:
            return [
                Difference("", f"{'no ' if operator == 'not in' else ''}{_whole(left)} in it", _whole(right))
            ]
        case _:
            return [
                Difference("", f"{'not' if operator == '!=' else operator} {_whole(right)}", _whole(left))
            ]


def _inside(part: Any, text: Any) -> Difference:
    """Return the place of what must not stand in a text."""
    at = text.index(part)
    around = text[max(at - AROUND, 0) : at + len(part) + AROUND]
    return Difference("", f"no {_whole(part)} in it", f"{around!r} of {len(text)}", at)


def _choice(operator: str, left: object, right: object) -> Difference:
    several = (
        ", ".join(map(_whole, right)) if isinstance(right, tuple | list | AbstractSet) else _whole(right)
    )
    return Difference("", f"{'one' if operator == 'in' else 'none'} of {several}", _whole(left))


def _by_part(left: object, right: object) -> tuple[tuple[Difference, ...], ...]:
    if not (isinstance(left, tuple | list) and isinstance(right, tuple | list)) or len(left) != len(right):
        return ()
    return tuple(tuple(differences(wanted, came)) for came, wanted in zip(left, right, strict=True))


def _whole(value: object) -> str:
    text = written(value)
    return text if len(text) <= LONGEST_WHOLE else shown(value)
