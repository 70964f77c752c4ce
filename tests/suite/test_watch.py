"""The watch: packets in, breaches and sightings out, with no socket near."""

import pytest

from conformance.evidence.watch import CLAUSES, Breach, ConnectionWatch, Judgement, Watch
from conformance.mqtt.packets import (
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

CONNECT = Connect("MQTT", 4, True, 60, "d1", None, "u", True)
CONNECT_5 = Connect("MQTT", 5, True, 60, "d1", None, "u", True)
ACCEPTED = Connack(0, 0)
DEVICEBOUND = "devices/d1/messages/devicebound/"


def judged(*packets, identity="d1"):
    """Breaches and sightings after a conversation; ("→", packet) is sent, a bare packet is received."""
    watch, connection = Watch(), ConnectionWatch(identity)
    for packet in packets:
        if isinstance(packet, tuple):
            connection.sent(packet[1])
        else:
            watch.note(connection.received(packet))
    return watch


def breached(*packets, identity="d1"):
    return [(breach.clause, breach.observed) for breach in judged(*packets, identity=identity).breaches]


def session(*packets, identity="d1"):
    return breached(("→", CONNECT), ACCEPTED, *packets, identity=identity)


def asked(topic):
    return "→", Publish(topic, b"")


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
        asked("$iothub/twin/GET/?$rid=1"),
        Publish("$iothub/twin/res/200/?$rid=1", b"{}"),
        ("→", Pingreq()),
        Pingresp(),
    )

    assert watch.breaches == ()
    assert watch.sightings == {
        "watch.connack": 7,
        "watch.server-only": 7,
        "watch.ids": 3,
        "watch.packet-ids": 1,
        "watch.qos": 2,
        "watch.flags": 2,
        "watch.topics": 2,
        "watch.identity": 1,
        "watch.twin-status": 1,
        "watch.twin-status-known": 1,
        "watch.request-id": 1,
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
    ],
    ids=[
        "unasked",
        "another-id",
        "twice",
        "wrong-kind",
        "another-suback",
        "for-qos-0",
    ],
)
def test_ids_are_those_that_wait(conversation, observed):
    assert session(*conversation) == [("watch.ids", observed)]


@pytest.mark.parametrize("ids", [(0,), (4, 4), (4, 5, 4)], ids=["zero", "in-flight", "in-flight-before"])
def test_the_hubs_own_ids_are_free_ones(ids):
    messages = (Publish(DEVICEBOUND, b"%d" % nth, 1, packet_id=each) for nth, each in enumerate(ids))

    assert session(*messages) == [("watch.packet-ids", "publish")]


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
        [Publish(DEVICEBOUND, b"", 1, packet_id=4), Publish(DEVICEBOUND, b"", 1, packet_id=4)],
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
        "a-redelivery-without-DUP",
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
        "devices/d1/messages/devicebound/",
        "devices/d1/messages/devicebound/%24.to=%2Fdevices%2Fd1%2Fmessages%2FdeviceBound&a=b",
        "$iothub/twin/PATCH/properties/desired/?$version=7",
        "$iothub/methods/POST/reboot/?$rid=a1",
    ],
)
def test_documented_topics(topic):
    assert session(Publish(topic, b"")) == []


@pytest.mark.parametrize("topic", ["", "devices/d1/messages/events/", "$iothub/twin/GET/?$rid=1", "a/#"])
def test_undocumented_topics(topic):
    assert session(Publish(topic, b"")) == [("watch.topics", "publish")]


@pytest.mark.parametrize(
    ("identity", "topic"),
    [
        ("d1", "devices/d2/messages/devicebound/"),
        ("d1", "devices/d1/messages/devicebound/%24.to=%2Fdevices%2Fd2%2Fmessages%2Fdevicebound"),
        ("d1", "devices/d1/messages/devicebound/$.to=/devices/d2/messages/devicebound"),
        ("d1/m1", "devices/d1/messages/devicebound/"),
    ],
    ids=["topic", "address-in-the-bag", "address-unescaped", "the-modules-device"],
)
def test_a_message_for_another_identity_is_a_breach(identity, topic):
    assert session(Publish(topic, b""), identity=identity) == [("watch.identity", "publish")]


def test_an_undocumented_topic_may_speak_of_another_device_too():
    assert session(Publish("devices/d2/messages/events/", b"")) == [
        ("watch.topics", "publish"),
        ("watch.identity", "publish"),
    ]


@pytest.mark.parametrize(
    ("conversation", "breaches"),
    [
        ([asked("$iothub/twin/GET/?$rid=1"), Publish("$iothub/twin/res/200/?$rid=1", b"")], []),
        (
            [
                asked("$iothub/twin/PATCH/properties/reported/?$rid=a-1&$version=3"),
                Publish("$iothub/twin/res/204/?$rid=a-1&$version=4", b""),
            ],
            [],
        ),
        (
            [
                asked("$iothub/twin/GET/?$rid=1"),
                asked("$iothub/twin/GET/?$rid=2"),
                Publish("$iothub/twin/res/200/?$rid=2", b""),
                Publish("$iothub/twin/res/200/?$rid=1", b""),
            ],
            [],
        ),
        ([asked("$iothub/twin/GET/?$rid=a%20b"), Publish("$iothub/twin/res/200/?$rid=a%20b", b"")], []),
        ([asked("$iothub/twin/GET/?$rid=a%20b"), Publish("$iothub/twin/res/200/?$rid=a b", b"")], []),
        ([asked("$iothub/twin/GET/?$rid=a&b"), Publish("$iothub/twin/res/200/?$rid=a&b", b"")], []),
        ([asked("$iothub/twin/GET/?$rid=a&b"), Publish("$iothub/twin/res/200/?$rid=a", b"")], []),
        ([asked("$iothub/twin/GET/"), Publish("$iothub/twin/res/400/?$rid=", b"")], []),
        ([("→", Unreadable("odd", b"")), Publish("$iothub/twin/res/400/?$rid=1", b"")], []),
        ([Publish("$iothub/twin/res/200/?$rid=1", b"")], ["watch.request-id"]),
        (
            [asked("$iothub/twin/GET/?$rid=1"), Publish("$iothub/twin/res/200/?$rid=2", b"")],
            ["watch.request-id"],
        ),
        (
            [asked("$iothub/twin/GET/?$rid=Ab"), Publish("$iothub/twin/res/200/?$rid=ab", b"")],
            ["watch.request-id"],
        ),
        (
            [
                asked("$iothub/twin/GET/?$rid=1"),
                Publish("$iothub/twin/res/200/?$rid=1", b""),
                Publish("$iothub/twin/res/200/?$rid=1", b""),
            ],
            ["watch.request-id"],
        ),
        (
            [asked("$iothub/methods/res/200/?$rid=1"), Publish("$iothub/twin/res/200/?$rid=1", b"")],
            ["watch.request-id"],
        ),
    ],
    ids=[
        *("get", "patch-with-versions", "in-any-order", "escapes-kept", "escapes-undone", "ampersand-kept"),
        *("cut-at-the-ampersand", "without-an-id", "behind-nonsense-of-ours", "unasked", "another-id"),
        *("another-case", "twice", "to-no-twin-request"),
    ],
)
def test_an_answer_is_to_a_request_of_this_connection(conversation, breaches):
    assert [clause for clause, _ in session(*conversation)] == breaches


@pytest.mark.parametrize(
    ("status", "breaches"),
    [
        ("200", []),
        ("204", []),
        ("400", []),
        ("429", []),
        ("503", []),
        ("412", ["watch.twin-status-known"]),
        ("OK", ["watch.twin-status", "watch.twin-status-known"]),
        ("", ["watch.twin-status", "watch.twin-status-known"]),
        ("200.0", ["watch.twin-status", "watch.twin-status-known"]),
        ("٢٠٠", ["watch.twin-status", "watch.twin-status-known"]),
    ],
)
def test_the_status_of_a_twin_answer_is_a_known_whole_number(status, breaches):
    conversation = [asked("$iothub/twin/GET/?$rid=1"), Publish(f"$iothub/twin/res/{status}/?$rid=1", b"")]

    assert session(*conversation) == [(clause, f"status {status}") for clause in breaches]


def test_breaches_of_one_clause_with_one_word_are_one_and_counted():
    """A hub that says something ten thousand times takes no more room than one that says it once."""
    pubacks = [Puback(number) for number in range(1, 10_001)]
    watch = judged(("→", CONNECT), ACCEPTED, *pubacks, Suback(7, (0,)))

    assert [(breach.clause, breach.observed, breach.count) for breach in watch.breaches] == [
        ("watch.ids", "puback", 10_000),
        ("watch.ids", "suback 0", 1),
    ]
    assert watch.breaches[0].message == "packet id 1 waits for no such acknowledgement: PUBACK packet=1"
    assert watch.sightings["watch.ids"] == 10_001


def test_ways_to_break_a_clause_beyond_the_first_twenty_have_one_word():
    answers = [Publish(f"$iothub/twin/res/2{number}.0/?$rid=1", b"") for number in range(100)]
    watch = judged(("→", CONNECT), ACCEPTED, *[asked("$iothub/twin/GET/?$rid=1")] * 100, *answers)

    found = [(each.observed, each.count) for each in watch.breaches if each.clause == "watch.twin-status"]
    assert found == [*((f"status 2{number}.0", 1) for number in range(20)), ("still other words", 80)]


def test_what_a_breach_tells_has_an_end_though_a_topic_has_64_kb():
    watch = judged(("→", CONNECT), ACCEPTED, Publish("devices/" + "x" * 65_000, b"", retain=True))

    assert [len(breach.message) < 1100 for breach in watch.breaches] == [True] * 3
    assert [len(breach.observed) < 110 for breach in watch.breaches] == [True] * 3


def test_a_breach_says_what_came():
    (breach,) = judged(("→", CONNECT), ACCEPTED, Puback(7)).breaches

    assert breach.message == "packet id 7 waits for no such acknowledgement: PUBACK packet=7"


def test_what_rests_on_time_says_nothing_where_the_suite_was_held_up():
    watch = Watch()
    late = Breach("connection.ping", "no PINGRESP within 5 s", "silence", rests_on_time=True)
    wrong = Breach("watch.flags", "RETAIN on a message", "retain")
    watch.note(Judgement(["connection.ping", "watch.flags"], [late, wrong]))

    watch.forget_what_rests_on_time()

    assert watch.breaches == (wrong,)
