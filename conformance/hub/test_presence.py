"""What the registry says of a device's connection, of when it was there, and of what waits for it.

Microsoft, "Understand the identity registry in your IoT hub", and the REST reference. Clauses:
clauses/presence.toml.
"""

import pytest

clause = pytest.mark.clause


@clause("presence.connection-state")
def test_a_device_reads_as_connected_and_as_gone(device, connection, identities, twins, hub):
    """By its identity, and by its twin."""
    lag = hub.timing["connection-state"]
    connected = identities.await_member(device, "connectionState", "Connected", within=lag)
    of_twin = twins.get(device).connection_state

    connection.disconnect()
    gone = identities.await_member(device, "connectionState", "Disconnected", within=lag)

    assert (connected, of_twin) == ("Connected", "Connected")
    assert (gone, twins.get(device).connection_state) == ("Disconnected", "Disconnected")


@clause("presence.connection-state")
def test_a_connection_that_takes_over_leaves_a_device_connected(
    device, connection, identities, hub, stage, untouched
):
    """The end of the older one is none of the device."""
    newer = stage(device.connect)
    connection.expect_closed()
    stage(newer.ping)

    lag = hub.timing["connection-state"]
    assert identities.await_member(device, "connectionState", "Connected", within=lag) == "Connected"
    untouched.confirm()


@clause("presence.connection-state")
@pytest.mark.clock
def test_the_registry_says_when_a_connection_changed(device, connection, identities, c2d, hub):
    """When it came, and when it went."""
    lag = hub.timing["connection-state"]
    identities.await_member(device, "connectionState", "Connected", within=lag)
    came, now = identities.get(device).time("connectionStateUpdatedTime"), c2d.hubs_time()

    connection.disconnect()
    identities.await_member(device, "connectionState", "Disconnected", within=lag)
    went = identities.get(device).time("connectionStateUpdatedTime")

    assert None not in {came, went}
    assert abs(came - now) <= lag + hub.timeouts.connect
    assert went > came


@clause("presence.activity")
@pytest.mark.clock
def test_the_registry_says_when_a_device_was_last_there(device, identities, c2d, hub, stage):
    """Not before it connected for the first time; then at about this time, which may be told later."""
    lag = hub.timing["connection-state"]
    connection, now = stage(device.connect), c2d.hubs_time()
    connection.disconnect()
    identities.await_member(device, "connectionState", "Disconnected", within=lag)

    seen = identities.await_time(device, "lastActivityTime", within=lag)
    assert seen is not None
    assert abs(seen - now) <= lag + hub.timeouts.connect


@clause("presence.pending-count")
def test_messages_that_wait_are_counted(away, identities, twins, c2d):
    """None at first; three that were sent; none behind a purge. By the identity and by the twin."""
    counts = [identities.get(away)["cloudToDeviceMessageCount"]]
    c2d.send_each(away, [b"1", b"2", b"3"])
    counts.append(identities.get(away)["cloudToDeviceMessageCount"])
    of_twin = twins.get(away).pending_messages
    c2d.purge(away)
    counts.append(identities.get(away)["cloudToDeviceMessageCount"])

    assert (counts, of_twin) == ([0, 3, 0], 3)


@clause("presence.pending-count")
def test_a_message_waits_until_its_puback(holder, device, identities, c2d, stage):
    """Delivered, it is still one that waits; acknowledged, it is none."""
    c2d.send(device, b"held")
    message = stage(holder.expect_message, needs="c2d.delivered")
    delivered = identities.get(device)["cloudToDeviceMessageCount"]
    holder.acknowledge(message)
    stage(holder.ping)

    assert (delivered, identities.get(device)["cloudToDeviceMessageCount"]) == (1, 0)


@clause("presence.purge-count")
@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_purge_says_how_many_it_removed(away, other_device, c2d, count):
    """Of this device; what waits for another is left out, and left there."""
    c2d.send_each(away, [b"x"] * count)
    c2d.send(other_device, b"not this one")

    assert [c2d.purge(away), c2d.purge(away), c2d.purge(other_device)] == [count, 0, 1]
