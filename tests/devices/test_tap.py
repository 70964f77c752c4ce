"""The tap: what passes it, what it writes down, and what it makes up where it is asked to."""

import contextlib
import hashlib
import socket
import ssl
import time

import pytest

from conformance.evidence.case import MOST_PACKETS
from conformance.mqtt.packets import Connack, Connect, Puback, Publish
from conformance.mqtt.raw_packets import packet, text
from conformance.tap.happenings import RefuseConnect, Replace, Swallow, Withhold
from conformance.tap.password import Token
from conformance.target.credentials import random_key, sas_token

PATIENCE = 30.0
KEY = random_key()
TOKEN = sas_token("hub.example/devices/d", KEY, expiry=int(time.time()) + 60)
USERNAME = "hub.example/d/?api-version=2021-04-12"
CONNECT = packet(
    0x10, text("MQTT"), bytes([4, 0xC2]), b"\0\x3c", text("d"), text(USERNAME), text(TOKEN.reveal())
)
PUBLISH = packet(0x32, text("devices/d/messages/events/"), b"\0\x07", b"21.5")
ACCEPTED = b"\x20\x02\0\0"


def first(record, count=1):
    """Wait until the first line has so many packets, and return it."""
    assert record.until(lambda: (record.lines and len(record.lines[0].passed) >= count) or None, PATIENCE)
    return record.lines[0]


def ended(record):
    assert record.until(lambda: (record.lines and not record.lines[0].is_open) or None, PATIENCE)
    return record.lines[0]


def test_what_a_device_sends_reaches_the_hub_as_it_was(record, dial, written_down):
    """Also where a packet comes byte by byte, and nobody can read it."""
    unreadable = b"\xff\xff\xff\xff\xff\xffwhat follows"
    device = dial()
    for byte in CONNECT + PUBLISH + unreadable:
        device.sendall(bytes([byte]))

    sent = CONNECT + PUBLISH + unreadable
    assert hashlib.sha256(written_down.take(len(sent))).digest() == hashlib.sha256(sent).digest()


def test_a_packet_without_its_end_is_passed_on_already(record, dial, written_down):
    """The tap holds back nothing that it was not asked to hold back."""
    device = dial()
    device.sendall(CONNECT[:20])

    assert written_down.take(20) == CONNECT[:20]
    assert first(record, 0).sent == ()


def test_what_the_hub_says_reaches_the_device_as_it_was(record, dial, written_down):
    device = dial()
    device.sendall(CONNECT)
    hub = written_down.client()
    hub.sendall(ACCEPTED[:1])

    assert device.recv(100) == ACCEPTED[:1]
    hub.sendall(ACCEPTED[1:])
    assert device.recv(100) == ACCEPTED[1:]
    assert first(record, 2).connack == Connack(0, 0)


def test_the_tap_writes_down_who_came_and_with_what(record, dial, evidence):
    """Packets, TLS and the token, whose signature it holds against the key of the device."""
    record.keys = (KEY,)
    dial().sendall(CONNECT + PUBLISH)
    line = first(record, 2)

    assert line.sent == (
        Connect("MQTT", 4, True, 60, "d", None, USERNAME, True),
        Publish("devices/d/messages/events/", b"21.5", 1, False, False, 7),
    )
    assert (line.server_name, line.tls, line.by_proxy) == ("hub.example", "TLSv1.3", False)
    assert isinstance(line.token, Token)
    assert (line.token.resource, line.token.is_signed) == ("hub.example/devices/d", True)
    assert TOKEN.reveal() not in evidence.render()


def test_a_token_of_another_key_is_not_signed(record, dial):
    record.keys = (random_key(),)
    dial().sendall(CONNECT)

    assert not first(record).token.is_signed


def test_http_connect_leads_a_client_that_knows_port_8883_alone_to_the_tap(record, dial, tap):
    """SDKs can be told of a proxy, and of no port."""
    asked = b"CONNECT hub.example:8883 HTTP/1.1\r\nHost: hub.example:8883\r\n\r\n"
    dial(port=tap.ports.connect, before=asked).sendall(CONNECT)

    assert first(record).by_proxy


def test_http_connect_leads_nowhere_else(record, dial, tap):
    answer = dial(port=tap.ports.connect, before=b"CONNECT example.org:443 HTTP/1.1\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 403 ")


def test_a_device_that_does_not_trust_the_tap_is_told_apart(record, tap):
    """Its TLS does not come up, and the line says why."""
    raw = socket.create_connection(("127.0.0.1", tap.ports.mqtt), timeout=PATIENCE)
    with pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(raw, server_hostname="hub.example")

    assert "unknown ca" in ended(record).tls_failure


def test_plain_mqtt_is_told_apart(record, tap):
    socket.create_connection(("127.0.0.1", tap.ports.mqtt), timeout=PATIENCE).sendall(CONNECT)

    assert ended(record).tls_failure != ""


def test_a_refused_connect_is_one_that_the_hub_never_saw(record, dial, written_down):
    """What the tap makes up is consistent to its end, and the transcript says that it made it up."""
    record.happen(RefuseConnect(5))
    device = dial()
    device.sendall(CONNECT)

    assert device.recv(100) == b"\x20\x02\0\x05"
    assert (ended(record).end.by, written_down.pieces.empty()) == ("tap", True)


def test_the_second_line_is_let_through_behind_one_refusal(record, dial, written_down):
    record.happen(RefuseConnect(3))
    dial().sendall(CONNECT)
    ended(record)
    dial().sendall(CONNECT)

    assert written_down.take(len(CONNECT)) == CONNECT


def test_what_is_withheld_does_not_reach_the_device(record, dial, written_down):
    """And the next one does, once the tap was asked to keep one."""
    record.happen(Withhold("PUBACK", lambda packet: isinstance(packet, Puback)))
    device = dial()
    device.sendall(CONNECT + PUBLISH)
    written_down.client().sendall(ACCEPTED + b"\x40\x02\0\x07" + b"\x40\x02\0\x08")

    received = b""
    while len(received) < 8:
        received += device.recv(100)
    assert received == ACCEPTED + b"\x40\x02\0\x08"


def test_what_is_replaced_is_told_as_the_taps(record, dial, written_down, evidence):
    record.happen(Replace("grants QoS 0", lambda packet: b"\x20\x02\x01\0"))
    device = dial()
    device.sendall(CONNECT)
    written_down.client().sendall(ACCEPTED)

    assert device.recv(100) == b"\x20\x02\x01\0"
    assert "tap:c1 ← CONNACK" in evidence.render()


def test_a_half_open_line_lets_nothing_through(record, dial, written_down):
    device = dial()
    device.sendall(CONNECT)
    written_down.take(len(CONNECT))
    record.happen(Swallow())
    device.sendall(PUBLISH)
    first(record, 2)

    assert written_down.pieces.empty()


def test_a_line_is_ended_towards_both_sides(record, dial, written_down, tap):
    device = dial()
    device.sendall(CONNECT)
    written_down.take(len(CONNECT))
    tap.drop(record.lines[0])

    assert written_down.pieces.get(timeout=PATIENCE) == b""
    assert device.recv(100) == b""


def test_a_line_is_reset(record, dial, written_down, tap):
    """The kernel says so; OpenSSL would call it the end of the stream."""
    device = dial()
    device.sendall(CONNECT)
    written_down.take(len(CONNECT))
    tap.drop(record.lines[0], reset=True)

    assert written_down.pieces.get(timeout=PATIENCE) == b""
    with pytest.raises(ConnectionResetError):
        list(iter(lambda: socket.socket.recv(device, 4096), b""))


def test_a_device_that_floods_is_cut_off(record, dial, evidence):
    """The run goes on, and the report says so."""
    device = dial()
    with contextlib.suppress(OSError):
        device.sendall(CONNECT + b"\xc0\0" * (MOST_PACKETS + 100))

    assert ended(record).end.by == "tap"
    assert "of the device" in evidence.flood
