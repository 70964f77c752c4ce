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


ALL = "mine: desired change, message, method request, twin answer"


@clause("packets.several-filters")
@pytest.mark.needs("registry")
@pytest.mark.parametrize("first", [0, 1, 2, 3], ids=["messages", "answers", "changes", "requests"])
def test_each_filter_of_a_subscribe_brings_its_own(trial, first):
    """[MQTT-3.8.4-4] All four documented filters in one packet, whichever of them stands first."""
    assert trial.documented(first=first) == ALL


@clause("packets.several-filters")
@pytest.mark.needs("registry")
@pytest.mark.parametrize(
    ("taken_back", "left"),
    [
        pytest.param([0, 1], "mine: desired change, method request", id="messages-and-answers"),
        pytest.param([2, 3], "mine: message, twin answer", id="changes-and-requests"),
        pytest.param([3, 0, 2], "mine: twin answer", id="all-but-answers"),
    ],
)
def test_each_filter_of_an_unsubscribe_is_taken_back(trial, taken_back, left):
    """[MQTT-3.10.4-6] Those that the packet names bring nothing more, and the others bring their own."""
    assert trial.documented(taken_back=taken_back) == left


@clause("packets.several-filters")
@pytest.mark.needs("registry")
@pytest.mark.parametrize("taken_back", [[0, 1, 2, 3], [1], [2, 0]], ids=["all", "answers", "two"])
def test_a_filter_that_was_taken_back_brings_its_own_anew(trial, taken_back):
    """[MQTT-3.8.4-4] Subscribed to once more, it is as if it had never been taken back."""
    assert trial.documented(taken_back=taken_back, anew=True) == ALL


def joined(events, *payloads):
    """Return PUBLISH packets with QoS 1 and packet ids from 1 on, each with a property of its own number."""
    return b"".join(
        packet(0x32, text(f"{events}n={number}"), number.to_bytes(2), payload)
        for number, payload in enumerate(payloads, 1)
    )


@clause("packets.split")
@pytest.mark.needs("twin", "methods")
@pytest.mark.parametrize(
    ("sent", "answers"),
    [
        pytest.param(
            packet(0x82, b"\x00\x01", TWIN_ANSWERS, b"\x00") + packet(0xA2, b"\x00\x02", TWIN_ANSWERS),
            ("suback 1 0", "unsuback 2"),
            id="SUBSCRIBE-UNSUBSCRIBE",
        ),
        pytest.param(
            packet(0x82, b"\x00\x01", METHODS, b"\x00") + packet(0x82, b"\x00\x02", TWIN_ANSWERS, b"\x00"),
            ("suback 1 0", "suback 2 0"),
            id="SUBSCRIBE-SUBSCRIBE",
        ),
        pytest.param(
            packet(0xC0) + packet(0x82, b"\x00\x01", METHODS, b"\x00") + packet(0xC0),
            ("pingresp", "suback 1 0", "pingresp"),
            id="PINGREQ-SUBSCRIBE-PINGREQ",
        ),
        pytest.param(
            packet(0xA2, b"\x00\x01", METHODS) + packet(0xC0) + packet(0xA2, b"\x00\x02", METHODS),
            ("unsuback 1", "pingresp", "unsuback 2"),
            id="UNSUBSCRIBE-PINGREQ-UNSUBSCRIBE",
        ),
    ],
)
@pytest.mark.parametrize("cut", [0, 1, 9], ids=["whole", "1-byte", "9-bytes"])
def test_packets_of_each_type_may_come_in_one_write(raw_connected, sent, answers, cut):
    """However the first write cuts them: each is answered. No order is owed between types."""
    raw_connected.send(*filter(None, (sent[:cut], sent[cut:])))

    assert sorted(raw_connected.take(len(answers))) == sorted(answers)


@clause("packets.split")
@pytest.mark.needs("telemetry")
@pytest.mark.parametrize("cut", [0, 1, 30, 90], ids=["whole", "1-byte", "30-bytes", "90-bytes"])
def test_messages_that_come_in_one_write_are_each_their_own(raw_connected, telemetry, cut):
    """Each has its own body and its own properties at the back end, and the DISCONNECT behind comes last."""
    sent = joined(raw_connected.device.topics.events, b"one", b"", b"three") + packet(0xE0)

    raw_connected.send(*filter(None, (sent[:cut], sent[cut:])))

    arrived = telemetry.take_messages(3, sent_by=raw_connected.device)
    assert [(message.body, message.properties) for message in arrived] == [
        (b"one", {"n": "1"}),
        (b"", {"n": "2"}),
        (b"three", {"n": "3"}),
    ]
