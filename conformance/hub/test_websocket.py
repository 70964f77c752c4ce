"""MQTT over WebSocket.

Document: #communicate-with-your-iot-hub-using-the-mqtt-protocol, and MQTT 3.1.1 section 6.
Clauses: clauses/websocket.toml.

A device that cannot reach port 8883 speaks the same MQTT over WebSocket on port 443, in binary
frames. The path is /$iothub/websocket, the subprotocol mqtt. Frames are no border of packets.
"""

import pytest

from conformance.mqtt.raw_packets import packet, text
from conformance.mqtt.tls import CIPHER_SUITES
from conformance.mqtt.websocket import NO_CLIENT_CERTIFICATE, WebSocket

clause = pytest.mark.clause

PINGREQ = b"\xc0\x00"


@clause("websocket.mqtt")
def test_a_device_connects_and_pings_over_websocket(device):
    """CONNECT and PINGREQ are served over WebSocket."""
    connection = device.connect(over=WebSocket())

    connection.ping()


@clause("websocket.mqtt")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("Connection", "keep-alive, Upgrade", id="Connection-of-several-words"),
        pytest.param("Connection", "upgrade", id="Connection-in-small-letters"),
        pytest.param("Upgrade", "WebSocket", id="Upgrade-in-capitals"),
        pytest.param("Sec-WebSocket-Extensions", "permessage-deflate", id="an-extension-that-is-offered"),
        pytest.param("Origin", "https://example.com", id="an-origin"),
        pytest.param("X-Other", "anything", id="a-field-of-its-own"),
    ],
)
def test_a_request_may_be_written_as_http_allows(device, name, value):
    """RFC 6455, 4.2.1: words in any letter case, lists of them, and whatever else a client sends."""
    device.expect_accepted(over=WebSocket(fields=((name, value),)))


@clause("websocket.mqtt")
@pytest.mark.parametrize("qos", [0, 1])
def test_a_device_publishes_over_websocket(device, qos):
    """A publish to the events topic is taken, and the session goes on."""
    connection = device.connect(over=WebSocket())

    connection.publish(device.topics.events, b"over WebSocket", qos=qos)

    connection.ping()


@clause("websocket.subscribe")
@pytest.mark.parametrize(("asked", "granted"), [(0, 0), (1, 1), (2, 1)])
def test_a_device_subscribes_over_websocket(device, over_websocket, asked, granted):
    """SUBSCRIBE is granted as on the MQTT port, and UNSUBSCRIBE is answered."""
    assert over_websocket.subscribe(device.topics.devicebound, qos=asked) == granted

    over_websocket.unsubscribe(device.topics.devicebound)


@clause("websocket.mqtt")
def test_credentials_are_asked_for_over_websocket_too(websocket_admitted, other_device, untouched):
    """Another device's token opens no session, whatever way it comes."""
    websocket_admitted.expect_refused(over=WebSocket(), password=other_device.token())
    untouched.confirm()


@clause("websocket.cipher-suites")
@pytest.mark.parametrize(
    "suites",
    [pytest.param(CIPHER_SUITES, id="the-four"), *(pytest.param((name,), id=name) for name in CIPHER_SUITES)],
)
def test_a_device_with_the_documented_cipher_suites_gets_a_session_over_websocket(device, suites):
    """A client that offers only suites that Microsoft names connects, and its messages are taken."""
    connection = device.connect(over=WebSocket(), ciphers=suites)

    connection.publish(device.topics.events, b"21.5" * 1024, qos=1)


@clause("websocket.subprotocol")
@pytest.mark.parametrize(
    "offered", [pytest.param((), id="none"), pytest.param(("chat",), id="an-unrelated-one")]
)
def test_a_client_that_does_not_offer_mqtt_gets_no_session(websocket_admitted, readings, offered, untouched):
    """[MQTT-6.0.0-3] A client has to offer mqtt; how a hub turns away one that does not is not stated."""
    readings.match(websocket_admitted.websocket_outcome(WebSocket(subprotocols=offered)))
    untouched.confirm()


@clause("websocket.subprotocol-chosen")
@pytest.mark.parametrize(
    "offered",
    [
        pytest.param(("mqtt",), id="alone"),
        pytest.param(("mqtt", "chat"), id="before-another"),
        pytest.param(("chat", "mqtt"), id="behind-another"),
    ],
)
def test_mqtt_is_chosen_from_what_the_client_offers(websocket_admitted, offered):
    """[MQTT-6.0.0-3] [MQTT-6.0.0-4] mqtt is among the names offered, and it is the one returned."""
    websocket = websocket_admitted.websocket(WebSocket(subprotocols=offered))

    assert websocket.subprotocol == "mqtt"


@clause("websocket.subprotocol-case")
@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(WebSocket(subprotocols=("MQTT",)), id="capitals"),
        pytest.param(WebSocket(subprotocols=("Mqtt",)), id="one-capital"),
        pytest.param(WebSocket(subprotocols=("chat", "MQTT")), id="capitals-behind-another"),
        pytest.param(
            WebSocket(subprotocols=("MQTT",), query=NO_CLIENT_CERTIFICATE), id="capitals-without-certificate"
        ),
    ],
)
def test_mqtt_is_offered_in_other_letter_case(websocket_admitted, readings, wanted, untouched):
    """RFC 6455, 4.2.2: what a server returns was offered; Microsoft's C SDK has offered MQTT since 2016."""
    readings.match(websocket_admitted.websocket_choice(wanted))
    untouched.confirm()


@clause("websocket.handshake-refused")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("Sec-WebSocket-Key", None, id="no-key"),
        pytest.param("Sec-WebSocket-Key", "c2hvcnQ=", id="key-of-five-bytes"),
        pytest.param("Sec-WebSocket-Key", "!!!!!!!!!!!!!!!!!!!!!!==", id="key-that-is-no-base64"),
        pytest.param("Upgrade", None, id="no-Upgrade"),
        pytest.param("Upgrade", "h2c", id="upgrade-to-something-else"),
        pytest.param("Connection", None, id="no-Connection"),
        pytest.param("Connection", "keep-alive", id="connection-that-does-not-upgrade"),
        pytest.param("Sec-WebSocket-Version", None, id="no-version"),
        pytest.param("Host", None, id="no-host"),
    ],
)
def test_a_request_that_lacks_something_opens_no_websocket(websocket_admitted, name, value, untouched):
    """RFC 6455, 4.2.1: the server stops, and says so by a status of HTTP."""
    outcome = websocket_admitted.websocket_outcome(WebSocket(fields=((name, value),)))

    assert outcome.startswith("http 4")
    untouched.confirm()


@clause("websocket.version")
@pytest.mark.parametrize("version", ["0", "8", "14"])
def test_a_request_of_another_version_is_told_the_right_one(websocket_admitted, version, untouched):
    """RFC 6455, 4.2.2: no WebSocket opens, and the refusal names version 13."""
    wanted = WebSocket(fields=(("Sec-WebSocket-Version", version),))

    status, _, versions = websocket_admitted.websocket_versions(wanted).partition(", versions ")

    assert (status.startswith("http 4"), versions) == (True, "13")
    untouched.confirm()


@clause("websocket.frames")
def test_a_connect_may_come_with_a_byte_in_each_frame(websocket):
    """[MQTT-6.0.0-2] A packet is a packet however many frames carry it."""
    websocket.send_slowly(websocket.device.connect_packet())

    assert websocket.take(1) == ("connack 0",)


@clause("websocket.frames")
def test_a_publish_may_be_split_over_two_frames(websocket_connected):
    """[MQTT-6.0.0-2] A frame may end inside a packet."""
    topic = text(websocket_connected.device.topics.events)
    publish = packet(0x32, topic, b"\x00\x01", b"in two frames")

    websocket_connected.send(publish[:7], publish[7:])

    assert websocket_connected.take(1) == ("puback 1",)


@clause("websocket.frames")
def test_a_frame_may_end_inside_the_packet_behind_the_first(websocket_connected):
    """[MQTT-6.0.0-2] A frame may carry one packet and a half."""
    topic = text(websocket_connected.device.topics.events)
    first = packet(0x32, topic, b"\x00\x01", b"one")
    second = packet(0x32, topic, b"\x00\x02", b"two")

    websocket_connected.send(first + second[:1], second[1:])

    assert websocket_connected.take(2) == ("puback 1", "puback 2")


@clause("websocket.frames")
def test_several_packets_may_come_in_one_frame(websocket_connected):
    """[MQTT-6.0.0-2] A frame may carry several packets; their answers come in any order."""
    topic = text(websocket_connected.device.topics.events)
    first = packet(0x32, topic, b"\x00\x01", b"one")
    second = packet(0x32, topic, b"\x00\x02", b"two")

    websocket_connected.send(first + second + PINGREQ)

    assert set(websocket_connected.take(3)) == {"puback 1", "puback 2", "pingresp"}


@clause("websocket.frames")
def test_a_publish_may_come_in_the_fragments_of_one_message(websocket_connected):
    """[MQTT-6.0.0-2] A message of several frames is as good as several messages (RFC 6455, section 5.4)."""
    topic = text(websocket_connected.device.topics.events)
    publish = packet(0x32, topic, b"\x00\x01", b"in fragments")

    websocket_connected.send_fragments(publish[:1], publish[1:9], publish[9:])

    assert websocket_connected.take(1) == ("puback 1",)


@clause("websocket.frames")
@pytest.mark.parametrize(
    ("size", "fixed_header"),
    [
        pytest.param(125, 2, id="in-one-byte-at-most"),
        pytest.param(126, 2, id="in-two-bytes"),
        pytest.param(65535, 4, id="in-two-bytes-at-most", marks=pytest.mark.large),
        pytest.param(65536, 4, id="in-eight-bytes", marks=pytest.mark.large),
    ],
)
def test_a_frame_may_have_a_length_of_each_form(websocket_connected, size, fixed_header):
    """[MQTT-6.0.0-2] A packet may fill a frame of any length, which RFC 6455 writes in three forms."""
    topic = text(websocket_connected.device.topics.events)
    publish = packet(0x32, topic, b"\x00\x01", bytes(size - fixed_header - len(topic) - 2))

    websocket_connected.send(publish)

    assert (len(publish), websocket_connected.take(1)) == (size, ("puback 1",))


@clause("websocket.text-frame")
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda topic: "no MQTT at all", id="words"),
        pytest.param(lambda topic: packet(0x30, text(topic), b"as text").decode(), id="a-publish"),
        pytest.param(lambda topic: "", id="empty"),
    ],
)
def test_a_text_frame_closes_the_connection(websocket_connected, content, untouched):
    """[MQTT-6.0.0-1] Packets come in binary frames; whoever receives another data frame closes."""
    websocket_connected.send_text(content(websocket_connected.device.topics.events))

    websocket_connected.expect_closed()
    untouched.confirm()


@clause("websocket.text-frame")
def test_a_text_frame_before_connect_closes_the_connection(websocket, untouched):
    """[MQTT-6.0.0-1] It closes at once, session or not."""
    websocket.send_text("no MQTT at all")

    websocket.expect_closed()
    untouched.confirm()


@clause("websocket.no-client-cert")
def test_a_client_that_has_no_certificate_may_say_so(device):
    """The query iothub-no-client-cert=true leaves the path what it is: a session opens and takes messages."""
    connection = device.connect(over=WebSocket(query=NO_CLIENT_CERTIFICATE))

    connection.publish(device.topics.events, b"without a certificate", qos=1)


@clause("websocket.x509")
def test_a_certificate_over_websocket(certified, observed):
    """Microsoft's own tests connect so; no page states it."""
    observed(certified.attempt_to_publish(over=WebSocket()))
