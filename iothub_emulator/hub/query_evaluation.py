"""What a query's expressions come to for one twin, and its aggregates for many.

A condition is true, false or undefined; only true lets a twin through (Microsoft, "IoT Hub query language").
"""

from collections.abc import Iterable, Sequence

from iothub_emulator.hub import json_text
from iothub_emulator.hub.conditions import All, Condition, One, truth
from iothub_emulator.hub.json_text import Json, Object
from iothub_emulator.hub.query_functions import FUNCTIONS, calculated
from iothub_emulator.hub.query_tree import (
    Aggregate,
    Bracketed,
    Call,
    Chain,
    Column,
    Comparison,
    Constant,
    Member,
    Operand,
    Path,
    Query,
    Single,
    Truth,
)
from iothub_emulator.hub.query_values import UNDEFINED, Value, compared, kind_of


def holds(condition: Condition[Single] | None, document: Object) -> bool:
    """Tell whether a twin is let through; every twin without a condition."""
    if isinstance(condition, All):
        # One part that is not true is enough, undefined or false: most twins of a large hub fail the first.
        return all(holds(each, document) for each in condition.conditions)
    return condition is None or _truth_of(condition, document) is True


def tags_needed(condition: Condition[Single] | None) -> frozenset[str]:
    """Return tags without which no twin is let through: nothing compares with one that is not there.

    With them a hub of many twins need not make the documents of all.
    """
    match condition:
        case All(conditions):
            return frozenset[str]().union(*map(tags_needed, conditions))
        case One(Comparison(Path(("tags", tag, *_)), _, _) | Member(Path(("tags", tag, *_)))):
            return frozenset({tag})
    return frozenset()


def projected(query: Query, document: Object) -> Object:
    """Return the columns of a twin; what it does not have is left out."""
    if not query.columns:
        return document
    return _row((column.name, _value(column.path, document)) for column in query.columns if column.path)


def rows(query: Query, documents: Iterable[Object]) -> list[Json]:
    """Return the rows of a query with aggregates: one for each group, or one for all twins.

    Groups come in the order of their first twins. unspecified: twins without the property that is grouped by
    are a group too, whose row does not have it.
    """
    groups: dict[bytes, tuple[Value, list[Object]]] = {} if query.group else {b"": (UNDEFINED, [])}
    for document in documents:
        value = UNDEFINED if query.group is None else _value(query.group, document)
        key = b"" if value is UNDEFINED else json_text.dump(value)
        groups.setdefault(key, (value, []))[1].append(document)
    return [
        _row(
            (column.name, value if isinstance(column, Column) else _aggregate(column, members))
            for column in query.columns
        )
        for value, members in groups.values()
    ]


def _row(found: Iterable[tuple[str, Value]]) -> Object:
    return {name: value for name, value in found if value is not UNDEFINED}


# Conditions and values


def _truth_of(condition: Condition[Single], document: Object) -> bool | None:
    return truth(condition, lambda single: _truth(single, document))


def _truth(single: Single, document: Object) -> bool | None:
    """Return whether one part of a condition holds; None: undefined."""
    match single:
        case Comparison(left, operator, right):
            return compared(_value(left, document), operator, _value(right, document))
        case Member(operand, among, negated):
            found = _among(_value(operand, document), among)
            return found if found is None else found is not negated
        case Truth(operand):
            return _value(operand, document) is True


def _among(value: Value, constants: tuple[Constant, ...]) -> bool | None:
    if kind_of(value) is None:
        return None
    return any(compared(value, "=", constant.value) for constant in constants)


def _value(operand: Operand, document: Object) -> Value:
    match operand:
        case Constant(value):
            return value
        case Path(names):
            return _property(names, document)
        case Chain(first, rest):
            total = _value(first, document)
            for sign, following in rest:
                total = calculated(sign, total, _value(following, document))
            return total
        case Call(name, arguments):
            return FUNCTIONS[name].of(*(_value(argument, document) for argument in arguments))
        case Bracketed(condition):
            told = _truth_of(condition, document)
            return UNDEFINED if told is None else told


def _property(names: Sequence[str], document: Object) -> Value:
    value: Json = document
    for name in names:
        if not isinstance(value, dict) or name not in value:
            return UNDEFINED
        value = value[name]
    return value


# Aggregates


def _aggregate(column: Aggregate, documents: list[Object]) -> Value:
    """Return what is computed of a group; undefined where no twin has anything to compute it of.

    unspecified: values that are no numbers are passed over by sums and averages; the least and the greatest
    are found among numbers, and among texts where there are no numbers.
    """
    if column.path is None:
        return len(documents)
    values = [_value(column.path, document) for document in documents]
    found = [value for value in values if kind_of(value) == "number"]
    if not found and column.kind in {"min", "max"}:
        found = [value for value in values if kind_of(value) == "string"]
    if not found:
        return UNDEFINED
    if column.kind in {"min", "max"}:
        return _extreme(found, "<" if column.kind == "min" else ">")
    total: Value = 0
    for value in found:
        total = calculated("+", total, value)
    return total if column.kind == "sum" else calculated("/", total, len(found))


def _extreme(values: list[Value], operator: str) -> Value:
    best = values[0]
    for value in values[1:]:
        if compared(value, operator, best):
            best = value
    return best
