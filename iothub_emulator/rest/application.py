"""The HTTPS endpoint: from a request to the operation it names, and back.

Served with aiohttp's low-level server rather than a `web.Application`: the table of routes decides on the raw
path, and even a request that is not HTTP gets the service's error without an echo of it in answer or log.
"""

import asyncio
import datetime as dt
import logging
import re
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from aiohttp import web

from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.rest import cloud_messages, devices, methods, modules, queries, twins, unserved
from iothub_emulator.rest.authorisation import authorise
from iothub_emulator.rest.calls import Call, Operation, Route
from iothub_emulator.rest.errors import code_for, error_response, malformed
from iothub_emulator.rest.throttling import Throttled, check_throttle
from iothub_emulator.runtime import Runtime

_log = logging.getLogger(__name__)

ROUTES: tuple[Route, ...] = (
    *devices.ROUTES,
    *modules.ROUTES,
    *twins.ROUTES,
    *methods.ROUTES,
    *cloud_messages.ROUTES,
    *queries.ROUTES,
    *unserved.ROUTES,
)

SHUTDOWN_TIMEOUT = 0.25
"""Seconds that requests under way get when the hub stops."""
LINGERING_TIME = 2.0
"""Seconds that the rest of a body is read for, after an answer that did not wait for it."""

HEAD_TIMEOUT = 60.0
"""Seconds in which the first request's head must come; behind it aiohttp has deadlines of its own."""
BODY_TIMEOUT = 60.0
"""Seconds in which a body must have come whole."""

_API_VERSION = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(-preview)?", re.ASCII)
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


Upgrade = Callable[[web.BaseRequest], Awaitable[web.StreamResponse | None]]
"""Serves what is no REST on the same port; returns None for what is, raises `Refused` as REST does."""


def runner(runtime: Runtime, upgrade: Upgrade | None = None) -> web.ServerRunner:
    """Return the runner of this endpoint: after `setup()`, a `web.SockSite` of it serves a socket.

    Each request is offered to `upgrade` first. To be called where an event loop runs.
    """
    return web.ServerRunner(_Server(runtime, upgrade), shutdown_timeout=SHUTDOWN_TIMEOUT)


class Endpoint:
    """Answers requests on behalf of one hub."""

    def __init__(
        self, runtime: Runtime, routes: Sequence[Route] = ROUTES, upgrade: Upgrade | None = None
    ) -> None:
        self.runtime = runtime
        self._routes = routes
        self._upgrade = upgrade

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Return the answer to a request, whatever it holds."""
        if isinstance(request.protocol, _Connection):
            request.protocol.head_came()
        try:
            upgraded = await self._upgrade(request) if self._upgrade is not None else None
            return upgraded or await self._carry_out(request)
        except Throttled as throttled:
            answer = self.refusal(throttled.code, throttled.message)
            answer.headers["Retry-After"] = str(throttled.retry_after)
            return answer
        except Refused as refused:
            return self.refusal(refused.code, refused.message)
        except web.HTTPException as exception:  # aiohttp, while it reads the body
            return self.refusal(code_for(exception.status), "The request cannot be read.")
        except Exception as exception:  # noqa: BLE001 - one call must not end the server, nor show its inside
            return self._failure(exception)

    def _failure(self, exception: Exception) -> web.Response:
        """Return the answer to a request that could not be read to its end, or not be carried out."""
        match exception:
            case web.HTTPException():  # aiohttp, while it reads the body
                return self.refusal(code_for(exception.status), "The request cannot be read.")
            case TimeoutError():
                answer = self.refusal(ErrorCode.IotHubFormatError, "The body did not come in time.")
                answer.force_close()
                return answer
            case web.RequestPayloadError() | web.PayloadAccessError() | ConnectionError():
                # Where the caller has gone meanwhile, nobody hears it.
                return self.refusal(ErrorCode.IotHubFormatError, "The body cannot be read.")
            case _:
                # No trace: it may hold keys.
                _log.error("REST call failed: %s", type(exception).__name__)
                return self.refusal(ErrorCode.ServerError, "InternalServerError")

    def refusal(self, code: ErrorCode, message: str) -> web.Response:
        """Return the service's answer for an error."""
        return error_response(code, message, self.runtime.now())

    async def _carry_out(self, request: web.BaseRequest) -> web.Response:
        segments = _segments(request.rel_url.raw_path)
        method = _method(request)
        operation, ids = self._find(method, segments)
        authorise(
            self.runtime,
            request.headers.getall("Authorization", []),
            "/" + "/".join(segments),
            operation.needs,
            own_device=ids[0] if operation.by_own_device else None,
        )
        query = dict(reversed(parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True)))
        _check_api_version(query.get("api-version"))
        check_throttle(self.runtime, segments, method)
        call = Call(
            runtime=self.runtime,
            ids=ids,
            query=query,
            if_match=", ".join(request.headers.getall("If-Match", [])) or None,
            headers=request.headers,
            body=await _body(request),
            caller_left=_left(request),
        )
        return await operation.carry_out(call)

    def _find(self, method: str, segments: tuple[str, ...]) -> tuple[Operation, tuple[str, ...]]:
        """Return the operation and the ids in the path; `Refused` if there is none."""
        known = False
        for route in self._routes:
            ids = route.ids(segments)
            if ids is None:
                continue
            known = True
            operation = route.operations.get("GET" if method == "HEAD" else method)
            if operation is not None:
                return operation, ids
        if known:
            raise Refused(ErrorCode.GenericMethodNotAllowed, "The path has no such method.")
        raise Refused(ErrorCode.GenericNotFound, "No such path.")


def _method(request: web.BaseRequest) -> str:
    """Return the method that the caller means.

    Java's own HTTP client has no PATCH: Microsoft's service client for Java (azure-iot-sdk-java,
    `HttpConnection.java`) sends POST and names the method in a header.
    """
    if request.method == "POST":
        return request.headers.get("X-HTTP-Method-Override", "POST").upper()
    return request.method


async def _body(request: web.BaseRequest) -> bytes:
    """Read the whole body, at most aiohttp's limit of one mebibyte; asks for it where the caller waits."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun
    async with asyncio.timeout(BODY_TIMEOUT):
        return await request.read()


def _left(request: web.BaseRequest) -> asyncio.Future[None]:
    """Return what is done when the caller is gone."""
    connection = request.protocol
    if isinstance(connection, _Connection):
        return connection.left
    return asyncio.get_running_loop().create_future()


def _segments(raw_path: str) -> tuple[str, ...]:
    """Decode a path once, and split it; a slash at the end adds no part.

    In this order: Azure IoT Explorer writes `/devices%2F{id}`, and no id has a slash in it.
    """
    if _BROKEN_ESCAPE.search(raw_path):
        raise malformed("The path has a broken percent escape.")
    try:
        path = unquote_to_bytes(raw_path).decode()
    except UnicodeError:
        raise malformed("The path is not UTF-8.") from None
    return tuple(path.removeprefix("/").removesuffix("/").split("/"))


def _check_api_version(version: str | None) -> None:
    """Demand a full date, as the service does; any date will do."""
    match = _API_VERSION.fullmatch(version or "")
    try:
        if match:
            dt.date.fromisoformat(match[1])
            return
    except ValueError:
        pass
    raise Refused(
        ErrorCode.InvalidProtocolVersion, "api-version is missing or not a date such as 2021-04-12."
    )


class _Server(web.Server):
    """Makes a protocol for each connection."""

    def __init__(self, runtime: Runtime, upgrade: Upgrade | None) -> None:
        self.endpoint = Endpoint(runtime, upgrade=upgrade)
        super().__init__(self.endpoint.answer)

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, self.endpoint)


class _Connection(web.RequestHandler):
    """One connection; replaces aiohttp's own error pages and traces, which repeat what was sent."""

    __slots__ = ("_endpoint", "_head_timer", "left")

    def __init__(self, server: _Server, endpoint: Endpoint) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type] # turns it off, as aiohttp's documentation says
            lingering_time=LINGERING_TIME,
        )
        self._endpoint = endpoint
        self._head_timer: asyncio.TimerHandle | None = None
        self.left: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._head_timer = asyncio.get_running_loop().call_later(HEAD_TIMEOUT, self.force_close)

    def head_came(self) -> None:
        """Take note of a request."""
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def connection_lost(self, exc: BaseException | None) -> None:
        """Let whoever works for this caller know."""
        self.head_came()
        if not self.left.done():
            self.left.set_result(None)
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - quotes the request
    ) -> web.StreamResponse:
        """Answer what the parser refused, and close."""
        _log.debug("HTTP request refused: %s", type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("part of an answer is sent already")
        response = self._endpoint.refusal(code_for(status), "The request is not valid HTTP.")
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 - a trace may hold secrets
        """Say what kind of thing went wrong, and nothing of what was sent."""
        exception = sys.exception()
        # The rest of a body, read after the answer is out, may be malformed: the caller's doing.
        level = logging.DEBUG if isinstance(exception, web.RequestPayloadError) else logging.ERROR
        _log.log(level, "HTTP connection failed: %s", type(exception).__name__)
