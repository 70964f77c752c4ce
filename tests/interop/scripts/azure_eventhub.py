"""azure-eventhub, unmodified, reads telemetry: TLS, WebSocket, development emulator; sync and async."""

import asyncio
import contextlib
import json
import queue
import threading
from concurrent.futures import ThreadPoolExecutor

from azure.eventhub import EventHubConsumerClient, TransportType
from azure.eventhub.aio import EventHubConsumerClient as AsyncConsumerClient
from azure.eventhub.exceptions import AuthenticationError, ConnectionLostError, EventHubError
from steps import HUB, PATIENCE, ask, same, step

HOST, PORTS = HUB["host"], HUB["ports"]
TRUST = {"connection_verify": HUB["ca_file"]}

# What a user writes for each way; the development string says all by itself.
WAYS = {
    "TLS": {
        **TRUST,
        "transport_type": TransportType.Amqp,
        "custom_endpoint_address": f"sb://{HOST}:{PORTS['amqp']}",
    },
    "WebSocket": {
        **TRUST,
        "transport_type": TransportType.AmqpOverWebsocket,
        "custom_endpoint_address": f"sb://{HOST}:{PORTS['https']}",
    },
    "development emulator": {},
}
STRINGS = {"development emulator": HUB["events_development_connection_string"]}
PREFIX = "events-"
DEVICES = [f"{PREFIX}{number}" for number in range(6)]
COUNT = 5
WAIT = 30
"""Seconds that an event may take: three rounds share the machine, and the script's deadline ends them all."""
LATECOMER = "latecomer"


class SyncReader:
    """The sync client; each partition is read by a thread."""

    def __init__(self, way, **changes):
        self._client = _client(EventHubConsumerClient, way, changes)
        self._threads = []
        self.events, self.errors = queue.Queue(), queue.Queue()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._client.close()
        for thread in self._threads:
            thread.join(WAIT)
            assert not thread.is_alive(), "receive() did not end with the client"

    def call(self, name, *arguments):
        return getattr(self._client, name)(*arguments)

    def read(self, partition, **how):
        """Begin to read; events and errors go into the queues."""
        arguments = {
            "on_event": lambda context, event: self.events.put((context.partition_id, event)),
            "on_error": lambda _, error: self.errors.put(error),
            "partition_id": partition,
            "prefetch": 1,
            **how,
        }
        thread = threading.Thread(target=self._client.receive, kwargs=arguments, daemon=True)
        thread.start()
        self._threads.append(thread)


class AsyncReader:
    """The async client on an event loop of its own thread; each partition is read by a task."""

    def __init__(self, way, **changes):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._tasks = []
        self._client = self._run(self._made(way, changes))
        self.events, self.errors = queue.Queue(), queue.Queue()

    async def _made(self, way, changes):
        return _client(AsyncConsumerClient, way, changes)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT)
        self._loop.close()

    async def _close(self):
        await self._client.close()
        # Its receive does not end by itself when the client is closed.
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def call(self, name, *arguments):
        return self._run(getattr(self._client, name)(*arguments))

    def read(self, partition, **how):
        async def on_event(context, event):
            self.events.put((context.partition_id, event))

        async def on_error(_, error):
            self.errors.put(error)

        arguments = {"partition_id": partition, "prefetch": 1, **how}

        async def begin():
            receiving = self._client.receive(on_event, on_error=on_error, **arguments)
            self._tasks.append(asyncio.ensure_future(receiving))

        self._run(begin())

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE)


def _client(factory, way, changes):
    options = {**WAYS[way], "retry_total": 0, **changes}
    text = options.pop("text", None) or STRINGS.get(way, HUB["events_connection_string"])
    return factory.from_connection_string(text, **options)


READERS = {"sync": SyncReader, "async": AsyncReader}


def ours(reader, count):
    """Return the next events of this script's devices; others use the hub as well."""
    found = []
    while len(found) < count:
        partition, event = reader.events.get(timeout=WAIT)
        if event.system_properties[b"iothub-connection-device-id"].startswith(PREFIX.encode()):
            found.append((partition, event))
    return found


def properties(name, reader):
    with step(f"{name}: finds the Event Hub"):
        found = reader.call("get_eventhub_properties")
        same((found["eventhub_name"], found["partition_ids"]), ("iothub-emulator", ["0", "1"]))
    for partition in ("0", "1"):
        with step(f"{name}: finds the state of partition {partition}"):
            found = reader.call("get_partition_properties", partition)
            same((found["id"], found["is_empty"]), (partition, False))
            assert found["last_enqueued_sequence_number"] >= COUNT - 1
            assert found["last_enqueued_time_utc"].tzinfo is not None


def everything(name, make):
    """Read both partitions from the start; return the events of each."""
    events = {"0": [], "1": []}
    with step(f"{name}: reads both partitions from the beginning"), make() as reader:
        for partition in ("0", "1"):
            reader.read(partition, starting_position="-1")
        for partition, event in ours(reader, COUNT * len(DEVICES)):
            events[partition].append(event)
        for device in DEVICES:
            bodies = [
                event.body_as_str()
                for found in events.values()
                for event in found
                if event.system_properties[b"iothub-connection-device-id"] == device.encode()
            ]
            same(bodies, [f"{device} {number}" for number in range(COUNT)])
        same([bool(events[partition]) for partition in ("0", "1")], [True, True])
    return events


def an_event(name, events):
    with step(f"{name}: an event is whole"):
        event = events["0"][0]
        system = event.system_properties
        same(event.properties, {b"alarm": b"true", b"lugar": "São Paulo".encode(), b"empty": b""})
        same((event.message_id, event.correlation_id, event.content_type), ("m-1", "c-1", "application/json"))
        same((system[b"user-id"], system[b"content-encoding"]), (b"u-1", b"utf-8"))
        same(system[b"iothub-message-source"], b"Telemetry")
        auth = json.loads(system[b"iothub-connection-auth-method"])
        same((auth["scope"], auth["type"]), ("device", "sas"))
        assert event.offset
        assert event.enqueued_time
        assert event.sequence_number is not None


def first_behind(events, known, kind, inclusive):
    """Return the number of the first event that a reader from `known` on gets.

    Two events may have come within a millisecond: at a time is the first of them, behind it what came later.
    """
    if kind != "enqueued_time":
        return (known if inclusive else events[2]).sequence_number
    times = [(event.enqueued_time, event.sequence_number) for event in events]
    moment = known.enqueued_time
    return next(number for time, number in times if (time >= moment if inclusive else time > moment))


def positions(name, make, events):
    kinds = ("sequence_number", "offset", "enqueued_time")
    for kind in kinds if name.startswith("TLS") else kinds[:1]:
        for inclusive in (False, True):
            where = f"{'at' if inclusive else 'after'} {kind.replace('_', ' ')}"
            with step(f"{name}: starts {where}"), make() as reader:
                known = events["1"][1]
                position = getattr(known, kind)
                reader.read("1", starting_position=position, starting_position_inclusive=inclusive)
                found = ours(reader, 1)[0][1]
                same(found.sequence_number, first_behind(events["1"], known, kind, inclusive))
    with step(f"{name}: starts at the latest"), make() as reader:
        reader.read("0", starting_position="@latest")
        reader.read("1", starting_position="@latest")
        first = None
        while first is None:
            # The reader may attach behind the first of them: "@latest" is when it does.
            ask("publish", identity=LATECOMER, bodies=[f"late {name}"])
            with contextlib.suppress(queue.Empty):
                first = reader.events.get(timeout=0.5)
        assert first[1].sequence_number > events[first[0]][-1].sequence_number


def prefetched(name, make):
    with step(f"{name}: reads with the default prefetch"), make() as reader:
        reader.read("0", starting_position="-1", prefetch=300)
        reader.read("1", starting_position="-1", prefetch=300)
        ours(reader, COUNT * len(DEVICES))


def owners(name, make):
    # A group of its own: the level counts for all its readers, the test's own too.
    group = {"consumer_group": f"owners-{name.replace(' ', '-')}"}
    with (
        step(f"{name}: a higher owner level takes the partition"),
        make(**group) as low,
        make(**group) as high,
    ):
        low.read("0", starting_position="-1", owner_level=1)
        ours(low, 1)
        high.read("0", starting_position="-1", owner_level=2)
        ours(high, 1)
        error = low.errors.get(timeout=WAIT)
        assert isinstance(error, (ConnectionLostError, EventHubError)), error
        assert "epoch" in str(error) or "stolen" in str(error).lower(), error


def refusals(name, way, make):
    text = STRINGS.get(way, HUB["events_connection_string"])
    fields = dict(field.split("=", 1) for field in text.split(";"))
    wrong_key = text.replace(fields["SharedAccessKey"], "d3Jvbmc=")
    another_entity = text.replace(fields["EntityPath"], "another")
    with step(f"{name}: a wrong key is refused"), make(text=wrong_key) as reader:
        same(refusal(reader)[0], AuthenticationError)
    with step(f"{name}: another entity is refused"), make(text=another_entity) as reader:
        _, said = refusal(reader)
        assert "404" in said, said


def refusal(reader):
    """Return the class and the text of the error for asking about the Event Hub."""
    try:
        reader.call("get_eventhub_properties")
    except EventHubError as error:
        return type(error), str(error)
    raise AssertionError("the hub answered")


def main():
    with step("set the stage: six devices send five events each"):
        bag = "alarm=true&lugar=S%C3%A3o%20Paulo&empty="
        bag += "&%24.mid=m-1&%24.cid=c-1&%24.uid=u-1&%24.ct=application%2Fjson&%24.ce=utf-8"
        for device in (*DEVICES, LATECOMER):
            ask("create", identity=device)
            ask("connect", identity=device)
        for device in DEVICES:
            ask("publish", identity=device, bodies=[f"{device} {n}" for n in range(COUNT)], bag=bag)
    # Most of the time the package waits for itself: three rounds go on at once.
    with ThreadPoolExecutor(3) as pool:
        rounds = [pool.submit(whole_round, way, style) for way in WAYS for style in READERS]
    for one in rounds:
        one.result()


def whole_round(way, style):
    name = f"{way} {style}"
    # At most five readers of one group may share a partition.
    group = "$Default" if name == "TLS sync" else name.replace(" ", "-")

    def make(**changes):
        return READERS[style](way, **{"consumer_group": group, **changes})

    with make() as reader:
        properties(name, reader)
    events = everything(name, make)
    an_event(name, events)
    positions(name, make, events)
    if way != "WebSocket":
        prefetched(name, make)
    owners(name, make)
    refusals(name, way, make)


if __name__ == "__main__":
    main()
