"""The telemetry log: positions, bounds, order."""

import json

import pytest

from iothub_emulator.hub.partition_key import partition_of
from iothub_emulator.hub.telemetry import (
    Partition,
    Sender,
    TelemetryEvent,
    TelemetryLog,
    TelemetryRules,
)


def event(when=0.0, body=b"", device="d1"):
    return TelemetryEvent(device, "g", "{}", body, when)


def filled(count, capacity=10):
    partition = Partition(capacity)
    for number in range(count):
        assert partition.append(event(when=100.0 + number, body=b"%d" % number)) == number
    return partition


def test_an_empty_partition():
    partition = Partition(4)
    assert partition.is_empty
    assert (partition.first_sequence_number, partition.next_sequence_number) == (0, 0)
    assert partition.last_enqueued_time == 0.0
    assert partition.read(0, 10) == []


def test_reading_begins_anywhere_and_ends_at_the_limit():
    partition = filled(6)
    assert [number for number, _ in partition.read(2, 3)] == [2, 3, 4]
    assert [found.body for _, found in partition.read(4, 99)] == [b"4", b"5"]
    assert partition.read(6, 99) == []
    assert [number for number, _ in partition.read(-1, 1)] == [0]


def test_older_events_fall_out():
    """The log is bounded; numbers that fell out are skipped."""
    partition = filled(25, capacity=10)
    assert (partition.first_sequence_number, partition.next_sequence_number) == (15, 25)
    assert [(number, found.body) for number, found in partition.read(0, 2)] == [(15, b"15"), (16, b"16")]
    assert partition.last_enqueued_time == 124.0


def test_older_events_fall_out_where_they_are_large():
    """Events of 256 KiB, 10,000 of them in each partition, would be gigabytes."""
    log = TelemetryLog(partitions=2, capacity=10_000, size=2_000_000)
    for number in range(100):
        log.append(event(body=bytes(100_000) + b"%d" % number), partition=0)
    first, second = log.partitions
    assert (first.first_sequence_number, first.next_sequence_number) == (91, 100)
    assert [found.body[100_000:] for _, found in first.read(0, 3)] == [b"91", b"92", b"93"]
    assert second.is_empty


def test_properties_count_too():
    partition = Partition(capacity=100, size=50_000)
    for _ in range(20):
        partition.append(TelemetryEvent("d", "g", "{}", b"", 0.0, properties={"a" * 5_000: "b" * 5_000}))
    assert partition.next_sequence_number - partition.first_sequence_number == 4


def test_the_newest_event_is_kept_however_large_it_is():
    partition = Partition(capacity=10, size=10)
    partition.append(event(body=bytes(100)))
    partition.append(event(body=bytes(200)))
    assert [len(found.body) for _, found in partition.read(0, 10)] == [200]


def test_offsets_are_text_and_rise_with_the_numbers():
    assert Partition.sequence_of(Partition.offset_of(7)) == 7
    assert Partition.sequence_of("-1") == -1
    assert int(Partition.offset_of(8)) > int(Partition.offset_of(7)) > 7
    with pytest.raises(ValueError, match="abc"):
        Partition.sequence_of("abc")


def test_time_in_a_partition_never_falls():
    """A clock that was set back must not make positions by time lie."""
    partition = Partition(4)
    partition.append(event(when=10.0))
    partition.append(event(when=5.0))
    assert [found.enqueued_time for _, found in partition.read(0, 9)] == [10.0, 10.0]


def test_a_device_keeps_its_partition_and_all_are_used():
    log = TelemetryLog(partitions=2)
    places = {log.append(event(device=f"d{number}"))[0] for number in range(20)}
    assert places == {0, 1}
    assert {log.append(event(device="d7"))[0] for _ in range(5)} == {partition_of("d7", 2)}


def test_a_stamp_comes_from_the_connection():
    rules = TelemetryRules()
    sender = Sender("d1", "638000000000000000", rules.auth_method("device", "sas"))
    stamped = rules.stamp(sender, b"x", {"iothub-connection-device-id": "d2"}, {"message-id": "1"}, 5.0)
    assert (stamped.device_id, stamped.generation_id, stamped.module_id) == ("d1", "638000000000000000", None)
    assert (stamped.source, stamped.enqueued_time, stamped.body) == ("Telemetry", 5.0, b"x")
    assert stamped.system == {"message-id": "1"}
    assert json.loads(stamped.auth_method) == {
        "scope": "device",
        "type": "sas",
        "issuer": "iothub",
        "acceptingIpFilterRule": None,
    }
