"""What the probes tell: in which case which node was reached, and what was known then; as a file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

HIT_BYTES: Final = 8
_NUMBER_BITS, _KIND_BITS = 24, 8


class Hit(NamedTuple):
    """A node was reached. `kinds` are bits of `served.KINDS`."""

    case: int
    number: int
    kinds: int

    def packed(self) -> int:
        """Return all three in one number."""
        return (self.case << _NUMBER_BITS | self.number) << _KIND_BITS | self.kinds


def read_hits(file: Path) -> Iterator[Hit]:
    """Yield what stands in a file; a hit that was cut off is left out."""
    data = file.read_bytes()
    for at in range(0, len(data) - HIT_BYTES + 1, HIT_BYTES):
        packed = int.from_bytes(data[at : at + HIT_BYTES], "little")
        place, kinds = packed >> _KIND_BITS, packed & (1 << _KIND_BITS) - 1
        yield Hit(place >> _NUMBER_BITS, place & (1 << _NUMBER_BITS) - 1, kinds)
