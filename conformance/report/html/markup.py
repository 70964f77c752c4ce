"""HTML by construction: every text is escaped unless it is `Markup`, which only `element` makes."""

import html
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from conformance.report.printable import visible

# Elements that have no end tag.
_VOID: Final = frozenset({"br", "hr", "input", "link", "meta"})
# The schemes that a link from a profile or a clause may have.
_SAFE: Final = ("https://", "http://", "#")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Content = str | Iterable[Any] | None  # Any: content again, nested


def element(name: str, /, *content: Content, **attributes: str | int | bool | None) -> Markup:
    """Return an element. Plain text is escaped, None left out, and an iterable taken one by one.

    In attribute names ``_`` stands for ``-``, and is left out at the end of ``class_``; True is an attribute
    without value, None and False none at all.
    """
    opening = "".join(_attribute(key, value) for key, value in attributes.items())
    inside = "".join(_flatten(content))
    return Markup(f"<{name}{opening}>" if name in _VOID else f"<{name}{opening}>{inside}</{name}>")


def join(*content: Content) -> Markup:
    """Return some content as one piece."""
    return Markup("".join(_flatten(content)))


def escape(text: str) -> Markup:
    """Return a text as HTML that shows it, hidden characters as their escapes."""
    return text if isinstance(text, Markup) else Markup(html.escape(visible(text)))


def link(address: str | None, /, *content: Content, **attributes: str | int | bool | None) -> Markup:
    """Return a link, or the content alone where the address is none that may stand in a page."""
    if address is None or not address.startswith(_SAFE):
        return join(*content)
    if not address.startswith("#"):
        attributes["rel"] = "noreferrer"
    return element("a", *content, href=address, **attributes)


def _flatten(content: Iterable[Content]) -> Iterable[str]:
    for piece in content:
        if piece is None:
            continue
        if isinstance(piece, str):
            yield escape(piece)
        else:
            yield from _flatten(piece)


@lru_cache(maxsize=4096, typed=True)  # a page has few different ones, and many of each
def _attribute(name: str, value: str | int | bool | None) -> str:
    if value is None or value is False:
        return ""
    written = name.rstrip("_").replace("_", "-")
    return f" {written}" if value is True else f' {written}="{escape(str(value))}"'
