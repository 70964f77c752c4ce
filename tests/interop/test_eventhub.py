"""The unmodified azure-eventhub reads what the unmodified paho published, from a real emulator process."""

import asyncio
import contextlib
import json
import queue
import threading
import time

import pytest
from azure.eventhub import EventHubConsumerClient, TransportType
from azure.eventhub.aio import EventHubConsumerClient as AsyncConsumerClient
from azure.eventhub.exceptions import AuthenticationError, EventHubError
from hub_process import PATIENCE, Publisher, running_hub

from iothub_emulator.hub.partition_key import partition_of

ENTITY = "iothub-emulator"
MANY = 5_000
"""Events in each of the two partitions of the busy hub."""


def device_for(partition, prefix="device"):
    """Return the name of a device whose events go to that partition."""
    return next(name for name in (f"{prefix}-{n}" for n in range(99)) if partition_of(name, 2) == partition)


DEVICES = (device_for(0), device_for(1))


@pytest.fixture(scope="module")
def hub():
    """A hub with a few events: five in partition 0, numbered by their bodies."""
    with running_hub("--device", DEVICES[0], "--device", DEVICES[1]) as about:
        publisher = Publisher(about, DEVICES[0])
        for number in range(5):
            publisher.publish(str(number))
            published = time.time_ns()
            # Readers see whole milliseconds: a position by time is exact only if each event has its own.
            while time.time_ns() // 1_000_000 == published // 1_000_000:
                pass
        publisher.close()
        yield about


def options(hub, **changes):
    """Return what a user writes to reach the emulator; nothing in the client is patched."""
    return {
        "custom_endpoint_address": f"sb://{hub['host']}:{hub['ports']['amqp']}",
        "transport_type": TransportType.Amqp,
        "connection_verify": hub["ca_file"],
        "consumer_group": "$Default",
        "retry_total": 0,
    } | changes


def client(hub, connection_string=None, **changes):
    text = connection_string or hub["events_connection_string"]
    return EventHubConsumerClient.from_connection_string(text, **options(hub, **changes))


@contextlib.contextmanager
def receiving(hub, *, partitions=("0",), changes=None, **how):
    """Read in a thread for each partition; yield a queue of (partition, event), or errors in their place."""
    found = queue.Queue()
    how = {"starting_position": "-1", "prefetch": 1} | how
    consumer = client(hub, **(changes or {}))
    threads = [
        threading.Thread(
            target=consumer.receive,
            kwargs={
                "on_event": lambda context, event: found.put((context.partition_id, event)),
                "on_error": lambda _, error: found.put(error),
                "partition_id": partition,
                **how,
            },
        )
        for partition in partitions
    ]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        consumer.close()
        for thread in threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


def test_the_client_finds_the_event_hub(hub):
    with client(hub) as consumer:
        found = consumer.get_eventhub_properties()

    assert found["eventhub_name"] == ENTITY
    assert found["partition_ids"] == ["0", "1"]


def test_the_client_finds_a_partition_s_state(hub):
    with client(hub) as consumer:
        found = consumer.get_partition_properties("0")

    assert (found["eventhub_name"], found["id"], found["is_empty"]) == (ENTITY, "0", False)
    assert found["beginning_sequence_number"] == 0
    assert found["last_enqueued_sequence_number"] >= 4
    assert int(found["last_enqueued_offset"]) > 0
    assert found["last_enqueued_time_utc"].tzinfo is not None


def test_what_a_device_sent_arrives_whole(hub):
    """Body, application properties, system properties, and what the hub says about it."""
    bag = "alarm=true&lugar=S%C3%A3o%20Paulo"
    bag += "&%24.mid=m-1&%24.cid=c-1&%24.uid=u-1&%24.ct=text%2Fplain&%24.ce=utf-8"
    with receiving(hub, partitions=["1"], starting_position="@latest") as found:
        publisher = Publisher(hub, DEVICES[1])
        event = None
        while event is None:
            publisher.publish(b"\x00body\xff", bag=bag)
            with contextlib.suppress(queue.Empty):
                # The reader may attach behind the first of them: "@latest" is when it does.
                _, event = found.get(timeout=0.5)
        publisher.close()

    assert b"".join(event.body) == b"\x00body\xff"
    assert event.properties == {b"alarm": b"true", b"lugar": "São Paulo".encode()}
    assert (event.message_id, event.correlation_id, event.content_type) == ("m-1", "c-1", "text/plain")
    properties = event.system_properties
    auth = json.loads(properties.pop(b"iothub-connection-auth-method"))
    assert (auth["scope"], auth["type"]) == ("device", "sas")
    assert properties.pop(b"iothub-connection-auth-generation-id").isdigit()
    assert properties.pop(b"x-opt-enqueued-time") == properties.pop(b"iothub-enqueuedtime")
    assert properties.pop(b"x-opt-offset") == event.offset.encode()
    assert properties == {
        b"message-id": b"m-1",
        b"correlation-id": b"c-1",
        b"user-id": b"u-1",
        b"content-type": b"text/plain",
        b"content-encoding": b"utf-8",
        b"x-opt-sequence-number": event.sequence_number,
        b"iothub-connection-device-id": DEVICES[1].encode(),
        b"iothub-message-source": b"Telemetry",
    }


@pytest.fixture(scope="module")
def five(hub):
    """The five events of partition 0, as a reader gets them from the beginning."""
    with receiving(hub) as found:
        events = [found.get(timeout=PATIENCE)[1] for _ in range(5)]
    assert [event.body_as_str() for event in events] == ["0", "1", "2", "3", "4"]
    return events


@pytest.mark.parametrize("inclusive", [False, True], ids=["after", "at"])
@pytest.mark.parametrize("kind", ["sequence_number", "offset", "enqueued_time"])
def test_a_reader_starts_where_it_says(hub, five, kind, inclusive):
    """Behind event 2, or at it: by number, offset and time."""
    position = getattr(five[2], kind)
    with receiving(hub, starting_position=position, starting_position_inclusive=inclusive) as found:
        first = found.get(timeout=PATIENCE)[1].body_as_str()

    assert first == ("2" if inclusive else "3")


@pytest.mark.parametrize("group", ["$Default", "$default", "another"])
def test_every_consumer_group_exists(hub, group):
    with receiving(hub, changes={"consumer_group": group}) as found:
        assert found.get(timeout=PATIENCE)[1].body_as_str() == "0"


def test_a_large_event_arrives_in_many_frames(hub):
    body = bytes(range(256)) * 1000
    with receiving(hub, partitions=["1"]) as found:
        publisher = Publisher(hub, DEVICES[1])
        publisher.publish(body)
        publisher.close()
        bodies = []
        while body not in bodies:
            bodies.append(b"".join(found.get(timeout=PATIENCE)[1].body))


def test_the_state_of_the_partition_travels_along(hub):
    properties = queue.Queue()
    consumer = client(hub)
    thread = threading.Thread(
        target=consumer.receive,
        kwargs={
            "on_event": lambda context, _: properties.put(context.last_enqueued_event_properties),
            "partition_id": "0",
            "starting_position": "-1",
            "prefetch": 1,
            "track_last_enqueued_event_properties": True,
        },
    )
    thread.start()
    found = properties.get(timeout=PATIENCE)
    consumer.close()
    thread.join(PATIENCE)

    assert found["sequence_number"] >= 4
    assert int(found["offset"]) > 0


# Refusals


def with_key(hub, key, policy="service"):
    head, _, _ = hub["events_connection_string"].partition("SharedAccessKeyName=")
    return f"{head}SharedAccessKeyName={policy};SharedAccessKey={key};EntityPath={ENTITY}"


@pytest.mark.parametrize(
    ("key", "policy"),
    [("d3Jvbmc=", "service"), ("d3Jvbmc=", "nobody")],
    ids=["wrong-key", "unknown-policy"],
)
def test_a_wrong_key_is_an_authentication_error(hub, key, policy):
    with client(hub, with_key(hub, key, policy)) as consumer, pytest.raises(AuthenticationError, match="401"):
        consumer.get_eventhub_properties()


def test_a_reader_with_a_wrong_key_gets_an_authentication_error(hub):
    found = queue.Queue()
    with client(hub, with_key(hub, "d3Jvbmc=")) as consumer:
        thread = threading.Thread(
            target=consumer.receive,
            kwargs={
                "on_event": lambda *_: None,
                "on_error": lambda _, error: (found.put(error), consumer.close()),
                "partition_id": "0",
            },
        )
        thread.start()
        error = found.get(timeout=PATIENCE)
    thread.join(PATIENCE)

    assert isinstance(error, AuthenticationError)


def test_a_position_in_the_future_is_an_error_with_its_condition(hub):
    with receiving(hub, starting_position=10_000) as found:
        error = found.get(timeout=PATIENCE)

    assert isinstance(error, EventHubError)
    assert "The supplied sequence number '10000' is invalid" in str(error)


def test_another_entity_is_an_error(hub):
    text = hub["events_connection_string"].replace(f"EntityPath={ENTITY}", "EntityPath=another")
    with client(hub, text) as consumer, pytest.raises(EventHubError, match="404"):
        consumer.get_eventhub_properties()


# Many events


@pytest.fixture(scope="module")
def busy_hub():
    """A hub with many events in both partitions, numbered by their bodies."""
    with running_hub("--device", DEVICES[0], "--device", DEVICES[1]) as about:
        publishers = [Publisher(about, device) for device in DEVICES]
        threads = [
            threading.Thread(target=publisher.publish, args=[str(number) for number in range(MANY)])
            for publisher in publishers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(4 * PATIENCE)
            assert not thread.is_alive()
        for publisher in publishers:
            publisher.close()
        yield about


ALL = [str(number) for number in range(MANY)]


# Events to read from each partition: with prefetch 1 each costs a round trip.
@pytest.mark.parametrize(("prefetch", "count"), [(300, MANY), (1, MANY // 10)])
def test_many_events_arrive_in_order_from_both_partitions(busy_hub, prefetch, count):
    bodies = {"0": [], "1": []}
    with receiving(busy_hub, partitions=["0", "1"], prefetch=prefetch) as found:
        while min(map(len, bodies.values())) < count:
            partition, event = found.get(timeout=PATIENCE)
            bodies[partition].append(event.body_as_str())

    assert {partition: found[:count] for partition, found in bodies.items()} == {
        "0": ALL[:count],
        "1": ALL[:count],
    }


# The async client sleeps 50 ms after each batch of `prefetch` events.
@pytest.mark.parametrize(("prefetch", "count"), [(300, MANY), (1, 50)])
def test_many_events_arrive_in_order_at_the_async_client(busy_hub, prefetch, count):
    bodies = {"0": [], "1": []}

    async def read():
        done = asyncio.Event()

        async def on_event(context, event):
            bodies[context.partition_id].append(event.body_as_str())
            if min(map(len, bodies.values())) >= count:
                done.set()

        consumer = AsyncConsumerClient.from_connection_string(
            busy_hub["events_connection_string"], **options(busy_hub)
        )
        async with consumer:
            readers = [
                asyncio.ensure_future(
                    consumer.receive(
                        on_event, partition_id=partition, starting_position="-1", prefetch=prefetch
                    )
                )
                for partition in ("0", "1")
            ]
            await asyncio.wait_for(done.wait(), 2 * PATIENCE)
        # Its receive does not end by itself when the client is closed.
        for reader in readers:
            reader.cancel()
        await asyncio.wait(readers, timeout=PATIENCE)

    asyncio.run(read())
    assert {partition: found[:count] for partition, found in bodies.items()} == {
        "0": ALL[:count],
        "1": ALL[:count],
    }


def test_one_receive_reads_all_partitions(busy_hub):
    """The client balances: it claims both partitions by itself, one connection for each."""
    bodies = {"0": [], "1": []}
    found = queue.Queue()
    consumer = client(busy_hub)
    thread = threading.Thread(
        target=consumer.receive,
        kwargs={
            "on_event": lambda context, event: found.put((context.partition_id, event)),
            "starting_position": "-1",
        },
    )
    thread.start()
    for _ in range(2 * MANY):
        partition, event = found.get(timeout=PATIENCE)
        bodies[partition].append(event.body_as_str())
    consumer.close()
    thread.join(PATIENCE)

    assert bodies == {"0": ALL, "1": ALL}


def test_a_slow_reader_does_not_hold_up_another(busy_hub):
    """One callback never returns until the other reader has had everything."""
    finished = threading.Event()
    slow = client(busy_hub)
    entered = threading.Event()
    thread = threading.Thread(
        target=slow.receive,
        kwargs={
            "on_event": lambda *_: (entered.set(), finished.wait(PATIENCE)),
            "partition_id": "0",
            "starting_position": "-1",
        },
    )
    thread.start()
    assert entered.wait(PATIENCE)
    with receiving(busy_hub, prefetch=300) as found:
        bodies = [found.get(timeout=PATIENCE)[1].body_as_str() for _ in range(MANY)]
    finished.set()
    slow.close()
    thread.join(PATIENCE)

    assert bodies == ALL
