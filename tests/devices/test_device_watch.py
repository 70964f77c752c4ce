"""The watch over a device: each rule on packets in thought."""

import pytest

from conformance.evidence.device_watch import DeviceWatch
from conformance.mqtt.packets import (
    Connack,
    Connect,
    Disconnect,
    Pingreq,
    Pingresp,
    Puback,
    Publish,
    Pubrel,
    Suback,
    Subscribe,
    Unreadable,
    Unsubscribe,
)
from conformance.target.credentials import random_key

KEY = random_key()
CONNECT = Connect("MQTT", 4, True, 60, "d", None, "h/d/?api-version=1", True)
EVENTS = "devices/d/messages/events/"


def broken(*packets, path="d"):
    """Return the clauses that a device breaks which sends these packets, or gets those in a list."""
    watch = DeviceWatch(path, (KEY,))
    found = []
    for packet in (CONNECT, *packets):
        if isinstance(packet, list):
            watch.received("c1", packet[0])
        else:
            found += [each.clause.removeprefix("device-watch.") for each in watch.sent("c1", packet).breaches]
    return found


@pytest.mark.parametrize(
    "packets",
    [
        (Publish(EVENTS, b"1", 1, packet_id=1), [Puback(1)], Publish(EVENTS, b"2", 1, packet_id=1)),
        (Publish(EVENTS, b"1", 1, packet_id=1), Publish(EVENTS, b"1", 1, dup=True, packet_id=1)),
        (Publish(f"{EVENTS}a=1&b", b""), Publish(EVENTS[:-1], b"")),
        (Publish("$iothub/twin/GET/?$rid=1", b""), Publish("$iothub/methods/res/200/?$rid=1", b"{}")),
        ([Publish("x", b"", 1, packet_id=5)], Puback(5)),
        (
            Subscribe(1, (("devices/d/messages/devicebound/#", 1),)),
            [Suback(1, (1,))],
            Pingreq(),
            Disconnect(),
        ),
    ],
)
def test_right_packets_break_nothing(packets):
    assert broken(*packets) == []


@pytest.mark.parametrize(
    ("packets", "clause"),
    [
        ((Unreadable("reason", b"\xff"),), "readable"),
        ((CONNECT,), "connect-first"),
        ((Connack(0, 0),), "client-only"),
        ((Pingresp(),), "client-only"),
        ((Publish(EVENTS, b"", 2, packet_id=1),), "qos"),
        ((Pubrel(1),), "qos"),
        ((Publish(EVENTS, b"", 0, dup=True),), "dup-at-qos-0"),
        ((Publish(EVENTS, b"", 1, dup=True, packet_id=1),), "dup"),
        ((Publish(EVENTS, b"", 1, packet_id=0),), "packet-ids"),
        ((Subscribe(1, (("$iothub/twin/res/#", 0),)), Unsubscribe(1, ("x",))), "packet-ids"),
        ((Puback(5),), "acknowledges"),
        (([Publish("x", b"", 1, packet_id=5)], Puback(5), Puback(5)), "acknowledges"),
        ((Publish("devices/other/messages/events/", b""),), "topics"),
        ((Publish("devices/d/messages/eventsx", b""),), "topics"),
        ((Publish("$iothub/methods/res/ok/?$rid=1", b""),), "topics"),
        ((Publish(f"{EVENTS}a=#", b""),), "topics"),
        ((Subscribe(1, (("#", 0),)),), "filters"),
        ((Subscribe(1, (("devices/other/messages/devicebound/#", 0),)),), "filters"),
        ((Disconnect(), Pingreq()), "disconnect-last"),
        ((Publish(EVENTS, KEY.reveal().encode()),), "secrets"),
        ((Publish(EVENTS, b"x" * (256 * 1024)),), "size"),
        ((Publish(f"{EVENTS}t=SharedAccessSignature%20sr", b""),), "secrets"),
    ],
)
def test_each_rule_is_broken_by_what_breaks_it(packets, clause):
    assert broken(*packets) == [clause]


def test_the_first_packet_is_a_connect():
    watch = DeviceWatch("d", (KEY,))

    assert [each.clause for each in watch.sent("c1", Pingreq()).breaches] == ["device-watch.connect-first"]


def test_six_filters_are_too_many():
    six = tuple((f"devices/d/messages/devicebound/{number}", 0) for number in range(6))

    assert "five-filters" in broken(Subscribe(1, six))
    assert "five-filters" not in broken(Subscribe(1, six[:5]))


def test_a_message_may_come_again_on_the_next_connection():
    """What was not acknowledged on one connection is no first message on another."""
    watch = DeviceWatch("d", (KEY,))
    for packet in (CONNECT, Publish(EVENTS, b"1", 1, packet_id=1)):
        watch.sent("c1", packet)
    judged = [
        watch.sent("c2", packet) for packet in (CONNECT, Publish(EVENTS, b"1", 1, dup=True, packet_id=1))
    ]

    assert [breach for each in judged for breach in each.breaches] == []


def test_a_module_has_topics_of_its_own():
    assert broken(Publish("devices/d/modules/m/messages/events/", b""), path="d/modules/m") == []
    assert broken(Publish(EVENTS, b""), path="d/modules/m") == ["topics"]
