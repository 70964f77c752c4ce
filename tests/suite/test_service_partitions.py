"""Every partition is read behind its last number, also where the connection was lost meanwhile."""

import dataclasses
import threading
from collections import deque

import pytest

from conformance.backend import Service, partitions
from conformance.backend.event_source import Callbacks, Endpoint, EventSource
from conformance.backend.inbox import Inbox
from conformance.backend.partitions import Partitions
from conformance.backend.telemetry import Telemetry
from conformance.errors import CredentialsRefused, ServiceError
from conformance.evidence.case import Evidence
from conformance.mqtt.device import Device
from conformance.mqtt.endpoint import Endpoint as DeviceEndpoint
from conformance.mqtt.reactor import Reactor
from conformance.target.credentials import ConnectionString

PATIENCE = 60


class Source:
    """A pretended connection: hands out what the test puts in; an error among it ends it."""

    def __init__(self, last=None):
        self.last, self.follows, self.coming = last or {"0": -1, "1": 41}, {}, deque()
        self.something, self.closed = threading.Event(), threading.Event()
        self.callbacks = None

    def last_numbers(self):
        return self.last

    def follow(self, partition, after, to):
        self.follows[partition], self.callbacks = after, to

    def take_in(self, _within):
        self.something.wait(0.01)
        while self.coming:
            each = self.coming.popleft()
            if isinstance(each, Exception):
                raise each
            self.callbacks.arrive(each)

    def put(self, *each):
        self.coming.extend(each)
        self.something.set()

    def stop(self):
        self.something.set()

    def close(self):
        self.closed.set()


class Heard:
    """What the reading thread told."""

    def __init__(self):
        self.said, self.changed = [], threading.Condition()
        self.callbacks = Callbacks(
            arrive=lambda message: self.say("arrived", message.partition, message.sequence_number),
            fail=lambda partition, trouble: self.say("failed", partition, trouble),
            recover=lambda partition: self.say("recovered", partition),
        )

    def say(self, *what):
        with self.changed:
            self.said.append(what)
            self.changed.notify_all()

    def wait(self, *what):
        with self.changed:
            assert self.changed.wait_for(lambda: what in self.said, PATIENCE), self.said


def message(partition, number):
    return Telemetry(
        body=b"", properties={}, system={}, device_id="d", partition=partition, sequence_number=number
    )


@pytest.fixture
def heard(monkeypatch):
    monkeypatch.setattr(partitions, "REOPEN_AFTER", 0.01)
    return Heard()


def test_each_partition_is_read_behind_its_last_number(heard):
    source = Source()
    reading = Partitions(lambda: source, heard.callbacks)
    source.put(message("1", 42))
    heard.wait("arrived", "1", 42)
    reading.close()

    assert source.closed.wait(PATIENCE)
    assert (source.follows, heard.said) == ({"0": -1, "1": 41}, [("arrived", "1", 42)])


def test_a_lost_connection_is_told_and_opened_again_behind_what_was_read(heard):
    first, second = Source(), Source({"0": 7, "1": 50})
    sources = iter([first, second])
    reading = Partitions(lambda: next(sources), heard.callbacks)
    first.put(message("1", 42), ServiceError("the hub closed the connection."))
    second.put(message("0", 7))
    heard.wait("arrived", "0", 7)
    reading.close()

    assert first.closed.is_set()
    assert second.closed.wait(PATIENCE)
    assert second.follows == {"0": -1, "1": 42}
    assert heard.said == [
        ("arrived", "1", 42),
        ("failed", "0", "the hub closed the connection"),
        ("failed", "1", "the hub closed the connection"),
        ("recovered", "0"),
        ("recovered", "1"),
        ("arrived", "0", 7),
    ]


@pytest.mark.parametrize("error", [ServiceError("nobody there."), CredentialsRefused("no longer.")])
def test_it_is_opened_again_until_that_succeeds(heard, error):
    first, second = Source({"0": 3}), Source()
    attempts = iter([first, error, second])

    def connect():
        attempt = next(attempts)
        if isinstance(attempt, Exception):
            raise attempt
        return attempt

    reading = Partitions(connect, heard.callbacks)
    first.put(ServiceError("lost."))
    heard.wait("recovered", "0")
    reading.close()

    assert second.closed.wait(PATIENCE)
    assert [what for what, *_ in heard.said] == ["failed", "failed", "recovered"]


def test_what_fails_at_the_start_is_raised_and_leaves_nothing_open(heard):
    source = Source()
    source.follow = lambda *_: (_ for _ in ()).throw(ServiceError("the link is refused."))

    with pytest.raises(ServiceError, match="the link is refused"):
        Partitions(lambda: source, heard.callbacks)

    assert source.closed.is_set()


@pytest.fixture
def endpoint(hub):
    return Endpoint(
        access=hub.service.events,
        port=hub.service.events.port,
        consumer_group="$Default",
        ca_file=hub.ca_file,
        timeout=PATIENCE,
    )


@pytest.fixture
def device(hub, request):
    reactor, service = Reactor(), Service(hub, telemetry=False)
    (identity,) = service.registry.create([request.node.name.replace("_", "-")[:100]])
    at = DeviceEndpoint(
        host=hub.host,
        port=hub.ports.mqtt,
        trust=hub.ca_file,
        timeouts=hub.timeouts,
    )
    made = Device(identity, at, reactor, Evidence())
    yield made
    made.close()
    service.close()
    reactor.stop()


def test_more_messages_come_than_the_link_was_first_allowed(endpoint, device):
    """Credit for more is given before it runs out."""
    inbox = Inbox()
    reading = Partitions.open(
        endpoint, Callbacks(arrive=inbox.arrive, fail=inbox.fail, recover=inbox.recover)
    )
    connection = device.connect()
    for number in range(250):
        connection.send(device.topics.events, b"%d" % number, qos=0)

    bodies = [inbox.next(device.id, PATIENCE).body for _ in range(250)]
    reading.close()

    assert bodies == [b"%d" % number for number in range(250)]


def test_what_was_sent_before_the_start_does_not_come(endpoint, device):
    connection = device.connect()
    connection.publish(device.topics.events, b"before")
    inbox = Inbox()
    reading = Partitions.open(
        endpoint, Callbacks(arrive=inbox.arrive, fail=inbox.fail, recover=inbox.recover)
    )
    connection.publish(device.topics.events, b"after")

    assert inbox.next(device.id, PATIENCE).body == b"after"
    reading.close()


def test_a_reader_that_was_closed_takes_no_place_at_the_hub(endpoint):
    """A hub admits five readers of a partition at a time; here seven come and go at once."""
    for _ in range(7):
        Partitions.open(endpoint, Heard().callbacks).close()


def test_a_partition_that_does_not_exist_is_refused(endpoint):
    source = EventSource.open(endpoint)

    with pytest.raises(ServiceError, match=r"^events endpoint localhost:\d+: the link is refused, "):
        source.follow("9", -1, Callbacks(arrive=print, fail=print, recover=print))
    source.close()


def test_an_entity_that_does_not_exist_is_told(endpoint):
    elsewhere = dataclasses.replace(endpoint, access=dataclasses.replace(endpoint.access, entity="other"))

    with pytest.raises((ServiceError, CredentialsRefused), match=r"^events endpoint localhost:\d+: "):
        Partitions.open(elsewhere, Heard().callbacks)


def test_a_wrong_key_is_refused_in_one_line(endpoint):
    text = (
        f"Endpoint=sb://localhost:{endpoint.port}/;SharedAccessKeyName=service;"
        "SharedAccessKey=c2VjcmV0LWtleS0xMjM0;EntityPath=hub"
    )
    wrong = dataclasses.replace(endpoint, access=ConnectionString.parse(text))

    with pytest.raises(CredentialsRefused) as caught:
        Partitions.open(wrong, Heard().callbacks)

    assert str(caught.value) == (
        f"events endpoint localhost:{endpoint.port}: the policy 'service' is refused. "
        "Check events-connection-string in [service]. A hub with local authentication disabled (Entra ID "
        "alone) takes no policy, and cannot be judged."
    )


@pytest.mark.parametrize("setting", ["events-connection-string", "routed-events-connection-string"])
def test_nobody_at_the_port_is_one_line(endpoint, hub, setting):
    nobody = dataclasses.replace(endpoint, port=hub.ports.plain, setting=setting)

    with pytest.raises(ServiceError, match=rf"^events endpoint localhost:\d+: .+\. Check {setting} in"):
        Partitions.open(nobody, Heard().callbacks)
