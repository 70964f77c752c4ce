"""Direct methods: called in the background, because the device that answers is the test's as well.

Source: Microsoft, "Understand and invoke direct methods from IoT Hub". The hub is known to paste what a
device answers into its own JSON as it is: a body that is no JSON is a result like any other here.
"""

import itertools
import json
import re
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any, Final

from conformance.backend.addresses import Addressee, name_of, segments_of
from conformance.backend.rest import Answer, RestClient, as_written
from conformance.errors import HarnessError, Unanswered, Violation
from conformance.run.sleeping import PATIENCE

# How long a hub waits for a device where the call does not say, in seconds.
RESPONSE_TIMEOUT: Final = 30.0
# The shortest time that a hub of Azure takes, in seconds.
SHORTEST_TIMEOUT: Final = 5.0

# No payload: not the same as null, which is sent.
NOTHING: Final = object()

_OK: Final = 200
# The outcome of a call that the hub leaves without an answer.
NO_ANSWER: Final = "no answer"
# Whatever the hub answers is the outcome of a call, but for a refused policy and a request for patience.
_OUTCOMES: Final = tuple(status for status in range(200, 600) if status not in {401, 403, 429})
# The hub says itself that it failed. With 504 it says that the device did not answer, which is for a clause.
_FAILURES: Final = frozenset(range(500, 600)) - {504}
_STATUS: Final = re.compile(rb'"status"\s*:\s*(-?\d+)')


@dataclass(frozen=True, kw_only=True)
class MethodResult:
    """What a caller got from a device.

    `status` is the device's, None where the answer has none that is a whole number; `payload` is None too
    where it is absent or cannot be read, which `payload_in_words` tells apart; `body` is the whole answer.
    """

    status: int | None
    payload: Any
    payload_in_words: str
    body: bytes

    @classmethod
    def read(cls, body: bytes) -> "MethodResult":
        """Read the body of the hub's answer, whatever it is."""
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            found = _STATUS.search(body)
            return cls(
                status=int(found[1]) if found else None,
                payload=None,
                payload_in_words="body is not JSON",
                body=body,
            )
        members = document if isinstance(document, dict) else {}
        status = members.get("status")
        payload = members.get("payload")
        return cls(
            status=status if type(status) is int else None,
            payload=payload,
            payload_in_words=json.dumps(payload) if "payload" in members else "absent",
            body=body,
        )


class MethodCall:
    """A call on its way. `result` and `outcome` wait for its end; who asks for either checks the answer."""

    def __init__(
        self, what: str, answer: "Future[tuple[Answer, float]]", within: float, throttled: threading.Event
    ) -> None:
        self._what = what
        self._answer = answer
        self._within = within
        self._throttled = throttled
        self._is_checked = False

    @property
    def seconds(self) -> float:
        """How long the caller waited for the hub's answer; waits for it."""
        return self._wait()[1]

    def result(self) -> MethodResult:
        """Return what the device answered; raises Violation ("404", "504", "no answer") where it did not."""
        answer, _ = self._wait()
        if answer.status != _OK:
            raise Violation(
                f"{self._what}: the hub answered {answer.error}",
                observed=str(answer.status),
                expected="the answer of the device",
                actual=f"{answer.error} from the hub",
            )
        return MethodResult.read(answer.body)

    def outcome(self) -> str:
        """Return "status 200" with the device's status, or the hub's own alone: "404", "504" and the like."""
        answer, _ = self._wait()
        if answer.status != _OK:
            return str(answer.status)
        status = MethodResult.read(answer.body).status
        return "no status" if status is None else f"status {status}"

    def outcome_within(self, seconds: float) -> str:
        """Return the outcome, or "no answer" where the caller still waits after so many seconds."""
        self._is_checked = True
        wait([self._answer], seconds)
        return self.outcome() if self.is_over() else NO_ANSWER

    def outcome_with_payload(self) -> str:
        """Return the outcome and what came with it: "status 200, payload null", "504"."""
        outcome = self.outcome()
        answer, _ = self._wait()
        if answer.status != _OK:
            return outcome
        return f"{outcome}, payload {MethodResult.read(answer.body).payload_in_words}"

    def is_over(self) -> bool:
        """Tell whether the caller has an answer."""
        return self._answer.done()

    def failure(self, *, wait_for_end: bool) -> str | None:
        """Say why the hub did not carry out a call whose answer nobody checks; None where it did, or may yet.

        401, 403, 429 and 5xx are refusals of ours or failures of the hub's back end, and so is no answer at
        all, for which `wait_for_end` waits.
        """
        if self._is_checked or not (wait_for_end or self.is_over()):
            return None
        try:
            answer, _ = self._result()
        except TimeoutError:
            return self._silence()
        except HarnessError as error:
            return str(error)
        return f"{self._what}: the hub answered {answer.error}." if answer.status in _FAILURES else None

    def _wait(self) -> tuple[Answer, float]:
        self._is_checked = True
        try:
            return self._result()
        except TimeoutError:
            raise Violation(
                self._silence(),
                observed=NO_ANSWER,
                expected=f"an answer to the call within {self._within:g} s",
                actual="the hub did not answer the caller",
            ) from None

    def _result(self) -> tuple[Answer, float]:
        """Wait for the answer, longer where the hub has asked for patience; raises TimeoutError."""
        try:
            return self._answer.result(self._within)
        except TimeoutError:
            if not self._throttled.is_set():
                raise
            return self._answer.result(PATIENCE + self._within)

    def _silence(self) -> str:
        return f"{self._what}: the hub did not answer within {self._within:g} s."


class Methods:
    """Calls methods. A device is given by itself or by its name, a module as ``{device}/{module}``.

    `within` is how long the hub may take beyond the time that a call allows for the device, and
    `response_timeout` what a call that says nothing allows it: the hub's own half a minute where it is None.
    Both in seconds.
    """

    def __init__(self, client: RestClient, *, within: float, response_timeout: float | None = None) -> None:
        self._client = client
        self._within = within
        self._response_timeout = response_timeout
        self._numbers = itertools.count(1)
        self._calls: list[MethodCall] = []

    def forget(self) -> None:
        """Forget the calls of a case that is over."""
        self._calls = []

    def failure(self, *, wait_for_end: bool) -> str | None:
        """Say which call, since `forget`, failed and was not checked; None where none did."""
        failures = (call.failure(wait_for_end=wait_for_end) for call in self._calls)
        return next((failure for failure in failures if failure is not None), None)

    def begin(
        self,
        on: Addressee,
        name: str,
        payload: object = NOTHING,
        *,
        response_timeout: float | None = None,
        connect_timeout: float | None = None,
    ) -> MethodCall:
        """Call a method and return at once. The timeouts, in seconds, are the usual ones where they are None.

        Without `payload` none is sent; None is sent as null, and bytes are JSON sent as it is written.
        Any number of calls may be on their way.
        """
        body: dict[str, object] = {"methodName": name}
        if payload is not NOTHING:
            body["payload"] = payload
        if response_timeout is None:
            response_timeout = self._response_timeout
        if response_timeout is not None:
            body["responseTimeoutInSeconds"] = _number(response_timeout)
        if connect_timeout is not None:
            body["connectTimeoutInSeconds"] = _number(connect_timeout)
        allowed = (RESPONSE_TIMEOUT if response_timeout is None else response_timeout) + (
            connect_timeout or 0.0
        )
        answer: Future[tuple[Answer, float]] = Future()
        throttled = threading.Event()

        def call() -> None:
            began = time.monotonic()
            try:
                written = as_written(body) if isinstance(payload, bytes) else body
                answered = self._post(on, written, allowed, throttled)
                answer.set_result((answered, time.monotonic() - began))
            except Unanswered as error:
                # Whose patience ends first, the caller's or its connection's, is the machine's doing.
                answer.set_exception(TimeoutError(str(error)))
            except BaseException as error:  # noqa: BLE001 - told to the thread that waits
                answer.set_exception(error)

        threading.Thread(target=call, name=f"method-{next(self._numbers)}", daemon=True).start()
        what = f"method '{name}' on {name_of(on)}"
        begun = MethodCall(what, answer, allowed + 2 * self._within, throttled)
        self._calls.append(begun)
        return begun

    def begin_each(self, on: Addressee, name: str, payloads: Iterable[object]) -> list[MethodCall]:
        """Call a method once with each of these payloads, all at the same time."""
        return [self.begin(on, name, payload) for payload in payloads]

    def invoke(
        self,
        on: Addressee,
        name: str,
        payload: object = NOTHING,
        *,
        response_timeout: float | None = None,
        connect_timeout: float | None = None,
    ) -> MethodResult:
        """Call a method and wait for its result: for a device that answers by itself."""
        return self.begin(
            on, name, payload, response_timeout=response_timeout, connect_timeout=connect_timeout
        ).result()

    def outcome(
        self,
        on: Addressee,
        name: str,
        payload: object = NOTHING,
        *,
        response_timeout: float | None = None,
        connect_timeout: float | None = None,
    ) -> str:
        """Call a method and wait for what comes of it: "404" for a device that is not there."""
        return self.begin(
            on, name, payload, response_timeout=response_timeout, connect_timeout=connect_timeout
        ).outcome()

    def _post(
        self, on: Addressee, body: dict[str, object] | bytes, allowed: float, throttled: threading.Event
    ) -> Answer:
        return self._client.call(
            "POST",
            "twins",
            *segments_of(on),
            "methods",
            body=body,
            accept=_OUTCOMES,
            within=allowed,
            once=True,
            open_book=True,
            throttled=throttled.set,
        )


def _number(seconds: float) -> float:
    """Return whole seconds as a whole number, which is what a hub's interface takes."""
    return int(seconds) if float(seconds).is_integer() else seconds
