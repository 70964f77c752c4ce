"""Connecting as a device: the CONNECT packet and its answer.

Document: #using-the-mqtt-protocol-directly-as-a-device, #using-the-device-sdks and the sample
program under #tlsssl-configuration. Clauses: clauses/connect.toml.

MQTT 3.1.1 alone gets a session. CONNECT comes first and once; a refusal ends the connection, and
nothing that was sent behind it counts.
"""

import pytest

from conformance.mqtt.raw_packets import packet, text

clause = pytest.mark.clause

PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"


@clause("connect.protocol-level")
@pytest.mark.parametrize(
    ("protocol", "level", "properties"),
    [
        pytest.param("MQIsdp", 3, b"", id="MQTT-3.1"),
        pytest.param("MQTT", 5, b"\x00", id="MQTT-5"),
        pytest.param("MQTT", 0x84, b"", id="a-bridges-mark"),
    ],
)
def test_other_versions_of_mqtt_get_no_session(raw, protocol, level, properties, untouched):
    """A CONNECT of MQTT 3.1 or MQTT 5 is refused, whatever its credentials."""
    raw.send(raw.device.connect_packet(protocol=protocol, level=level, properties=properties))

    raw.expect_refused()
    untouched.confirm()


@clause("connect.sdk-defaults")
def test_clean_session_0_with_qos_1_delivers(device, telemetry):
    """What SDKs do by default works: CleanSession 0 and a QoS 1 publish, acknowledged and delivered."""
    connection = device.connect(clean_session=False)

    connection.publish(device.topics.events, b"as an SDK does", qos=1)

    assert telemetry.next(sent_by=device).body == b"as an SDK does"


@clause("connect.sdk-defaults")
def test_clean_session_0_with_qos_1_is_acknowledged(device):
    """The device's side of it: the session opens, and one PUBACK comes."""
    connection = device.connect(clean_session=False)

    connection.publish(device.topics.events, b"as an SDK does", qos=1)

    assert connection.outcome() == "no answer"


@clause("connect.sample-program")
def test_the_sample_programs_packets_deliver(raw, telemetry):
    """The sample connects with CleanSession 1 and keep-alive 60, and publishes before CONNACK came."""
    connect = raw.device.connect_packet(clean_session=True, keep_alive=60)
    publish = packet(0x32, text(raw.device.topics.events), b"\x00\x01", b"{id=123}")

    raw.send(connect + publish)

    assert telemetry.next(sent_by=raw.device).body == b"{id=123}"


@clause("connect.sample-program")
def test_the_sample_programs_packets_are_acknowledged(raw):
    """The device's side of it: CONNACK, then the PUBACK of what was published before."""
    connect = raw.device.connect_packet(clean_session=True, keep_alive=60)

    raw.send(connect + packet(0x32, text(raw.device.topics.events), b"\x00\x01", b"{id=123}"))

    assert raw.take(2) == ("connack 0", "puback 1")


@clause("connect.first-packet")
@pytest.mark.parametrize(
    "first",
    [
        pytest.param(packet(0x30, text("devices/any/messages/events/"), b"x"), id="PUBLISH"),
        pytest.param(
            packet(0x82, b"\x00\x01", text("devices/any/messages/devicebound/#"), b"\x01"), id="SUBSCRIBE"
        ),
        pytest.param(PINGREQ, id="PINGREQ"),
        pytest.param(DISCONNECT, id="DISCONNECT"),
    ],
)
def test_anything_but_connect_first_closes(raw, first, untouched):
    """[MQTT-3.1.0-1] The first packet of a client is CONNECT."""
    raw.send(first)

    raw.expect_closed()
    untouched.confirm()


@clause("connect.second-connect")
def test_a_second_connect_closes(raw_connected, untouched):
    """[MQTT-3.1.0-2] A second CONNECT is a protocol violation."""
    raw_connected.send(raw_connected.device.connect_packet())

    raw_connected.expect_closed()
    untouched.confirm()


@clause("connect.rejected-data")
def test_packets_behind_a_refused_connect_have_no_effect(raw, other_device, telemetry, untouched):
    """[MQTT-3.1.4-5] Nothing that was sent behind a refused CONNECT is processed."""
    refused = raw.device.connect_packet(password=other_device.token())
    publish = packet(0x30, text(raw.device.topics.events), b"sent behind a refused CONNECT")

    raw.send(refused + publish)
    raw.expect_refused()

    assert telemetry.until_fence(raw.device) == []
    untouched.confirm()


@clause("connect.refusal-closes")
def test_a_refusal_is_the_last_packet(raw, other_device, untouched):
    """After a refusal the connection is closed, and a PINGREQ behind the CONNECT stays unanswered."""
    raw.send(raw.device.connect_packet(password=other_device.token()) + PINGREQ)
    raw.expect_refused()

    raw.expect_silent_close()
    untouched.confirm()


@clause("connect.refusal-code")
def test_a_bad_token_is_refused_with_a_code_of_mqtt(admitted, other_device, readings, untouched):
    """The code is 1 to 5, or the connection is closed without one."""
    readings.match(admitted.attempt(password=other_device.token(resource=admitted.resource)))
    untouched.confirm()


@clause("connect.clean-session-present")
def test_no_session_is_present_after_clean_session_1(device, stage):
    """[MQTT-3.2.2-1] CleanSession 1 discards what an earlier session left."""
    earlier = stage(device.connect, clean_session=False)
    earlier.try_to_subscribe(device.topics.devicebound)
    earlier.drop()

    assert device.connect(clean_session=True).session_present == 0


@clause("connect.clean-session-present")
def test_no_session_is_present_in_a_refusal(raw, other_device, untouched):
    """[MQTT-3.2.2-4] A CONNACK that refuses has session-present 0."""
    raw.send(raw.device.connect_packet(password=other_device.token(), clean_session=False))
    raw.expect_refused()

    assert [connack.session_present for connack in raw.received] in ([0], [])
    untouched.confirm()


@clause("connect.session-present")
def test_a_session_may_be_present_after_clean_session_0(away, readings):
    """[MQTT-3.2.2-2] A hub that keeps the session says so with 1; only 0 and 1 have a meaning."""
    readings.match(str(away.connect(clean_session=False).session_present))


@clause("connect.session-present")
def test_a_session_may_be_present_at_the_second_return_too(away, stage, readings):
    """[MQTT-3.2.2-2] Returning once, without another SUBSCRIBE, uses nothing up."""
    stage(away.expect_accepted, clean_session=False)

    readings.match(str(away.connect(clean_session=False).session_present))


@clause("connect.keep-alive-long")
@pytest.mark.parametrize("keep_alive", [1740, 65535])
def test_a_long_keep_alive_is_accepted(device, keep_alive):
    """A keep-alive beyond the hub's own limit is shortened by the hub, not refused."""
    device.expect_accepted(keep_alive=keep_alive)
