"""The Will after ends that the hub brings about: silence, an error, a newer connection.

Document: #using-the-mqtt-protocol-directly-as-a-device. Clauses: clauses/will.toml.

The document speaks of a network connection that is closed without DISCONNECT, whoever closes it, and MQTT
names silence and errors among the ends that send the Will [MQTT-3.1.2-8]. Of a newer connection neither
speaks.
"""

import pytest

from conformance.mqtt.fields import Will
from conformance.mqtt.raw_packets import packet, text

clause = pytest.mark.clause

SENT = '"gone" (iothub-MessageType=Will)'


@clause("will.on-keep-alive")
def test_a_client_dropped_for_its_silence(device, stage, keep_alive, hub, arrivals, untouched):
    """[MQTT-3.1.2-24] A silent client is disconnected as if the network had failed."""
    will = Will(topic=device.topics.events, payload=b"gone", qos=1)
    silent = stage(
        device.raw_connected, clean_session=False, keep_alive=keep_alive, will=will, needs="will.accepted"
    )

    limit = 1.5 * keep_alive + hub.timing["keep-alive-tolerance"] + hub.timeouts.reaction
    stage(silent.expect_closed, within=limit, needs="connection.keep-alive")

    assert arrivals(device) == SENT
    untouched.confirm()


@clause("will.on-protocol-error")
@pytest.mark.parametrize(
    "error",
    [
        pytest.param(lambda device: b"\xf0\x00", id="reserved-packet-type"),
        pytest.param(
            lambda device: packet(0x36, text(device.topics.events), b"\x00\x01", b"x"), id="publish-of-QoS-3"
        ),
        pytest.param(lambda device: device.connect_packet(clean_session=False), id="second-CONNECT"),
    ],
)
def test_a_client_dropped_for_an_error(device, stage, arrivals, error, untouched):
    """[MQTT-4.8.0-1] A protocol error closes the network connection without a DISCONNECT."""
    will = Will(topic=device.topics.events, payload=b"gone", qos=1)
    wrong = stage(device.raw_connected, clean_session=False, will=will, needs="will.accepted")

    wrong.send(error(device))
    stage(wrong.expect_closed, needs="packets.malformed")

    assert arrivals(device) == SENT
    untouched.confirm()


@clause("will.on-takeover")
def test_a_client_replaced_by_a_newer_connection(device, willed, stage, arrivals, observed, untouched):
    """The hub drops the older connection of a device; whether its Will is sent is not known."""
    newer = stage(device.connect, clean_session=False)
    stage(willed.expect_replaced, needs="connection.newest-wins")
    stage(newer.disconnect)

    observed(arrivals(device))
    untouched.confirm()
