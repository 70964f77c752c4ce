"""Queries over twins: which match, what is returned of them, and in which pages.

A condition is true, false or undefined; only true lets a twin through (Microsoft, "IoT Hub query language").
Undefined is what a comparison with an absent property, or of things that have no order, gives.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from iothub_emulator.hub import json_text
from iothub_emulator.hub.conditions import Condition, truth
from iothub_emulator.hub.json_text import Json, Object, is_number
from iothub_emulator.hub.query_syntax import parse
from iothub_emulator.hub.query_tree import (
    Comparison,
    Constant,
    IsDefined,
    Member,
    Operand,
    Operator,
    Query,
    QueryRefused,
    Single,
    Truth,
)

__all__ = ["LARGEST_PAGE", "Page", "Query", "QueryRefused", "Source", "parse", "run"]

LARGEST_PAGE = 100
"""Items in one page (Microsoft's page; older ones say 1000)."""

Key: TypeAlias = tuple[str, str]
"""Device id and module id; the latter is empty for a device."""

_UNDEFINED = object()


@dataclass(frozen=True, slots=True)
class Source:
    """One twin that a query may return; its document is made when it is looked at."""

    device_id: str
    module_id: str
    """Empty for a device's twin."""
    document: Callable[[], Object]

    @property
    def key(self) -> Key:
        """What twins are ordered by."""
        return self.device_id, self.module_id


@dataclass(frozen=True, slots=True)
class Page:
    """One answer to a query."""

    items: list[Json]
    continuation: str | None
    """Opaque text that asks for the next page; None: there is none."""
    item_type: Literal["Twin", "Raw"]
    """The header `x-ms-item-type`."""


def run(
    query: Query, sources: Iterable[Source], continuation: str | None = None, size: int | None = None
) -> Page:
    """Return a page of what a query finds among `sources` (twins of the query's collection alone).

    Twins come in the order of their ids, so that pages stay right while others are made or deleted. `size`
    is what the caller asks for, at most `LARGEST_PAGE`; `QueryRefused` for a token that is not of this query,
    or a size below one.
    """
    if size is not None and size < 1:
        raise QueryRefused("A page has at least one item.")
    after, returned = _position(query, continuation)
    ordered = sorted((source for source in sources if source.key > after), key=lambda source: source.key)
    if query.count is not None:
        number = sum(_holds(query.condition, source.document()) for source in ordered)
        return Page([{query.count.name: number}], None, "Raw")
    limit = min(size or LARGEST_PAGE, LARGEST_PAGE)
    if query.top is not None:
        limit = min(limit, max(query.top - returned, 0))
    items: list[Json] = []
    last = after
    for source in ordered:
        document = source.document()
        if not _holds(query.condition, document):
            continue
        if len(items) == limit:
            is_last = query.top is not None and returned + limit >= query.top
            token = None if is_last else _token(query, last, returned + limit)
            return Page(items, token, _item_type(query))
        items.append(_projected(query, document))
        last = source.key
    return Page(items, None, _item_type(query))


def _item_type(query: Query) -> Literal["Twin", "Raw"]:
    return "Raw" if query.columns else "Twin"


def _projected(query: Query, document: Object) -> Object:
    """Return the columns of a twin; what it does not have is left out."""
    if not query.columns:
        return document
    found = ((column.name, _value(column.path, document)) for column in query.columns)
    return {name: value for name, value in found if value is not _UNDEFINED}  # type: ignore[misc] # is JSON


# Conditions


def _holds(condition: Condition[Single] | None, document: Object) -> bool:
    return condition is None or truth(condition, lambda single: _truth(single, document)) is True


def _truth(single: Single, document: Object) -> bool | None:
    """Return whether one part of a condition holds; None: undefined."""
    match single:
        case Comparison(left, operator, right):
            return _compared(_value(left, document), operator, _value(right, document))
        case Member(operand, among, negated):
            found = _among(_value(operand, document), among)
            return found if found is None else found is not negated
        case IsDefined(path):
            return _value(path, document) is not _UNDEFINED
        case Truth(operand):
            return _value(operand, document) is True


def _value(operand: Operand, document: Object) -> object:
    if isinstance(operand, Constant):
        return operand.value
    value: Json = document
    for name in operand.names:
        if not isinstance(value, dict) or name not in value:
            return _UNDEFINED
        value = value[name]
    return value


def _compared(left: object, operator: Operator, right: object) -> bool | None:
    """Compare primitive values: things of different kinds are unequal and in no order."""
    kinds = _kind(left), _kind(right)
    if None in kinds:
        return None
    same_kind = kinds[0] == kinds[1]
    if operator in {"=", "!="}:
        return (same_kind and left == right) is (operator == "=")
    if not same_kind or not isinstance(left, (str, int, float)) or kinds[0] == "boolean":
        return None
    order = (left > right) - (left < right)  # type: ignore[operator] # they are of the same kind
    return {"<": order < 0, ">": order > 0, "<=": order <= 0, ">=": order >= 0}[operator]


def _among(value: object, constants: tuple[Constant, ...]) -> bool | None:
    if _kind(value) is None:
        return None
    return any(_compared(value, "=", constant.value) for constant in constants)


def _kind(value: object) -> str | None:
    """Return what sort of primitive a value is; None for objects, arrays and what is not there."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    return "number" if isinstance(value, (int, float)) else None


# Continuation


def _token(query: Query, last: Key, returned: int) -> str:
    content: Json = [_fingerprint(query), *last, returned]
    return base64.urlsafe_b64encode(json_text.dump(content)).decode()


def _position(query: Query, token: str | None) -> tuple[Key, int]:
    """Return the last key that was returned and how many were; the beginning without a token."""
    if not token:
        return ("", ""), 0
    try:
        content = json_text.parse(base64.urlsafe_b64decode(token.encode("ascii")))
    except (json_text.NotJson, binascii.Error, UnicodeEncodeError):
        content = None
    match content:
        case [fingerprint, str(device_id), str(module_id), int(returned)] if fingerprint == _fingerprint(
            query
        ) and is_number(returned):
            return (device_id, module_id), max(returned, 0)
    raise QueryRefused("The continuation token does not belong to this query.")


def _fingerprint(query: Query) -> str:
    return hashlib.sha256(repr(query).encode("utf-8", "replace")).hexdigest()[:16]
