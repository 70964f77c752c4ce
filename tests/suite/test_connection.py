"""Connections over paho, against peers that play literal bytes."""

import socket

import pytest
import trustme
from patience import PATIENCE
from scripted_peer import CONNACK, PINGRESP
from violations import violation

from conformance.errors import HarnessError, TargetUnreachable
from conformance.mqtt.connection import Connection, Pending
from conformance.mqtt.fields import Will
from conformance.mqtt.packets import Puback, Publish

EVENTS = "devices/d1/messages/events/"


def serve(line):
    """What an ordinary hub does, as far as these tests go."""
    line.answer_connect()
    while True:
        packet = line.read_packet()
        match packet[0] >> 4:
            case 3 if packet[0] & 0x06:
                topic = packet.index(b"\x00\x1bdevices/")
                line.send(b"\x40\x02" + packet[topic + 29 : topic + 31])
            case 8:
                line.send(b"\x90\x03" + packet[2:4] + b"\x01")
            case 10:
                line.send(b"\xb0\x02" + packet[2:4])
            case 12:
                line.send(PINGRESP)
            case 14:
                return


def after_connect(*answers):
    """Accept, then answer the next packet with these bytes, then answer PINGREQ alone."""

    def play(line):
        line.answer_connect()
        line.read_packet()
        line.send(*answers)
        line.answer_pings()

    return play


def test_connect_says_who_the_device_is(scene):
    device = scene.device(serve)

    device.connect(keep_alive=77, clean_session=False, will=Will(topic="w", payload=b"gone", qos=1)).close()

    (line,) = scene.peer.lines
    token = device.token().reveal().partition("&")[0].encode()
    assert line.received[0][2:].startswith(
        b"\x01\x00\x04MQTT\x04\xcc\x00\x4d\x00\x02d1\x00\x01w\x00\x04gone"
        b"\x00\x24localhost/d1/?api-version=2018-06-30"
    )
    assert token in line.received[0]


def test_the_verbs_of_an_ordinary_session(scene):
    device = scene.device(serve)
    connection = device.connect()

    assert connection.session_present == 0
    assert connection.publish(EVENTS, b"one", qos=1) == 1
    assert connection.publish(EVENTS, b"two", qos=0) == 0
    assert connection.subscribe(device.topics.devicebound) == 1
    connection.unsubscribe(device.topics.devicebound)
    connection.publish_each(EVENTS, [b"three", b"four"])
    connection.send_each(EVENTS, [b"five"] * 30)
    connection.ping()
    assert connection.outcome() == ", ".join(["puback"] * 30)
    connection.disconnect()

    assert scene.evidence.breaches == ()
    assert scene.peer.ended.acquire(timeout=PATIENCE)
    assert [packet[0] >> 4 for packet in scene.peer.lines[0].received][-1] == 14


def message(text, packet_id):
    """A PUBLISH to the device with QoS 1."""
    body = b"\x00\x1fdevices/d1/messages/devicebound" + packet_id.to_bytes(2) + text
    return b"\x32" + bytes([len(body)]) + body


def test_a_message_is_acknowledged_at_once(scene):
    device = scene.device(after_connect(message(b"one", 7)))
    connection = device.connect()
    connection.send(EVENTS)

    assert connection.expect_message().payload == b"one"
    connection.ping()
    assert b"\x40\x02\x00\x07" in scene.peer.lines[0].received


def test_a_message_is_acknowledged_by_hand(scene):
    device = scene.device(after_connect(message(b"one", 7), message(b"two", 8)))
    connection = device.connect(manual_acknowledgement=True)
    connection.send(EVENTS)

    one, two = connection.messages_until(b"two")
    connection.acknowledge(two)
    connection.ping()
    assert (one.payload, one.packet_id, two.packet_id) == (b"one", 7, 8)
    acknowledgements = [packet for packet in scene.peer.lines[0].received if packet[0] == 0x40]
    assert acknowledgements == [b"\x40\x02\x00\x08"]


def test_a_payload_that_comes_twice_counts_where_it_came_first(scene):
    messages = message(b"one", 7), message(b"two", 8), message(b"one", 7), message(b"three", 9)
    connection = scene.device(after_connect(*messages)).connect()
    connection.send(EVENTS)

    assert connection.payloads_until(b"three") == [b"one", b"two", b"three"]


def test_a_resend_is_no_delivery(scene):
    """The same message under the same packet id, with DUP 1 or without; under another it is one more."""
    again = b"\x3a" + message(b"one", 7)[1:]
    messages = message(b"one", 7), again, message(b"one", 7), message(b"one", 8), message(b"two", 9)
    connection = scene.device(after_connect(*messages)).connect()
    connection.send(EVENTS)

    arrived = [(each.payload, each.packet_id) for each in connection.deliveries_until(b"two")]
    assert arrived == [(b"one", 7), (b"one", 8), (b"two", 9)]


def test_a_message_that_may_come_or_not(scene):
    connection = scene.device(after_connect(message(b"one", 7))).connect()
    connection.send(EVENTS)

    assert connection.next_delivery(within=PATIENCE) == "delivered, DUP 0"
    assert connection.next_delivery(within=0.1) == "nothing"


def test_messages_up_to_one_that_does_not_come(scene):
    connection = scene.device(after_connect(message(b"one", 7))).connect()
    connection.send(EVENTS)
    connection.ping()

    with scene.hurry():
        failure = violation(connection.messages_until, b"two")
        assert failure.observed == "publish"
        assert failure.actual.startswith("others: 1, the last PUBLISH qos=1 packet=7")
        assert violation(connection.messages_until, b"two").observed == "silence"


def test_what_is_pending_comes_with_or_without_another_subscribe(scene):
    def at_once(line):
        line.answer_connect()
        line.send(message(b"one", 1), message(b"one", 1), message(b"two", 2))
        line.answer_pings()

    def when_asked(line):
        line.answer_connect()
        line.send(message(b"one", 1))
        packet = line.read_packet()
        while packet[0] != 0x82:
            packet = line.read_packet()
        line.send(b"\x90\x03" + packet[2:4] + b"\x01" + message(b"two", 2))
        line.answer_pings()

    at_once = scene.device(at_once).connect().pending([b"one", b"two"])
    assert at_once == Pending("delivered without SUBSCRIBE", [b"one", b"two"])
    when_asked = scene.device(when_asked).connect().pending([b"one", b"two"], within=0.3)
    assert when_asked == Pending("delivered after SUBSCRIBE", [b"one", b"two"])


def test_session_present_is_what_the_connack_says(scene):
    device = scene.device(lambda line: (line.answer_connect(b"\x20\x02\x01\x00"), line.answer_pings()))

    assert device.connect().session_present == 1


@pytest.mark.parametrize(
    ("script", "observed"),
    [
        (lambda line: line.answer_connect(b"\x20\x02\x00\x05"), "connack 5"),
        (lambda line: line.read_packet(), "closed"),
        (lambda line: (line.read_packet(), line.reset()), "closed"),
        (lambda line: None, "closed"),
        (lambda line: line.answer_connect(PINGRESP), "pingresp"),
        (lambda line: line.answer_connect(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "unreadable"),
        (lambda line: line.send(line.read_packet()), "connect"),
        (lambda line: line.answer_connect(b"\x20\x02\x00"), "unreadable"),
    ],
    ids=[
        "refuses",
        "closes",
        "resets",
        "closes-at-once",
        "other-packet",
        "other-protocol",
        "echo",
        "cut-off",
    ],
)
def test_a_connect_that_is_not_accepted_is_a_violation_with_its_word(scene, script, observed):
    device = scene.device(script)

    assert violation(device.connect).observed == observed
    assert device.attempt() == observed


def test_a_silent_peer_is_silence(scene):
    device = scene.device(lambda line: line.read_to_end())

    with scene.hurry():
        assert violation(device.connect).observed == "silence"
        assert device.attempt() == "silence"
        assert violation(device.expect_refused).observed == "silence"


def test_a_port_on_which_nothing_listens_is_no_verdict_on_the_hub(scene):
    device = scene.device(None)

    with pytest.raises(TargetUnreachable, match=r"localhost:\d+: .*Is the hub up"):
        device.connect()


def test_an_untrusted_certificate_is_no_verdict_on_mqtt(scene, tmp_path):
    device = scene.device(serve)
    trusted = tmp_path / f"root-{scene.peer.port}.pem"
    trusted.write_bytes(trustme.CA().cert_pem.bytes())

    with pytest.raises(TargetUnreachable, match="its certificate is not trusted"):
        device.connect()


def test_publish_waits_for_the_puback_with_its_id(scene):
    connection = scene.device(after_connect(b"\x40\x02\x00\x09")).connect()
    connection.send(EVENTS)
    connection.ping()

    with scene.hurry():
        missing = violation(connection.publish, EVENTS, b"x")

    assert missing.observed == "puback"
    assert missing.expected == "PUBACK packet=2 within 0.3 s"
    assert missing.actual == "PUBACK packet=9 instead"
    assert [breach.clause for breach in scene.evidence.breaches] == ["watch.ids"]


@pytest.mark.parametrize(
    "script",
    [
        (lambda line: (line.answer_connect(), line.read_packet())),
        (lambda line: (line.answer_connect(), line.read_packet(), line.reset())),
    ],
    ids=["end", "reset"],
)
def test_publish_on_a_connection_that_is_closed_meanwhile_is_a_violation(scene, script):
    connection = scene.device(script).connect()

    assert violation(connection.publish, EVENTS, b"x").observed == "closed"


def test_publish_answered_by_another_packet_is_a_violation_with_its_word(scene):
    connection = scene.device(after_connect(b"\x50\x02\x00\x01")).connect()
    connection.send(EVENTS)
    connection.ping()

    with scene.hurry():
        assert violation(connection.publish, EVENTS, b"x").observed == "pubrec"


def test_publish_without_any_answer_is_silence(scene):
    connection = scene.device(after_connect()).connect()

    with scene.hurry():
        assert violation(connection.publish, EVENTS, b"x").observed == "silence"


@pytest.mark.parametrize(
    ("script", "word"),
    [
        (after_connect(b"\x40\x02\x00\x01"), "puback"),
        (after_connect(), "no answer"),
        (after_connect(b"\x50\x02\x00\x01"), "pubrec"),
        (lambda line: (line.answer_connect(), line.read_packet()), "closed"),
        (lambda line: (line.answer_connect(), line.read_packet(), line.reset()), "closed"),
        (
            lambda line: (line.answer_connect(), line.read_packet(), line.send(b"\x50\x02\x00\x01")),
            "pubrec, closed",
        ),
    ],
    ids=["puback", "nothing", "pubrec", "closed", "reset", "pubrec-and-closed"],
)
def test_outcomes_up_to_the_fence(scene, script, word):
    connection = scene.device(script).connect()
    connection.send(EVENTS, b"x", qos=2)

    assert connection.outcome() == word


def test_an_unanswered_fence_is_silence(scene):
    connection = scene.device(lambda line: (line.answer_connect(), line.read_to_end())).connect()

    with scene.hurry():
        assert connection.outcome() == "silence"
        assert violation(connection.ping).observed == "silence"


def test_what_comes_behind_the_fence_belongs_to_the_next_outcome(scene):
    def play(line):
        line.answer_connect()
        line.read_packet()
        line.send(PINGRESP + b"\x40\x02\x00\x07")
        line.answer_pings()

    connection = scene.device(play).connect()

    assert connection.outcome() == "no answer"
    assert connection.outcome() == "puback"


def test_on_a_live_hub_silence_behind_the_fence_is_observed_too_and_counted(scene):
    def play(line):
        line.answer_connect()
        line.read_packet()
        line.send(PINGRESP)
        line.send(b"\x40\x02\x00\x07")
        line.answer_pings()

    scene.timeouts.silence = PATIENCE
    connection = scene.device(play).connect()

    assert connection.outcome() == "puback"
    assert 0 < scene.evidence.slept < PATIENCE


@pytest.mark.parametrize("how", ["eof", "reset"])
def test_a_close_by_the_hub_is_seen_with_its_time(scene, how):
    def play(line):
        line.answer_connect()
        line.read_packet()
        if how == "reset":
            line.reset()

    connection = scene.device(play).connect()
    connection.send(EVENTS, b"x", qos=0)

    connection.expect_closed()

    assert 0 < connection.closed_after < PATIENCE
    assert connection.closed_at > 1_700_000_000
    assert "closed by the hub (" + ("reset" if how == "reset" else "end of stream") in scene.evidence.render()


def test_a_connection_that_stays_is_still_open(scene):
    connection = scene.device(serve).connect()

    still = violation(connection.expect_closed, within=0.3)

    assert still.observed == "still open"
    assert still.expected == "connection closed by the hub within 0.3 s"
    assert still.actual == "still open after 0.3 s, and answers PINGREQ"
    assert scene.evidence.render().endswith("c1 = still open")


def test_a_packet_before_a_silent_close_is_a_violation(scene):
    connection = scene.device(after_connect(b"\x50\x02\x00\x01")).connect()
    connection.send(EVENTS, b"x", qos=2)

    seen = violation(connection.expect_silent_close)

    assert (seen.observed, seen.actual) == ("pubrec", "PUBREC packet=1; not closed")


def test_nothing_is_published_on_a_connection_that_the_hub_closed(scene):
    connection = scene.device(lambda line: line.answer_connect()).connect()
    connection.expect_closed()

    assert violation(connection.publish, EVENTS, b"x", qos=0).observed == "closed"
    assert violation(connection.publish, EVENTS, b"x", qos=1).observed == "closed"
    assert connection.outcome() == "closed"


def test_an_end_of_our_own_is_no_answer_of_the_hub(scene):
    connection = scene.device(serve).connect()
    connection.drop()

    for verb in (connection.expect_closed, connection.ping, connection.outcome):
        with pytest.raises(HarnessError, match="ended by the suite itself"):
            verb()


@pytest.mark.parametrize(("verb", "end"), [("drop", b""), ("reset", "ConnectionResetError")])
def test_abrupt_ends_reach_the_peer_as_such(scene, verb, end):
    seen = []

    def play(line):
        line.answer_connect()
        try:
            # Below TLS: OpenSSL reports a reset as an unexpected end of stream.
            seen.append(socket.socket.recv(line.sock, 1, socket.MSG_PEEK))
        except OSError as error:
            seen.append(type(error).__name__)

    connection = scene.device(play).connect()

    getattr(connection, verb)()

    assert scene.peer.ended.acquire(timeout=PATIENCE)
    assert seen == [end]


def test_messages_are_taken_and_acknowledged(scene):
    message = b"\x32\x25\x00\x1fdevices/d1/messages/devicebound\x00\x05hi"

    def play(line):
        line.answer_connect()
        line.send(message)
        assert line.read_packet() == b"\x40\x02\x00\x05"
        line.send(b"\x40\x02\x00\x01")
        line.answer_pings()

    connection = scene.device(play).connect()

    arrived = connection.expect_message("devices/d1/messages/devicebound/#")

    assert arrived == Publish("devices/d1/messages/devicebound", b"hi", 1, packet_id=5)
    connection.expect_no_message()


def test_a_message_that_must_not_come_is_a_violation(scene):
    connection = scene.device(
        lambda line: (line.answer_connect(CONNACK + b"\x30\x03\x00\x01t"), line.answer_pings())
    ).connect()

    assert violation(connection.expect_no_message).observed == "publish"


def test_on_a_live_hub_a_message_may_come_behind_the_fence(scene):
    def play(line):
        line.answer_connect()
        line.read_packet()
        line.send(PINGRESP)
        line.send(b"\x40\x02\x00\x01")
        line.send(b"\x30\x03\x00\x01t")
        line.answer_pings()

    scene.timeouts.silence = PATIENCE
    connection = scene.device(play).connect()

    assert violation(connection.expect_no_message).observed == "publish"
    assert connection.outcome() == "puback"


def test_a_message_that_does_not_come_is_a_violation(scene):
    connection = scene.device(serve).connect()

    with scene.hurry():
        assert violation(connection.expect_message).observed == "silence"


def test_a_connection_keeps_itself_alive_and_hides_it(scene):
    def play(line):
        line.answer_connect()
        assert line.read_packet() == b"\xc0\x00"
        line.send(PINGRESP)

    connection = scene.device(play).connect(keep_alive=1)

    connection.expect_closed()

    assert "PINGREQ" in scene.evidence.render()


def test_what_paho_cannot_stand_ends_nothing_and_is_told(scene):
    connection = scene.device(
        lambda line: (line.answer_connect(), line.read_packet(), line.send(b"\xe0\x00"), line.answer_pings())
    ).connect()
    connection.send(EVENTS, b"x", qos=0)

    assert connection.outcome() == "disconnect"
    connection.ping()
    assert violation(connection.publish, EVENTS, b"x").observed == "disconnect"


def test_a_packet_split_by_the_network_is_one(scene):
    def play(line):
        line.answer_connect()
        line.read_packet()
        line.send(*(bytes([byte]) for byte in b"\x40\x02\x00\x01"))

    connection = scene.device(play).connect()
    connection.publish(EVENTS, b"x")

    assert connection.received[1:] == (Puback(1),)


def test_a_large_message_goes_out_whole_while_answers_come_in(scene):
    body = bytes(300_000)
    connection = scene.device(serve).connect()

    connection.publish(EVENTS, body, qos=1)

    assert scene.peer.lines[0].received[1].endswith(body)


def test_a_hub_that_closes_during_a_large_message_has_closed(scene):
    def play(line):
        line.answer_connect()
        line.sock.recv(1000)

    connection = scene.device(play).connect()
    connection.send(EVENTS, bytes(5_000_000), qos=1)

    connection.expect_closed()


def test_connections_of_one_reactor_do_not_disturb_each_other(scene):
    device = scene.device(serve)
    connections: list[Connection] = [device.connect() for _ in range(50)]

    connections[7].reset()
    for connection in connections[:7] + connections[8:]:
        connection.publish(EVENTS, b"x")

    assert scene.evidence.breaches == ()
