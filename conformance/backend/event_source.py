"""A connection to an Event Hubs-compatible endpoint: which partitions there are, and what they hold.

azure-eventhub's own `receive()` turns in a loop without a pause until its first link stands: for most of a
second of computing, while the cases of that process want to begin. So its AMQP client is driven here as for
messages to devices.

Source of names and filters: Microsoft, "AMQP 1.0 in Azure Service Bus and Event Hubs protocol guide".
"""

import functools
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Self

from conformance.backend.amqp import AmqpEndpoint
from conformance.backend.amqp_connection import Connection, Stream, open_connection
from conformance.backend.pyamqp import body_of, text
from conformance.backend.telemetry import Telemetry, decode
from conformance.errors import CredentialsRefused, ServiceError

MANAGEMENT: Final = "$management"
EVENT_HUB: Final = "com.microsoft:eventhub"
PARTITION: Final = "com.microsoft:partition"


@dataclass(frozen=True, kw_only=True)
class Endpoint(AmqpEndpoint):
    """An Event Hubs-compatible endpoint. `setting` is the key of the profile that says where it is."""

    consumer_group: str
    setting: str = "events-connection-string"

    @property
    def what(self) -> str:
        """The endpoint as a message names it."""
        return f"events endpoint {self.access.host}:{self.port}{self.route.said}"

    @property
    def if_refused(self) -> str:
        """What to do where the endpoint does not know the credentials."""
        return f"Check {self.setting} in [service]."

    @property
    def if_silent(self) -> str:
        """What to do where nobody answers."""
        return f"Check {self.setting} in [service], and that port."


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """Where messages and troubles go, by partition; called from the thread that reads."""

    arrive: Callable[[Telemetry], None]
    fail: Callable[[str, str], None]
    recover: Callable[[str], None]


class EventSource:
    """An open connection. `take_in` must be called, or nothing arrives."""

    def __init__(self, endpoint: Endpoint, connection: Connection) -> None:
        self._endpoint = endpoint
        self._connection = connection
        self._streams: list[Stream] = []
        self._stopping = False

    @classmethod
    def open(cls, endpoint: Endpoint) -> Self:
        """Connect; raises CredentialsRefused or ServiceError, within the endpoint's timeout."""
        return cls(endpoint, open_connection(endpoint, time.monotonic))

    def last_numbers(self) -> Mapping[str, int]:
        """Return the last sequence number of each partition, -1 where it never held an event."""
        ids = self.ask(EVENT_HUB)["partition_ids"]
        return {
            text(each): int(self.ask(PARTITION, partition=text(each))["last_enqueued_sequence_number"])
            for each in ids
        }

    def follow(self, partition: str, after: int, to: Callbacks) -> None:
        """Let come what a partition holds behind a sequence number, and all that it gets from now on."""
        # An empty partition has no number to start behind; offset -1 is its beginning.
        selector = (
            f"amqp.annotation.x-opt-sequence-number > '{after}'"
            if after >= 0
            else "amqp.annotation.x-opt-offset > '-1'"
        )
        self._streams.append(self.read(partition, selector, to))

    def read(self, partition: str, selector: str, to: Callbacks) -> Stream:
        """Let come what a partition holds at a position and behind it; whoever asks ends it."""
        address = (
            f"{self._endpoint.access.entity}/ConsumerGroups/{self._endpoint.consumer_group}"
            f"/Partitions/{partition}"
        )
        return self._connection.stream(address, selector, functools.partial(_hand_on, partition, to))

    def take_in(self, within: float) -> None:
        """Hand on what arrives within so many seconds; raises ServiceError where a link or all is lost."""
        self._connection.authorise()
        self._connection.wait(self._is_over, within)

    def wait(self, condition: Callable[[], bool], within: float) -> bool:
        """Hand on what arrives until the condition holds; False if it does not within so many seconds."""
        return self._connection.wait(condition, within)

    def stop(self) -> None:
        """Have `take_in`, in another thread, return now."""
        self._stopping = True
        self._connection.wake()

    def close(self) -> None:
        """End the connection, once the hub has seen that nobody reads here any more."""
        with suppress(CredentialsRefused, ServiceError):
            for stream in self._streams:
                stream.close()
        self._connection.close()

    def _is_over(self) -> bool:
        """Ask for more wherever it runs short; what arrives is handed on at once."""
        for stream in self._streams:
            stream.go_on()
        return self._stopping

    def ask(self, kind: str, **about: str) -> Mapping[str, Any]:
        """Return what the endpoint says of itself, or of a partition; `kind` is one of the two above."""
        question = {"operation": "READ", "type": kind, "name": str(self._endpoint.access.entity), **about}
        answer = self._connection.ask(MANAGEMENT, question, self._endpoint.timeout)
        return {text(name): value for name, value in answer.items()}


def _hand_on(partition: str, to: Callbacks, message: Any) -> None:
    try:
        telemetry = _decoded(partition, message)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it is told to whoever waits for it
        to.fail(partition, f"an event cannot be read: {type(error).__name__}")
    else:
        to.arrive(telemetry)


def _decoded(partition: str, message: Any) -> Telemetry:
    return decode(
        partition=partition,
        body=body_of(message),
        application_properties=message.application_properties,
        amqp_properties=() if message.properties is None else message.properties._asdict().items(),
        annotations=message.message_annotations,
    )
