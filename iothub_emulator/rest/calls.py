"""A call as the operations see it, and the table that leads to them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from iothub_emulator.hub import json_text
from iothub_emulator.hub.policies import Right
from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.rest.envelope import Envelope, spelled
from iothub_emulator.rest.errors import malformed
from iothub_emulator.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request that is authorised, of a known route and a valid api-version."""

    runtime: Runtime
    ids: tuple[str, ...]
    """What stood in the path where the route has `*`, percent-decoded once."""
    query: Mapping[str, str]
    if_match: str | None
    headers: Mapping[str, str]
    """Names in any case."""
    body: bytes
    caller_left: asyncio.Future[None]
    """Done when nobody waits for the answer any more."""

    def json(self, envelope: Envelope) -> Any:
        """Return the parsed body, the names of its envelope as the service spells them.

        Raises `Refused` with IotHubFormatError.
        """
        try:
            return spelled(json_text.parse(self.body), envelope)
        except json_text.NotJson:
            raise malformed("The body is not JSON in UTF-8.") from None

    def whole_number(self, name: str) -> int | None:
        """Return a query parameter as a number, `None` without it; `Refused` if it is not one."""
        return _whole_number(name, self.query.get(name))

    def whole_number_header(self, name: str) -> int | None:
        """Return a header as a number, `None` without it; `Refused` if it is not one."""
        return _whole_number(name, self.headers.get(name))


@dataclass(frozen=True)
class Operation:
    """What one method of a route does, and the rights that it needs."""

    needs: Right
    carry_out: Callable[[Call], Awaitable[web.Response]]
    by_own_device: bool = False
    """Whether a token of the device that the path names opens it too."""


@dataclass(frozen=True)
class Route:
    """A path, `*` standing for an id, and its operations by method. Its fixed words are in small letters."""

    path: tuple[str, ...]
    operations: Mapping[str, Operation]

    def ids(self, segments: tuple[str, ...]) -> tuple[str, ...] | None:
        """Return what stands where the path has `*`; `None`: another path.

        The case of fixed words is ignored: callers write `deviceBound` and `devicebound`.
        """
        if len(segments) != len(self.path):
            return None
        if any(wanted not in {"*", given.lower()} for wanted, given in zip(self.path, segments, strict=True)):
            return None
        return tuple(given for wanted, given in zip(self.path, segments, strict=True) if wanted == "*")


def valid_ids(call: Call) -> tuple[str, ...]:
    """Return the ids of the path; `Refused` if no device or module can have one of them."""
    for text in call.ids:
        problem = call.runtime.rules.registry.problem_with_id(text)
        if problem is not None:
            raise Refused(ErrorCode.ArgumentInvalid, problem)
    return call.ids


def _whole_number(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 18):  # noqa: PLR2004 - 64 bits
        raise Refused(ErrorCode.ArgumentInvalid, f"{name} is not a whole number.")
    return int(text)
