"""The watch: packets in, breaches and sightings out, with no socket near."""

import pytest

from conformance.evidence.packets import (
    Connack,
    Connect,
    Disconnect,
    Pingreq,
    Pingresp,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    Unreadable,
    Unsuback,
    Unsubscribe,
)
from conformance.evidence.watch import CLAUSES, ConnectionWatch, Watch, matches

CONNECT = Connect("MQTT", 4, True, 60, "d1", None, "u", True)
CONNECT_5 = Connect("MQTT", 5, True, 60, "d1", None, "u", True)
ACCEPTED = Connack(0, 0)
DEVICEBOUND = "devices/d1/messages/devicebound/"


def judged(*packets):
    """Breaches and sightings after a conversation; ("→", packet) is sent, a bare packet is received."""
    watch, connection = Watch(), ConnectionWatch("d1")
    for packet in packets:
        if isinstance(packet, tuple):
            connection.sent(packet[1])
        else:
            watch.note(connection.received(packet))
    return watch


def breached(*packets):
    return [(breach.clause, breach.observed) for breach in judged(*packets).breaches]


def session(*packets):
    return breached(("→", CONNECT), ACCEPTED, *packets)


def test_an_ordinary_session_has_no_breach_and_says_what_it_judged():
    watch = judged(
        ("→", CONNECT),
        ACCEPTED,
        ("→", Publish("t", b"", 1, packet_id=1)),
        Puback(1),
        ("→", Subscribe(2, ((DEVICEBOUND + "#", 1),))),
        Suback(2, (1,)),
        Publish(DEVICEBOUND + "a=1", b"x", 1, packet_id=9),
        ("→", Puback(9)),
        ("→", Unsubscribe(3, (DEVICEBOUND + "#",))),
        Unsuback(3),
        ("→", Pingreq()),
        Pingresp(),
    )

    assert watch.breaches == ()
    assert watch.sightings == {
        "watch.connack": 6,
        "watch.server-only": 6,
        "watch.ids": 4,
        "watch.qos": 2,
        "watch.flags": 1,
        "watch.topics": 1,
        "watch.identity": 1,
    }
    assert set(watch.sightings) == set(CLAUSES)


def test_a_watch_that_saw_nothing_judged_nothing():
    assert Watch().sightings == {}


@pytest.mark.parametrize(
    ("conversation", "observed"),
    [
        ([Pingresp()], "pingresp"),
        ([ACCEPTED, ACCEPTED], "connack 0"),
        ([Connack(0, 5), Pingresp()], "pingresp"),
        ([Connack(0, 5), Connack(0, 5)], "connack 5"),
        ([Connack(0, 0, b"")], "connack 0"),
    ],
    ids=["not-first", "twice", "after-a-refusal", "refused-twice", "longer-than-its-version"],
)
def test_connack_is_first_once_and_the_last_of_a_refusal(conversation, observed):
    assert breached(("→", CONNECT), *conversation) == [("watch.connack", observed)]


def test_the_connack_of_mqtt_5_belongs_to_mqtt_5():
    assert breached(("→", CONNECT_5), Connack(0, 0x84, b""), Disconnect(0x82))[1:] == []


@pytest.mark.parametrize(
    "packet",
    [
        CONNECT,
        Subscribe(1, (("a", 0),)),
        Unsubscribe(1, ("a",)),
        Pingreq(),
        Disconnect(),
        Unreadable("odd", b"\xf0\x00"),
    ],
    ids=lambda packet: type(packet).__name__,
)
def test_what_only_a_client_sends_or_nobody_can_read_is_a_breach(packet):
    assert [clause for clause, _ in session(packet)] == ["watch.server-only"]


@pytest.mark.parametrize(
    ("conversation", "observed"),
    [
        ([Puback(1)], "puback"),
        ([("→", Publish("t", b"", 1, packet_id=1)), Puback(2)], "puback"),
        ([("→", Publish("t", b"", 1, packet_id=1)), Puback(1), Puback(1)], "puback"),
        ([("→", Subscribe(1, (("a", 0),))), Unsuback(1)], "unsuback"),
        ([("→", Subscribe(1, (("a", 0),))), Suback(2, (0,))], "suback 0"),
        ([("→", Publish("t", b"", 0)), Puback(0)], "puback"),
        ([Publish(DEVICEBOUND, b"", 1, packet_id=0)], "publish"),
        ([Publish(DEVICEBOUND, b"", 1, packet_id=4), Publish(DEVICEBOUND, b"", 1, packet_id=4)], "publish"),
    ],
    ids=[
        "unasked",
        "another-id",
        "twice",
        "wrong-kind",
        "another-suback",
        "for-qos-0",
        "id-0",
        "id-in-flight",
    ],
)
def test_ids_are_those_that_wait(conversation, observed):
    assert session(*conversation) == [("watch.ids", observed)]


@pytest.mark.parametrize(
    "conversation",
    [
        [
            ("→", Publish("t", b"", 1, packet_id=1)),
            ("→", Publish("t", b"", 1, dup=True, packet_id=1)),
            Puback(1),
            Puback(1),
        ],
        [("→", Publish("t", b"", 2, packet_id=1)), Puback(1)],
        [("→", Publish("t", b"", 1, packet_id=0)), Puback(0)],
        [Publish(DEVICEBOUND, b"", 1, packet_id=4), Publish(DEVICEBOUND, b"", 1, dup=True, packet_id=4)],
        [
            Publish(DEVICEBOUND, b"", 1, packet_id=4),
            ("→", Puback(4)),
            Publish(DEVICEBOUND, b"", 1, packet_id=4),
        ],
        [("→", Unreadable("ill-formed UTF-8", b"")), Puback(1)],
    ],
    ids=[
        "a-resend",
        "puback-of-qos-2",
        "id-0-asked-for",
        "a-redelivery",
        "id-free-again",
        "after-nonsense-of-ours",
    ],
)
def test_what_may_be_is_no_breach(conversation):
    assert session(*conversation) == []


@pytest.mark.parametrize("packet", [Pubrec(1), Pubrel(1), Pubcomp(1)], ids=repr)
def test_the_packets_of_qos_2_are_a_breach(packet):
    assert session(packet) == [("watch.qos", type(packet).__name__.lower())]


def test_a_delivery_above_the_granted_qos_is_a_breach():
    granted_0 = [("→", Subscribe(1, ((DEVICEBOUND + "#", 1),))), Suback(1, (0,))]
    message = Publish(DEVICEBOUND, b"", 1, packet_id=1)

    assert session(*granted_0, message) == [("watch.qos", "qos 1")]
    # An earlier session may have granted more; nobody here knows.
    assert breached(("→", CONNECT), Connack(1, 0), *granted_0, message) == []


def test_a_hub_neither_retains_nor_repeats_at_qos_0():
    assert session(Publish(DEVICEBOUND, b"", retain=True)) == [("watch.flags", "retain")]
    assert session(Publish(DEVICEBOUND, b"", dup=True)) == [("watch.flags", "dup")]


@pytest.mark.parametrize(
    "topic",
    [
        "devices/d1/messages/devicebound",
        "devices/d1/messages/devicebound/",
        "devices/d1/messages/devicebound/%24.mid=1&a=b",
        "devices/d1/messages/devicebound/?a=b",
        "$iothub/twin/res/200/?$rid=1",
        "$iothub/twin/res/204/?$rid=1&$version=6",
        "$iothub/twin/PATCH/properties/desired/?$version=7",
        "$iothub/methods/POST/reboot/?$rid=a1",
    ],
)
def test_documented_topics(topic):
    assert session(Publish(topic, b"")) == []


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "devices/d1/messages/events/",
        "devices/d1/messages/deviceboundx",
        "$iothub/twin/GET/?$rid=1",
        "a/#",
    ],
)
def test_undocumented_topics(topic):
    assert ("watch.topics", "publish") in session(Publish(topic, b""))


def test_a_message_of_another_identity_is_a_breach():
    assert session(Publish("devices/d2/messages/devicebound/", b"")) == [("watch.identity", "publish")]


def test_a_breach_says_what_came():
    (breach,) = judged(("→", CONNECT), ACCEPTED, Puback(7)).breaches

    assert breach.message == "packet id 7 waits for no such acknowledgement: PUBACK packet=7"


@pytest.mark.parametrize(
    ("topic_filter", "topic", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/+/c", "a/b/c", True),
        ("a/+", "a", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "a/b", True),
        ("#", "$iothub/x", False),
        ("+/x", "$iothub/x", False),
        ("$iothub/#", "$iothub/x", True),
        ("a/b/c", "a/b", False),
    ],
)
def test_filters_match_as_mqtt_says(topic_filter, topic, expected):
    assert matches(topic_filter, topic) is expected
