"""`--event-log PATH`: what reaches the built-in endpoint, for programs that do not speak AMQP.

A line is an event, in JSON. It is written once the sender has its answer, as readers of the endpoint are
woken.
"""

import base64
import contextlib
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

from iothub_emulator.hub.telemetry import TelemetryEvent
from iothub_emulator.net.errors import StartError
from iothub_emulator.telemetry_feed import TelemetryFeed

_AT_ONCE = 100
"""Events that are read from a partition at a time."""


@contextlib.contextmanager
def event_log(path: Path | None, feed: TelemetryFeed) -> Iterator[None]:
    """Write what `feed` takes while the block runs; `StartError` where no file can be written."""
    if path is None:
        yield
        return
    try:
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        raise StartError(
            f"--event-log {path} cannot be written ({error.strerror}): name a file in a writable folder"
        ) from None
    with file, contextlib.ExitStack() as stack:
        for number in range(len(feed.log.partitions)):
            stack.callback(feed.on_growth(number, partial(_write, _Position(feed, number), file)))
        yield


class _Position:
    """How far one partition was read."""

    def __init__(self, feed: TelemetryFeed, number: int) -> None:
        self._partition = feed.log.partitions[number]
        self._next = self._partition.next_sequence_number

    def new(self) -> Iterator[TelemetryEvent]:
        while events := self._partition.read(self._next, _AT_ONCE):
            self._next = events[-1][0] + 1
            yield from (event for _, event in events)


def _write(position: _Position, file: IO[str]) -> None:
    for event in position.new():
        file.write(json.dumps(event_line(event)) + "\n")
    file.flush()


def event_line(event: TelemetryEvent) -> dict[str, Any]:
    """Return an event as JSON has it: `time` in unix seconds, the body in base64, as it may be anything."""
    return {
        "device": event.device_id,
        "module": event.module_id or "",
        "source": event.source,
        "time": event.enqueued_time,
        "properties": event.properties,
        "system": {name: _text(value) for name, value in event.system.items()},
        "body_base64": base64.b64encode(event.body).decode(),
    }


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "backslashreplace")
