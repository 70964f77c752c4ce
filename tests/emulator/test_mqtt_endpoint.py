"""MQTT on the network: coalescing, closing, timers, and one connection for each device."""

import pytest
from live_hub import live_hub
from mqtt_bytes import DISCONNECT, PINGREQ, PINGRESP, client_bytes

from iothub_emulator.hub.packets import Publish, Subscribe, Will
from iothub_emulator.mqtt.endpoint import MAX_UNREAD
from iothub_emulator.mqtt.rules import CodecRules

EVENTS = "devices/device-1/messages/events/"
ACCEPTED = b"\x20\x02\x00\x00"
REFUSED = b"\x20\x02\x00\x05"


@pytest.fixture(scope="module")
def hub():
    with live_hub() as hub:
        yield hub


def events(hub, device_id="device-1"):
    """Return what is in the log of a device, oldest first."""

    def read():
        return [
            event
            for partition in hub.runtime.telemetry.partitions
            for _, event in partition.read(0, 10_000)
            if event.device_id == device_id
        ]

    return hub.call(read)


def test_a_session_from_connect_to_disconnect(hub):
    with hub.connected() as client:
        assert hub.call(hub.runtime.is_connected, "device-1")
        client.send(Publish(EVENTS + "a=1", b"hello", qos=1, packet_id=7))
        assert client.read(4) == b"\x40\x02\x00\x07"
        client.send(Subscribe(2, (("devices/device-1/messages/devicebound/#", 1), ("#", 0))))
        assert client.read(6) == b"\x90\x04\x00\x02\x01\x80"
        client.send(DISCONNECT)
        assert client.read_to_the_end() == b""
    assert not hub.call(hub.runtime.is_connected, "device-1")
    assert hub.call(hub.runtime.last_activity, "device-1") is not None
    last = events(hub)[-1]
    assert (last.body, last.properties) == (b"hello", {"a": "1"})


def test_packets_in_one_write_are_answered_in_order(hub):
    with hub.client(
        hub.connect_packet(), PINGREQ, Publish(EVENTS, b"", qos=1, packet_id=1), PINGREQ
    ) as client:
        assert client.read(12) == ACCEPTED + PINGRESP + b"\x40\x02\x00\x01" + PINGRESP


def test_bytes_may_come_one_at_a_time(hub):
    data = client_bytes(hub.connect_packet()) + PINGREQ
    with hub.client(*()) as client:
        for place in range(len(data)):
            client.send(data[place : place + 1])
        assert client.read(6) == ACCEPTED + PINGRESP


def test_a_refused_connect_ends_the_stream_and_what_follows_it_is_not_heard(hub):
    before = len(events(hub))
    publish = Publish(EVENTS, b"never", qos=1, packet_id=1)
    with hub.client(hub.connect_packet(password=b"wrong"), publish, PINGREQ) as client:
        assert client.read_to_the_end() == REFUSED
    assert len(events(hub)) == before


def test_a_malformed_packet_ends_the_stream_without_a_word(hub):
    with hub.connected("device-2") as bystander:
        with hub.connected() as client:
            client.send(PINGREQ, b"\xc1\x00", PINGREQ)
            assert client.read_to_the_end() == PINGRESP
        bystander.send(PINGREQ)
        assert bystander.read(2) == PINGRESP


def test_a_packet_too_large_for_any_message_is_not_waited_for(hub):
    with hub.connected() as client:
        client.send(b"\x30\xff\xff\xff\x7f")
        assert client.read_to_the_end() == b""


def test_the_newest_connection_wins(hub):
    with hub.connected() as first, hub.connected() as second:
        assert first.read_to_the_end() == b""
        second.send(PINGREQ)
        assert second.read(2) == PINGRESP
        assert hub.call(hub.runtime.is_connected, "device-1")


def test_a_connection_that_is_reset_leaves_its_will(hub):
    """The reader is woken, and the Will is there once."""
    words = Will(EVENTS, b"last words", 1, retain=False)
    partition = hub.runtime.rules.telemetry.partition("device-1", 2)
    with hub.connected(will=words) as client, hub.connected("device-2") as other:
        woken = []
        forget = hub.call(hub.runtime.on_telemetry, partition, lambda: woken.append(1))
        client.reset()
        while not woken:  # each turn is a round trip through the hub's loop
            other.send(PINGREQ)
            assert other.read(2) == PINGRESP
        hub.call(forget)
    assert [event.body for event in events(hub)].count(b"last words") == 1


def test_a_change_of_the_identity_drops_its_connection(hub):
    with hub.connected() as client:
        hub.call(hub.runtime.identity_changed, "device-1")
        assert client.read_to_the_end() == b""


def test_a_silent_client_is_dropped_and_a_talking_one_is_not():
    """A minute and a half is allowed: the silent one goes although the other came first."""
    with live_hub() as hub, hub.connected("device-2", keep_alive=60) as talking:
        with hub.connected(keep_alive=60) as silent:
            for _ in range(2):
                hub.let_pass(60)
                talking.send(PINGREQ)
                assert talking.read(2) == PINGRESP
            assert silent.read_to_the_end() == b""
        hub.let_pass(90)
        assert talking.read_to_the_end() == b""


def test_a_connection_ends_with_its_token_and_the_grace():
    """A token that has expired, inside the skew, with no grace left."""
    with live_hub(sas_grace=0.0) as hub, hub.connected(expires_in=-10) as client:
        assert client.read_to_the_end() == b""


def test_connect_is_due_in_time():
    with live_hub(connect_timeout=0.05) as hub, hub.client() as client:
        assert client.read_to_the_end() == b""


def test_what_leaves_is_a_decision_too():
    """A replaced rule sends an answer twice; the container is asked at that moment."""

    class Twice(CodecRules):
        def outgoing(self, packet):
            return super().outgoing(packet) * 2

    def load(rules):
        rules.codec = Twice(rules.codec.settings)

    with live_hub(load) as hub, hub.client(hub.connect_packet()) as client:
        assert client.read(8) == ACCEPTED * 2


def test_a_client_that_does_not_read_what_it_is_sent_is_dropped(hub):
    """Its twin changes would pile up until its keep-alive, which may be half an hour."""
    with hub.connected() as deaf:
        deaf.send(Subscribe(1, (("$iothub/twin/PATCH/properties/desired/#", 0),)))
        assert deaf.read(5) == b"\x90\x03\x00\x01\x00"
        large = {f"p{number}": "x" * 4000 for number in range(7)}
        changes = 0
        while hub.call(hub.runtime.is_connected, "device-1"):
            changes += 1
            large["p0"] = str(changes)
            hub.call(hub.runtime.patch_twin, "device-1", {"properties": {"desired": large}}, None)
    assert changes > MAX_UNREAD // 30_000


def test_a_client_that_does_not_read_is_not_heard_for_ever(hub):
    """Its answers would pile up in the hub's memory; others are served meanwhile."""
    with hub.connected() as deaf, hub.connected("device-2") as other:
        deaf.be_patient_for(0.5)
        with pytest.raises(TimeoutError):
            deaf.send(PINGREQ * 50_000_000)
        other.send(PINGREQ)
        assert other.read(2) == PINGRESP
