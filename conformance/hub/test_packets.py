"""MQTT packets: acknowledgements, lengths, and where the network cuts.

Document: it asks for MQTT 3.1.1, whose sections are cited. Clauses: clauses/packets.toml.
"""

import pytest

from conformance.mqtt.raw_packets import packet, text

clause = pytest.mark.clause

TWIN_ANSWERS = text("$iothub/twin/res/#")
METHODS = text("$iothub/methods/POST/#")


@clause("packets.suback-order")
@pytest.mark.parametrize(
    ("requested", "granted"),
    [
        pytest.param([b"\x01", b"\x00", b"\x00"], "suback 4660 1 0 0", id="QoS-1-first"),
        pytest.param([b"\x00", b"\x00", b"\x00"], "suback 4660 0 0 0", id="QoS-0-alone"),
    ],
)
def test_a_suback_has_a_code_for_each_filter(raw_connected, requested, granted):
    """[MQTT-3.8.4-2] [MQTT-3.8.4-5] Packet id 4660 comes back with three codes in the filters' order."""
    devicebound = text(raw_connected.device.topics.devicebound)

    raw_connected.send(
        packet(
            0x82, b"\x12\x34", devicebound, requested[0], TWIN_ANSWERS, requested[1], METHODS, requested[2]
        )
    )

    assert raw_connected.take(1) == (granted,)


@clause("packets.suback-order")
def test_the_codes_follow_the_filters_when_these_are_turned_round(raw_connected):
    """[MQTT-3.8.4-5] The code of a filter stands where the filter stood."""
    devicebound = text(raw_connected.device.topics.devicebound)

    raw_connected.send(
        packet(0x82, b"\x12\x35", TWIN_ANSWERS, b"\x00", METHODS, b"\x00", devicebound, b"\x01")
    )

    assert raw_connected.take(1) == ("suback 4661 0 0 1",)


@clause("packets.resubscribe")
@pytest.mark.parametrize(("first", "second"), [(1, 0), (0, 1)], ids=["QoS-1-then-0", "QoS-0-then-1"])
def test_the_same_filter_again_replaces_its_qos(device, connection, c2d, stage, within_lock, first, second):
    """[MQTT-3.8.4-3] Messages come with the QoS of the subscription that replaced the other, once each."""
    stage(connection.subscribe, device.topics.devicebound, qos=first, needs="c2d.subscribe")
    connection.subscribe(device.topics.devicebound, qos=second)

    with within_lock():
        c2d.send_each(device, [b"one", b"two"])
        arrived = [(message.payload, message.qos) for message in connection.deliveries_until(b"two")]
        stage(connection.ping, needs="connection.ping")

    assert arrived == [(b"one", second), (b"two", second)]


@clause("packets.unsuback")
@pytest.mark.parametrize(
    "taken_back",
    ["$iothub/twin/res/#", "$iothub/twin/PATCH/properties/desired/#"],
    ids=["known", "unknown"],
)
def test_unsubscribe_is_answered(raw_connected, stage, taken_back):
    """[MQTT-3.10.4-4] [MQTT-3.10.4-5] UNSUBACK comes with the packet id, even if nothing was subscribed."""
    stage(raw_connected.exchange, packet(0x82, b"\x00\x01", TWIN_ANSWERS, b"\x00"), "suback 1 0")

    raw_connected.send(packet(0xA2, b"\x00\x02", text(taken_back)))

    assert raw_connected.take(1) == ("unsuback 2",)


@clause("packets.split")
def test_a_connect_may_come_byte_by_byte(raw):
    """A packet is a packet however many reads it takes."""
    raw.send_slowly(raw.device.connect_packet())

    assert raw.take(1) == ("connack 0",)


@clause("packets.split")
def test_a_publish_may_come_byte_by_byte(raw_connected):
    """A packet is a packet however many reads it takes."""
    raw_connected.send_slowly(
        packet(0x32, text(raw_connected.device.topics.events), b"\x00\x01", b"in pieces")
    )

    assert raw_connected.take(1) == ("puback 1",)


@clause("packets.split")
def test_two_packets_may_come_in_one_write(raw_connected):
    """Packets follow each other without a gap."""
    topic = text(raw_connected.device.topics.events)

    raw_connected.send(packet(0x32, topic, b"\x00\x01", b"one") + packet(0x32, topic, b"\x00\x02", b"two"))

    assert raw_connected.take(2) == ("puback 1", "puback 2")


@clause("packets.lengths")
@pytest.mark.parametrize("remaining_length", [127, 128, 16383, 16384])
def test_a_remaining_length_takes_as_many_bytes_as_it_needs(raw_connected, remaining_length):
    """Section 2.2.3: 127 and 16,383 are the largest lengths of one and two bytes."""
    topic = text(raw_connected.device.topics.events)
    body = b"x" * (remaining_length - len(topic) - 2)

    raw_connected.send(packet(0x32, topic, b"\x00\x01", body))

    assert raw_connected.take(1) == ("puback 1",)
