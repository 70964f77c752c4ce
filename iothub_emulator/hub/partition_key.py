"""In which partition a device's events are: Event Hubs' own hash of a partition key, the device's id.

The hash is Bob Jenkins's lookup3 (`hashlittle2`, 2006, public domain) of the key in capitals; its halves are
folded to 16 bits, which name one of 32,767 logical partitions, and each partition holds a range of those.
Tools and tests that read one partition alone compute it so: Microsoft's Device Explorer, end-to-end suites of
azure-iot-sdk-csharp and IoT Edge (`EventHubPartitionKeyResolver`). Producers of Event Hubs' SDKs choose
a partition by themselves, by the same hash of the key as it is, and by the remainder in place of ranges.
"""

import struct
from functools import lru_cache

LOGICAL_PARTITIONS = 2**15 - 1

_32_BITS = 0xFFFF_FFFF
_BLOCK = 12
_START = 0xDEAD_BEEF
_MIXING = (4, 6, 8, 16, 19, 4)
_FINAL = (14, 11, 25, 16, 4, 14, 24)
_REMEMBERED = 16_384


@lru_cache(maxsize=_REMEMBERED)
def partition_of(key: str, count: int) -> int:
    """Return the partition of a key, of `count`; the same on every hub with as many."""
    folded = short_hash(key.upper().encode("ascii", "replace"))
    # .NET's remainder has the sign of what is divided.
    logical = abs(folded) % LOGICAL_PARTITIONS
    narrow, wider_ones = divmod(LOGICAL_PARTITIONS, count)
    in_wider_ones = wider_ones * (narrow + 1)
    if logical < in_wider_ones:
        return logical // (narrow + 1)
    return wider_ones + (logical - in_wider_ones) // narrow


def short_hash(data: bytes) -> int:
    """Return both halves of the hash, folded to a signed number of 16 bits."""
    first, second = lookup3(data)
    folded = (first ^ second) & 0xFFFF
    return folded - 0x1_0000 if folded & 0x8000 else folded


def lookup3(data: bytes) -> tuple[int, int]:
    """Return the two numbers of 32 bits that `hashlittle2` gives for `data`, both seeds 0."""
    a = b = c = (_START + len(data)) & _32_BITS
    if not data:
        return c, b
    last = (len(data) - 1) // _BLOCK * _BLOCK
    for position in range(0, last, _BLOCK):
        a, b, c = _added(a, b, c, data[position : position + _BLOCK])
        for turn in _MIXING:
            # The three change places: what was `b` is the next to be changed.
            a, b, c = b, (c + b) & _32_BITS, ((a - c) & _32_BITS) ^ _turned(c, turn)
    a, b, c = _added(a, b, c, data[last:].ljust(_BLOCK, b"\x00"))
    changed, beside, other = c, b, a
    for turn in _FINAL:
        changed = ((changed ^ beside) - _turned(beside, turn)) & _32_BITS
        changed, beside, other = other, changed, beside
    return beside, other


def _added(a: int, b: int, c: int, block: bytes) -> tuple[int, int, int]:
    x, y, z = struct.unpack("<3I", block)
    return (a + x) & _32_BITS, (b + y) & _32_BITS, (c + z) & _32_BITS


def _turned(number: int, bits: int) -> int:
    return ((number << bits) | (number >> (32 - bits))) & _32_BITS
