"""Read every partition of an Event Hubs-compatible endpoint, through azure-eventhub.

One client, and for each partition one thread in ``receive(partition_id=…, prefetch=1)``: an event takes
0.7 ms that way; one ``receive()`` over two partitions took up to 201 ms. Reading starts behind the last
sequence number of each partition, not at ``@latest``: what arrives between question and attach is not lost.

The import of azure.eventhub costs 0.4 s, so it happens in `open`, in the process that reads.
"""

import functools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from conformance.credentials import ConnectionString
from conformance.errors import CredentialsRefused, ServiceError
from conformance.redaction import redact
from conformance.service.telemetry import Telemetry, decode

if TYPE_CHECKING:
    from azure.eventhub import EventData, EventHubConsumerClient, PartitionContext

# The client reads a partition again this many seconds after it gave one up; its default is 30.
REOPEN_AFTER: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An Event Hubs-compatible endpoint. `timeout` is for getting to know it, in seconds.

    `setting` is the key of the profile that says where it is.
    """

    access: ConnectionString
    port: int
    consumer_group: str
    ca_file: str | None
    timeout: float
    setting: str = "events-connection-string"

    @property
    def what(self) -> str:
        """The endpoint as a message names it."""
        return f"events endpoint {self.access.host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """Where messages and troubles go, by partition; called from the reading threads."""

    arrive: Callable[[Telemetry], None]
    fail: Callable[[str, str], None]
    recover: Callable[[str], None]


class Partitions:
    """The readers of all partitions. Close it, or its threads go on until the process ends."""

    def __init__(
        self, client: "EventHubConsumerClient", positions: dict[str, int | str], callbacks: Callbacks
    ) -> None:
        self._client = client
        self._callbacks = callbacks
        self._closing = False
        self._threads = [
            threading.Thread(
                target=self._read, args=(partition, position), name=f"telemetry-{partition}", daemon=True
            )
            for partition, position in positions.items()
        ]
        for thread in self._threads:
            thread.start()

    @classmethod
    def open(cls, endpoint: Endpoint, callbacks: Callbacks) -> "Partitions":
        """Learn which partitions there are and where they end, and start reading behind that.

        Raises CredentialsRefused or ServiceError, within the endpoint's timeout.
        """
        client = _client(endpoint)
        try:
            positions = _positions(client, endpoint)
        except BaseException:
            client.close()
            raise
        return cls(client, positions, callbacks)

    @property
    def count(self) -> int:
        """How many partitions are read."""
        return len(self._threads)

    def close(self) -> None:
        """Stop reading. The threads leave by themselves, which takes the client most of a second."""
        self._closing = True
        self._client.close()

    def _read(self, partition: str, position: int | str) -> None:
        """Read one partition until the client is closed."""
        try:
            self._client.receive(
                on_event=self._on_event,
                on_error=self._on_error,
                on_partition_initialize=lambda context: self._callbacks.recover(context.partition_id),
                partition_id=partition,
                starting_position=position,
                prefetch=1,
            )
        except Exception as error:  # noqa: BLE001 - whatever ends a reader is told to whoever waits for it
            self._callbacks.fail(partition, _reason(error))
        else:
            if not self._closing:
                self._callbacks.fail(partition, "its reader stopped")

    def _on_event(self, context: "PartitionContext", event: "EventData | None") -> None:
        if event is None:
            return
        try:
            message = _decoded(context.partition_id, event)
        except Exception as error:  # noqa: BLE001 - an event that cannot be read is told to whoever waits for it
            self._callbacks.fail(context.partition_id, f"an event cannot be read: {_reason(error)}")
        else:
            self._callbacks.arrive(message)

    def _on_error(self, context: "PartitionContext | None", error: Exception) -> None:
        if not self._closing:
            self._callbacks.fail("?" if context is None else context.partition_id, _reason(error))


def _client(endpoint: Endpoint) -> "EventHubConsumerClient":
    from azure.eventhub import EventHubConsumerClient, TransportType  # noqa: PLC0415 - see the top of this file

    # It warns of every failure it retries; what matters reaches `Callbacks.fail`.
    logging.getLogger("azure.eventhub").setLevel(logging.ERROR)
    return EventHubConsumerClient.from_connection_string(
        endpoint.access.text.reveal(),
        consumer_group=endpoint.consumer_group,
        # Without this the client takes the port of the standard, whatever the connection string says.
        custom_endpoint_address=f"sb://{endpoint.access.host}:{endpoint.port}",
        transport_type=TransportType.Amqp,
        connection_verify=endpoint.ca_file,
        load_balancing_interval=REOPEN_AFTER,
        retry_total=1,
    )


def _positions(client: "EventHubConsumerClient", endpoint: Endpoint) -> dict[str, int | str]:
    """Return behind which sequence number to start, by partition; all partitions are asked at once."""
    end = time.monotonic() + endpoint.timeout
    (partitions,) = _answers([client.get_partition_ids], end, endpoint)
    questions = [functools.partial(client.get_partition_properties, partition) for partition in partitions]
    lasts = [answer["last_enqueued_sequence_number"] for answer in _answers(questions, end, endpoint)]
    # "-1" is the beginning: a partition that never held an event has no number to start behind.
    return {partition: last if last >= 0 else "-1" for partition, last in zip(partitions, lasts, strict=True)}


def _answers(questions: Sequence[Callable[[], Any]], end: float, endpoint: Endpoint) -> list[Any]:
    """Ask in threads that may be left behind, because the client has no deadline of its own."""
    answers: list[Any] = [None] * len(questions)
    errors: list[Exception] = []

    def ask(number: int) -> None:
        try:
            answers[number] = questions[number]()
        except Exception as error:  # noqa: BLE001 - told to the thread that waits
            errors.append(error)

    threads = [
        threading.Thread(target=ask, args=(number,), name=f"telemetry-question-{number}", daemon=True)
        for number in range(len(questions))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(end - time.monotonic(), 0))
    if errors:
        raise _translated(errors[0], endpoint) from None
    if any(thread.is_alive() for thread in threads):
        raise ServiceError(
            f"{endpoint.what}: no answer within {endpoint.timeout:g} s. "
            f"Check {endpoint.setting} in [service], and that port."
        )
    return answers


def _translated(error: Exception, endpoint: Endpoint) -> CredentialsRefused | ServiceError:
    from azure.eventhub.exceptions import AuthenticationError  # noqa: PLC0415 - see the top of this file

    if isinstance(error, AuthenticationError):
        return CredentialsRefused(
            f"{endpoint.what}: the policy '{endpoint.access.policy}' is refused. "
            f"Check {endpoint.setting} in [service]."
        )
    return ServiceError(f"{endpoint.what}: {_reason(error)}. Check {endpoint.setting} in [service].")


def _decoded(partition: str, event: "EventData") -> Telemetry:
    message = event.raw_amqp_message
    return decode(
        partition=partition,
        body=_body(message.body),
        application_properties=message.application_properties,
        amqp_properties=() if message.properties is None else message.properties.items(),
        annotations=message.annotations,
    )


def _body(body: Any) -> bytes:
    """Join the data sections; a message may have none."""
    if body is None:
        return b""
    return body if isinstance(body, bytes) else b"".join(body)


def _reason(error: Exception) -> str:
    lines = str(error).splitlines()
    return redact(lines[0].strip().rstrip(".") if lines and lines[0].strip() else type(error).__name__)
