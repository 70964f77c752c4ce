"""Connect and disconnect events: what the back end is told of a device's connections.

Document: #using-the-mqtt-protocol-directly-as-a-device. Clauses: clauses/monitoring.toml.

The hub raises an event when a device connects and when it disconnects. Today's hub looks at intervals, counts
a device as connected once it has used its connection, and tells what has changed since it told last; so each
state is held until the event about it has come.
"""

import pytest

clause = pytest.mark.clause


@clause("monitoring.connected")
def test_a_connection_is_told(device, connection_events, connection, stage):
    """A device that has connected and published is told as connected."""
    stage(connection.publish, device.topics.events, b"here", needs="d2c.puback")

    assert connection_events.next(about=device).operation == "deviceConnected"


@clause("monitoring.connected")
def test_a_later_connection_is_told_too(device, connection_events, reported_connection, stage):
    """After an end that was told, the next connection is told again."""
    reported_connection.disconnect()
    stage(connection_events.next, about=device, needs="monitoring.disconnected")

    stage(stage(device.connect).publish, device.topics.events, b"here again", needs="d2c.puback")

    assert connection_events.next(about=device).operation == "deviceConnected"


@clause("monitoring.disconnected")
@pytest.mark.crossed
@pytest.mark.parametrize(
    "leave",
    [
        pytest.param(lambda connection: connection.disconnect(), id="DISCONNECT"),
        pytest.param(lambda connection: connection.drop(), id="abrupt-close"),
        pytest.param(lambda connection: connection.reset(), id="TCP-reset"),
        pytest.param(lambda connection: connection.half_close(), id="half-close"),
    ],
)
def test_the_end_of_a_connection_is_told(device, connection_events, reported_connection, leave):
    """A device that was told as connected and has no connection any more is told as disconnected."""
    leave(reported_connection)

    assert connection_events.next(about=device).operation == "deviceDisconnected"


@clause("monitoring.details")
def test_an_event_names_its_device(device, connection_events, connection, stage):
    """Device id and schema stand in the properties, the device id and the source in the stamp too."""
    stage(connection.publish, device.topics.events, b"here", needs="d2c.puback")

    event = stage(connection_events.next, about=device, needs="monitoring.connected")
    assert (event.device_id, event.message.device_id, event.schema, event.message.source) == (
        device.id,
        device.id,
        "deviceConnectionStateNotification",
        "deviceConnectionStateEvents",
    )


@clause("monitoring.details")
def test_an_event_says_when_it_happened(device, connection_events, connection, stage):
    """The time is ISO 8601, and the event comes within the hub's interval and its time to react."""
    stage(connection.publish, device.topics.events, b"here", needs="d2c.puback")

    event = stage(connection_events.next, about=device, needs="monitoring.connected")
    assert event.time is not None
    assert abs(event.age) <= connection_events.within


@clause("monitoring.details")
def test_the_sequence_number_rises(device, connection_events, connection, stage):
    """Connected, disconnected, connected: each event has a higher number than the one before."""
    stage(connection.publish, device.topics.events, b"here", needs="d2c.puback")
    first = stage(connection_events.next, about=device, needs="monitoring.connected")
    connection.disconnect()
    second = stage(connection_events.next, about=device, needs="monitoring.disconnected")
    stage(stage(device.connect).publish, device.topics.events, b"here again", needs="d2c.puback")
    third = stage(connection_events.next, about=device, needs="monitoring.connected")

    numbers = [event.sequence_number for event in (first, second, third)]
    assert None not in numbers
    assert numbers == sorted(set(numbers))


@clause("monitoring.module")
def test_a_modules_connection_is_told_as_a_modules(
    device, connection_events, module, module_connection, stage
):
    """Connected, and disconnected; the device is the module's."""
    stage(module_connection.publish, module.topics.events, b"here", needs="d2c.puback")
    connected = connection_events.next(about=module)
    module_connection.disconnect()
    disconnected = connection_events.next(about=module)

    assert [event.device_id for event in (connected, disconnected)] == [device.id, device.id]


@clause("monitoring.module-operations")
def test_how_the_events_of_a_modules_connections_are_called(
    connection_events, module, module_connection, readings, stage
):
    """Connected, and disconnected: as a device's, or both of a module's own."""
    stage(module_connection.publish, module.topics.events, b"here", needs="d2c.puback")
    connected = stage(connection_events.next, about=module, needs="monitoring.module")
    module_connection.disconnect()
    disconnected = stage(connection_events.next, about=module, needs="monitoring.module")

    readings.match(f"{connected.operation}, {disconnected.operation}")


@clause("monitoring.module-id")
def test_an_event_about_a_module_names_it(connection_events, module, module_connection, readings, stage):
    """The module's own id or none, and never another's."""
    stage(module_connection.publish, module.topics.events, b"here", needs="d2c.puback")

    event = stage(connection_events.next, about=module, needs="monitoring.module")
    readings.match(event.names_module(module.id.partition("/")[2]))


@clause("monitoring.unused")
def test_a_connection_that_is_not_used(device, other_device, connection_events, connection, observed, stage):
    """Another device connects later and publishes; what was told of the first one by then is recorded."""
    connection.ping()

    connection_events.follow(other_device.id)
    stage(stage(other_device.connect).publish, other_device.topics.events, b"here", needs="d2c.puback")
    stage(connection_events.next, about=other_device, needs="monitoring.connected")

    observed(f"told: {connection_events.told_so_far(about=device)}")


@clause("monitoring.registry-state")
def test_the_registrys_connection_state(
    device, registry, connection_events, reported_connection, observed, stage
):
    """Microsoft says that it may lag by minutes: what it is after each event is recorded."""
    connected = registry.connection_state(device.id)
    reported_connection.disconnect()
    stage(connection_events.next, about=device, needs="monitoring.disconnected")

    observed(f"told as connected: {connected}; as disconnected: {registry.connection_state(device.id)}")


@clause("monitoring.hub-name")
def test_an_event_names_the_hub(device, connection_events, connection, service, stage):
    """In its properties, and as the author that AMQP knows; what it holds is JSON in UTF-8."""
    stage(connection.publish, device.topics.events, b"here", needs="d2c.puback")

    marks = stage(connection_events.next, about=device, needs="monitoring.connected").marks()
    assert {name: marks[name] for name in ("hubName", "user-id", "content-type", "content-encoding")} == {
        "hubName": service.hub_name,
        "user-id": service.hub_name,
        "content-type": "application/json",
        "content-encoding": "utf-8",
    }


@clause("monitoring.at-intervals")
def test_connections_are_told_once_in_an_interval(
    device, other_device, connection_events, reported_connection, intervals, stage
):
    """Six connections, each used and ended; behind them another device's is told."""
    reported_connection.disconnect()
    elapsed = intervals()
    for _ in range(6):
        connection = stage(device.connect)
        stage(connection.publish, device.topics.events, b"here", needs="d2c.puback")
        connection.disconnect()
    connection_events.follow(other_device.id)
    stage(stage(other_device.connect).publish, other_device.topics.events, b"here", needs="d2c.puback")
    stage(connection_events.next, about=other_device, needs="monitoring.connected")

    assert connection_events.count_so_far(about=device) <= elapsed() + 1
