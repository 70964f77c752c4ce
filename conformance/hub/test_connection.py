"""The life of a connection: one per device, closed on errors, harmless to others.

Document: #sending-device-to-cloud-messages and #migrating-a-device-app-from-amqp-to-mqtt.
Clauses: clauses/connection.toml.

A new connection of a device replaces the old one. MQTT 3.1.1 has no packet that could tell an
error, so the hub closes the connection, and only that one.
"""

import pytest

from conformance.mqtt.raw_packets import packet, text
from conformance.mqtt.websocket import WebSocket

clause = pytest.mark.clause

PINGREQ = b"\xc0\x00"


@clause("connection.newest-wins")
def test_each_new_connection_replaces_the_one_before(device, connection, untouched):
    """A hub holds one connection per device: three times in a row the newest one stays."""
    second = device.connect()
    connection.expect_replaced()
    second.ping()

    third = device.connect()
    second.expect_replaced()
    third.ping()

    fourth = device.connect()
    third.expect_replaced()
    fourth.ping()
    untouched.confirm()


@clause("connection.scope")
def test_a_modules_new_connection_replaces_its_own_alone(
    module, module_connection, connection, sibling_connection, untouched
):
    """Device and sibling keep theirs."""
    newer = module.connect()

    module_connection.expect_replaced()
    newer.ping()
    connection.ping()
    sibling_connection.ping()
    untouched.confirm()


@clause("connection.scope")
def test_a_devices_new_connection_replaces_its_own_alone(device, connection, module_connection, untouched):
    """Its module keeps its own."""
    newer = device.connect()

    connection.expect_replaced()
    newer.ping()
    module_connection.ping()
    untouched.confirm()


@clause("connection.scope")
def test_a_module_stays_when_its_device_leaves(connection, module_connection):
    """The end of the device's connection is not that of its module's."""
    connection.disconnect()

    module_connection.ping()


@clause("connection.errors-close")
@pytest.mark.parametrize(
    "error",
    [
        pytest.param(
            lambda topic: packet(0x30, text(topic), bytes(266 * 1024)),
            id="oversize-publish",
            marks=pytest.mark.large,
        ),
        pytest.param(lambda topic: packet(0x30, text(f"{topic}#"), b"x"), id="wildcard-in-topic-name"),
        pytest.param(lambda topic: packet(0x36, text(topic), b"\x00\x01", b"x"), id="QoS-3"),
    ],
)
def test_an_error_closes_without_a_packet(raw_connected, error, untouched):
    """Where AMQP would return an error, the MQTT connection just ends."""
    raw_connected.send(error(raw_connected.device.topics.events))

    raw_connected.expect_silent_close()
    untouched.confirm()


@clause("connection.survives-others")
def test_a_violation_disturbs_nobody_else(raw_connected, bystander, stage, untouched):
    """A connection closed for a malformed packet leaves every other one alone."""
    raw_connected.send(b"\xf0\x00")
    stage(raw_connected.expect_closed, needs="packets.malformed")

    bystander.ping()
    untouched.confirm()


@clause("connection.survives-others")
def test_a_refusal_disturbs_nobody_else(admitted, other_device, bystander, stage, untouched):
    """A refused CONNECT leaves every open connection alone."""
    stage(admitted.expect_refused, password=other_device.token(), needs="sas.bad-signature")

    bystander.ping()
    untouched.confirm()


@clause("connection.survives-others")
def test_a_flood_of_pings_disturbs_nobody_else(raw_connected, bystander):
    """A client that sends 1,000 packets at once leaves every other connection served."""
    raw_connected.send(PINGREQ * 1000)

    bystander.ping()


@clause("connection.survives-others")
@pytest.mark.parametrize(
    "share",
    [
        pytest.param(lambda publish: publish[:1], id="first-byte"),
        pytest.param(lambda publish: publish[:-1], id="all-but-the-last-byte"),
    ],
)
def test_what_a_lost_client_left_unfinished_is_nobodys(device, other_device, raw_connected, bystander, share):
    """It is lost in the middle of a PUBLISH: whoever speaks or comes next is read from its own first byte."""
    raw_connected.send(share(raw_connected.publish_packet(device.topics.events, b"21.5")))
    raw_connected.drop()

    other_device.expect_accepted()
    bystander.ping()
    device.expect_accepted()


@clause("connection.survives-others")
def test_half_a_connect_is_nobodys(raw, other_device, bystander):
    """Likewise, where it is lost before it is known who it is."""
    raw.send(raw.device.connect_packet()[:-10])
    raw.drop()

    other_device.expect_accepted()
    bystander.ping()
    raw.device.expect_accepted()


@clause("connection.ping")
def test_three_pings_get_three_answers(raw_connected):
    """[MQTT-3.12.4-1] Each PINGREQ is answered."""
    raw_connected.send(PINGREQ * 3)

    assert raw_connected.take(3) == ("pingresp", "pingresp", "pingresp")
    assert raw_connected.outcome() == "no answer"


@clause("connection.disconnect-closes")
def test_what_follows_a_disconnect(raw_connected, observed):
    """The client closes after DISCONNECT; whether the hub does so first is its own affair."""
    raw_connected.send(b"\xe0\x00")

    observed(raw_connected.outcome(fence=False))


@clause("connection.changed-under-way")
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda registry, device: registry.set_status(device.id, "disabled"), id="disabled"),
        pytest.param(lambda registry, device: registry.delete([device.id]), id="deleted"),
        pytest.param(lambda registry, device: registry.replace_keys(device.id), id="keys-replaced"),
    ],
)
def test_an_identity_changes_under_an_open_connection(connection, registry, observed, change):
    """Hubs are known to drop a device that is disabled while connected; the rest is not documented."""
    change(registry, connection.device)

    observed(connection.outcome())


@clause("connection.refused-leaves-it")
@pytest.mark.parametrize("clean_session", [True, False], ids=["CleanSession-1", "CleanSession-0"])
def test_a_refused_connect_replaces_nothing(
    device, receiver, other_device, c2d, stage, clean_session, untouched
):
    """A newer connection counts once it is accepted: with a wrong token the open one stays, and hears."""
    wrong = other_device.token(resource=device.resource)
    stage(device.expect_refused, password=wrong, clean_session=clean_session, needs="sas.bad-signature")

    c2d.send(device, b"still there")

    assert receiver.expect_message(device.topics.devicebound).payload == b"still there"
    untouched.confirm()


@clause("connection.newer-hears")
@pytest.mark.needs("registry")
@pytest.mark.needs("websocket")
@pytest.mark.parametrize(
    ("older", "newer"),
    [
        pytest.param(
            {"over": None, "clean_session": False},
            {"over": WebSocket(), "clean_session": False},
            id="kept-over-WebSocket",
        ),
        pytest.param(
            {"over": WebSocket(), "clean_session": False},
            {"over": None, "clean_session": True},
            id="kept-then-clean",
        ),
        pytest.param(
            {"over": None, "clean_session": True},
            {"over": None, "clean_session": False},
            id="clean-then-kept",
        ),
        pytest.param(
            {"over": WebSocket(), "clean_session": True},
            {"over": WebSocket(), "clean_session": True},
            id="clean-both-over-WebSocket",
        ),
    ],
)
def test_what_is_for_the_device_comes_to_its_newer_connection(trial, older, newer):
    """Both have subscribed to everything; the older one has gone by then, however either came."""
    everything = "mine: desired change, message, method request, twin answer"

    assert trial.taken_over(older, newer) == f"older: nothing; newer: {everything}"
