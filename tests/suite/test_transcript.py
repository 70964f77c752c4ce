"""The transcript: one time axis, glyphs, both sides, a bound on its size."""

import threading

from conformance.evidence.case import Evidence
from conformance.evidence.transcript import Transcript
from conformance.mqtt.packets import Puback
from conformance.run import sleeping


def clock(*seconds):
    moments = iter(seconds)
    return lambda: next(moments)


def test_every_line_has_its_milliseconds_who_which_way_and_what():
    transcript = Transcript(clock=clock(100.0, 100.0, 100.0414, 110.042))

    transcript.add("c1", "→", "PINGREQ")
    transcript.add("c1", "←", "PINGRESP")
    transcript.service("telemetry of d1: 3 bytes")

    assert transcript.render().splitlines() == [
        "     0 ms  c1 → PINGREQ",
        "    41 ms  c1 ← PINGRESP",
        " 10042 ms  service = telemetry of d1: 3 bytes",
    ]


def test_a_flood_keeps_its_beginning_and_its_end_and_says_what_is_missing():
    transcript = Transcript(limit=2_000)

    for number in range(1_000):
        transcript.add("c1", "→", f"line {number}")

    lines = transcript.render().splitlines()
    assert lines[0].endswith("line 0")
    assert lines[-1].endswith("line 999")
    assert len(transcript.render().encode()) < 2_100
    left_out = next(line for line in lines if line.startswith("…"))
    assert left_out == f"… {1_000 - len(transcript.entries)} lines left out …"


def test_a_line_that_is_longer_than_a_reader_follows_is_cut_and_says_how_long_it_was():
    transcript = Transcript()

    transcript.add("c1", "←", "PUBLISH  " + "x" * 65_000)

    assert transcript.render() == f"     0 ms  c1 ← PUBLISH  {'x' * (4096 - 9)}… (65009 characters)"


def test_any_thread_may_write():
    transcript = Transcript()

    def write():
        for _ in range(200):
            transcript.add("c1", "=", "x")

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    times = [entry.milliseconds for entry in transcript.entries]
    assert len(times) == 800
    assert times == sorted(times)


def test_connections_are_told_apart_and_write_packets_in_words():
    evidence = Evidence()
    first, second = evidence.connection("d1"), evidence.connection("d1")

    first.sent(b"\xc0")
    first.sent(b"\x00")
    assert second.received(b"\x40\x02\x00\x07") == [Puback(7)]
    second.ended("closed by the hub (end of stream)")

    assert [(entry.who, entry.glyph, entry.text) for entry in evidence.transcript.entries] == [
        ("c1", "→", "PINGREQ"),
        ("c2", "←", "PUBACK   packet=7"),
        ("c2", "=", "closed by the hub (end of stream)"),
    ]
    assert evidence.render() == evidence.transcript.render()


def test_a_packet_cut_off_by_the_end_is_written_down_and_not_the_watchs_business():
    evidence = Evidence()
    recorder = evidence.connection("d1")
    recorder.received(b"\x20\x02\x00\x00\x40\x02\x00")

    (rest,) = recorder.ended("closed by the hub (reset)")

    assert rest.data == b"\x40\x02\x00"
    assert evidence.breaches == ()


def test_a_port_that_need_not_speak_mqtt_is_not_watched():
    evidence = Evidence()

    evidence.connection("d1", watched=False).received(b"\x15\x03\x03\x00\x02")

    assert (evidence.breaches, evidence.sightings) == ((), {})


def test_a_case_knows_how_long_it_paused():
    sleeping.pause(0.001)
    evidence = Evidence()
    assert evidence.slept == 0

    sleeping.pause(0.002)

    assert evidence.slept >= 0.002
