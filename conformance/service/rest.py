"""The hub's REST interface: one authorised call at a time, patient where the hub asks for patience.

Source: Microsoft, "IoT Hub service REST API", api-version 2021-04-12, which its SDKs send.
"""

import email.utils
import json
import time
from collections.abc import Callable, Collection, Generator
from typing import Any, Final
from urllib.parse import quote

import httpx

from conformance.credentials import ConnectionString, SasToken, Secret, sas_token
from conformance.errors import CredentialsRefused, ServiceError, Throttled
from conformance.pauses import pause
from conformance.redaction import redact
from conformance.service.journal import Journal, cut, shown

API_VERSION: Final = "2021-04-12"

# How long one call may wait in all because the hub is busy, in seconds: a quota of a minute and its next one.
PATIENCE: Final = 120.0
# Without Retry-After the hub says only that it is busy: wait this long, then twice as long, and so on.
FIRST_WAIT: Final = 1.0
# A call that never reached the hub, or that the hub could not serve, is worth this many more.
MORE_TRIES: Final = 3

TOKEN_LIFE: Final = 3600
TOKEN_RENEWAL: Final = 600

_FIRST_ERROR: Final = 400
_TOO_MANY_REQUESTS: Final = 429
_UNAUTHORISED: Final = 401
_SERVER_TROUBLE: Final = frozenset({500, 502, 503, 504})


class RestClient:
    """Calls of one shared access policy to one hub.

    `name` is the hub's name in tokens, where that is not the connection string's. `clock_difference` is by
    how many whole seconds the hub's clock is ahead of ours, as of the last answer.
    `sleep` is what waits; it counts the time (`conformance.pauses`). Each call is written to the `journal`.
    """

    def __init__(
        self,
        access: ConnectionString,
        *,
        port: int,
        verify: Any,
        timeout: float,
        proxies: bool = True,
        sleep: Callable[[float], object] = pause,
        journal: Journal | None = None,
        name: str | None = None,
    ) -> None:
        self._access = access
        self._sleep = sleep
        self._timeout = timeout
        self._journal = journal or Journal()
        self.clock_difference: float | None = None
        self._client = httpx.Client(
            base_url=f"https://{access.host}:{port}",
            auth=_Policy(access, name or access.host_name),
            verify=verify,
            timeout=timeout,
            trust_env=proxies,
            params={"api-version": API_VERSION},
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(
        self,
        method: str,
        *segments: str,
        body: object = None,
        if_match: str | None = None,
        accept: Collection[int] = (200, 204),
        within: float | None = None,
        once: bool = False,
        open_book: bool = False,
    ) -> "Answer":
        """Make one call; path segments are escaped here. Returns an answer whose status is in `accept`.

        An answer that is accepted is never asked for again, whatever its status. `within` is how long the hub
        may take for it, in seconds, where that is longer than usual; with `once` a call that has reached the
        hub is not repeated; with `open_book` the journal shows both bodies, which must then hold no key.
        Keys in `body` stay a `Secret` until they are written, so that no traceback shows them.
        Raises CredentialsRefused (401), Throttled (429 for too long) or ServiceError.
        """
        path = "/" + "/".join(quote(segment, safe="") for segment in segments)
        headers = {} if if_match is None else {"If-Match": if_match}
        request = self._client.build_request(
            method,
            path,
            headers=headers,
            content=_written(body, headers),
            timeout=self._timeout if within is None else self._timeout + within,
        )
        write = self._journal.writer()
        write(f"{method} {path}{'' if body is None or not open_book else f' {shown(body)}'}")
        response = self._send(request, accept, once=once)
        answer = Answer(method, path, response)
        write(f"{method} {path}: {answer.in_words if open_book else answer.error}")
        if response.status_code in accept:
            return answer
        if response.status_code == _UNAUTHORISED:
            raise CredentialsRefused(
                f"{answer.what}: the policy '{self._access.policy}' is refused ({answer.error}). "
                "Check the key and the rights of the connection string in [service]."
            )
        raise ServiceError(f"{answer.what}: {answer.error}.")

    def _send(self, request: httpx.Request, accept: Collection[int], *, once: bool) -> httpx.Response:
        waited, wait, tries = 0.0, FIRST_WAIT, 0
        while True:
            response = self._send_once(request, last=tries >= MORE_TRIES)
            if response is not None and response.status_code in accept:
                return response
            if response is not None and response.status_code == _TOO_MANY_REQUESTS:
                wait_now = _retry_after(response, self._now()) or wait
                if waited + wait_now > PATIENCE:
                    raise Throttled(
                        f"{_what(request)}: still throttled after {waited:.0f} s. "
                        "Run fewer workers ([limits] workers), or later."
                    )
            elif response is not None and (
                once or response.status_code not in _SERVER_TROUBLE or tries >= MORE_TRIES
            ):
                return response
            else:
                tries += 1
                wait_now = wait
            self._sleep(wait_now)
            waited, wait = waited + wait_now, wait * 2

    def _send_once(self, request: httpx.Request, *, last: bool) -> httpx.Response | None:
        """Return the answer, or None for a failure that is worth another try."""
        try:
            response = self._client.send(request)
        except httpx.HTTPError as error:
            never_left = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
            if not last and (never_left or request.method == "GET") and not _is_certificate_trouble(error):
                return None
            reason = redact(str(error)) or type(error).__name__
            raise ServiceError(f"{_what(request)}: {reason}. Is the hub's HTTPS port right?") from None
        self._compare_clocks(response)
        return response

    def _compare_clocks(self, response: httpx.Response) -> None:
        date = email.utils.parsedate_tz(response.headers.get("Date", ""))
        if date is not None:
            # The header is cut to whole seconds: on average it is half a second old.
            self.clock_difference = email.utils.mktime_tz(date) + 0.5 - self._now()

    @staticmethod
    def _now() -> float:
        return time.time()


class Answer:
    """An answer of the hub. `what` names the call, `error` the service's error in its own word."""

    def __init__(self, method: str, path: str, response: httpx.Response) -> None:
        self.what = f"{method} {path} at {response.request.url.netloc.decode('ascii')}"
        self.status = response.status_code
        self._response = response

    @property
    def body(self) -> bytes:
        """The body as it came."""
        return self._response.content

    @property
    def in_words(self) -> str:
        """The status, the service's name for an error, and the body."""
        return f"{self.error} {cut(redact(self._response.text))}".rstrip()

    @property
    def json(self) -> Any:
        """The body; raises ServiceError if it is not JSON."""
        try:
            return self._response.json()
        except (ValueError, RecursionError):
            raise ServiceError(f"{self.what}: {self.status} with a body that is not JSON.") from None

    @property
    def error(self) -> str:
        """The status and the service's name for the error, without anything of what was sent."""
        if self.status < _FIRST_ERROR:
            return str(self.status)
        name = self._response.headers.get("iothub-errorcode") or _error_name(self._response)
        return f"{self.status} {name}".strip()


class _Policy(httpx.Auth):
    """Puts a token of the policy into each request, renewed before it ends."""

    def __init__(self, access: ConnectionString, name: str) -> None:
        self._access = access
        self._name = name
        self._token: SasToken | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        now = int(time.time())
        if self._token is None or self._token.expiry - now < TOKEN_RENEWAL:
            access = self._access
            self._token = sas_token(self._name, access.key, expiry=now + TOKEN_LIFE, policy=access.policy)
        request.headers["Authorization"] = self._token.reveal()
        yield request


def _written(body: object, headers: dict[str, str]) -> bytes | None:
    """Write the body as JSON, secrets included, and say so in the headers."""
    if body is None:
        return None
    headers["Content-Type"] = "application/json"
    return json.dumps(body, default=_revealed).encode("ascii")


def _revealed(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"a {type(value).__name__} is not JSON")


def _retry_after(response: httpx.Response, now: float) -> float | None:
    """Read Retry-After, in seconds or as a date [RFC 9110, 10.2.3]."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return max(float(text), 0.1)
    date = email.utils.parsedate_tz(text)
    return None if date is None else max(email.utils.mktime_tz(date) - now, 0.1)


def _error_name(response: httpx.Response) -> str:
    try:
        message = str(response.json().get("Message", ""))
    except (ValueError, AttributeError, RecursionError):
        return ""
    text = message.partition("ErrorCode:")[2].partition(";")[0]
    if not text:
        try:
            text = str(json.loads(message).get("errorCode", ""))
        except (ValueError, AttributeError, RecursionError):
            text = ""
    return redact(text)[:80]


def _is_certificate_trouble(error: httpx.HTTPError) -> bool:
    return "CERTIFICATE_VERIFY_FAILED" in str(error)


def _what(request: httpx.Request) -> str:
    return f"{request.method} {request.url.path} at {request.url.netloc.decode('ascii')}"
