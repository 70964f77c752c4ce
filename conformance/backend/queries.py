"""Queries over twins: what the back end finds by the hub's query language, page by page.

Source: Microsoft, "IoT Hub query language for device and module twins, jobs, and message routing", and the
REST reference (Devices, Get Twins).
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from conformance.backend.rest import TELLING, Answer, RestClient
from conformance.errors import ServiceError, Violation
from conformance.run.sleeping import pause

# More pages than any question of a case has.
MOST_PAGES: Final = 100
# Where answers lag behind, a question is asked again after so many seconds.
AGAIN_AFTER: Final = 1.0

_OK: Final = 200


@dataclass(frozen=True)
class Page:
    """One answer: its items, what they are (``Twin`` or ``Raw``), and what asks for the next page, if any."""

    items: list[Any]
    item_type: str | None
    continuation: str | None


class Queries:
    """Asks the hub's queries. `lags` is for how many seconds what is found may lag behind a change."""

    def __init__(
        self, client: RestClient, *, lags: float = 0.0, sleep: Callable[[float], object] = pause
    ) -> None:
        self._client = client
        self._lags = lags
        self._pause = sleep

    def page(self, text: str, *, size: int | None = None, continuation: str | None = None) -> Page:
        """Return one page of what a query finds; raises Violation where the hub does not take the query."""
        answer = self._ask(text, size, continuation)
        if answer.status != _OK:
            raise Violation(
                f"{text}: {answer.error}",
                observed=str(answer.status),
                expected="an answer to the query",
                actual=answer.in_words,
            )
        items = answer.json
        if not isinstance(items, list):
            raise ServiceError(f"{answer.what}: the answer is no JSON array.")
        # An empty header is as good as none.
        return Page(items, answer.header("x-ms-item-type"), answer.header("x-ms-continuation") or None)

    def pages(self, text: str, size: int) -> list[Page]:
        """Return all pages of a query, each as large as is asked for."""
        return list(self._pages(text, size))

    def found(self, text: str) -> list[Any]:
        """Return all that a query finds."""
        return [item for page in self._pages(text, None) for item in page.items]

    def ids(self, text: str) -> list[str]:
        """Return the names of the devices, or ``{device}/{module}``, that a query finds, sorted."""
        return sorted(
            "/".join(str(item[name]) for name in ("deviceId", "moduleId") if item.get(name))
            for item in self.found(text)
        )

    def attempt(
        self,
        text: str,
        *,
        size: int | None = None,
        continuation: str | None = None,
        member: str = "query",
    ) -> str:
        """Ask, by this member of the body, and return the status: "200", "400"; never 401, 403 or 429."""
        return str(self._ask(text, size, continuation, member).status)

    def await_found(self, text: str, count: int) -> None:
        """Return once a query finds so many, or after the time that answers may lag behind."""
        end = time.monotonic() + self._lags
        while len(self.found(text)) != count and time.monotonic() < end:
            self._pause(AGAIN_AFTER)

    def _pages(self, text: str, size: int | None) -> Iterator[Page]:
        continuation = None
        for _ in range(MOST_PAGES):
            page = self.page(text, size=size, continuation=continuation)
            yield page
            continuation = page.continuation
            if continuation is None:
                return
        raise Violation(
            f"{text}: {MOST_PAGES} pages, and there is another",
            observed="no last page",
            expected="a last page",
            actual=f"more than {MOST_PAGES} pages",
        )

    def _ask(self, text: str, size: int | None, continuation: str | None, member: str = "query") -> Answer:
        headers = {} if size is None else {"x-ms-max-item-count": str(size)}
        if continuation is not None:
            headers["x-ms-continuation"] = continuation
        return self._client.call(
            "POST", "devices", "query", body={member: text}, headers=headers, accept=TELLING, open_book=True
        )
