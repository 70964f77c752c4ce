"""What a connection heard, and leaving without DISCONNECT, against peers that play literal bytes."""

import pytest
from patience import PATIENCE
from scripted_peer import CONNACK

from conformance.errors import Violation
from conformance.mqtt.fields import Will

MESSAGE_A = b"\x30\x04\x00\x01ta"
MESSAGE_B = b"\x30\x04\x00\x01tb"


def answering(*answers, closing=False):
    """Accept, answer the next packet with these bytes, then close or answer PINGREQ alone."""

    def play(line):
        line.answer_connect()
        line.read_packet()
        line.send(*answers)
        if not closing:
            line.answer_pings()

    return play


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (answering(b"\x90\x03\x00\x01\x80"), "suback 128"),
        (answering(b"\x90\x03\x00\x01\x01"), "suback 1"),
        (answering(b"\x90\x03\x00\x01\x80", closing=True), "suback 128, closed"),
        (answering(closing=True), "closed"),
        pytest.param(answering(MESSAGE_A, b"\x90\x03\x00\x01\x01"), "suback 1", id="behind-a-message"),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_an_attempt_to_subscribe_is_told_in_words(scene, script, outcome):
    assert scene.device(script).connect().try_to_subscribe("#") == outcome


def test_an_attempt_to_subscribe_waits_for_the_answer_that_mqtt_demands(scene):
    """No fence ends the wait: a SUBACK may come behind a PINGRESP."""
    connection = scene.device(answering()).connect()

    with scene.hurry():
        assert connection.try_to_subscribe("#") == "no answer"


def test_the_answer_is_waited_for_and_the_fence_comes_behind_it(scene):
    """PUBACK comes when the hub likes, not before a PINGRESP."""
    connection = scene.device(answering(b"\x40\x02\x00\x01")).connect()
    connection.send("t", b"x", qos=1)

    assert connection.answer() == "puback"


def test_no_answer_is_told_when_its_time_is_over(scene):
    connection = scene.device(answering()).connect()
    connection.send("t", b"x", qos=1)

    with scene.hurry():
        assert connection.answer() == "no answer"


def test_an_attempt_to_unsubscribe_is_told_in_words(scene):
    connection = scene.device(answering(MESSAGE_A, b"\xb0\x02\x00\x01")).connect()

    assert connection.try_to_unsubscribe("#") == "unsuback"


def test_what_was_heard_is_what_came_before_the_fence(scene):
    connection = scene.device(answering(MESSAGE_A, b"\x40\x02\x00\x01", MESSAGE_B)).connect()
    connection.send("t", b"x", qos=0)

    assert connection.heard() == [b"a", b"b"]
    assert connection.heard() == [b"a", b"b"]


def test_a_closed_connection_has_heard_what_came_before_its_end(scene):
    connection = scene.device(answering(MESSAGE_A, closing=True)).connect()
    connection.send("t", b"x", qos=0)
    connection.expect_closed()

    assert connection.heard() == [b"a"]


def test_what_was_heard_before_a_message_leaves_that_message_out(scene):
    connection = scene.device(answering(MESSAGE_A, MESSAGE_B)).connect()
    connection.send("t", b"x", qos=0)

    assert connection.heard_until(b"b") == [b"a"]


def test_a_connection_that_closes_first_has_heard_what_came_until_then(scene):
    connection = scene.device(answering(MESSAGE_A, closing=True)).connect()
    connection.send("t", b"x", qos=0)

    assert connection.heard_until(b"b") == [b"a"]


def test_a_message_that_neither_comes_nor_ends_is_a_violation(scene):
    connection = scene.device(answering(MESSAGE_A)).connect()
    connection.send("t", b"x", qos=0)

    with scene.hurry(), pytest.raises(Violation, match='payload "b"'):
        connection.heard_until(b"b")


def test_an_attempt_that_is_dropped_sends_no_disconnect(scene):
    device = scene.device(lambda line: (line.answer_connect(), line.read_packet()))

    assert device.attempt_and_drop(will=Will(topic="w", payload=b"gone")) == "accepted"

    assert scene.peer.ended.acquire(timeout=PATIENCE)
    (connect,) = scene.peer.lines[0].received
    assert connect.endswith(b"\x00\x01w\x00\x04gone" + connect[connect.index(b"\x00\x04gone") + 6 :])


def test_an_attempt_that_is_refused_has_nothing_to_drop(scene):
    device = scene.device(lambda line: line.answer_connect(CONNACK[:3] + b"\x05"))

    assert device.attempt_and_drop() == "connack 5"
