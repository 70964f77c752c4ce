"""Event Hubs-compatible receivers: one link reads one partition for one consumer group, from a position on.

Receivers do not share a position, whatever their consumer group: each starts where its filter says, and reads
the log at its own pace. Nothing is kept for one that is slow; events it missed too long fall out of the log.
"""

from collections import deque
from collections.abc import Callable

from iothub_emulator.amqp.composites import Composite
from iothub_emulator.amqp.errors import INVALID_FIELD, LinkError
from iothub_emulator.amqp.event_messages import encode_event, encode_partition_state
from iothub_emulator.amqp.performatives import Attach
from iothub_emulator.amqp.values import Described, Symbol, Value
from iothub_emulator.hub.link_refusals import LinkRefused
from iothub_emulator.hub.readers import EventStream, Reader
from iothub_emulator.hub.telemetry import TelemetryEvent
from iothub_emulator.runtime import Runtime

SELECTOR_FILTER = "apache.org:selector-filter:string"
SELECTOR_FILTER_CODE = 0x0000468C00000004
"""The numeric descriptor of the same filter."""

EPOCH = "com.microsoft:epoch"
"""The property of an attach in which a reader states its epoch; a symbol, and equal to its text."""

RUNTIME_METRIC = "com.microsoft:enable-receiver-runtime-metric"

READ_AHEAD = 32
"""Events taken from the log at a time, still undecoded: cheap to hold, and one look-up for many."""


class EventReceiver:
    """The supplier behind one receiving link."""

    settles_at_once = True
    """An event stays in the log whatever a reader does with it."""

    def __init__(
        self, runtime: Runtime, stream: EventStream, attach: Attach, wake: Callable[[], None]
    ) -> None:
        self._runtime = runtime
        endpoint = runtime.endpoints.at(stream.entity)
        self._partition = endpoint.log.partitions[stream.partition]
        self.filter = selector_filter(attach)
        self.capabilities = tuple(name for name in attach.desired_capabilities if name == RUNTIME_METRIC)
        try:
            self._next = runtime.rules.links.start_position(selector_of(self.filter), self._partition)
        except LinkRefused as refusal:
            raise LinkError(refusal.condition, refusal.description) from None
        self.ended: LinkError | None = None
        self._wake = wake
        self._reader = Reader(stream, epoch_of(attach), self._stolen)
        try:
            runtime.readers.enter(self._reader, runtime.rules.links)
        except LinkRefused as refusal:
            raise LinkError(refusal.condition, refusal.description) from None
        self._ahead: deque[tuple[int, TelemetryEvent]] = deque()
        self._forget = endpoint.on_growth(stream.partition, wake)

    def next_message(self) -> bytes | None:
        """Return the next event, encoded; None: all have been given out."""
        if not self._ahead:
            self._ahead.extend(self._partition.read(self._next, READ_AHEAD))
            if not self._ahead:
                return None
            self._next = self._ahead[-1][0] + 1
        number, event = self._ahead.popleft()
        rules = self._runtime.rules.links
        message = encode_event(rules, self._partition, number, event)
        if self.capabilities:
            return encode_partition_state(rules, self._partition, self._runtime.now()) + message
        return message

    def settle(self, number: int, outcome: Composite | None) -> bool:  # noqa: ARG002 - events leave settled
        """Take no notice: an event stays in the log."""
        return True

    def _stolen(self, reason: LinkRefused) -> None:
        self.ended = LinkError(reason.condition, reason.description)
        self._wake()

    def close(self) -> None:
        """Wake this reader no more, and give its place to others."""
        self._forget()
        self._runtime.readers.leave(self._reader)


def epoch_of(attach: Attach) -> int | None:
    """Return the epoch that a reader states; None: none. `LinkError` for what is no number."""
    epoch = (attach.properties or {}).get(EPOCH)
    if epoch is None:
        return None
    if isinstance(epoch, bool) or not isinstance(epoch, int):
        raise LinkError(INVALID_FIELD, f"{EPOCH} is a whole number")
    return int(epoch)


def selector_filter(attach: Attach) -> dict[Value, Value]:
    """Return the position filter among the filters of an attach: the one kind of filter that is applied."""
    filters = attach.source.filter if attach.source is not None and attach.source.filter else {}
    return {key: value for key, value in filters.items() if _is_selector(key, value)}


def _is_selector(key: Value, value: Value) -> bool:
    if isinstance(value, Described):
        return value.descriptor in (SELECTOR_FILTER, SELECTOR_FILTER_CODE)
    return isinstance(key, Symbol) and key == SELECTOR_FILTER


def selector_of(filters: dict[Value, Value]) -> str | None:
    """Return the expression of a position filter; None where there is no filter."""
    for value in filters.values():
        expression = value.value if isinstance(value, Described) else value
        # A text of any other type than string cannot be a position; the rules refuse it as such.
        return expression if isinstance(expression, str) else repr(type(expression))
    return None
