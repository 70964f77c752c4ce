"""A hub that sends without an end: the suite reads so much of it, says so, and hears everybody else."""

import itertools

import pytest
from scripted_peer import PINGRESP
from scripted_websocket import BINARY, PING, admitting, frame, opened

from conformance.errors import HarnessError
from conformance.evidence import case
from conformance.mqtt.packets import Unreadable

TOO_MANY = "more than 5000 packets and empty frames from the hub on one connection"
TOO_MUCH = "more than 16777216 bytes from the hub on one connection"

PINGREQ = b"\xc0\x00"
PUBACK = b"\x40\x02\x00\x07"


def flooding(data):
    """Accept, and send these bytes for as long as anybody takes them."""

    def play(line):
        line.answer_connect()
        for _ in itertools.count():
            line.send(data)

    return play


def answering(line):
    """Accept, and answer PINGREQ."""
    line.answer_connect()
    line.answer_pings()


def told(scene):
    return [f"{entry.who} {entry.glyph} {entry.text}" for entry in scene.evidence.transcript.entries]


@pytest.mark.parametrize(
    ("data", "too_much"),
    [
        (PUBACK * 1000, TOO_MANY),
        (PINGRESP * 1000, TOO_MANY),
        (b"\x30\x80\x80\x20\x00\x01t".ljust(512 * 1024 + 4), TOO_MUCH),
        (b"\x30\xff\xff\xff\x7f".ljust(100_000), TOO_MUCH),
        (b"\x30\xff\xff\xff\xff\xff".ljust(100_000), TOO_MUCH),
    ],
    ids=["packets", "smallest-packets", "large-packets", "greatest-length", "no-length"],
)
def test_a_flood_is_ended_by_the_suite_and_proves_nothing_about_the_case(scene, data, too_much):
    raw = scene.device(flooding(data)).raw()
    raw.send(b"\x10\x00")

    with pytest.raises(HarnessError, match=f"^{too_much}: the suite reads no more of it$"):
        raw.expect_closed()
    assert told(scene)[-1] == f"c1 = closed by us ({too_much})"


def test_a_flood_of_pings_over_websocket_is_ended_too(scene):
    pings = frame(PING, b"are you there?") * 1000
    device = scene.device(opened(admitting(*[pings] * 20)))
    raw = device.websocket_connected()

    with pytest.raises(HarnessError, match=TOO_MANY):
        raw.exchange(PINGREQ, "pingresp")


def test_bytes_behind_a_frame_that_means_nothing_count_as_well(scene):
    device = scene.device(opened(admitting(frame(0x83, b"?"), *[frame(BINARY, b" " * 60_000) * 300])))
    raw = device.websocket_connected()
    raw.send(PINGREQ, PINGREQ)

    with pytest.raises(HarnessError, match=TOO_MUCH):
        raw.expect_closed()


def test_while_one_connection_is_flooded_another_device_is_heard(scene, monkeypatch):
    """The flood is not over, and no limit ends it, while another device of the same worker is served."""
    monkeypatch.setattr(case, "MOST_PACKETS", float("inf"), raising=False)
    monkeypatch.setattr(case, "MOST_BYTES", float("inf"), raising=False)
    flooded = scene.device(flooding(PUBACK * 1000)).raw()
    flooded.send(b"\x10\x00")
    assert flooded.take(2) == ("connack 0", "puback 7")

    other = scene.device(answering).connect()
    other.ping()

    assert flooded.take(1) == ("puback 7",)
    flooded.drop()


def test_a_packet_longer_than_any_hub_sends_is_not_collected(scene):
    """It is unreadable at its header, though it never ends."""

    def play(line):
        line.answer_connect()
        line.send(b"\x30\xff\xff\xff\x7f")
        line.read_packet()

    raw = scene.device(play).raw()
    raw.send(b"\x10\x00")

    assert raw.take(2) == ("connack 0", "unreadable")
    (_, packet) = raw.received
    assert packet == Unreadable(
        "a packet of 268435455 bytes, where none has more than 1048576", b"\x30\xff\xff\xff\x7f"
    )
    raw.send(PINGREQ)
    raw.expect_closed()


def test_frames_of_a_byte_each_are_no_flood(scene):
    """[MQTT-6.0.0-2] Frames mean nothing to MQTT: a message may come in as many as it has bytes."""
    message = b"\x30\x80\x40\x00\x01t".ljust(8192 + 3)
    one_by_one = b"".join(frame(BINARY, bytes([byte])) for byte in message)
    raw = scene.device(opened(admitting(one_by_one))).websocket_connected()
    raw.send(PINGREQ)

    assert raw.take(1) == ("publish 0",)
    raw.drop()
