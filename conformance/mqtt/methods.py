"""Direct methods as the device or module that is called meets them: requests that come, answers that go.

Document: #respond-to-a-direct-method. Topics are the same for devices and modules.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from conformance.errors import Violation
from conformance.mqtt.connection import Connection
from conformance.mqtt.login import Bearer

REQUESTS: Final = "$iothub/methods/POST/#"
RESPONSES: Final = "$iothub/methods/res/"

# Read loosely, so that a topic of another form turns the clause about topics red and not every other one.
_NAME: Final = re.compile(r"\$iothub/methods/POST/([^/?]*)")
_REQUEST_ID: Final = re.compile(r"\$rid=([^&]*)")
_REFUSED: Final = 128
# How long it takes at most to see that a caller waits no longer, in seconds.
_LOOK: Final = 0.02


@dataclass(frozen=True)
class MethodRequest:
    """A request as it came. Whatever cannot be read in it raises Violation when it is asked for."""

    topic: str
    body: bytes

    @property
    def name(self) -> str:
        """Which method is called."""
        found = _NAME.match(self.topic)
        return found[1] if found else ""

    @property
    def request_id(self) -> str:
        """The request id, as written in the topic."""
        found = _REQUEST_ID.search(self.topic)
        if found is None or not found[1]:
            raise self._unreadable("a request id in the topic", "no request id", self.topic)
        return found[1]

    @property
    def document(self) -> Any:
        """The body, which is JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise self._unreadable("a body of JSON", "not JSON", repr(self.body)) from None

    @property
    def carries(self) -> str:
        """What the body says: "nothing" where it is empty or null, else the body itself."""
        return "nothing" if self.body in {b"", b"null"} else repr(self.body)

    @property
    def written(self) -> str:
        """The body as it is written: "nothing" where it is empty, "null", or any other in quotes."""
        return {b"": "nothing", b"null": "null"}.get(self.body, repr(self.body))

    def _unreadable(self, expected: str, observed: str, actual: str) -> Violation:
        return Violation(
            f"expected {expected}; got {actual}", observed=observed, expected=expected, actual=actual
        )


class MethodsClient:
    """The called side of direct methods over one connection, of a device or of a module."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @property
    def device(self) -> Bearer:
        """Who is called."""
        return self.connection.device

    def subscribe(self, *, qos: int = 1) -> "MethodsClient":
        """Subscribe to requests; raises Violation if that is refused. Returns itself."""
        granted = self.connection.subscribe(REQUESTS, qos=qos)
        if granted >= _REFUSED:
            expected, actual = f"a subscription to {REQUESTS}", f"SUBACK {granted}"
            raise Violation(
                f"expected {expected}; got {actual}",
                observed=f"suback {granted}",
                expected=expected,
                actual=actual,
            )
        return self

    def unsubscribe(self) -> None:
        """Subscribe to requests no longer."""
        self.connection.unsubscribe(REQUESTS)

    def next_request(self) -> MethodRequest:
        """Return the next request; raises Violation if none comes."""
        message = self.connection.expect_message(REQUESTS)
        return MethodRequest(message.topic, message.payload)

    def next_requests(self, count: int) -> list[MethodRequest]:
        """Return the next so many requests; raises Violation if one is missing."""
        return [self.next_request() for _ in range(count)]

    def answer(
        self,
        request: MethodRequest,
        status: int | str = 200,
        body: object = b"",
        *,
        qos: int = 0,
        request_id: str | None = None,
    ) -> None:
        """Answer a request; with QoS 1 wait for the PUBACK.

        Bytes are sent as they are, anything else is written as JSON. `request_id` is the request's own where
        it is None; with the empty text there is none in the topic.
        """
        chosen = request.request_id if request_id is None else request_id
        identified = f"?$rid={chosen}" if chosen else ""
        self.connection.publish(f"{RESPONSES}{status}/{identified}", written(body), qos=qos)

    def answer_while(self, going_on: Callable[[], bool]) -> list[str]:
        """Answer each request that comes with status 200, as long as this is so; return their names."""
        names = []
        while going_on():
            message = self.connection.next_message(REQUESTS, within=_LOOK)
            if message is not None:
                request = MethodRequest(message.topic, message.payload)
                names.append(request.name)
                self.answer(request, 200)
        return names

    def echo_each(self, requests: Iterable[MethodRequest]) -> None:
        """Answer these one after the other, each with status 200 and its own body."""
        for request in requests:
            self.answer(request, 200, request.body)


def written(body: object) -> bytes:
    """Return a body as JSON in UTF-8, or the bytes given."""
    return body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
