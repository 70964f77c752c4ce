"""`python -m iothub_emulator monitor`: print the events of a running hub's built-in endpoint as they arrive.

A user of its own: it knows of the hub what the ready file says, and reads by azure-eventhub, which is what
programs of a back end use.
"""

import argparse
import contextlib
import fnmatch
import json
import logging
import math
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from iothub_emulator.command_line import PROGRAM, Parser, number
from iothub_emulator.event_document import PARTS, as_line, event_document

if TYPE_CHECKING:
    from azure.eventhub import EventData, EventHubConsumerClient

CONNECTING = 30.0
"""Seconds in which a hub must have answered; one on this machine takes a fraction of one."""

SIGNALS = 0.5
"""Seconds after which a wait looks for Ctrl-C: one that comes just before it begins does not wake it."""

CLOSING = 5.0
"""Seconds that the client may take to close its links before the program ends without that."""

_FROM_START = "-1"
"""The position before the first event of a partition."""

_LOST = ("client-error", "connection:forced", "connection:framing-error", "socket-error")
"""Conditions of AMQP, without `amqp:`, by which the client says that there is no connection."""


class Stopped(Exception):  # noqa: N818 - what the user asked for, not a malfunction
    """Ctrl-C or SIGTERM; it comes in the place of an event, so that it ends no other wait half-way."""


class MonitorError(Exception):
    """Events cannot be read, or no longer; the text says why and what to do, and holds no secret."""


Events: TypeAlias = "queue.SimpleQueue[EventData | MonitorError | Stopped]"
"""What comes in, in its order."""


@dataclass(frozen=True)
class Endpoint:
    """Where a hub's events are read, as its ready file says."""

    connection_string: str
    host: str
    port: int
    ca_file: str


def main(arguments: Sequence[str]) -> int:
    """Print events until the options or Ctrl-C end it; return the exit code."""
    began = datetime.now(UTC)
    given = _parser().parse_args(arguments)
    try:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        endpoint = read_endpoint(given.ready_file)
        with _events(endpoint, given.consumer_group, _FROM_START if given.from_start else began) as events:
            _print(events, given)
    except MonitorError as error:
        sys.stderr.write(f"{PROGRAM} monitor: {error}\n")
        return 1
    except BrokenPipeError:  # whoever read has read enough, as `head` does
        _drop_output()
    except OSError as error:
        _drop_output()
        sys.stderr.write(f"{PROGRAM} monitor: the output cannot be written ({error.strerror})\n")
        return 1
    except (Stopped, KeyboardInterrupt):
        pass
    return 0


def _drop_output() -> None:
    """Let nothing be left that the interpreter would try to write once more when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def read_endpoint(path: Path) -> Endpoint:
    """Return what a ready file says of the built-in endpoint."""
    try:
        ready = json.loads(path.read_bytes())
        return Endpoint(
            ready["events_connection_string"], ready["host"], int(ready["ports"]["amqp"]), ready["ca_file"]
        )
    except OSError as error:
        raise MonitorError(
            f"{path} cannot be read ({error.strerror}): start the hub with --ready-file {path}, "
            "or name the file of one that runs"
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise MonitorError(
            f"{path} is not the ready file of a hub: name the one that it was started with"
        ) from None


def _print(events: Events, given: argparse.Namespace) -> None:
    """Print what is wanted until it is enough, or until nothing wanted came for too long."""
    printed = 0
    while given.events is None or printed < given.events:
        document = _next_wanted(events, given)
        if document is None:
            break
        sys.stdout.write(as_line(document) + "\n")
        sys.stdout.flush()
        printed += 1
    if given.events is not None and printed < given.events:
        raise MonitorError(f"no event came for {given.timeout:g} seconds, after {printed} of {given.events}")


def _next_wanted(events: Events, given: argparse.Namespace) -> dict[str, Any] | None:
    """Return the next event that is asked for; None: it is too late for it, whatever else came."""
    parts = PARTS if "all" in given.properties else given.properties
    deadline = math.inf if given.timeout is None else time.monotonic() + given.timeout
    while (time_left := deadline - time.monotonic()) > 0:
        try:
            event = events.get(timeout=min(time_left, SIGNALS))
        except queue.Empty:
            continue
        if isinstance(event, MonitorError | Stopped):
            raise event
        document = event_document(event, parts)
        if fnmatch.fnmatchcase(document["event"]["origin"], given.device_id):
            return document
    return None


@contextlib.contextmanager
def _events(endpoint: Endpoint, group: str, position: datetime | str) -> "Iterator[Events]":
    """Read all partitions while the block runs; what ends the reading comes in the place of an event."""
    found: queue.SimpleQueue[Any] = queue.SimpleQueue()
    client = _client(endpoint, group)
    _stop_by_signals(found)
    threading.Thread(target=_read, args=(client, endpoint, position, found), daemon=True).start()
    try:
        _wait_until_connected(found, endpoint)
        yield found
    finally:
        # Its threads may wait for one another, or for a hub that is gone.
        closing = threading.Thread(target=client.close, daemon=True)
        closing.start()
        closing.join(CLOSING)


def _stop_by_signals(found: Events) -> None:
    """Let the first signal come in the place of an event, and a second one end the process."""

    def stop(which: int, _: object) -> None:
        signal.signal(which, signal.SIG_DFL)
        found.put(Stopped())

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, stop)


def _client(endpoint: Endpoint, group: str) -> "EventHubConsumerClient":
    try:
        from azure.eventhub import EventHubConsumerClient  # noqa: PLC0415 - a mistake is told before, at once
    except ImportError:
        raise MonitorError(
            "azure-eventhub, by which it reads, is not installed: pip install 'iothub-emulator[monitor]'"
        ) from None

    # It logs each failure with a traceback; whoever runs this gets one line.
    logging.getLogger("azure").addHandler(logging.NullHandler())
    try:
        return EventHubConsumerClient.from_connection_string(
            endpoint.connection_string,
            consumer_group=group,
            custom_endpoint_address=f"sb://{endpoint.host}:{endpoint.port}",
            connection_verify=endpoint.ca_file,
            retry_total=0,
        )
    except ValueError:
        raise MonitorError(
            "the events connection string of the ready file is none: start the hub anew"
        ) from None


def _wait_until_connected(found: "queue.SimpleQueue[Any]", endpoint: Endpoint) -> None:
    try:
        first = found.get(timeout=CONNECTING)
    except queue.Empty:
        raise MonitorError(
            f"{_name(endpoint)} does not answer: stop what listens there, and start it anew"
        ) from None
    if isinstance(first, MonitorError | Stopped):
        raise first
    sys.stderr.write(f"Reading the events of {_name(endpoint)}; Ctrl-C ends it.\n")
    sys.stderr.flush()


def _read(
    client: "EventHubConsumerClient",
    endpoint: Endpoint,
    position: datetime | str,
    found: "queue.SimpleQueue[Any]",
) -> None:
    """Connect, say so by None, and read each partition on a thread of its own: on one they take turns."""
    # The client turns in a loop without a pause until another of its threads has asked for the partitions.
    sys.setswitchinterval(0.0005)
    try:
        partitions = client.get_partition_ids()
    except Exception as error:  # noqa: BLE001 - whatever the client raises, the user gets one line
        found.put(_problem(endpoint, error, connected=False))
        return
    found.put(None)
    for partition in partitions:
        threading.Thread(
            target=client.receive,
            kwargs={
                "on_event": lambda _, event: found.put(event),
                "on_error": lambda _, error: found.put(_problem(endpoint, error, connected=True)),
                "partition_id": partition,
                "starting_position": position,
            },
            daemon=True,
        ).start()


def _problem(endpoint: Endpoint, error: Exception, *, connected: bool) -> MonitorError:
    """Return what ended the reading, or kept it from beginning, and what to do."""
    from azure.eventhub.exceptions import AuthenticationError  # noqa: PLC0415 - see above

    name = _name(endpoint)
    if isinstance(error, AuthenticationError):
        return MonitorError(
            f"{name} refuses the key of the ready file: name the file of the hub that runs there"
        )
    condition = getattr(error, "error", None)
    if condition is not None and condition not in _LOST:
        return MonitorError(f"{name} says: {str(error).splitlines()[0]}")
    if connected:
        return MonitorError(f"{name} is gone: start it anew")
    return MonitorError(f"{name} does not answer, or is another one than the ready file's: start it anew")


def _name(endpoint: Endpoint) -> str:
    return f"the hub on {endpoint.host}:{endpoint.port}"


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog=f"{PROGRAM} monitor",
        description="Print the events of a hub's built-in endpoint as they arrive, each as JSON in one line.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--ready-file", type=Path, required=True, metavar="PATH", help="of the hub, which writes it")
    add(
        "--device-id",
        default="*",
        metavar="ID",
        help="events of this device alone; * stands for any text (all)",
    )
    add(
        "--properties",
        nargs="+",
        choices=("all", *PARTS),
        default=[],
        help="show annotations, application properties, system properties, or all of them (none)",
    )
    add(
        "--consumer-group",
        default="$Default",
        metavar="NAME",
        help="read as this consumer group (%(default)s)",
    )
    add(
        "--from-start",
        action="store_true",
        help="begin with the oldest event that is kept, not with new ones",
    )
    add(
        "--events",
        type=number("a whole number above 0", int, lambda value: value > 0),
        metavar="COUNT",
        help="end after so many (never)",
    )
    add(
        "--timeout",
        type=number("a number of seconds above 0", float, lambda value: 0 < value < math.inf),
        metavar="SECONDS",
        help="end when no event came for so long, with exit code 1 if --events is not reached (never)",
    )
    return parser
