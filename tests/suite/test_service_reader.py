"""Cases ask for the next message, for the next few, and for everything before a fence."""

import dataclasses
import threading
from types import SimpleNamespace

import pytest
from back_end import embedded_hub
from patience import PATIENCE

from conformance.backend import Service
from conformance.backend.event_source import Endpoint as EventsEndpoint
from conformance.backend.events import CONNECTIONS
from conformance.backend.reader import TelemetryReader
from conformance.backend.telemetry import Telemetry
from conformance.errors import (
    CredentialsRefused,
    HarnessError,
    ServiceError,
    StageFailed,
    UsageError,
    Violation,
)
from conformance.evidence.case import Evidence
from conformance.mqtt.device import Device
from conformance.mqtt.endpoint import Endpoint
from conformance.mqtt.fields import Will
from conformance.mqtt.reactor import Reactor
from conformance.run import sleeping
from conformance.target.credentials import ConnectionString
from conformance.target.target import Timeouts

KEY = "c2VjcmV0LWtleS0xMjM0"
EVENTS = f"Endpoint=sb://localhost:1/;SharedAccessKeyName=service;SharedAccessKey={KEY};EntityPath=hub"
TIMEOUTS = Timeouts(connect=5, reaction=0.05, silence=0)


def endpoint(timeout=PATIENCE, port=1):
    return EventsEndpoint(
        access=ConnectionString.parse(EVENTS),
        port=port,
        consumer_group="$Default",
        ca_file=None,
        timeout=timeout,
    )


class Hub:
    """A pretended hub: what a device sends arrives at once, numbered."""

    def __init__(self):
        self.callbacks = None
        self.closed = threading.Event()
        self.numbers = iter(range(1000))
        self.swallows_markers = False

    def open(self, _endpoint, callbacks):
        self.callbacks = callbacks
        return SimpleNamespace(close=self.closed.set)

    def deliver(self, device_id, body):
        self.callbacks.arrive(
            Telemetry(
                body=body,
                properties={},
                system={},
                device_id=device_id,
                partition="0",
                sequence_number=next(self.numbers),
            )
        )

    def device(self, device_id="d"):
        hub = self

        class Device:
            id = device_id
            topics = SimpleNamespace(events=f"devices/{device_id}/messages/events/")

            def __init__(self):
                self.calls = []

            def connect(self):
                self.calls.append("connect")
                return self.connection()

            def connection(self):
                return SimpleNamespace(
                    device=self, send=self.send, disconnect=lambda: self.calls.append("leave")
                )

            def send(self, topic, payload, *, qos):
                assert topic == self.topics.events
                self.calls.append(f"send qos {qos}")
                if not hub.swallows_markers:
                    hub.deliver(self.id, payload)

        return Device()


@pytest.fixture
def hub():
    return Hub()


@pytest.fixture
def reader(hub):
    made = TelemetryReader(endpoint(), TIMEOUTS, open_partitions=hub.open)
    made.open()
    yield made
    made.close()


def test_the_next_message(hub, reader):
    hub.deliver("other", b"1")
    hub.deliver("d", b"2")

    assert reader.next(sent_by=hub.device()).body == b"2"


def test_a_message_that_does_not_arrive_is_a_violation(hub, reader):
    with pytest.raises(Violation, match=r"^a message of d did not arrive within 0\.05 s$") as caught:
        reader.next(sent_by=hub.device())

    assert caught.value.observed == "nothing arrived"


def test_some_messages(hub, reader):
    hub.deliver("d", b"1")
    hub.deliver("d", b"2")

    assert reader.take(2, sent_by=hub.device()) == [b"1", b"2"]

    hub.deliver("d", b"3")
    with pytest.raises(Violation, match="message 2 of 2 of d did not arrive"):
        reader.take(2, sent_by=hub.device())


def test_a_fence_hands_out_what_came_before_it(hub, reader):
    device = hub.device()
    hub.deliver("d", b"1")
    hub.deliver("other", b"2")

    assert [message.body for message in reader.until_fence(device)] == [b"1"]
    assert reader.until_fence(device) == []
    assert device.calls == ["connect", "send qos 0", "leave"] * 2


def test_a_fence_over_an_open_connection_opens_and_ends_none(hub, reader):
    device = hub.device()

    assert reader.until_fence(device, over=device.connection()) == []
    assert device.calls == ["send qos 0"]


def test_a_fence_of_another_device_proves_nothing(hub, reader):
    with pytest.raises(UsageError, match="order is kept per device only"):
        reader.until_fence(hub.device("a"), over=hub.device("b").connection())


def test_a_fence_that_does_not_arrive_breaks_the_stage(hub, reader):
    hub.swallows_markers = True

    with pytest.raises(
        StageFailed, match=r"^needs d2c.events-topic: the marker of d did not arrive within 0\.05 s$"
    ):
        reader.until_fence(hub.device())


@pytest.mark.parametrize(
    "error", [Violation("closed before CONNACK", observed="closed"), OSError("broken pipe")]
)
def test_a_fence_that_cannot_be_sent_breaks_the_stage(hub, reader, error):
    device = hub.device()

    def refuse():
        raise error

    device.connect = refuse
    with pytest.raises(StageFailed, match=r"^needs connect\.client-id: the fence of d: "):
        reader.until_fence(device)


def test_on_a_live_hub_silence_is_observed_beside_the_fence_and_counted(hub):
    live = TelemetryReader(
        endpoint(), Timeouts(connect=5, reaction=1, silence=0.02), open_partitions=hub.open
    )
    live.open()
    before = sleeping.slept_seconds()

    assert live.until_fence(hub.device()) == []

    assert sleeping.slept_seconds() - before >= 0.02
    live.close()


def test_opening_takes_a_few_timeouts_at_most():
    """Each step has its own time; a hub with partitions without end would have all of it."""
    never = threading.Event()
    reader = TelemetryReader(
        endpoint(timeout=0.01), TIMEOUTS, open_partitions=lambda *_: never.wait(PATIENCE) or None
    )

    with pytest.raises(ServiceError, match=r"^events endpoint localhost:1: not open within 0\.04 s\.$"):
        reader.open()

    never.set()


def test_waiting_before_reading_is_the_suites_own_mistake(hub):
    closed = TelemetryReader(endpoint(), TIMEOUTS, open_partitions=hub.open)

    with pytest.raises(HarnessError, match="was not opened"):
        closed.next(sent_by=hub.device())


def test_opening_fails_where_it_is_asked_for():
    def refuse(_endpoint, _callbacks):
        raise CredentialsRefused("no")

    failing = TelemetryReader(endpoint(), TIMEOUTS, open_partitions=refuse)
    failing.begin()

    with pytest.raises(CredentialsRefused, match="no"):
        failing.open()
    failing.close()


def test_closing_does_not_wait_for_partitions_that_are_still_being_opened(hub):
    may_open = threading.Event()

    def open_late(endpoint, callbacks):
        may_open.wait(PATIENCE)
        return hub.open(endpoint, callbacks)

    late = TelemetryReader(endpoint(), TIMEOUTS, open_partitions=open_late)
    late.begin()
    late.close()
    assert not hub.closed.is_set()

    may_open.set()
    assert hub.closed.wait(PATIENCE)


@pytest.fixture(scope="module")
def target():
    with embedded_hub() as target:
        yield target


@pytest.fixture
def service(target):
    made = Service(target, worker_number=3)
    yield made
    made.close()


@pytest.fixture
def devices(target, service, request):
    reactor = Reactor()
    at = Endpoint(
        host=target.host,
        port=target.ports.mqtt,
        trust=target.ca_file,
        timeouts=target.timeouts,
    )
    ids = [f"{request.node.name.replace('_', '-')}-{number}" for number in range(8)]
    made = [Device(identity, at, reactor, Evidence()) for identity in service.registry.create(ids)]
    yield made
    for device in made:
        device.close()
    reactor.stop()


def test_both_partitions_of_the_embedded_hub_are_read(service, devices):
    telemetry = service.telemetry
    connections = [device.connect() for device in devices]

    for number, connection in enumerate(connections):
        for round_ in range(5):
            connection.publish(connection.device.topics.events, b"%d/%d" % (number, round_))

    arrived = [[telemetry.next(sent_by=device) for _ in range(5)] for device in devices]
    assert [[message.body for message in messages] for messages in arrived] == [
        [b"%d/%d" % (number, round_) for round_ in range(5)] for number in range(len(devices))
    ]
    assert {message.partition for messages in arrived for message in messages} == {"0", "1"}


def test_an_event_of_the_embedded_hub_is_read_whole(service, devices):
    telemetry, device = service.telemetry, devices[0]
    device.connect().publish(f"{device.topics.events}a=1&%24.mid=m", b"\xff\x00")

    message = telemetry.next(sent_by=device)

    assert (message.body, message.properties, message.system) == (
        b"\xff\x00",
        {"a": "1"},
        {"message-id": "m"},
    )
    assert (message.device_id, message.source, message.auth["type"]) == (device.id, "Telemetry", "sas")


def test_a_fence_at_the_embedded_hub(service, devices):
    telemetry, device = service.telemetry, devices[0]
    connection = device.connect()
    connection.send(device.topics.events, b"before", qos=1)

    assert [message.body for message in telemetry.until_fence(device, over=connection)] == [b"before"]
    assert telemetry.until_fence(device) == []


def test_a_policy_token_is_for_the_whole_hub(service, target):
    token = service.policy_token(expires_in=60).reveal()

    assert token.startswith(f"SharedAccessSignature sr={target.host}&sig=")
    assert token.endswith("&skn=iothubowner")


def routed_will(device):
    return Will(topic=f"{device.topics.events}destination=routed", payload=b"gone", qos=1)


def test_what_a_route_takes_is_read_at_the_custom_endpoint(service, devices):
    """And of the hub's own events whoever asked hears; who waits for telemetry hears of none."""
    routed, events, device = service.routed, service.events(CONNECTIONS), devices[0]
    events.follow(device.id)
    connection = device.connect(will=routed_will(device))
    connection.publish(device.topics.events, b"here")
    assert events.next(device).operation == "deviceConnected"

    connection.drop()

    assert events.next(device).operation == "deviceDisconnected"
    assert routed.next(sent_by=device).body == b"gone"
    assert [message.body for message in service.telemetry.until_fence(device)] == [b"here"]


def test_a_hub_without_routes_has_no_custom_endpoint(target):
    access = dataclasses.replace(target.service, routed=None)
    service = Service(dataclasses.replace(target, service=access), telemetry=False)

    with pytest.raises(ServiceError, match="has no routed-events-connection-string in"):
        _ = service.routed
    service.close()
