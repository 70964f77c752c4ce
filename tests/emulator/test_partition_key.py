"""In which partition a device's events are: the hash of Event Hubs' partition keys, and its ranges."""

import pytest

from iothub_emulator.hub.partition_key import LOGICAL_PARTITIONS, lookup3, partition_of, short_hash


@pytest.mark.parametrize(
    ("data", "first", "second"),
    [
        (b"", 0xDEADBEEF, 0xDEADBEEF),
        (b"Four score and seven years ago", 0x17770551, 0xCE7226E6),
    ],
)
def test_the_hash_is_lookup3(data, first, second):
    """The author's own test vectors, in the comments of `lookup3.c` (driver5)."""
    assert lookup3(data) == (first, second)


@pytest.mark.parametrize(
    ("key", "number"),
    [
        (b"a", -16220),
        (b"7", -15263),
        (b"device-1", 26788),
        (b"DEVICE-1", -24640),
        (b"sensor-0042", 19549),
        (b"A" * 12, 7509),
        (b"A" * 13, 15589),
        (b"THERMOSTAT/FLOOR-3:NORTH", -18150),
        (b"MY-DEVICE-WITH-A-RATHER-LONG-NAME-0001", -14780),
    ],
)
def test_the_folded_hash_is_that_of_event_hubs_producers(key, number):
    """Computed with azure-eventhub 5.15.1, whose buffered producer hashes partition keys."""
    assert short_hash(key) == number


@pytest.mark.parametrize(
    ("key", "count", "partition"),
    [
        ("device-1", 1, 0),
        ("device-1", 2, 1),
        ("DEVICE-1", 2, 1),
        ("device-1", 4, 3),
        ("device-1", 32, 24),
        ("7", 2, 0),
        ("7", 4, 1),
        ("7", 32, 14),
        ("AAAAAAAAAAAA", 32, 7),
    ],
)
def test_a_partition_holds_a_range_of_the_hash_of_the_key_in_capitals(key, count, partition):
    """-24640 is logical partition 24640: in the upper half, the last quarter, the 25th of 32 ranges."""
    assert partition_of(key, count) == partition


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 32])
def test_every_partition_has_devices(count):
    assert {partition_of(f"device-{number}", count) for number in range(1000)} == set(range(count))


def test_as_many_partitions_as_there_are_logical_ones():
    assert partition_of("device-1", LOGICAL_PARTITIONS) == 24640
