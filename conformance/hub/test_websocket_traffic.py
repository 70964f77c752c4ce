"""What goes over WebSocket is the same traffic as on the MQTT port.

Document: #communicate-with-your-iot-hub-using-the-mqtt-protocol, and the sections that each rule comes from.
Clauses: clauses/websocket.toml.

The document gives two ways to the same hub. Messages, the one connection of a device, errors and the
Will follow the same rules on both.
"""

import pytest

from conformance.mqtt.raw_packets import packet, text
from conformance.mqtt.websocket import WebSocket

clause = pytest.mark.clause


@clause("websocket.telemetry")
@pytest.mark.parametrize("qos", [0, 1])
def test_a_message_published_over_websocket_reaches_the_back_end(device, over_websocket, telemetry, qos):
    """Body and property bag arrive as on the MQTT port, byte by byte."""
    over_websocket.publish(f"{device.topics.events}alarm=true", bytes(range(256)), qos=qos)

    message = telemetry.next(sent_by=device)
    assert (message.device_id, message.body, message.properties) == (
        device.device_id,
        bytes(range(256)),
        {"alarm": "true"},
    )


@clause("websocket.c2d")
def test_a_message_for_the_device_comes_over_websocket(device, over_websocket, c2d, stage):
    """It comes on the device's topic, byte by byte."""
    stage(over_websocket.subscribe, device.topics.devicebound, qos=1, needs="websocket.subscribe")

    c2d.send(device, bytes(range(256)))

    message = over_websocket.expect_message(device.topics.devicebound)
    assert (message.payload, message.qos) == (bytes(range(256)), 1)


@clause("websocket.acknowledged")
def test_a_puback_over_websocket_removes_its_message(
    device, over_websocket_holder, c2d, stage, within_lock, redelivery
):
    """Two messages, the first acknowledged: on the MQTT port the second comes again, the first does not."""
    with within_lock():
        c2d.send_each(device, [b"acknowledged", b"not acknowledged"])
        arrived = stage(over_websocket_holder.messages_until, b"not acknowledged", needs="websocket.c2d")
        over_websocket_holder.acknowledge(arrived[0])
        stage(over_websocket_holder.ping, needs="connection.ping")
    over_websocket_holder.drop()

    returned = stage(device.connect, clean_session=False)
    stage(returned.subscribe, device.topics.devicebound, needs="c2d.subscribe")

    arrived = returned.messages_until(b"not acknowledged", within=redelivery)
    assert [message.payload for message in arrived] == [b"not acknowledged"]


@clause("websocket.one-connection")
@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(WebSocket(), WebSocket(), id="both-over-WebSocket"),
        pytest.param(None, WebSocket(), id="WebSocket-replaces-TLS"),
        pytest.param(WebSocket(), None, id="TLS-replaces-WebSocket"),
    ],
)
def test_a_new_connection_replaces_the_old_one_either_way(device, stage, first, second, untouched):
    """A device has one connection, whichever way it came."""
    older = stage(device.connect, over=first, needs="websocket.mqtt")

    newer = device.connect(over=second)

    older.expect_replaced()
    newer.ping()
    untouched.confirm()


@clause("websocket.errors-close")
@pytest.mark.parametrize(
    "error",
    [
        pytest.param(lambda topic: packet(0x36, text(topic), b"\x00\x01", b"x"), id="QoS-3"),
        pytest.param(lambda topic: packet(0x30, text(f"{topic}#"), b"x"), id="wildcard-in-topic-name"),
        pytest.param(lambda topic: b"\xf0\x00", id="unknown-packet-type"),
    ],
)
def test_an_error_closes_a_websocket_without_a_packet(websocket_connected, error, untouched):
    """Where AMQP would return an error, the connection just ends, over WebSocket too."""
    websocket_connected.send(error(websocket_connected.device.topics.events))

    websocket_connected.expect_silent_close()
    untouched.confirm()


@clause("websocket.will")
@pytest.mark.parametrize(
    "lose",
    [
        pytest.param(lambda connection: connection.drop(), id="abrupt-close"),
        pytest.param(lambda connection: connection.reset(), id="TCP-reset"),
        pytest.param(lambda connection: connection.half_close(), id="Close-frame"),
    ],
)
def test_a_websocket_that_ends_without_disconnect_sends_the_will(
    device, willed_over_websocket, telemetry, lose
):
    """[MQTT-3.1.2-8] A Close frame ends the network connection; it is no DISCONNECT."""
    lose(willed_over_websocket)

    assert telemetry.next(sent_by=device).body == b"gone"


@clause("websocket.will")
def test_a_websocket_that_ends_with_disconnect_sends_no_will(device, willed_over_websocket, telemetry):
    """[MQTT-3.1.2-10] DISCONNECT, then a Close frame: the Will is forgotten."""
    willed_over_websocket.disconnect()

    assert telemetry.until_no_will_is_due(device) == []
