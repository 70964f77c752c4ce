"""Connections that say literal bytes, against peers that do so too."""

import threading

import pytest
from patience import PATIENCE
from scripted_peer import CONNACK, PINGRESP
from violations import violation

from conformance.errors import HarnessError, StageFailed
from conformance.mqtt.packets import Connack
from conformance.mqtt.raw_packets import packet, text

PINGREQ = b"\xc0\x00"
REFUSAL = b"\x20\x02\x00\x05"


def answers(*replies, then=None):
    """Accept the CONNECT, answer each packet with the next reply, then answer PINGREQ alone, or close."""

    def play(line):
        line.answer_connect()
        for reply in replies:
            line.read_packet()
            line.send(reply)
        if then != "close":
            line.answer_pings()

    return play


def test_nothing_is_sent_but_what_the_test_sends(scene):
    raw = scene.device(lambda line: line.read_to_end()).raw()
    assert raw.tls_version in {"TLSv1.2", "TLSv1.3"}

    raw.close()

    assert scene.peer.ended.acquire(timeout=PATIENCE)
    assert scene.peer.lines[0].received == []


def test_bytes_go_out_as_they_are_in_as_many_writes_as_asked_for(scene):
    arrived = []

    def play(line):
        line.read_packet()
        arrived.append(line.sock.recv(100))
        line.send(b"\x40\x02\x00\x01")

    raw = scene.device(play).raw()
    raw.send_slowly(PINGREQ)
    raw.send(b"\xf0", b"")

    assert raw.take(1) == ("puback 1",)
    assert scene.peer.lines[0].received == [PINGREQ]
    assert arrived == [b"\xf0"]


def test_connect_is_what_lets_the_device_in(scene):
    device = scene.device(answers())
    raw = device.raw()

    raw.connect(device, keep_alive=5, clean_session=False)

    assert raw.received == (Connack(0, 0),)
    connect = scene.peer.lines[0].received[0]
    assert connect[2:].startswith(b"\x01\x00\x04MQTT\x04\xc0\x00\x05\x00\x02d1")


def test_a_connect_that_is_refused_is_a_violation(scene):
    raw = scene.device(lambda line: line.answer_connect(b"\x20\x02\x00\x04")).raw()

    assert violation(raw.connect).observed == "connack 4"


def test_packets_are_taken_in_order_with_their_ids(scene):
    raw = scene.device(answers(b"\x40\x02\x00\x07\x90\x04\x12\x34\x01\x80")).raw_connected()
    raw.send(b"\xd0\x00")

    assert raw.take(2) == ("puback 7", "suback 4660 1 128")


def test_fewer_packets_than_asked_for_end_with_the_close(scene):
    raw = scene.device(answers(b"\x40\x02\x00\x07", then="close")).raw_connected()
    raw.send(b"\xd0\x00")

    assert raw.take(3) == ("puback 7", "closed")


def test_fewer_packets_than_asked_for_on_an_open_connection_are_all_there_are(scene):
    raw = scene.device(answers(b"\x40\x02\x00\x07")).raw_connected()
    raw.send(b"\xd0\x00")
    raw.ping()

    with scene.hurry():
        assert raw.take(3) == ("puback 7",)


def test_answers_to_the_tests_own_pings_count_and_those_to_fences_do_not(scene):
    raw = scene.device(answers()).raw_connected()
    raw.ping()

    raw.send(PINGREQ * 3)

    assert raw.take(3) == ("pingresp", "pingresp", "pingresp")
    assert raw.outcome() == "no answer"


def test_an_answer_too_many_is_seen(scene):
    def play(line):
        line.answer_connect()
        line.read_packet()
        line.send(PINGRESP + PINGRESP)
        line.answer_pings()

    raw = scene.device(play).raw_connected()
    raw.send(PINGREQ)

    assert raw.take(1) == ("pingresp",)
    assert raw.outcome() == "pingresp"


def test_an_exchange_is_a_violation_unless_the_answer_is_the_one(scene):
    raw = scene.device(answers(b"\x90\x03\x00\x01\x00", b"\x90\x03\x00\x01\x80")).raw_connected()

    raw.exchange(packet(0x82, b"\x00\x01", text("a"), b"\x00"), "suback 1 0")

    assert violation(raw.exchange, PINGREQ, "pingresp").observed == "suback 1 128"


@pytest.mark.parametrize(
    ("script", "word"),
    [
        (lambda line: line.answer_connect(REFUSAL), "connack 5"),
        (lambda line: line.answer_connect(b"\x20\x03\x00\x84\x00"), "connack 132"),
        (lambda line: line.read_packet(), "closed"),
        (lambda line: (line.read_packet(), line.reset()), "closed"),
        (lambda line: (line.answer_connect(REFUSAL), line.reset()), "connack 5"),
        (lambda line: (line.answer_connect(REFUSAL), line.answer_pings()), "connack 5"),
    ],
    ids=["connack", "connack-of-mqtt-5", "closed", "reset", "connack-and-reset", "connack-stays-open"],
)
def test_refusals(scene, script, word):
    raw = scene.device(script).raw()
    raw.send(raw.device.connect_packet())

    assert raw.expect_refused() == word


@pytest.mark.parametrize(
    ("script", "observed"),
    [
        (lambda line: line.answer_connect(), "accepted"),
        (lambda line: line.answer_connect(b"\x50\x02\x00\x05"), "pubrec"),
    ],
    ids=["accepted", "other-packet"],
)
def test_what_is_no_refusal(scene, script, observed):
    raw = scene.device(script).raw()
    raw.send(raw.device.connect_packet())

    assert violation(raw.expect_refused).observed == observed


def test_silence_is_no_refusal(scene):
    raw = scene.device(lambda line: line.read_to_end()).raw()
    raw.send(raw.device.connect_packet())

    with scene.hurry():
        assert violation(raw.expect_refused).observed == "silence"


@pytest.mark.parametrize(
    ("connack", "verb", "word"),
    [(CONNACK, "outcome", "connack 0"), (REFUSAL, "expect_refused", "connack 5")],
    ids=["accepted", "refused"],
)
def test_a_connack_too_many_is_left_to_the_watch(scene, connack, verb, word):
    def play(line):
        line.answer_connect(connack * 2)
        if connack == CONNACK:
            line.answer_pings()

    raw = scene.device(play).raw()
    raw.send(raw.device.connect_packet())

    assert getattr(raw, verb)() == word
    assert [breach.clause for breach in scene.evidence.breaches] == ["watch.connack"]


def test_the_connack_of_a_second_connect_is_not(scene):
    raw = scene.device(answers(CONNACK)).raw_connected()
    raw.send(raw.device.connect_packet())

    assert violation(raw.expect_silent_close).observed == "connack 0"


def test_a_close_without_any_packet_is_expected(scene):
    raw = scene.device(answers(b"", then="close")).raw_connected()
    raw.send(b"\xf0\x00")

    raw.expect_silent_close()


@pytest.mark.parametrize("rest", [b"\xe0\x00", b"\x40\x02\x00"], ids=["packet", "part-of-one"])
def test_bytes_before_the_close_are_a_violation(scene, rest):
    raw = scene.device(answers(rest, then="close")).raw_connected()
    raw.send(b"\xf0\x00")

    assert violation(raw.expect_silent_close).observed in {"disconnect", "unreadable"}


def test_bytes_before_the_close_are_no_matter_otherwise(scene):
    raw = scene.device(answers(b"\xe0\x00", then="close")).raw_connected()
    raw.send(b"\xf0\x00")

    raw.expect_closed()


def test_a_long_wait_for_a_close_has_its_own_limit(scene):
    raw = scene.device(answers()).raw_connected()

    assert violation(raw.expect_closed, within=0.05).expected.startswith(
        "connection closed by the hub within 0.05"
    )
    assert raw.wait_closed(within=0.05) is False


def test_the_time_of_an_end_is_asked_for_too_early(scene):
    raw = scene.device(answers()).raw_connected()

    with pytest.raises(HarnessError, match="still open"):
        _ = raw.closed_after


def test_outcome_without_fence_waits_for_the_end(scene):
    raw = scene.device(answers(b"\x40\x02\x00\x07", then="close")).raw_connected()
    raw.send(b"\xe0\x00")

    assert raw.outcome(fence=False) == "puback, closed"
    assert PINGREQ not in scene.peer.lines[0].received


def test_one_sends_until_the_other_is_closed(scene):
    heard = threading.Semaphore(0)

    def talks(line):
        line.answer_connect()
        for _ in range(3):
            line.read_packet()
            heard.release()
        line.answer_pings()

    def closes_then(line):
        line.answer_connect()
        for _ in range(3):
            assert heard.acquire(timeout=PATIENCE)

    other, talker = scene.device(closes_then).raw_connected(), scene.device(talks).raw_connected()
    publish = talker.publish_packet("t", b"x")

    talker.send_while_open(other, publish, every=0.01, within=PATIENCE)

    talker.ping()
    assert publish == b"\x30\x04\x00\x01tx"
    assert scene.peer.lines[0].received[1:4] == [publish] * 3
    assert other.closed_after > 0


def test_a_talker_that_is_closed_before_the_silent_one_is_a_violation(scene):
    other = scene.device(answers()).raw_connected()
    talker = scene.device(answers(b"", then="close")).raw_connected()

    seen = violation(talker.send_while_open, other, PINGREQ, every=0.01, within=PATIENCE)

    assert seen.observed == "closed"


def test_a_silent_one_that_is_never_closed_leaves_nothing_to_see(scene):
    device = scene.device(answers())
    other, talker = device.raw_connected(), device.raw_connected()

    with pytest.raises(StageFailed, match=r"needs connection\.keep-alive: the other one is open after"):
        talker.send_while_open(other, PINGREQ, every=0.01, within=0.05)


def test_behind_a_half_close_everything_that_was_sent_is_still_read(scene):
    ended = threading.Event()

    def play(line):
        line.answer_connect()
        line.read_packet()
        line.send(b"\x40\x02\x00\x01")
        line.read_to_end()
        ended.set()

    raw = scene.device(play).raw_connected()
    raw.send(PINGREQ)

    raw.half_close()

    assert raw.take(2) == ("puback 1", "closed")
    assert ended.wait(PATIENCE)
