"""MQTT over WebSocket on the HTTPS port: the upgrade, the frames, and every way to the end."""

import contextlib
import gc
import socket

import paho.mqtt.client as paho
import pytest
from live_hub import PATIENCE, live_hub
from mqtt_bytes import DISCONNECT, PINGREQ, PINGRESP, client_bytes
from websocket_client import (
    BINARY,
    CLOSE,
    CONTINUATION,
    DEVICE_PATH,
    PING,
    PONG,
    TEXT,
    binary,
    connected,
    frame,
    open_tls,
    request,
    websocket,
)

from iothub_emulator.hub.packets import Publish, Subscribe, Will
from iothub_emulator.net import websocket as websocket_module
from iothub_emulator.net.rules import ListenerRules
from iothub_emulator.net.websocket import WebSocketConnection

ACCEPTED = b"\x20\x02\x00\x00"
EVENTS = "devices/device-1/messages/events/"
PUBACK = b"\x40\x02\x00\x01"


@pytest.fixture(scope="module")
def hub():
    with live_hub() as hub:
        yield hub


def bodies(hub):
    return [
        event.body
        for partition in hub.runtime.telemetry.partitions
        for _, event in partition.read(partition.first_sequence_number, 10_000)
    ]


def open_connections():
    """Return the hub's WebSocket connections that are not lost; to be called on its loop."""
    return [c for c in gc.get_objects() if isinstance(c, WebSocketConnection) and not c.lost.done()]


def status_of(words):
    """Return the status in a Close frame."""
    opcode, payload = words
    assert opcode == CLOSE
    return int.from_bytes(payload)


def wait_until_gone(hub, device_id):
    """Each turn is a round trip through the hub's loop."""
    with connected(hub, "device-2") as other:
        while hub.call(hub.runtime.is_connected, device_id):
            other.send(binary(PINGREQ))
            assert other.read_frame() == (BINARY, PINGRESP)


# The upgrade


def test_the_upgrade_is_answered_as_the_rfc_has_it(hub):
    """RFC 6455 section 1.3 gives key and answer."""
    client = open_tls(hub)
    client.send(request(**{"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}))
    status, headers = client.read_head()
    client.close()
    assert status == 101
    assert headers["upgrade"] == "websocket"
    assert headers["connection"] == "Upgrade"
    assert headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert headers["sec-websocket-protocol"] == "mqtt"
    assert "sec-websocket-extensions" not in headers


REFUSED = {
    "no subprotocol": {"Sec_WebSocket_Protocol": None},
    "another subprotocol": {"Sec_WebSocket_Protocol": "mqttv3.1, soap"},
    "subprotocol in capitals": {"Sec_WebSocket_Protocol": "MQTT"},
    "device's subprotocol on the service's path": {"path": "/$servicebus/websocket"},
    "no key": {"Sec_WebSocket_Key": None},
    "short key": {"Sec_WebSocket_Key": "c2hvcnQ="},
    "key that is no base64": {"Sec_WebSocket_Key": "dGhl!HNhbXBsZSBub25jZQ=="},
    "no upgrade": {"Upgrade": None, "Connection": None},
    "upgrade to something else": {"Upgrade": "h2c"},
    "connection that does not upgrade": {"Connection": "keep-alive"},
    "POST": {"method": "POST", "Content_Length": "0"},
    "HTTP/1.0": {"version": "1.0"},
    "HTTP/2.0 in the form of 1.1": {"version": "2.0"},
}


@pytest.mark.parametrize("changes", REFUSED.values(), ids=REFUSED)
def test_a_wrong_request_is_answered_with_400(hub, changes):
    """And with no WebSocket: a CONNECT sent along is not heard."""
    client = open_tls(hub)
    client.send(request(**changes) + binary(hub.connect_packet()))
    status, headers = client.read_head()
    assert status == 400
    assert headers["iothub-errorcode"] == "IotHubFormatError"
    client.close()
    assert not hub.call(hub.runtime.is_connected, "device-1")


@pytest.mark.parametrize("version", ["8", "14", "13, 8", None])
def test_a_request_of_another_version_is_told_which_one_is_spoken(hub, version):
    """RFC 6455 section 4.2.2."""
    client = open_tls(hub)
    client.send(request(Sec_WebSocket_Version=version) + binary(hub.connect_packet()))
    status, headers = client.read_head()
    assert (status, headers["sec-websocket-version"]) == (426, "13")
    client.close()
    assert not hub.call(hub.runtime.is_connected, "device-1")


@pytest.mark.parametrize(
    "changes",
    [
        {"path": f"{DEVICE_PATH}?iothub-no-client-cert=true"},
        {"path": f"{DEVICE_PATH}?anything=else"},
        {"path": "/%24iothub/websocket"},
        {"Sec_WebSocket_Protocol": "soap, mqtt"},
        {"Upgrade": "WebSocket", "Connection": "keep-alive, Upgrade"},
        {"Origin": "https://elsewhere.example"},
        {"Sec_WebSocket_Extensions": "permessage-deflate; client_max_window_bits"},
    ],
    ids=lambda changes: " ".join(f"{name}={value}" for name, value in changes.items()),
)
def test_what_clients_do_differently_is_accepted(hub, changes):
    with websocket(hub, **changes) as client:
        client.send(binary(hub.connect_packet()))
        assert client.read_frame() == (BINARY, ACCEPTED)


@pytest.fixture(scope="module")
def todays_hub():
    with live_hub(edition="current") as hub:
        yield hub


@pytest.mark.parametrize(
    ("offered", "returned"),
    [("MQTT", "MQTT"), ("Mqtt", "Mqtt"), ("soap, MQTT", "MQTT"), ("MQTT, mqtt", "mqtt"), ("mqtt", "mqtt")],
)
def test_today_a_subprotocol_is_known_in_any_letter_case(todays_hub, offered, returned):
    """websocket.subprotocol-case: a client takes no other spelling than its own (RFC 6455 section 4.1)."""
    client = open_tls(todays_hub)
    client.send(request(Sec_WebSocket_Protocol=offered) + binary(todays_hub.connect_packet()))
    status, headers = client.read_head()
    assert (status, headers["sec-websocket-protocol"]) == (101, returned)
    assert client.read_frame() == (BINARY, ACCEPTED)
    client.close()


def test_today_a_service_s_subprotocol_is_known_in_any_letter_case_too(todays_hub):
    client = open_tls(todays_hub)
    client.send(request("/$servicebus/websocket", Sec_WebSocket_Protocol="amqpwsb10"))
    status, headers = client.read_head()
    assert (status, headers["sec-websocket-protocol"]) == (101, "amqpwsb10")
    client.close()


@pytest.mark.parametrize("offered", [None, "mqttv3.1", "soap"])
def test_today_too_another_subprotocol_is_refused(todays_hub, offered):
    client = open_tls(todays_hub)
    client.send(request(Sec_WebSocket_Protocol=offered))
    assert client.read_head()[0] == 400
    client.close()


def test_frames_may_follow_the_request_at_once(hub):
    """They lie in the HTTP parser's buffer when the connection changes hands."""
    behind = binary(hub.connect_packet()) + binary(PINGREQ)
    with websocket(hub, behind=behind + frame(BINARY, PINGREQ)[:3]) as client:
        client.send(frame(BINARY, PINGREQ)[3:])
        assert client.read_stream(8) == ACCEPTED + PINGRESP + PINGRESP


def test_a_request_before_the_upgrade_is_answered_too(hub):
    """One connection, first REST, then WebSocket."""
    client = open_tls(hub)
    client.send(b"GET /devices HTTP/1.1\r\nHost: localhost\r\n\r\n")
    status, headers = client.read_head()
    assert status == 401
    client.read(int(headers["content-length"]))
    client.send(request())
    assert client.read_head()[0] == 101
    client.send(binary(hub.connect_packet()))
    assert client.read_frame() == (BINARY, ACCEPTED)
    client.close()


def test_nothing_is_held_back_for_larger_segments(hub):
    with connected(hub):

        def option():
            streams = [c._network.get_extra_info("socket") for c in open_connections()]
            return {stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for stream in streams}

        assert hub.call(option) == {1}


# Frames


def test_a_device_does_all_that_it_does_over_tls(hub):
    with connected(hub) as client:
        client.send(binary(Subscribe(7, (("devices/device-1/messages/devicebound/#", 1),))))
        assert client.read_frame() == (BINARY, b"\x90\x03\x00\x07\x01")
        client.send(binary(Publish(EVENTS, b"over websocket", qos=1, packet_id=1)))
        assert client.read_frame() == (BINARY, PUBACK)
        assert b"over websocket" in bodies(hub)
        client.send(binary(PINGREQ), binary(DISCONNECT))
        assert client.read_frame() == (BINARY, PINGRESP)
        assert status_of(client.read_frame()) == 1000


SPLITS = {
    "one byte a frame": lambda data: b"".join(frame(BINARY, bytes([byte])) for byte in data),
    "all in one frame": lambda data: frame(BINARY, data),
    "one byte a fragment": lambda data: (
        frame(BINARY, b"", final=False)
        + b"".join(frame(CONTINUATION, bytes([byte]), final=False) for byte in data)
        + frame(CONTINUATION)
    ),
    "pings in between": lambda data: (
        frame(BINARY, data[:9], final=False) + frame(PING, b"!") + frame(CONTINUATION, data[9:])
    ),
}


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
def test_packets_may_span_and_share_frames(hub, split):
    """[MQTT-6.0.0-2]."""
    packets = hub.connect_packet(), Publish(EVENTS, b"x" * 300, qos=1, packet_id=1)
    with websocket(hub) as client:
        client.send(split(b"".join(map(client_bytes, packets)) + PINGREQ + DISCONNECT))
        stream = b""
        while (received := client.read_frame())[0] != CLOSE:
            stream += received[1] if received[0] == BINARY else b""
        assert stream == ACCEPTED + PUBACK + PINGRESP


def test_a_large_message_takes_one_frame(hub):
    body = bytes(range(256)) * 1000
    with connected(hub) as client:
        client.send(binary(Publish(EVENTS, body, qos=1, packet_id=1)))
        assert client.read_frame() == (BINARY, PUBACK)
    assert body in bodies(hub)


def test_a_ping_is_answered_with_its_own_payload(hub):
    with connected(hub) as client:
        client.send(frame(PING, b"are you there"), frame(PONG, b"unasked"), frame(PING))
        assert client.read_frame() == (PONG, b"are you there")
        assert client.read_frame() == (PONG, b"")


WRONG = {
    "text": (frame(TEXT, PINGREQ), 1003),
    "unmasked": (frame(BINARY, PINGREQ, mask=None), 1002),
    "reserved bit": (frame(BINARY, PINGREQ, reserved=4), 1002),
}


@pytest.mark.parametrize(("data", "status"), WRONG.values(), ids=WRONG)
def test_a_wrong_frame_ends_the_connection(hub, data, status):
    """[MQTT-6.0.0-1] and RFC 6455 section 5.1. What follows has no effect; the Will is sent; others stay."""
    words = Will(EVENTS, f"last words {status} {data[0]}".encode(), 1, retain=False)
    with connected(hub, "device-2") as bystander:
        with connected(hub, will=words) as client:
            client.send(binary(PINGREQ), data, binary(PINGREQ))
            assert client.read_frame() == (BINARY, PINGRESP)
            assert status_of(client.read_frame()) == status
            assert client.read_to_the_end() == b""
        bystander.send(binary(PINGREQ))
        assert bystander.read_frame() == (BINARY, PINGRESP)
    wait_until_gone(hub, "device-1")
    assert bodies(hub).count(words.payload) == 1


# The end


def test_the_client_s_close_is_answered_and_ends_the_stream(hub):
    """Without DISCONNECT the Will is sent."""
    words = Will(EVENTS, b"closed without disconnect", 1, retain=False)
    with connected(hub, will=words) as client:
        client.send(frame(CLOSE, (1001).to_bytes(2) + b"going away"), binary(PINGREQ))
        assert client.read_frame() == (CLOSE, (1001).to_bytes(2))
        assert client.read_to_the_end() == b""
    wait_until_gone(hub, "device-1")
    assert words.payload in bodies(hub)


def test_the_hub_s_close_ends_the_stream_although_the_client_says_nothing(hub):
    """Take-over: a Close frame, and a moment later the end. The new connection works."""
    with connected(hub) as first, connected(hub) as second:
        assert status_of(first.read_frame()) == 1000
        assert first.read_to_the_end() == b""
        second.send(binary(PINGREQ))
        assert second.read_frame() == (BINARY, PINGRESP)


def test_the_hub_s_close_ends_the_stream_with_the_client_s_own(hub, monkeypatch):
    monkeypatch.setattr(websocket_module, "CLOSE_TIMEOUT", PATIENCE * 2)
    with connected(hub) as client:
        hub.call(hub.runtime.identity_changed, "device-1")
        assert status_of(client.read_frame()) == 1000
        client.send(frame(CLOSE, (1000).to_bytes(2)))
        assert client.read_to_the_end() == b""


def test_a_refused_connect_ends_the_stream(hub):
    with websocket(hub) as client:
        client.send(binary(hub.connect_packet(password=b"wrong"), PINGREQ))
        assert client.read_frame() == (BINARY, b"\x20\x02\x00\x05")
        assert status_of(client.read_frame()) == 1000
        assert client.read_to_the_end() == b""


@pytest.mark.parametrize("leave", ["reset", "close"])
def test_an_abrupt_end_leaves_the_will_and_nothing_else(hub, leave):
    words = Will(EVENTS, f"last words after {leave}".encode(), 1, retain=False)
    with connected(hub, will=words) as client:
        getattr(client, leave)()
    wait_until_gone(hub, "device-1")
    assert bodies(hub).count(words.payload) == 1

    def alive():
        gc.collect()
        return sum(isinstance(thing, WebSocketConnection) for thing in gc.get_objects())

    with hub.connected("device-2") as other:
        while hub.call(alive):  # a closing one has its moment
            other.send(PINGREQ)
            assert other.read(2) == PINGRESP


def test_a_client_that_does_not_read_is_not_heard_for_ever(hub, monkeypatch):
    """Its answers would pile up in the hub's memory; others are served, and in the end it is cut off."""
    monkeypatch.setattr(websocket_module, "FAREWELL", 0.1)
    with connected(hub) as deaf, hub.connected("device-2") as other:
        deaf.be_patient_for(0.5)
        flood = binary(PINGREQ * 500_000)
        with pytest.raises(TimeoutError):
            deaf.send(*[flood] * 100)
        other.send(PINGREQ)
        assert other.read(2) == PINGRESP
        assert hub.call(open_connections)
        hub.call(hub.runtime.identity_changed, "device-1")
        assert not hub.call(hub.runtime.is_connected, "device-1")
        while hub.call(open_connections):
            other.send(PINGREQ)
            assert other.read(2) == PINGRESP


def test_pings_of_a_client_that_does_not_read_do_not_pile_up(hub):
    with connected(hub) as deaf, hub.connected("device-2") as other:

        def waiting():
            return max(c._network.get_write_buffer_size() for c in open_connections())

        deaf.be_patient_for(0.3)
        flood = frame(PING, b"x" * 125) * 5000
        with contextlib.suppress(TimeoutError):
            deaf.send(*[flood] * 60)
        assert hub.call(waiting) < 1_000_000
        other.send(PINGREQ)
        assert other.read(2) == PINGRESP


def test_a_hub_that_stops_says_goodbye():
    with live_hub() as hub:
        client = open_tls(hub)
        client.send(request())
        assert client.read_head()[0] == 101
        client.send(binary(hub.connect_packet()))
        assert client.read_frame() == (BINARY, ACCEPTED)
        idle = open_tls(hub)
        idle.send(request())
        assert idle.read_head()[0] == 101
    assert status_of(client.read_frame()) == 1000
    assert idle.read_to_the_end() == b""
    for stream in (client, idle):
        stream.close()


# Decisions that can be replaced


class Careless(ListenerRules):
    def subprotocol(self, path, offered):
        return "mqtt"

    def on_text_frame(self):
        return None

    def accepts_unmasked(self):
        return True


class FirstByteOfEachMessage(ListenerRules):
    def websocket_payload(self, payload, *, ends_message):
        return payload if ends_message else b""


def with_rules(rules_class):
    def load(rules):
        rules.listeners = rules_class()

    return load


def test_a_replaced_rule_takes_what_the_document_forbids():
    with live_hub(with_rules(Careless)) as hub:
        client = open_tls(hub)
        client.send(request(Sec_WebSocket_Protocol=None))
        status, headers = client.read_head()
        assert (status, headers.get("sec-websocket-protocol")) == (101, None)
        client.send(frame(TEXT, client_bytes(hub.connect_packet()), mask=None))
        assert client.read_frame() == (BINARY, ACCEPTED)
        client.close()


def test_a_replaced_rule_loses_what_spans_frames():
    with live_hub(with_rules(FirstByteOfEachMessage)) as hub, connected(hub) as client:
        client.send(frame(BINARY, PINGREQ, final=False), frame(CONTINUATION, PINGREQ))
        assert client.read_frame() == (BINARY, PINGRESP)
        client.send(binary(DISCONNECT))
        assert status_of(client.read_frame()) == 1000


# A client that is not ours


def test_paho_connects_publishes_and_is_taken_over(hub):
    hub_packet = hub.connect_packet()
    client = paho.Client(
        paho.CallbackAPIVersion.VERSION2,
        client_id="device-1",
        transport="websockets",
        reconnect_on_failure=False,
    )
    client.tls_set_context(hub.context)
    client.ws_set_options(path=DEVICE_PATH)
    client.username_pw_set(hub_packet.username, hub_packet.password.decode())
    seen = []
    client.on_connect = lambda client, data, flags, reason, properties: seen.append(reason.value)
    client.on_publish = lambda client, data, packet_id, reason, properties: seen.append("puback")
    client.on_disconnect = lambda client, data, flags, reason, properties: seen.append("gone")
    client.connect("localhost", hub.ports.https)
    while not seen:
        client.loop(0.05)
    client.publish(EVENTS, b"from paho", qos=1)
    while len(seen) < 2:
        client.loop(0.05)
    with connected(hub):
        while len(seen) < 3:
            client.loop(0.05)
    assert seen == [0, "puback", "gone"]
    assert b"from paho" in bodies(hub)
