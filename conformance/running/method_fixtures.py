"""Fixtures for tests of direct methods: who can be called, and calls that wait for their answer."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol, Unpack

import pytest

from conformance.running.fixtures import Stage

if TYPE_CHECKING:  # a run that only collects loads neither side of a hub
    from conformance.device import Connection, Device
    from conformance.device.device import Attempt
    from conformance.device.methods import MethodRequest, MethodsClient
    from conformance.service import Methods
    from conformance.service.methods import MethodCall, MethodResult

# What nearly every clause about methods needs and does not check.
REQUEST: Final = "methods.request"
RESPONSE: Final = "methods.response"


class Exchange:
    """A call on its way: the caller waits, and the device holds the request."""

    def __init__(self, callee: "MethodsClient", call: "MethodCall", request: "MethodRequest") -> None:
        self.callee = callee
        self.call = call
        self.request = request

    def answer(self, status: int | str = 200, body: object = b"", **options: Any) -> None:
        """Let the device answer; the options are those of `MethodsClient.answer`."""
        self.callee.answer(self.request, status, body, **options)

    def result(self) -> "MethodResult":
        """Wait for what the caller gets; raises Violation where it is not the device's answer."""
        return self.call.result()

    def outcome(self) -> str:
        """Wait for what the caller gets, as a word: "status 200", "504"."""
        return self.call.outcome()

    def complete(self) -> str:
        """Answer, wait for the caller's result, and return the request id."""
        self.answer(200, "done")
        self.result()
        return self.request.request_id


class OpenExchange(Protocol):
    """``open_exchange(callee, ...)``: call a method of it and let it take the request."""

    def __call__(
        self, callee: "MethodsClient", name: str = ..., *payload: object, **options: Any
    ) -> Exchange:
        """Return the exchange; the options are those of `Methods.begin`. Raises StageFailed."""


class CalleeOf(Protocol):
    """``callee_of(device, ...)``: let it connect and subscribe to requests."""

    def __call__(self, device: "Device", **attempt: "Unpack[Attempt]") -> "MethodsClient":
        """Return the called side of a new connection. Raises StageFailed."""


@pytest.fixture
def callee_of(stage: Stage) -> CalleeOf:
    """``callee_of(device)`` connects and subscribes to requests of methods."""
    from conformance.device.methods import MethodsClient  # noqa: PLC0415 - a run that only collects loads no device

    def subscribe(device: "Device", **attempt: "Unpack[Attempt]") -> "MethodsClient":
        connection: Connection = stage(device.connect, **attempt)
        return stage(MethodsClient(connection).subscribe, needs=REQUEST)

    return subscribe


@pytest.fixture
def callee(device: "Device", callee_of: CalleeOf) -> "MethodsClient":
    """Return `device` as it is called: connected, and subscribed to requests of methods."""
    return callee_of(device)


@pytest.fixture
def other_callee(other_device: "Device", callee_of: CalleeOf) -> "MethodsClient":
    """Return `other_device` as it is called."""
    return callee_of(other_device)


@pytest.fixture
def open_exchange(methods: "Methods", stage: Stage) -> OpenExchange:
    """``open_exchange(callee)`` calls a method of it, and takes the request from the hub."""

    def begin(callee: "MethodsClient", name: str = "reboot", *payload: object, **options: Any) -> Exchange:
        call = methods.begin(callee.device, name, *payload, **options)
        return Exchange(callee, call, stage(callee.next_request, needs=REQUEST))

    return begin


@pytest.fixture
def complete_exchanges(
    open_exchange: OpenExchange, stage: Stage
) -> "Callable[[MethodsClient, int], list[str]]":
    """``complete_exchanges(callee, 10)``: as many calls, one after the other; returns their request ids."""

    def complete(callee: "MethodsClient", count: int) -> list[str]:
        return [stage(open_exchange(callee).complete, needs=RESPONSE) for _ in range(count)]

    return complete


@pytest.fixture
def exchange(callee: "MethodsClient", open_exchange: OpenExchange) -> Exchange:
    """Return a call of `callee` that waits for its answer."""
    return open_exchange(callee)


@pytest.fixture
def reachable(callee: "MethodsClient", open_exchange: OpenExchange, stage: Stage) -> "MethodsClient":
    """Return `callee`, just shown to be called and to answer: for tests of calls that come to nothing."""
    stage(open_exchange(callee).complete, needs=RESPONSE)
    return callee


@pytest.fixture
def reach_and_leave(
    callee_of: CalleeOf, open_exchange: OpenExchange, stage: Stage
) -> "Callable[..., Device]":
    """``reach_and_leave(device)`` shows that it can be called and answers, and ends its connection."""

    def reach(device: "Device", **attempt: "Unpack[Attempt]") -> "Device":
        callee = callee_of(device, **attempt)
        stage(open_exchange(callee).complete, needs=RESPONSE)
        stage(callee.connection.disconnect)
        return device

    return reach


@pytest.fixture
def departed(device: "Device", reach_and_leave: "Callable[..., Device]") -> "Device":
    """Return `device`, just shown to be called and to answer, and now without a connection."""
    return reach_and_leave(device)
