"""One reader for all workers of a run: what arrives, and what goes wrong, is told to each of them."""

import functools
import queue
from types import SimpleNamespace

import pytest
from patience import PATIENCE

from conformance.backend import Service
from conformance.backend.event_source import Callbacks
from conformance.backend.relay import Relay, RelayedPartitions
from conformance.backend.telemetry import Telemetry
from conformance.errors import ServiceError


def message(number, device_id="d"):
    return Telemetry(
        body=b"\x00x",
        properties={"a": None},
        system={"message-id": "m"},
        device_id=device_id,
        partition="1",
        sequence_number=number,
        annotations={"x-opt-offset": "480"},
    )


class Endpoint:
    """A pretended endpoint: tells what a test says."""

    def __init__(self):
        self.told = None
        self.is_closed = False

    def open(self, callbacks):
        self.told = callbacks
        return SimpleNamespace(close=self.close)

    def close(self):
        self.is_closed = True


class Worker:
    """What a worker hears, in its order."""

    def __init__(self, relay):
        self._heard = queue.Queue()
        self.partitions = RelayedPartitions(
            relay.address,
            Callbacks(
                arrive=self._heard.put,
                fail=lambda *words: self._heard.put(words),
                recover=lambda *words: self._heard.put(words),
            ),
        )

    def next(self):
        return self._heard.get(timeout=PATIENCE)


@pytest.fixture
def endpoint():
    return Endpoint()


@pytest.fixture
def relay(endpoint, tmp_path):
    relay = Relay(tmp_path / "r.sock", endpoint.open)
    yield relay
    relay.close()


def test_each_worker_hears_all_that_arrives_in_its_order(relay, endpoint):
    workers = [Worker(relay), Worker(relay)]
    arrived = [message(1), message(2, "other")]

    _ = [endpoint.told.arrive(each) for each in arrived]

    assert [[worker.next(), worker.next()] for worker in workers] == [arrived, arrived]


def test_a_partition_that_fails_and_recovers_is_told(relay, endpoint):
    worker = Worker(relay)

    endpoint.told.fail("1", "the connection is lost")
    endpoint.told.recover("1")

    assert [worker.next(), worker.next()] == [("1", "the connection is lost"), ("1",)]


def test_a_worker_that_has_ended_is_no_trouble_for_another(relay, endpoint):
    gone, there = Worker(relay), Worker(relay)
    gone.partitions.close()

    _ = [endpoint.told.arrive(message(number)) for number in range(50)]

    assert [there.next().sequence_number for _ in range(50)] == list(range(50))


def test_a_reader_that_is_gone_is_told_to_whoever_waits(relay, endpoint):
    worker = Worker(relay)
    endpoint.told.arrive(message(1))
    worker.next()

    relay.close()

    assert worker.next() == ("1", "the run's reader of telemetry is gone")
    assert endpoint.is_closed
    with pytest.raises(ServiceError, match="the run's reader of telemetry is gone"):
        Worker(relay)


def test_two_workers_read_what_their_own_devices_send(back_end, tmp_path):
    """On the embedded hub, with a reader for both: neither opens the endpoint itself."""
    hub = back_end.target
    relays, end = back_end.service.relay(tmp_path)
    devices = [back_end.device(), back_end.device()]
    workers = [
        Service(hub, accepts=functools.partial(str.__eq__, device.id), relays=relays) for device in devices
    ]
    readers = [worker.telemetry for worker in workers]

    for device in devices:
        device.connect().send(device.topics.events, device.id.encode(), qos=1)

    assert [reader.next(sent_by=device).body for reader, device in zip(readers, devices, strict=True)] == [
        device.id.encode() for device in devices
    ]
    _ = [worker.close() for worker in workers]
    end()
