"""The endpoint of telemetry as Event Hubs' own clients ask it: what it says of itself, and positions in it.

Source: Microsoft, "AMQP 1.0 in Azure Service Bus and Event Hubs protocol guide"; the clients of Event Hubs.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from conformance.backend.event_source import EVENT_HUB, PARTITION, Callbacks, Endpoint, EventSource
from conformance.backend.telemetry import Telemetry
from conformance.errors import ServiceError, Violation
from conformance.run.sleeping import pause

# Five readers of a partition and group are let in at a time, and the workers have theirs.
FULL: Final = "resource-limit-exceeded"
AGAIN_AFTER: Final = 0.1


class OpenStream:
    """A connection to the endpoint, as long as a case asks."""

    def __init__(self, source: EventSource, within: float, sleep: Callable[[float], object]) -> None:
        self._source = source
        self._within = within
        self._pause = sleep

    def hub(self) -> Mapping[str, Any]:
        """Return what the endpoint says of itself."""
        return _plain(self._source.ask(EVENT_HUB))

    def partition(self, number: str) -> Mapping[str, Any]:
        """Return what it says of a partition."""
        return _plain(self._source.ask(PARTITION, partition=number))

    def first(
        self, partition: str, position: str, *, meanwhile: Callable[[], object] = lambda: None
    ) -> Telemetry:
        """Return the first event that a reader gets at a position, as ``x-opt-offset > '128'``.

        `meanwhile` is done once the reader is there. Raises Violation where nothing comes in time.
        """
        arrived: list[Telemetry] = []
        troubles: list[str] = []
        callbacks = Callbacks(
            arrive=arrived.append, fail=lambda _, why: troubles.append(why), recover=lambda _: None
        )
        link = self._attach(lambda: self._source.read(partition, f"amqp.annotation.{position}", callbacks))
        meanwhile()
        self._source.wait(lambda: bool(arrived or troubles), self._within)
        link.close()
        if not arrived:
            raise Violation(
                f"no event behind {position} in partition {partition}",
                observed="nothing arrived",
                expected=f"an event behind {position} within {self._within:g} s",
                actual=", ".join(troubles) or "nothing arrived",
            )
        return arrived[0]

    def attempt(self, partition: str, position: str, *, since: float) -> str:
        """Ask at a position: "taken" where the first event is of this time or later, or what else came of it.

        `since` is in unix seconds.
        """
        try:
            first = self.first(partition, position)
        except ServiceError as error:
            return str(error).partition(": ")[2]
        return "taken" if first.enqueued_time >= since else "an older event"

    def _attach(self, attach: Callable[[], Any]) -> Any:
        end = time.monotonic() + self._within
        while True:
            try:
                return attach()
            except ServiceError as error:
                if FULL not in str(error) or time.monotonic() > end:
                    raise
                self._pause(AGAIN_AFTER)


class EventStream:
    """The endpoint, to be opened for a moment."""

    def __init__(self, endpoint: Endpoint, *, sleep: Callable[[float], object] = pause) -> None:
        self._endpoint = endpoint
        self._pause = sleep

    @contextmanager
    def opened(self) -> Iterator[OpenStream]:
        """Connect, and end the connection behind the block; raises CredentialsRefused or ServiceError."""
        source = EventSource.open(self._endpoint)
        try:
            yield OpenStream(source, self._endpoint.timeout, self._pause)
        finally:
            source.close()


def _plain(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return texts where the client has bytes."""
    return {name: _text(value) for name, value in about.items()}


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(each) for each in value]
    return value.decode("utf-8", errors="backslashreplace") if isinstance(value, bytes) else value
