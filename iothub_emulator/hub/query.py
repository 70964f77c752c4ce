"""Queries over twins: which match, what is returned of them, and in which pages."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from iothub_emulator.hub import json_text
from iothub_emulator.hub.json_text import Json, Object, is_number
from iothub_emulator.hub.query_evaluation import holds, projected, rows, tags_needed
from iothub_emulator.hub.query_syntax import parse
from iothub_emulator.hub.query_tree import Query, QueryRefused

__all__ = ["LARGEST_PAGE", "Page", "Query", "QueryRefused", "Source", "parse", "run", "tags_needed"]

LARGEST_PAGE = 100
"""Items in one page (Microsoft's page; older ones say 1000)."""

Key: TypeAlias = tuple[str, str]
"""Device id and module id; the latter is empty for a device."""

_BEGINNING: Key = ("", "")


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
    limit = min(size or LARGEST_PAGE, LARGEST_PAGE)
    if query.top is not None:
        limit = min(limit, max(query.top - returned, 0))
    if query.is_aggregate:
        return _page_of_rows(query, ordered, returned, limit)
    items: list[Json] = []
    last = after
    for source in ordered:
        document = source.document()
        if not holds(query.condition, document):
            continue
        if len(items) == limit:
            return Page(items, _next(query, last, returned + limit), _item_type(query))
        items.append(projected(query, document))
        last = source.key
    return Page(items, None, _item_type(query))


def _page_of_rows(query: Query, ordered: list[Source], returned: int, limit: int) -> Page:
    """Return a page of the rows of all groups, computed anew for each page."""
    documents = (source.document() for source in ordered)
    found = rows(query, (document for document in documents if holds(query.condition, document)))
    end = returned + limit
    continuation = _next(query, _BEGINNING, end) if end < len(found) else None
    return Page(found[returned:end], continuation, "Raw")


def _item_type(query: Query) -> Literal["Twin", "Raw"]:
    return "Raw" if query.columns else "Twin"


# Continuation


def _next(query: Query, last: Key, returned: int) -> str | None:
    """Return the token of the page behind so many items, `last` being the last; None: TOP is reached."""
    if query.top is not None and returned >= query.top:
        return None
    content: Json = [_fingerprint(query), *last, returned]
    return base64.urlsafe_b64encode(json_text.dump(content)).decode()


def _position(query: Query, token: str | None) -> tuple[Key, int]:
    """Return the last key that was returned and how many were; the beginning without a token."""
    if not token:
        return _BEGINNING, 0
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
    return hashlib.sha256(query.text.encode("utf-8", "replace")).hexdigest()[:16]
