"""The hub's REST interface: one authorised call at a time, patient where the hub asks for patience.

Source: Microsoft, "IoT Hub service REST API", api-version 2021-04-12, which its SDKs send.
"""

import contextlib
import json
import re
import ssl
import time
from collections.abc import Callable, Collection, Generator, Mapping
from typing import Any, Final
from urllib.parse import quote

import httpx

from conformance.backend.bounded import LARGEST_ANSWER, bounded, limited
from conformance.backend.call_log import LONGEST_BODY, Journal, cut, shown
from conformance.backend.tier import speaks_of_tier
from conformance.errors import CredentialsRefused, NotInTier, ServiceError, Unanswered
from conformance.evidence import asked
from conformance.mqtt import hearing
from conformance.mqtt.http_date import unix_time
from conformance.mqtt.route import PLAIN, Proxy, Route, bare
from conformance.report.printable import visible
from conformance.report.redaction import redact
from conformance.run.sleeping import Patience, pause
from conformance.target.credentials import ConnectionString, SasToken, Secret, sas_token

API_VERSION: Final = "2021-04-12"

# A call that never reached the hub, or that the hub could not serve, is worth this many more.
MORE_TRIES: Final = 3

TOKEN_LIFE: Final = 3600
TOKEN_RENEWAL: Final = 600

# What every refused policy may mean, since no page says by which words a hub tells it.
IF_LOCAL_IS_DISABLED: Final = (
    "A hub with local authentication disabled (Entra ID alone) takes no policy, and cannot be judged."
)
# So much of the hub's own text helps; in characters.
LONGEST_TEXT: Final = 200

_HTTPS: Final = 443
_FIRST_ERROR: Final = 400
_TOO_MANY_REQUESTS: Final = 429
_UNAUTHORISED: Final = 401
_FORBIDDEN: Final = 403
# What says something of a call. 401 and 403 say that we may not ask, 429 not now, 5xx that the hub failed.
TELLING: Final = frozenset(range(200, 500)) - {401, 403, 429}
# A hub of Azure answers 401 where a right is missing, and 403 where a limit is reached, which it names.
_IS_NO_RIGHT: Final = re.compile("|.*(forbidden|unauthor|denied|permission).*", re.IGNORECASE)
_SERVER_TROUBLE: Final = frozenset({500, 502, 503, 504})


class RestClient:
    """Calls of one shared access policy to one hub.

    `route` is how to come to the hub. `name` is its name in tokens, where that is not the connection
    string's. `clock_difference` is by how many whole seconds the hub's clock is ahead of ours, as of the last
    answer.
    `sleep` is what waits; it counts the time (`conformance.run.sleeping`). Each call is written to the
    `journal`.
    """

    def __init__(
        self,
        access: ConnectionString,
        *,
        port: int,
        verify: ssl.SSLContext,
        timeout: float,
        route: Route = PLAIN,
        sleep: Callable[[float], object] = pause,
        journal: Journal | None = None,
        name: str | None = None,
        clock_ahead: float = 0.0,
    ) -> None:
        self._access = access
        self._sleep = sleep
        self._timeout = timeout
        self._journal = journal or Journal()
        self.clock_difference: float | None = None
        self._route = route
        stop = self._route.address or bare(access.host)
        self._client = httpx.Client(
            base_url=f"https://{f'[{stop}]' if ':' in stop else stop}:{port}",
            auth=_Policy(access, name or access.host_name, clock_ahead),
            verify=bounded(verify),
            timeout=timeout,
            trust_env=False,
            proxy=_proxy(self._route.proxy),
            params={"api-version": API_VERSION},
            # What is packed may be a thousand times as large when it is unpacked.
            headers={"Accept-Encoding": "identity"} | self._named(port),
            event_hooks={"response": [_leave_packed]},
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _named(self, port: int) -> dict[str, str]:
        """Return the header that names the hub where its address stands in the URL."""
        if self._route.address is None:
            return {}
        return {"Host": self._access.host if port == _HTTPS else f"{self._access.host}:{port}"}

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
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        throttled: Callable[[], None] = lambda: None,
    ) -> "Answer":
        """Make one call; path segments are escaped here. Returns an answer whose status is in `accept`.

        An answer that is accepted is never asked for again, whatever its status. `within` is how long the hub
        may take for it, in seconds, where that is longer than usual; with `once` a call that has reached the
        hub is not repeated; with `open_book` the journal shows both bodies, which must then hold no key.
        `headers` are further ones, `params` stand behind the path.
        `throttled` is called when the hub asks for patience, which may take longer than everything else.
        A `body` of bytes is JSON that is sent as it is written.
        Keys in `body` stay a `Secret` until they are written, so that no traceback shows them.
        Raises CredentialsRefused (401, or 403 in words that mean it), NotInTier, Throttled (429 for too
        long), Unanswered or ServiceError.
        """
        path = "/" + "/".join(quote(segment, safe="") for segment in segments)
        sent = dict(headers or {})
        if if_match is not None:
            sent["If-Match"] = if_match
        seconds = self._timeout if within is None else self._timeout + within
        request = self._client.build_request(
            method,
            path,
            headers=sent,
            content=_written(body, sent),
            timeout=seconds,
            params=params,
            extensions={} if self._route.address is None else {"sni_hostname": bare(self._access.host)},
        )
        write = self._journal.writer()
        write(f"{method} {path}{'' if body is None or not open_book else f' {shown(body)}'}")
        asked.call(segments, len(request.content))
        response = self._send(request, accept, seconds, throttled, once=once)
        answer = Answer(method, path, response)
        write(f"{method} {path}: {answer.in_words if open_book else answer.error}")
        if answer.says_not_in_tier:
            raise NotInTier(f"{answer.what}: not in this hub's tier ({answer.error}).")
        if response.status_code in accept:
            return answer
        if response.status_code == _UNAUTHORISED or answer.says_no_right:
            raise CredentialsRefused(
                f"{answer.what}: the policy '{self._access.policy}' is refused ({answer.told}). "
                f"Check the key and the rights of the connection string in [service]. {IF_LOCAL_IS_DISABLED}"
            )
        raise ServiceError(f"{answer.what}: {answer.told}.")

    def _send(
        self,
        request: httpx.Request,
        accept: Collection[int],
        seconds: float,
        throttled: Callable[[], None],
        *,
        once: bool,
    ) -> httpx.Response:
        patience, tries = Patience(_what(request), sleep=self._sleep), 0
        while True:
            response = self._send_once(request, seconds, last=tries >= MORE_TRIES)
            if response is not None and response.status_code in accept:
                return response
            if response is not None and response.status_code == _TOO_MANY_REQUESTS:
                throttled()
                patience.wait(_retry_after(response, self._now()))
            elif response is not None and (
                once or response.status_code not in _SERVER_TROUBLE or tries >= MORE_TRIES
            ):
                return response
            else:
                tries += 1
                patience.wait()

    def _send_once(self, request: httpx.Request, seconds: float, *, last: bool) -> httpx.Response | None:
        """Return the answer, or None for a failure that is worth another try.

        The whole answer has so many seconds, and a size. One without end is not asked for again.
        """
        with limited(seconds, size=LARGEST_ANSWER) as limit:
            try:
                response = self._client.send(request)
            except httpx.HTTPError as error:
                if limit.overrun:
                    raise ServiceError(f"{_what(request)}: the answer {limit.overrun}.") from None
                never_left = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
                is_safe = never_left or request.method == "GET"
                if is_safe and not last and not _is_certificate_trouble(error):
                    return None
                reason = redact(str(error)) or type(error).__name__
                failure = Unanswered if isinstance(error, httpx.ReadTimeout) else ServiceError
                raise failure(
                    f"{_what(request)}{self._route.said}: {reason}. Is the hub's HTTPS port right?"
                ) from None
        hearing.heard()
        self._compare_clocks(response)
        return response

    def _compare_clocks(self, response: httpx.Response) -> None:
        date = unix_time(response.headers.get("Date", ""))
        if date is not None:
            # The header is cut to whole seconds: on average it is half a second old.
            self.clock_difference = date + 0.5 - self._now()

    @staticmethod
    def _now() -> float:
        return time.time()


class Answer:
    """An answer of the hub. `what` names the call, `error` the service's error in its own word."""

    def __init__(self, method: str, path: str, response: httpx.Response) -> None:
        self.what = f"{method} {path} at {response.request.headers['Host']}"
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

    def header(self, name: str) -> str | None:
        """Return a header of the answer, or None."""
        found: str | None = self._response.headers.get(name)
        return found

    @property
    def error(self) -> str:
        """The status and the service's name for the error, without anything of what was sent."""
        return f"{self.status} {self.name}".rstrip()

    @property
    def told(self) -> str:
        """The error, and behind it the hub's own text about it, cut where it is long."""
        text = redact(_error_text(self._response)).strip().rstrip(".")
        return f"{self.error}: {visible(text[:LONGEST_TEXT])}" if text else self.error

    @property
    def name(self) -> str:
        """The service's name for the error; empty where there is none."""
        if self.status < _FIRST_ERROR:
            return ""
        return cut(self._response.headers.get("iothub-errorcode") or _error_name(self._response))

    @property
    def says_no_right(self) -> bool:
        """Whether the hub answers 403, and not because a limit is reached."""
        return self.status == _FORBIDDEN and _IS_NO_RIGHT.fullmatch(self.name) is not None

    @property
    def says_not_in_tier(self) -> bool:
        """Whether the hub answers, in its own words, that its tier has not what was asked for."""
        if self.status < _FIRST_ERROR:
            return False
        return speaks_of_tier(f"{self.name} {self._response.text[:LONGEST_BODY]}")


class _Policy(httpx.Auth):
    """Puts a token of the policy into each request, renewed before it ends, by the hub's clock."""

    def __init__(self, access: ConnectionString, name: str, clock_ahead: float) -> None:
        self._access = access
        self._name = name
        self._clock_ahead = clock_ahead
        self._token: SasToken | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        now = int(time.time() + self._clock_ahead)
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
    return body if isinstance(body, bytes) else json.dumps(body, default=_revealed).encode("ascii")


def as_written(members: Mapping[str, object]) -> bytes:
    """Return a JSON object whose members of bytes are JSON that stays as it is written."""
    written = (
        json.dumps(name).encode() + b":" + (value if isinstance(value, bytes) else json.dumps(value).encode())
        for name, value in members.items()
    )
    return b"{" + b",".join(written) + b"}"


def _revealed(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"a {type(value).__name__} is not JSON")


def _leave_packed(response: httpx.Response) -> None:
    """Take a body as it comes, whatever it is said to be packed in: nothing packed was asked for."""
    response.headers.pop("Content-Encoding", None)


def _retry_after(response: httpx.Response, now: float) -> float | None:
    """Read Retry-After, in seconds or as a date [RFC 9110, 10.2.3]."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return max(float(text), 0.1)
    date = unix_time(text)
    return None if date is None else max(date - now, 0.1)


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
    return cut(redact(text)[:80])


def _proxy(proxy: Proxy | None) -> httpx.Proxy | None:
    if proxy is None:
        return None
    shown = proxy.authorization
    headers = {} if shown is None else {"Proxy-Authorization": shown.reveal()}
    return httpx.Proxy(f"http://{proxy.host}:{proxy.port}", headers=headers)


def _error_text(response: httpx.Response) -> str:
    """Return what the service says of an error in its own words; empty where it says nothing."""
    try:
        document = response.json()
        text = document.get("Message") or document.get("message") or ""
    except (ValueError, AttributeError, RecursionError):
        return ""
    with contextlib.suppress(ValueError, TypeError, AttributeError, RecursionError):
        text = json.loads(text).get("message", "")  # today's hub writes JSON into it
    # The name stands beside it already.
    return re.sub(r"^ErrorCode:[^;]*;", "", str(text))


def _is_certificate_trouble(error: httpx.HTTPError) -> bool:
    return "CERTIFICATE_VERIFY_FAILED" in str(error)


def _what(request: httpx.Request) -> str:
    return f"{request.method} {request.url.path} at {request.headers['Host']}"
